package io.bywash.engine.process;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * What a child process does. Made by its constructor without parameters and run once; it tells the test by lines on its
 * standard output and obeys lines on its standard input. See {@link ChildProcess}.
 */
public interface ChildProgram {
  /** The deadline of everything that a child waits for. */
  long PATIENCE_NANOS = 60_000_000_000L;

  void run(String... arguments) throws Exception;

  /** Tells the test one line. */
  static void say(Object line) {
    System.out.println(line);
  }

  /** Waits for the next line of the test. A test that has ended, ends this process too. */
  static String hear() throws IOException {
    String line = Main.INPUT.readLine();
    if (line == null) {
      Runtime.getRuntime().halt(Main.ORPHANED);
    }
    return line;
  }

  /** A program that runs long enough for the optimising compiler, whose reordering tests of memory want to meet. */
  interface Optimised extends ChildProgram {}

  /** A program for which it matters what is compiled when, so that it starts without the JVM's cache. */
  interface Uncached extends ChildProgram {}

  /** The main program of every child: runs the class that the first argument names. */
  final class Main {
    static final BufferedReader INPUT = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    static final int ORPHANED = 3;

    private Main() {}

    /** Never outlives the test's JVM, whatever the program does. */
    public static void main(String... arguments) throws Exception {
      ProcessHandle.current().parent()
          .ifPresent(test -> test.onExit().thenRun(() -> Runtime.getRuntime().halt(ORPHANED)));
      var constructor = Class.forName(arguments[0]).asSubclass(ChildProgram.class).getDeclaredConstructor();
      constructor.setAccessible(true);
      constructor.newInstance().run(java.util.Arrays.copyOfRange(arguments, 1, arguments.length));
    }
  }
}
