package io.bywash.engine.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.inspect.Finding.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is told about a host that consists of made-up files. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostStatusTest {
  @RegisterExtension final TempBus bus = new TempBus();

  @TempDir Path root;

  private final Map<String, String> facts = new LinkedHashMap<>();
  private final List<Finding> findings = new ArrayList<>();

  @BeforeEach
  void anOrdinaryHost() throws IOException {
    file("proc/self/status", "Name:\tjava\nUid:\t1000\t1000\t1000\t1000\n");
    file("proc/self/stat", "1 (java) R");
    link("proc/self/ns/pid", "pid:[4026531836]");
    link("proc/self/ns/ipc", "ipc:[4026531839]");
    file("proc/self/mountinfo", "22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw\n");
    file("proc/self/cgroup", "0::/user.slice\n");
    file("sys/kernel/mm/transparent_hugepage/shmem_enabled", "always within_size [advise] never deny force\n");
  }

  private void file(String name, String content) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
  }

  private void link(String name, String target) throws IOException {
    Files.createDirectories(root.resolve(name).getParent());
    Files.deleteIfExists(root.resolve(name));
    Files.createSymbolicLink(root.resolve(name), Path.of(target));
  }

  /**
   * The findings about the kernel, the container and this process, but for what depends on how this test was started.
   */
  private List<Finding> look() {
    facts.clear();
    findings.clear();
    new HostLook(Path.of("/dev/shm/bywash-1000"), new HostFiles(root), facts, findings).look();
    findings.removeIf(finding -> List.of("native access", "futex_waitv", "membarrier").contains(finding.where()));
    return findings;
  }

  private void assertTold(Severity severity, String where, String text) {
    assertEquals(1, findings.size(), findings.toString());
    Finding finding = findings.getFirst();
    assertEquals(severity, finding.severity());
    assertTrue(finding.where().contains(where) && finding.problem().contains(text) && !finding.advice().isBlank(),
        finding.toString());
  }

  @Test
  void anOrdinaryHostGivesNoFinding() {
    assertEquals(List.of(), look());
    assertEquals("none", facts.get("memory limit"));
    assertEquals("the host's", facts.get("pid namespace"));
    assertEquals("open", facts.get("/proc"));
    assertEquals("not there", facts.get("logind"));
    assertEquals("advise", facts.get("huge pages"));
  }

  @Test
  void aHostThatTellsNothingOrNonsenseGivesNoFailure() throws IOException {
    for (String name : List.of("proc/self/status", "proc/self/stat", "proc/self/mountinfo", "proc/self/cgroup",
        "sys/kernel/mm/transparent_hugepage/shmem_enabled")) {
      file(name, "\0:::::[\n0::/../../..\n-1:memory\n[[]\nUid:\n22 27 0:21 / /proc\n" + "x".repeat(100_000));
    }
    link("proc/self/ns/pid", "x");
    file("sys/fs/cgroup/memory.max", "18446744073709551616");
    look();
    assertEquals("none", facts.get("memory limit"));
    anEmptyRootGivesNoFailure();
  }

  @Test
  void whoHoldsSegmentsThatWereRemovedIsNamed() throws IOException {
    Path directory = Path.of("/dev/shm/bywash-1000");
    file("proc/4711/maps", """
        7f0000000000-7f0000100000 rw-s 00000000 00:1b 12     /dev/shm/bywash-1000/old (deleted)
        7f0001000000-7f0001200000 rw-s 00000000 00:1b 13     /dev/shm/bywash-1000/.older.0123456789abcdef.tmp (deleted)
        7f0002000000-7f0002100000 rw-s 00000000 00:1b 14     /dev/shm/bywash-1000/live
        7f0003000000-7f0003100000 rw-p 00000000 00:00 0
        7f0004000000-7f0004100000 rw-s 00000000 00:1b 15     /dev/shm/bywash-1000x/other (deleted)
        """);
    file("proc/4712/maps",
        "7f0002000000-7f0002100000 rw-s 00000000 00:1b 14     /dev/shm/bywash-1000/live\nnonsense\n\n");
    new RemovedLook(directory, new HostFiles(root), findings).look();
    assertTold(Severity.WARNING, "process 4711", "it holds 3 MiB of segments that were removed: old, older");
  }

  @Test
  void removedSegmentsAreCountedOnceEachHoweverOftenTheyAreMappedAndHoweverLongTheListIs() throws IOException {
    String others = "7e0000000000-7e0000001000 r--p 00000000 08:01 99     /usr/lib/library.so\n".repeat(20_000);
    file("proc/4711/maps", others + """
        7f0000000000-7f0000100000 rw-s 00000000 00:1b 12     /dev/shm/bywash-1000/twice (deleted)
        7f0000100000-7f0000200000 rw-s 00100000 00:1b 12     /dev/shm/bywash-1000/twice (deleted)
        7f0001000000-7f0001100000 rw-s 00000000 00:1b 12     /dev/shm/bywash-1000/twice (deleted)
        7f0002000000-7f0002100000 rw-s 00000000 00:1b 13     /dev/shm/bywash-1000/twice (deleted)
        xx-yy rw-s 00000000 00:1b 14     /dev/shm/bywash-1000/nonsense (deleted)
        """);
    new RemovedLook(Path.of("/dev/shm/bywash-1000"), new HostFiles(root), findings).look();
    assertTold(Severity.WARNING, "process 4711", "it holds 3 MiB of segments that were removed: twice, twice");
  }

  @Test
  void aRemovedSegmentIsFoundInADirectoryThatALinkLeadsTo() throws IOException {
    Path link = root.resolve("link");
    Files.createSymbolicLink(link, bus.directory());
    file("proc/4711/maps", "7f0000000000-7f0000100000 rw-s 00000000 00:1b 12 " + bus.path("gone") + " (deleted)\n");
    new RemovedLook(link, new HostFiles(root), findings).look();
    assertTold(Severity.WARNING, "process 4711", "1 MiB of segments that were removed: gone");
  }

  @Test
  void aSegmentThatWasLinkedToItsNameIsNotTakenForARemovedOne() throws IOException {
    Files.writeString(bus.path("live"), "");
    Object inode = Files.getAttribute(bus.path("live"), "unix:ino");
    file("proc/4711/maps", "7f0000000000-7f0000100000 rw-s 00000000 00:1b " + inode + " "
        + bus.path(".live.0123456789abcdef.tmp") + " (deleted)\n");
    new RemovedLook(bus.directory(), new HostFiles(root), findings).look();
    assertEquals(List.of(), findings);
    Files.delete(bus.path("live"));
    new RemovedLook(bus.directory(), new HostFiles(root), findings).look();
    assertTold(Severity.WARNING, "process 4711", "removed: live");
  }

  @Test
  void aProcessThatReallyHoldsARemovedSegmentIsNamed() throws IOException {
    BusDirectory directory = BusDirectory.at(bus.directory());
    String self = "process " + ProcessHandle.current().pid();
    try (Segment segment = Segment.create(bus.path("removed"), SegmentSpec.of(Broadcast.spec("queue", 4096)))) {
      assertTrue(HostStatus.of(directory).findings().stream().noneMatch(finding -> finding.where().equals(self)));
      Files.delete(segment.path());
      assertTrue(HostStatus.of(directory).findings().stream().anyMatch(finding -> finding.where().equals(self)
          && finding.problem().contains("removed")));
    }
    assertTrue(HostStatus.of(directory).findings().stream().noneMatch(finding -> finding.where().equals(self)));
  }

  private void anEmptyRootGivesNoFailure() {
    new HostLook(Path.of("/dev/shm/x"), new HostFiles(root.resolve("nowhere")), facts, findings).look();
    assertEquals("not mounted", facts.get("/proc"));
    assertEquals("unknown", facts.get("pid namespace"));
    assertEquals("unknown", facts.get("huge pages"));
  }

  @Test
  void theNarrowestMemoryLimitOfAnyGroupAboveIsTold() throws IOException {
    file("proc/self/cgroup", "0::/a/b\n");
    file("sys/fs/cgroup/a/memory.max", "1073741824\n");
    file("sys/fs/cgroup/a/memory.current", "104857600\n");
    file("sys/fs/cgroup/a/b/memory.max", "max\n");
    look();
    assertTold(Severity.NOTE, "sys/fs/cgroup/a", "limited to 1 GiB and segments count");
    file("sys/fs/cgroup/a/b/memory.max", "536870912\n");
    file("sys/fs/cgroup/a/b/memory.current", "536000000\n");
    look();
    assertTold(Severity.WARNING, "sys/fs/cgroup/a/b", "limited to 512 MiB, nearly all of it is used,");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/docker/0123", "/", "/../elsewhere"})
  void theLimitsOfOlderControlGroupsAreTold(String group) throws IOException {
    file("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:hugetlb,memory:" + group + "\n1:name=systemd:/\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    look();
    assertEquals(List.of(), findings);
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
    file("sys/fs/cgroup/memory/memory.usage_in_bytes", "1000\n");
    look();
    assertTold(Severity.NOTE, "sys/fs/cgroup/memory", "limited to 256 MiB");
  }

  @Test
  void namespacesOfItsOwnAreTold() throws IOException {
    link("proc/self/ns/pid", "pid:[4026532001]");
    look();
    assertTold(Severity.NOTE, "pid namespace", "one of its own");
    link("proc/self/ns/pid", "pid:[4026531836]");
    link("proc/self/ns/ipc", "ipc:[4026532001]");
    look();
    assertTold(Severity.NOTE, "ipc namespace", "/dev/shm of its own");
  }

  @ParameterizedTest
  @CsvSource({"hidepid=2, 2", "hidepid=invisible, invisible", "hidepid=0, ''", "hidepid=off, ''"})
  void aProcThatHidesProcessesIsTold(String option, String told) throws IOException {
    file("proc/self/mountinfo", "22 27 0:21 / /proc rw,relatime - proc proc rw," + option + "\n");
    look();
    if (told.isEmpty()) {
      assertEquals(List.of(), findings);
    } else {
      assertTold(Severity.NOTE, "/proc", "hidepid=" + told);
    }
  }

  @Test
  void aLogindThatRemovesFilesOfUsersIsToldUnlessItDoesNotConcernThisUser() throws IOException {
    Files.createDirectories(root.resolve("run/systemd/system"));
    look();
    assertTold(Severity.WARNING, "logind", "when the last session of user id 1000 ends");
    file("etc/systemd/logind.conf", "[Login]\n#RemoveIPC=yes\nRemoveIPC = no\n");
    assertEquals(List.of(), look());
    file("usr/lib/systemd/logind.conf.d/50-x.conf", "[Login]\nRemoveIPC=yes\n");
    look();
    assertTold(Severity.WARNING, "logind", "RemoveIPC=yes");
    file("etc/systemd/logind.conf.d/40-y.conf", "[Login]\nRemoveIPC=no\n"); // sorted by name: the other one wins
    assertEquals(1, look().size());
    file("etc/systemd/logind.conf.d/60-z.conf", "[Login]\nRemoveIPC=no\n");
    assertEquals(List.of(), look());
    Files.delete(root.resolve("etc/systemd/logind.conf.d/60-z.conf"));
    file("var/lib/systemd/linger/" + System.getProperty("user.name"), "");
    assertEquals(List.of(), look());
    Files.delete(root.resolve("var/lib/systemd/linger/" + System.getProperty("user.name")));
    file("proc/self/status", "Uid:\t0\t0\t0\t0\n");
    assertEquals(List.of(), look());
  }

  @Test
  void hugePagesThatSharedMemoryDoesNotGetAreTold() throws IOException {
    file("sys/kernel/mm/transparent_hugepage/shmem_enabled", "always within_size advise [never] deny force\n");
    look();
    assertTold(Severity.NOTE, "huge pages", "never");
  }

  @Test
  void nativeAccessAndCallsThatTheKernelLacksAreTold() {
    HostLook host = new HostLook(Path.of("/x"), new HostFiles(root), facts, findings);
    host.lookAtNativeAccess(true, "", true, true);
    assertEquals(List.of(), findings);
    host.lookAtNativeAccess(false, "it was not granted", false, false);
    assertTold(Severity.NOTE, "native access", "because it was not granted");
    findings.clear();
    host.lookAtNativeAccess(true, "", false, true);
    assertTold(Severity.NOTE, "futex_waitv", "does not offer");
    findings.clear();
    host.lookAtNativeAccess(true, "", true, false);
    assertTold(Severity.NOTE, "membarrier", "does not offer");
  }

  // ---- the directory

  private void lookAtDirectory(Path directory, long userId) {
    findings.clear();
    new DirectoryLook(directory, facts, findings).look(OptionalLong.of(userId));
  }

  private static long userId() throws IOException {
    return ((Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid")).longValue();
  }

  @Test
  void theDirectorysPermissionsOwnerAndKindAreTold() throws IOException {
    lookAtDirectory(bus.directory(), userId());
    assertEquals(List.of(), findings);
    assertTrue(facts.get("directory").contains("rwx------"), facts.toString());
    assertTrue(facts.get("file system").startsWith("tmpfs, "), facts.toString());
    lookAtDirectory(bus.directory(), userId() + 1);
    assertTold(Severity.WARNING, bus.directory().toString(), "belongs to user id " + userId());
    Files.setPosixFilePermissions(bus.directory(), PosixFilePermissions.fromString("rwxrwx---"));
    lookAtDirectory(bus.directory(), userId());
    assertTold(Severity.WARNING, bus.directory().toString(), "others may write");
    lookAtDirectory(Path.of("/dev/shm"), 0); // everybody may write there, but the sticky bit is set
    assertTrue(findings.stream().noneMatch(finding -> finding.problem().contains("others may write")),
        findings.toString());
    lookAtDirectory(bus.path("nowhere"), userId());
    assertTold(Severity.NOTE, bus.path("nowhere").toString(), "does not exist yet");
    Files.writeString(bus.path("file"), "");
    lookAtDirectory(bus.path("file"), userId());
    assertTold(Severity.ERROR, bus.path("file").toString(), "is no directory");
    Files.delete(bus.path("file"));
  }

  @ParameterizedTest
  @CsvSource({"tmpfs, 1000000000, 900000000, , ''", "ext4, 1000000000, 900000000, WARNING, of type ext4",
      "tmpfs, 1000000000, 90000000, WARNING, 'only 86 MiB of 954 MiB are free'",
      "tmpfs, 67108864, 67108864, NOTE, 64 MiB in all", "ramfs, 0, 0, , ''"})
  void theFileSystemAndItsSpaceAreTold(String type, long total, long usable, Severity severity, String text) {
    new DirectoryLook(bus.directory(), facts, findings).lookAtFileSystem(type, total, usable);
    if (severity == null) {
      assertEquals(List.of(), findings);
    } else {
      assertTold(severity, bus.directory().toString(), text);
    }
  }

  @Test
  void thisHostIsLookedAtWithoutAFailure() {
    HostStatus host = HostStatus.of(BusDirectory.at(bus.directory()));
    assertTrue(host.facts().keySet().containsAll(List.of("directory", "file system", "memory limit", "pid namespace",
        "ipc namespace", "/proc", "logind", "huge pages", "native access", "segments")), host.toString());
    String text = new StatusText().host(host).toString();
    assertTrue(text.contains("tmpfs") && text.lines().count() >= host.facts().size(), text);
  }
}
