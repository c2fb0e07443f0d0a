package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Segment;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.Verification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A bus directory of one test, which has to be empty at the end; and the processes that the test started. */
final class Bus implements AutoCloseable {
  private final Path directory;
  private final List<Peer> peers = new ArrayList<>();

  Bus() throws IOException {
    Native.requireCompiler();
    directory = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-native-test-");
  }

  Path path(String segment) {
    return directory.resolve(segment);
  }

  /** A C process, with the sanitizers. */
  Peer peer(String role, Object... arguments) throws IOException {
    return add(Peer.inC(Native.Variant.SANITIZED, path("s"), role, arguments));
  }

  /** A C process, as users build it. */
  Peer fastPeer(String role, Object... arguments) throws IOException {
    return add(Peer.inC(Native.Variant.FAST, path("s"), role, arguments));
  }

  Peer javaPeer(String role, Object... arguments) throws IOException {
    return add(Peer.inJava(List.of("--enable-native-access=ALL-UNNAMED"), path("s"), role, arguments));
  }

  /** A JVM that can neither wake others nor lock by open file description. */
  Peer portablePeer(String role, Object... arguments) throws IOException {
    return add(Peer.inJava(List.of("--illegal-native-access=deny"), path("s"), role, arguments));
  }

  private Peer add(Peer peer) {
    peers.add(peer);
    return peer;
  }

  /** Every invariant of a segment holds. */
  static void verify(Segment segment) {
    List<Finding> findings = Verification.of(segment);
    assertEquals(List.of(), findings);
  }

  @Override
  public void close() throws IOException {
    peers.forEach(Peer::close);
    List<Path> left;
    Files.deleteIfExists(directory.resolve(".lock"));
    try (Stream<Path> files = Files.list(directory)) {
      left = files.toList();
    }
    for (Path file : left) {
      Files.delete(file);
    }
    Files.delete(directory);
    assertEquals(List.of(), left, "left in the bus directory");
  }
}
