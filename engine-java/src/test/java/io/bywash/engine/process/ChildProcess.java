package io.bywash.engine.process;

import io.bywash.engine.Segment;
import io.bywash.engine.internal.memory.NativeAccess;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Assumptions;

/**
 * A JVM of its own, to be killed, paused and resumed by a test. Used in a {@code try} with resources, it is gone after
 * the test in any case.
 */
public final class ChildProcess implements AutoCloseable {
  /** So long may pass until a process says something more, or ends. */
  private static final long PATIENCE_SECONDS = 90;

  private final Process process;
  private final Writer input;
  /** Its lines, and an empty value at the end. */
  private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();
  private final List<String> transcript = new ArrayList<>();

  /** With or without native access. */
  enum Setup {
    NATIVE("--enable-native-access=ALL-UNNAMED"),
    PORTABLE("--illegal-native-access=deny");

    private final String option;

    Setup(String option) {
      this.option = option;
    }

    /** That of this JVM. */
    static Setup own() {
      return NativeAccess.ENABLED ? NATIVE : PORTABLE;
    }

    Setup other() {
      return this == NATIVE ? PORTABLE : NATIVE;
    }
  }

  private ChildProcess(Process process) {
    this.process = process;
    this.input = process.outputWriter(StandardCharsets.UTF_8);
    Thread.ofVirtual().start(this::read);
  }

  /** Starts {@code program} in the set-up of this JVM. */
  public static ChildProcess start(Class<? extends ChildProgram> program, Object... arguments) {
    return start(Setup.own(), Map.of(), program, arguments);
  }

  /** Starts {@code program} with variables added to the environment. */
  static ChildProcess start(Map<String, String> environment, Class<? extends ChildProgram> program,
      Object... arguments) {
    return start(Setup.own(), environment, program, arguments);
  }

  /** Starts {@code program} in a set-up of its own. */
  static ChildProcess start(Setup setup, Class<? extends ChildProgram> program, Object... arguments) {
    return start(setup, Map.of(), program, arguments);
  }

  private static ChildProcess start(Setup setup, Map<String, String> environment, Class<? extends ChildProgram> program,
      Object... arguments) {
    return start(List.of(), List.of(), setup, environment, program, arguments);
  }

  /**
   * Starts {@code program} through another program that becomes it, or waits for it, such as {@code setpriv} or
   * {@code unshare}, with further options for its JVM.
   */
  static ChildProcess startBy(List<String> starter, List<String> options, Class<? extends ChildProgram> program,
      Object... arguments) {
    return start(starter, options, Setup.own(), Map.of(), program, arguments);
  }

