package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The programs as README.md tells its readers to build and run them, beside those of samples/hello. */
@Timeout(240)
final class SampleTest {
  private static final Path HELLO = Path.of("../hello/target/classes").toAbsolutePath();
  private static final Path ENGINE = Path.of("../../engine-java/target/classes").toAbsolutePath();

  @TempDir Path scratch;

  private static Process start(Path bus, List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("BYWASH_DIR", bus.toString());
    return builder.start();
  }

  private static List<String> java(String program) {
    return List.of(ProcessHandle.current().info().command().orElseThrow(), "-XX:TieredStopAtLevel=1", "-p",
        ENGINE + File.pathSeparator + HELLO, "--enable-native-access=io.bywash.engine", "-m",
        "io.bywash.samples.hello/io.bywash.samples.hello." + program);
  }

  private static String ended(Process process) throws Exception {
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), "a process does not end");
    String said = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.exitValue(), said);
    return said;
  }

  @Test
  void thePublisherInCGreetsTheSubscriberInJavaAndTheOneInJavaGreetsTheSubscriberInCplusplus() throws Exception {
    assumeTrue(Files.exists(HELLO), "samples/hello was not built in this run");
    Path made = Native.made();
    try (Bus bus = new Bus()) {
      Path directory = bus.path("hello").getParent();
      List<Process> processes = new ArrayList<>();
      try {
        processes.add(start(directory, List.of(made.resolve("publish").toString())));
        processes.add(start(directory, java("HelloSubscriber")));
        assertEquals("Hello from process " + processes.getFirst().pid() + "\n", ended(processes.getLast()));
        assertEquals("greeted\n", ended(processes.getFirst()));
        processes.add(start(directory, List.of(made.resolve("subscribe").toString())));
        processes.add(start(directory, java("HelloPublisher")));
        assertEquals("Hello from process " + processes.getLast().pid() + "\n", ended(processes.get(2)));
        assertEquals("greeted 1 subscriber\n", ended(processes.getLast()));

        Process sends = start(directory, List.of(made.resolve("work").toString(), "send"));
        processes.add(sends);
        try (var lines = sends.outputWriter()) {
          lines.write("one\ntwo\n");
        }
        assertEquals("", ended(sends));
        assertTrue(Files.exists(bus.path("work")), "a queue with messages stays though nobody uses it");
        assertEquals("one\ntwo\n", ended(start(directory, List.of(made.resolve("work").toString(), "take"))));

        Process serves = start(directory, List.of(made.resolve("serve").toString()));
        processes.add(serves);
        Process calls = start(directory, List.of(made.resolve("call").toString()));
        processes.add(calls);
        try (var lines = calls.outputWriter()) {
          lines.write("one\ntwo\n");
        }
        assertEquals("ONE\nTWO\n", ended(calls));
        serves.toHandle().destroy(); // as if it was interrupted
        assertEquals("", ended(serves));
      } finally {
        processes.forEach(Process::destroyForcibly);
      }
    }
  }

  @Test
  void theSnippetInTheReadmeCompiles() throws IOException {
    String readme = Files.readString(Native.HERE.resolve("README.md"));
    String snippet = readme.substring(readme.indexOf("```c\n") + 5);
    Path source = scratch.resolve("snippet.c");
    Files.writeString(source, "#include \"bywash.h\"\n#include <stdio.h>\nint main(void) {\n"
        + snippet.substring(0, snippet.indexOf("```")) + "return 0;\n}\n");
    Native.run(Native.HERE, List.of(Native.requireCompiler(), "-std=c11", "-Wall", "-Wextra", "-Werror",
        "-fsyntax-only", "-Iinclude", source.toString()));
  }

  @Test
  void theReadmeNamesTheProgramsAndTheHeaderIsTheOneThatLayoutPrints() throws IOException {
    String readme = Files.readString(Native.HERE.resolve("README.md"));
    for (String command : List.of("make", "./publish", "../../bywash hello subscriber", "./subscribe",
        "../../bywash hello publisher", "./work send", "./work take", "./serve", "./call", "make pair",
        "./host -w 4 pair", "./guest -w 4 pair", "../../bywash layout hello --c")) {
      assertTrue(readme.contains(command), command);
    }
    // samples/tool's own test shows that `layout --c` prints this for the same record
    String header = Files.readString(Native.HERE.resolve("programs/hello.h"));
    assertTrue(header.contains("struct greetings_Greeting {\n  int64_t process;\n  char text[32];\n};\n"), header);
  }
}
