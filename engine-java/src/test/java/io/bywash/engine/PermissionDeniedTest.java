package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.process.ChildProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The operating system refuses access. The superuser is never refused, so the check runs in a JVM of another user. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class PermissionDeniedTest {
  private static final int NOBODY = 65_534;

  @RegisterExtension final TempBus bus = new TempBus();

  private static boolean isSuperuser() throws IOException {
    return (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
  }

  private List<String> probe(Path segment, Path elsewhere) throws Exception {
    List<String> command = new ArrayList<>();
    if (isSuperuser()) {
      assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "NOT CHECKED: this is the superuser, who is never"
          + " refused, and there is no setpriv to become somebody else");
      command.addAll(List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups"));
    }
    command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        NativeAccess.ENABLED ? "--enable-native-access=ALL-UNNAMED" : "--illegal-native-access=deny",
        "-cp", ChildProcess.root(PermissionProbe.class) + ":" + ChildProcess.root(Segment.class),
        PermissionProbe.class.getName(), segment.toString(), elsewhere.toString()));
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int result = process.waitFor();
    assumeTrue(result == 0 || !isSuperuser(), "NOT CHECKED: another user cannot run this JVM or read these classes");
    assertEquals(0, result, output);
    return output.lines().toList();
  }

  @Test
  void whoMayNotUseASegmentIsToldWhoItIsAndWhatToDo() throws Exception {
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    Path locked = Files.createDirectory(bus.directory().resolve("locked"));
    try (Segment segment = Segment.create(bus.path("private"), SegmentSpec.of())) {
      if (!isSuperuser()) {
        Files.setPosixFilePermissions(segment.path(), PosixFilePermissions.fromString("---------"));
      }
      Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-xr-xr-x"));
      List<String> said = probe(segment.path(), locked.resolve("new"));
      assertEquals(4, said.size(), said::toString);
      for (String line : said.subList(0, 3)) {
        assertTrue(line.matches("(attach|open|observe) SegmentAccessException: Process \\d+ of user .* may not use "
            + segment.path() + "\\b.*permissions.*"), line);
      }
      assertTrue(said.get(3).startsWith("create SegmentAccessException: "), said.get(3));
      assertTrue(said.get(3).contains(locked.toString()), said.get(3));
      try (var left = Files.list(locked)) {
        assertEquals(List.of(), left.toList());
      }
      assertEquals(1, segment.participants().size());
    } finally {
      Files.deleteIfExists(locked);
    }
  }

  @Test
  void whoMayOnlyReadASegmentCanObserveItAndNothingElse() throws Exception {
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxr-xr-x"));
    SegmentSpec readable = SegmentSpec.of().withPermissions(PosixFilePermissions.fromString("rw-r--r--"));
    try (Segment segment = Segment.create(bus.path("readable"), readable)) {
      if (!isSuperuser()) {
        Files.setPosixFilePermissions(segment.path(), PosixFilePermissions.fromString("r--r--r--"));
      }
      List<String> said = probe(segment.path(), bus.directory().resolve("readable"));
      assertTrue(said.get(0).startsWith("attach SegmentAccessException"), said.get(0));
      assertTrue(said.get(1).startsWith("open SegmentAccessException"), said.get(1));
      assertEquals("observe works: readable", said.get(2));
      assertTrue(said.get(3).startsWith("create SegmentExistsException"), said.get(3));
    }
  }
}