  /** Skips the test, aloud, when a starter does not work here. */
  static void assumeWorks(List<String> starter) {
    List<String> command = new ArrayList<>(starter);
    command.add("true");
    String failure;
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      failure = process.waitFor() == 0 ? "" : said;
    } catch (IOException | InterruptedException none) {
      failure = none.toString();
    }
    Assumptions.assumeTrue(failure.isEmpty(), "NOT CHECKED: " + starter + " does not work here: " + failure);
  }

  static ChildProcess start(List<String> starter, List<String> options, Setup setup,
      Map<String, String> environment, Class<? extends ChildProgram> program, Object... arguments) {
    List<String> command = command(setup);
    if (ChildProgram.Uncached.class.isAssignableFrom(program)) {
      command.add(command.indexOf("-cp"), "-XX:AOTMode=off");
    }
    command.addAll(command.indexOf("-cp"), options); // of two that contradict each other the last one counts
    command.addAll(0, starter);
    if (!ChildProgram.Optimised.class.isAssignableFrom(program)) {
      command.add(starter.size() + 1, "-XX:TieredStopAtLevel=1"); // starts faster
    }
    command.add(ChildProgram.Main.class.getName());
    command.add(program.getName());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    try {
      return new ChildProcess(builder.start());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static List<String> command(Setup setup) {
    List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        setup.option, "-Dbywash.test.classes.engine=" + root(Segment.class),
        "-Dbywash.test.classes.tests=" + root(ChildProcess.class), "-ea", "-Xmx256m", "-XX:+UseSerialGC",
        "-XX:-UsePerfData", "-XX:+ErrorFileToStdout", "-cp",
        String.join(File.pathSeparator, ChildCache.classPath())));
    ChildCache.addTo(command, setup.name());
    return command;
  }

  /** Where the engine and these tests are, whether this JVM has them on its class path or on its module path. */
  static Set<String> classPath() {
    Set<String> path = new LinkedHashSet<>(List.of(root(ChildProcess.class), root(Segment.class)));
    for (String property : List.of("java.class.path", "jdk.module.path")) {
      for (String element : System.getProperty(property, "").split(File.pathSeparator)) {
        if (!element.isEmpty()) {
          path.add(element);
        }
      }
    }
    return path;
  }

  /** The directory with the classes of the engine or of its tests; children have them in one jar, and are told. */
  public static String classes(String name, Class<?> one) {
    return System.getProperty("bywash.test.classes." + name, root(one));
  }

  /** The directory or jar that a class was loaded from. */
  public static String root(Class<?> type) {
    String resource = type.getName().replace('.', '/') + ".class";
    URL url = type.getResource("/" + resource);
    try {
      if (url.openConnection() instanceof JarURLConnection jar) {
        return Path.of(jar.getJarFileURL().toURI()).toString();
      }
      String file = url.toURI().toString();
      return Path.of(URI.create(file.substring(0, file.length() - resource.length()))).toString();
    } catch (IOException | java.net.URISyntaxException unusual) {
      throw new AssertionError("where is " + url + "?", unusual);
    }
  }

  private void read() {
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        lines.add(Optional.of(line));
      }
    } catch (IOException closed) {
      // the end, like any other
    }
    lines.add(Optional.empty());
  }

  /** Waits for the line that begins with {@code word}, and returns the rest of it. */
  public String await(String word) {
    try {
      while (true) {
        Optional<String> line = lines.poll(PATIENCE_SECONDS, TimeUnit.SECONDS); // a process that says anything goes on
        if (line == null) {
          throw new AssertionError("process " + pid() + " did not say \"" + word + "\". It said: " + transcript);
        }
        if (line.isEmpty()) {
          lines.add(line);
          throw new AssertionError(
              "process " + pid() + " ended before it said \"" + word + "\". It said: " + transcript);
        }
        transcript.add(line.get());
        if (line.get().equals(word) || line.get().startsWith(word + " ")) {
          return line.get().substring(word.length()).strip();
        }
      }
    } catch (InterruptedException timeout) {
      throw new AssertionError("waiting for \"" + word + "\" was interrupted. It said: " + transcript, timeout);
    }
  }

  /** As {@link #await}, for a line with a number. */
  long awaitLong(String word) {
    return Long.parseLong(await(word));
  }

  /** Gives the process a line. */
  public void tell(String line) {
    try {
      input.write(line + "\n");
      input.flush();
    } catch (IOException gone) {
      throw new AssertionError("process " + pid() + " does not listen. It said: " + transcript, gone);
    }
  }

  public long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** SIGKILL; when this returns, the process is gone and the kernel has given back everything it held. */
  public void kill() {
    process.destroyForcibly();
    awaitEnd();
  }

  /** SIGTERM, which asks it to end in good order. */
  public void terminate() {
    signal("TERM", List.of(this)); // the other way would close its input first
  }

  /** SIGSTOP; when this returns, no thread of the process runs. */
  void pause() {
    pause(List.of(this));
  }

  /** The same for several. */
  static void pause(Collection<ChildProcess> processes) {
    signal("STOP", processes);
    for (ChildProcess each : processes) {
      eventually("process " + each.pid() + " is stopped", () -> each.state() == 'T');
    }
  }

  /** SIGCONT. */
  void resume() {
    resume(List.of(this));
  }

  /** The same for several. */
  static void resume(Collection<ChildProcess> processes) {
    signal("CONT", processes);
  }

  private char state() {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid() + "/stat"));
      return stat.charAt(stat.lastIndexOf(')') + 2);
    } catch (IOException gone) {
      throw new AssertionError("process " + pid() + " is gone", gone);
    }
  }

  private static void signal(String name, Collection<ChildProcess> processes) {
    if (processes.isEmpty()) {
      return;
    }
    if (NativeAccess.ENABLED) {
      processes.forEach(each -> kill(each.pid(), SIGNALS.get(name)));
      return;
    }
    List<String> command = new ArrayList<>(List.of("kill", "-" + name));
    processes.forEach(each -> command.add(Long.toString(each.pid())));
    try {
      Process kill = new ProcessBuilder(command).inheritIO().start();
      if (kill.waitFor() != 0) {
        throw new AssertionError(command + " failed with " + kill.exitValue());
      }
    } catch (IOException | InterruptedException failure) {
      throw new AssertionError("kill -" + name + " could not be run", failure);
    }
  }

  private static final Map<String, Integer> SIGNALS = Map.of("TERM", 15, "CONT", 18, "STOP", 19);

  /** The system call, which takes no time, while a storm goes on. */
  @SuppressWarnings("restricted")
  private static void kill(long pid, int signal) {
    Linker linker = Linker.nativeLinker();
    try {
      int result = (int) linker.downcallHandle(linker.defaultLookup().findOrThrow("kill"),
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
          .invokeExact((int) pid, signal);
      if (result != 0) {
        throw new AssertionError("process " + pid + " does not take signal " + signal);
      }
    } catch (Throwable failure) {
      throw new AssertionError("kill " + pid + " failed", failure);
    }
  }

  /** Waits for the process to end by itself and without a failure. */
  public void finish() {
    awaitEnd();
    if (process.exitValue() != 0) {
      List<String> rest = new ArrayList<>(transcript);
      for (Optional<String> line = lines.poll(); line != null; line = lines.poll()) {
        line.ifPresent(rest::add);
      }
      throw new AssertionError("process " + pid() + " ended with " + process.exitValue() + ". It said: " + rest);
    }
  }

  public void awaitEnd() {
    try {
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("process " + pid() + " did not end. It said: " + transcript);
      }
    } catch (InterruptedException timeout) {
      throw new AssertionError("waiting for the end of process " + pid() + " was interrupted", timeout);
    }
  }

  /** Ends the process if it still runs. */
  @Override
  public void close() {
    process.destroyForcibly();
    boolean interrupted = Thread.interrupted();
    awaitEnd();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Looks until {@code condition} holds. */
  static void eventually(String what, BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - start > TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
        throw new AssertionError("it did not come true that " + what);
      }
      java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
    }
  }
}
