package io.bywash.samples.circularbuffer;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Starts a writer and three readers as processes, stops one of the readers until it was overtaken, and compares. */
final class CircularBuffer {
  private static final String SEGMENT = "circular-buffer-" + ProcessHandle.current().pid();

  public static void main(String[] arguments) {
    Options options = new Options(arguments);
    Runtime.getRuntime().addShutdownHook(new Thread(CircularBuffer::cleanUp));
    boolean ok = false;
    String json = "{\"ok\": false}";
    try {
      Outcome outcome = run(options);
      ok = outcome.isOk();
      json = outcome.toJson();
      (options.json ? System.err : System.out).println(outcome.toText());
    } catch (IOException | InterruptedException | IllegalStateException failure) {
      System.err.println("circular-buffer: " + failure.getMessage());
    }
    if (options.json) {
      System.out.println(json);
    }
    System.exit(ok ? 0 : 1);
  }

  private static Outcome run(Options options) throws IOException, InterruptedException {
    EntrySpec ring = Broadcast.spec("messages", Long.parseLong(options.ringMebibytes) << 20);
    Process writer = start("Writer", Long.toString(ring.capacity()), options.laps, options.sabotage);
    Process first = start("Reader", "block");
    Process second = start("Reader", "block");
    Process stopped = start("Reader", "fail");
    line(writer);
    signal("STOP", stopped.pid());
    writer.getOutputStream().close(); // it writes the rest
    Counts sent = counts(writer);
    signal("CONT", stopped.pid());
    for (Process reader : List.of(first, second, stopped)) {
      reader.getOutputStream().close(); // it reads the rest
    }
    return new Outcome(ring.capacity(), sent, counts(first), counts(second), counts(stopped));
  }

  private static Process start(String program, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-p",
        System.getProperty("jdk.module.path"), "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC", "-m",
        "io.bywash.samples.circularbuffer/io.bywash.samples.circularbuffer." + program, SEGMENT));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static String line(Process process) throws IOException, InterruptedException {
    String line = process.inputReader().readLine();
    if (line == null) {
      throw new IllegalStateException("process " + process.pid() + " ended with " + process.waitFor() + " too early");
    }
    return line;
  }

  private static Counts counts(Process process) throws IOException, InterruptedException {
    return Counts.of(line(process), process.waitFor());
  }

  /** Sends a signal; when this returns after STOP, no thread of the process runs. */
  private static void signal(String name, long pid) throws IOException, InterruptedException {
    new ProcessBuilder("sh", "-c", "kill -" + name + " " + pid).inheritIO().start().waitFor();
    while (name.equals("STOP") && !Files.readString(Path.of("/proc/" + pid + "/stat")).matches("(?s).*\\) T .*")) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  /** Whatever the end is: no process and no segment is left. */
  private static void cleanUp() {
    ProcessHandle.current().children().forEach(child -> {
      child.destroyForcibly();
      child.onExit().join();
    });
    BusDirectory.standard().remove(SEGMENT);
  }
}
