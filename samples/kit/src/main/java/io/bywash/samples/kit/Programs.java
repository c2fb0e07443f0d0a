package io.bywash.samples.kit;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.BusDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** Starts, awaits and ends the programs of a sample. */
public final class Programs {
  private static final Object STARTS = new Object();
  private static boolean isEnding;

  private Programs() {}

  /** What starts a process, or makes files for one. */
  @FunctionalInterface
  public interface Start<T> {
    /** Does so. */
    T start() throws IOException;
  }

  /**
   * Starts what {@link #leaveNothing} ends and removes. While that is going on nothing is started any more, since
   * nobody would end it: then this waits for the end of this process.
   */
  public static <T> T start(Start<T> start) throws IOException {
    synchronized (STARTS) {
      if (!isEnding) {
        return start.start();
      }
    }
    while (true) {
      LockSupport.park();
    }
  }

  /**
   * Starts a main class of this sample, whose standard output and input are ours to use; on the class path if it is in
   * no module.
   */
  public static Process start(Class<?> program, String... arguments) throws IOException {
    ProcessBuilder builder = program.getModule().isNamed()
        ? builder(program.getModule().getName() + "/" + program.getName(), arguments)
        : builder(List.of("-cp", System.getProperty("java.class.path"), "--enable-native-access=ALL-UNNAMED",
            program.getName()), arguments);
    return start(builder::start);
  }

  /** A main class, as {@code module/class}, in a JVM that starts fast. */
  public static ProcessBuilder builder(String program, String... arguments) {
    return builder(List.of("-p", System.getProperty("jdk.module.path"), "--enable-native-access=io.bywash.engine", "-m",
        program), arguments);
  }

  private static ProcessBuilder builder(List<String> program, String... arguments) {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(),
        "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(program);
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
  }

  /** Ends this process as soon as the one that started it is gone, or has closed what it could write to us. */
  public static void endWithParent() {
    Thread.ofPlatform().daemon().start(() -> {
      try (Scanner input = new Scanner(System.in)) {
        if (!input.hasNext()) {
          Runtime.getRuntime().halt(1);
        }
      }
    });
  }

  /** Waits up to a minute until something is so. */
  public static void await(String what, BooleanSupplier condition) {
    for (long start = System.nanoTime(); !condition.getAsBoolean(); LockSupport.parkNanos(MILLISECONDS.toNanos(1))) {
      if (System.nanoTime() - start > SECONDS.toNanos(60)) {
        throw new IllegalStateException("it took more than 60 s until " + what);
      }
    }
  }

  /** The name of a segment of this process alone, so that it is nobody else's, and several runs are apart. */
  public static String segmentOf(String sample) {
    return sample + "-" + ProcessHandle.current().pid();
  }

  /**
   * Whatever the end of this process is: no process that it has started, no such segment, and none of these files and
   * folders is left.
   */
  public static void leaveNothing(String segment, Path... files) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      synchronized (STARTS) {
        isEnding = true;
      }
      List<ProcessHandle> all = ProcessHandle.current().descendants().toList();
      all.forEach(ProcessHandle::destroyForcibly);
      all.forEach(each -> each.onExit().join());
      Stream.of(files).forEach(Programs::delete); // nobody writes there any more
      BusDirectory.standard().remove(segment);
    }));
  }

  private static void delete(Path file) {
    try (Stream<Path> inside = Files.walk(file)) {
      for (Path each : inside.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    } catch (IOException failure) {
      System.err.println("bywash: " + file + " cannot be removed: " + failure);
    }
  }

  /** The arguments as options to be taken one by one; with {@code --help} the help, and this process ends. */
  public static List<String> options(String help, String... arguments) {
    if (List.of(arguments).contains("--help")) {
      System.out.println(help);
      System.exit(0);
    }
    return new ArrayList<>(List.of(arguments));
  }

  /** Fails unless all options were taken. */
  public static void requireNoMore(List<String> options) {
    if (!options.isEmpty()) {
      throw new IllegalArgumentException(options + " is wrong");
    }
  }

  /** Ends this process, which was called wrongly. */
  public static void endWrongly(String program, IllegalArgumentException wrong) {
    System.err.println(program + ": " + wrong.getMessage() + ". 'bywash " + program + " --help' lists the options.");
    System.exit(2);
  }

  /** Ends this process with what was counted as one line, if that was asked for. */
  public static void end(boolean json, String counts, boolean isOk) {
    if (json) {
      System.out.println(counts);
    }
    System.exit(isOk ? 0 : 1);
  }

  /**
   * Takes an option and its value out of the list of all.
   *
   * @param variable of the environment that stands for an option that is not given; empty for none
   * @throws IllegalArgumentException when the value is missing, or not of that form
   */
  public static String take(List<String> options, String name, String variable, String otherwise, String form) {
    int at = options.indexOf(name);
    if (at >= 0 && at + 1 == options.size()) {
      throw new IllegalArgumentException(name + " needs a value");
    }
    String value = at < 0 ? System.getenv().getOrDefault(variable, otherwise) : options.remove(at + 1);
    if (at >= 0) {
      options.remove(at);
    }
    if (!value.matches(form)) {
      throw new IllegalArgumentException(name + " " + value + " is not what it may be");
    }
    return value;
  }
}
