package io.bywash.engine.micro;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A segment with one queue for a benchmark, in shared memory, in a directory of its own. */
final class MicroBus implements AutoCloseable {
  /** Holds what a batch publishes, and stays within a processor's second-level cache. */
  static final int RING_BYTES = 512 * 1024;

  final Segment segment;
  final Entry queue;
  private final Path directory;

  MicroBus() throws IOException {
    directory = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-micro-");
    segment = Segment.create(directory.resolve("micro"), SegmentSpec.of(Broadcast.spec("queue", RING_BYTES)));
    queue = segment.directory().find("queue", Kind.BROADCAST);
  }

  @Override
  public void close() throws IOException {
    segment.close();
    Files.deleteIfExists(directory.resolve(".lock"));
    Files.delete(directory);
  }
}
