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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The host in C++, built and run as README.md says, with the guest in Go and with the one in Java. */
@Timeout(240)
final class PairTest {
  private static final Path CALLS = Path.of("../calls/target").toAbsolutePath();
  private static final Path ENGINE = Path.of("../../engine-java/target/classes").toAbsolutePath();
  private static final String RIGHT = "{\"ok\": true, \"toGuest\": 2500, \"toHost\": 2000, \"inside\": 4}\n";

  @TempDir Path scratch;
  private final List<Process> processes = new ArrayList<>();

  @AfterEach
  void end() {
    processes.forEach(Process::destroyForcibly);
  }

  private Process start(Bus bus, String name, List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(scratch.resolve(name + ".err").toFile());
    builder.environment().put("BYWASH_DIR", bus.path("pair").getParent().toString());
    processes.add(builder.start());
    return processes.getLast();
  }

  private String ended(Process process, String name) throws Exception {
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the " + name + " does not end");
    String said = new String(process.getInputStream().readAllBytes());
    assertEquals(0, process.exitValue(), () -> said + read(scratch.resolve(name + ".err")));
    return said;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException gone) {
      return gone.toString();
    }
  }

  private Process host(Bus bus) throws IOException {
    String program = Native.made().resolve("host").toString();
    return start(bus, "host", List.of(program, "-w", "4", "--requests", "2000", "pair"));
  }

  @Test
  void theHostInCplusplusAndTheGuestInGoCallEachOtherAndEachByteIsRight() throws Exception {
    boolean hasGo = Native.compiler("GO", "go").isPresent();
    if (!hasGo) {
      System.out.println("SKIPPED: there is no go, so the guest in Go is not tested");
    }
    assumeTrue(hasGo, "there is no go");
    Path made = Native.made();
    Native.run(made, List.of("make", "-s", "OPTIMISED=-O0", "pair"));
    try (Bus bus = new Bus()) {
      Process guest = start(bus, "guest", List.of(made.resolve("guest").toString(), "-w", "4", "pair"));
      Process host = host(bus);
      assertEquals(RIGHT, ended(host, "host"));
      assertEquals("", ended(guest, "guest"));
      assertTrue(read(scratch.resolve("host.err")).contains("guest.Unsupported: request 0 is one that fails"));
    }
  }

  @Test
  void theHostInCplusplusAndTheGuestInJavaCallEachOtherAndEachByteIsRight() throws Exception {
    assumeTrue(Files.exists(CALLS.resolve("classes")) && Files.exists(CALLS.resolve("lib")),
        "samples/calls was not built in this run");
    try (Bus bus = new Bus()) {
      Process host = host(bus);
      Process guest = start(bus, "guest", List.of(ProcessHandle.current().info().command().orElseThrow(),
          "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "-cp", CALLS.resolve("classes")
          + File.pathSeparator + ENGINE + File.pathSeparator + CALLS.resolve("lib") + "/*",
          "io.bywash.samples.calls.Guest", "pair", "4", "none"));
      assertEquals(RIGHT, ended(host, "host"));
      assertEquals("", ended(guest, "guest"));
    }
  }
}
