package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Another process of a test: a C program, or a JVM. It is killed when the test is over. */
final class Peer implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 90;
  private static final String END = "\0";

  private final Process process;
  private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

  private Peer(List<String> command, Path bus) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("BYWASH_DIR", bus.toString());
    builder.environment().put("ASAN_OPTIONS", "detect_leaks=1");
    process = builder.start();
    Thread.ofVirtual().start(this::read);
  }

  /** The C program in a role. */
  static Peer inC(Native.Variant variant, Path segment, String role, Object... arguments) throws IOException {
    String program = role.startsWith("call") || role.startsWith("serve") ? "calls" : "peer";
    List<String> command = new ArrayList<>(List.of(Native.program(variant, program).toString(), role,
        segment.toString()));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new Peer(command, segment.getParent());
  }

  /** A JVM with {@link JavaPeer}. */
  static Peer inJava(List<String> flags, Path segment, String role, Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(),
        "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"));
    command.addAll(flags);
    command.addAll(List.of("-cp", Path.of("../../engine-java/target/classes").toAbsolutePath() + File.pathSeparator
        + Path.of("target/test-classes").toAbsolutePath(), JavaPeer.class.getName(), role, segment.toString()));
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return new Peer(command, segment.getParent());
  }

  private void read() {
    try (BufferedReader reader = process.inputReader()) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
      }
    } catch (IOException | UncheckedIOException gone) {
      // it was killed
    } finally {
      lines.add(END);
    }
  }

  long pid() {
    return process.pid();
  }

  /** The next line that it says. */
  String line() throws InterruptedException {
    String line = lines.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertNotNull(line, "it says nothing");
    return line;
  }

  /** Whether it has said a line that nobody has taken yet. */
  boolean hasSpoken() {
    return !lines.isEmpty();
  }

  /** Waits until it says this. */
  Peer awaits(String expected) throws InterruptedException {
    assertEquals(expected, line());
    return this;
  }

  /** Writes an empty line to its input: some roles wait for that. */
  Peer tell() throws IOException {
    process.getOutputStream().write('\n');
    process.getOutputStream().flush();
    return this;
  }

  /** Closes its input: some roles wait for that. */
  Peer release() throws IOException {
    process.getOutputStream().close();
    return this;
  }

  /** Waits until it has ended with success. */
  void ends() throws InterruptedException {
    assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "it does not end");
    assertEquals(0, process.exitValue());
  }

  /** Kills it with SIGKILL, and waits until it is gone. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    assertTrue(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS), "it survives SIGKILL");
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
