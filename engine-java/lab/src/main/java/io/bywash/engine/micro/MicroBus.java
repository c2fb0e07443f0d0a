package io.bywash.engine.micro;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A segment with one queue for a benchmark, in shared memory. Its name is removed at once, so that nothing stays when a
 * benchmark fails.
 */
final class MicroBus implements AutoCloseable {
  /** Holds what a batch publishes, and stays within a processor's second-level cache. */
  static final int RING_BYTES = 512 * 1024;

  private final Segment segment;
  final Entry queue;

  MicroBus() throws IOException {
    Path directory = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-micro-");
    segment = Segment.create(directory.resolve("micro"), SegmentSpec.of(Broadcast.spec("queue", RING_BYTES)));
    queue = segment.directory().find("queue", Kind.BROADCAST);
    Files.delete(segment.path());
    Files.deleteIfExists(directory.resolve(".lock"));
    Files.delete(directory);
  }

  @Override
  public void close() {
    segment.close();
  }
}
