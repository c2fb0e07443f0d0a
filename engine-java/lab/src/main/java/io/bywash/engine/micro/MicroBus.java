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
 * A segment with one queue for a benchmark, in a directory of its own in shared memory. It goes with the process at the
 * latest.
 */
final class MicroBus implements AutoCloseable {
  /** Holds what a batch publishes, and stays within a processor's second-level cache. */
  static final int RING_BYTES = 512 * 1024;

  private final Path directory;
  private final Segment segment;
  private final Thread atExit = new Thread(this::removeAll);
  final Entry queue;

  MicroBus() throws IOException {
    directory = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-micro-");
    segment = Segment.create(directory.resolve("micro"), SegmentSpec.of(Broadcast.spec("queue", RING_BYTES)));
    queue = segment.directory().find("queue", Kind.BROADCAST);
    Runtime.getRuntime().addShutdownHook(atExit); // for a benchmark that fails
  }

  private void removeAll() {
    segment.close();
    directory.resolve(".lock").toFile().delete();
    directory.toFile().delete();
  }

  @Override
  public void close() {
    removeAll();
    Runtime.getRuntime().removeShutdownHook(atExit);
  }
}
