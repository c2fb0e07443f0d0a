package io.bywash.samples.container;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A container in a process of its own, its shell, and what it says. */
final class Shell implements AutoCloseable {
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(60);
  /** Each container lives for a few seconds only. */
  private static final List<String> STARTS_FAST =
      List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData");

  private final Process process;
  private final PrintStream input;
  private final Thread reader;
  private final List<String> lines = Collections.synchronizedList(new ArrayList<>());

  /** Starts java in that folder, with {@code bus} as its bus directory. */
  Shell(Path folder, Path bus, List<String> arguments) throws IOException {
    List<String> command = new ArrayList<>(STARTS_FAST);
    command.addAll(arguments);
    command.addFirst(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
    builder.environment().put("BYWASH_DIR", bus.toString());
    process = builder.start();
    input = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    reader = Thread.ofVirtual().start(this::read);
  }

  private void read() {
    try {
      process.inputReader(StandardCharsets.UTF_8).lines().forEach(lines::add);
    } catch (UncheckedIOException killed) {
      // a test has failed before
    }
  }

  long pid() {
    return process.pid();
  }

  void type(String line) {
    input.println(line);
  }

  /** All that was said. */
  List<String> lines() {
    return List.of(lines.toArray(String[]::new));
  }

  /** Waits until it is so. */
  void await(String what, Predicate<List<String>> condition) throws InterruptedException {
    long start = System.nanoTime();
    while (!condition.test(lines())) {
      assertTrue(System.nanoTime() - start < DEADLINE_NANOS, () -> what + " in vain:\n" + this);
      Thread.sleep(20);
    }
  }

  /** Repeats a command until the answer comes: the shell is there before the last bundles. */
  void ask(String command, String answer) throws InterruptedException {
    long start = System.nanoTime();
    while (!toString().contains(answer)) {
      assertTrue(System.nanoTime() - start < DEADLINE_NANOS, () -> answer + " in vain:\n" + this);
      type(command);
      Thread.sleep(100);
    }
  }

  /** Stops the container in good order. */
  void stop() throws InterruptedException {
    type("stop 0");
    assertTrue(process.waitFor(DEADLINE_NANOS, TimeUnit.NANOSECONDS), this::toString);
    reader.join();
    assertEquals(0, process.exitValue(), this::toString);
  }

  @Override
  public void close() {
    process.destroyForcibly().onExit().join();
    input.close();
  }

  @Override
  public String toString() {
    return String.join("\n", lines());
  }
}
