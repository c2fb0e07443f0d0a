package io.bywash.osgi.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A running {@link PublisherProgram}, or another one that holds roles or segments; closing it makes it close them. */
final class PublisherProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader answers;
  private final PrintStream orders;
  private final long firstSequence;

  private PublisherProcess(Process process) throws IOException {
    this.process = process;
    this.answers = process.inputReader(StandardCharsets.UTF_8);
    this.orders = new PrintStream(process.getOutputStream(), true, StandardCharsets.UTF_8);
    this.firstSequence = answer();
  }

  static PublisherProcess start(Path segment, String queue) throws IOException {
    return start(segment, queue, 1 << 16, 8);
  }

  static PublisherProcess start(Path segment, String queue, int ringBytes, int subscribers) throws IOException {
    return start(PublisherProgram.class, segment, queue, ringBytes, subscribers);
  }

  /** Starts a program, which says a number when it is ready. */
  static PublisherProcess start(Class<?> program, Object... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "--enable-native-access=ALL-UNNAMED",
        "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp",
        System.getProperty("bywash.test.classes") + ":" + Container.DIRECTORY.resolve("bundles/bywash-engine.jar"),
        program.getName()));
    Stream.of(arguments).map(Object::toString).forEach(command::add);
    return new PublisherProcess(
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  private long answer() throws IOException {
    String line = answers.readLine();
    if (line == null) {
      throw new AssertionError("the publisher process " + pid() + " ended by itself");
    }
    return Long.parseLong(line);
  }

  long pid() {
    return process.pid();
  }

  /** What it said first: a publisher its next sequence. */
  long firstSequence() {
    return firstSequence;
  }

  /** Publishes so many and returns the next sequence. */
  long publish(int count) throws IOException {
    orders.println("publish " + count);
    return answer();
  }

  /** Publishes from now on without end. */
  void stream() {
    orders.println("stream");
  }

  /** SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() throws IOException {
    orders.close();
    try {
      if (!process.waitFor(Container.DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
        throw new AssertionError("the publisher process " + pid() + " does not end");
      }
    } catch (InterruptedException interrupted) {
      throw new AssertionError(interrupted);
    } finally {
      process.destroyForcibly();
    }
  }
}
