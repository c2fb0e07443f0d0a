package io.bywash.samples.hello;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.samples.hello.Scripts.Ended;
import io.bywash.samples.hello.Scripts.Running;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code bywash}, in a checkout where the build and Java only say that they were called. */
@Timeout(120)
final class LauncherTest {
  private static final List<String> MODULES = List.of("engine-java", "samples/hello");

  @TempDir Path scratch;
  private Scripts scripts;

  @BeforeEach
  void makeCheckout() throws IOException {
    scripts = new Scripts(scratch);
    scripts.allow("sh", "uname", "readlink", "dirname", "sed", "cat", "mkdir", "mkfifo", "mktemp", "rm", "mv", "ln",
        "sleep", "find", "head", "tail");
    Path jdk = scratch.resolve("a jdk");
    Scripts.write(jdk.resolve("bin/java"), "echo \"java $*\"");
    Scripts.write(jdk.resolve("bin/javac"));
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
    scripts.set("JAVA_HOME", jdk.toString());
    StringBuilder build = new StringBuilder("echo built >>\"$PWD/builds\"");
    for (String module : MODULES) {
      Files.createDirectories(scripts.checkout.resolve(module).resolve("src/main"));
      Files.writeString(scripts.checkout.resolve(module).resolve("pom.xml"), "");
      build.append("; echo x >").append(jar(module, false));
    }
    Scripts.write(scripts.checkout.resolve("mvnw"), build.toString());
  }

  private String jar(String module, boolean absolute) {
    String jar = module + "/target/" + Path.of(module).getFileName() + ".jar";
    return absolute ? scripts.checkout.resolve(jar).toString() : jar;
  }

  private Ended bywash(String... arguments) throws Exception {
    return scripts.run(scripts.checkout.resolve("bywash").toString(), arguments);
  }

  private void assertStarted(Ended ended) {
    assertEquals("java -p " + jar(MODULES.get(0), true) + ":" + jar(MODULES.get(1), true)
        + " --enable-native-access=io.bywash.engine"
        + " -m io.bywash.samples.hello/io.bywash.samples.hello.HelloPublisher\n",
        ended.out(), ended.err());
    assertEquals(0, ended.exitCode());
  }

  private long builds() throws IOException {
    Path builds = scripts.checkout.resolve("builds");
    return Files.exists(builds) ? Files.readAllLines(builds).size() : 0;
  }

  private void changeSource() throws IOException {
    Files.setLastModifiedTime(Files.createFile(scripts.checkout.resolve("samples/hello/src/main/New.java")),
        FileTime.from(Instant.now().plusSeconds(60)));
  }

  /** Also for root, to whom a file's mode means nothing. */
  private void makeTargetUnwritable() throws IOException {
    Path target = scripts.checkout.resolve("target");
    for (String file : List.of("bywash-build.log", "bywash-build.lock")) {
      Files.deleteIfExists(target.resolve(file));
    }
    Files.deleteIfExists(target);
    Files.createFile(target);
  }

  @Test
  void itBuildsOnceAndAgainWhenASourceChanged() throws Exception {
    Path temporary = Files.createDirectory(scratch.resolve("temporary"));
    scripts.set("TMPDIR", temporary.toString());
    assertStarted(bywash("hello", "publisher"));
    assertStarted(bywash("hello", "publisher"));
    assertEquals(1, builds());
    changeSource();
    assertStarted(bywash("hello", "publisher"));
    assertEquals(2, builds());
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList());
    }
  }

  /** What the programs themselves make of their arguments is their own tests' matter. */
  @Test
  void everyCommandInTheDocumentsStartsAProgram() throws Exception {
    StringBuilder build = new StringBuilder("true");
    for (String module : List.of("engine-java", "bus-kotlin", "felix-bundle", "samples/hello", "samples/hello-kotlin",
        "samples/circular-buffer", "samples/task-farm", "samples/topologies", "samples/service",
        "samples/crash-recovery", "samples/calls", "samples/containers", "samples/tool", "samples/bench",
        "samples/demo-listener", "samples/container", "samples/demo")) {
      Files.createDirectories(scripts.checkout.resolve(module).resolve("src/main"));
      Files.writeString(scripts.checkout.resolve(module).resolve("pom.xml"), "");
      build.append("; mkdir -p ").append(module).append("/target; echo x >").append(jar(module, false));
    }
    Scripts.write(scripts.checkout.resolve("mvnw"), build.toString());
    int commands = 0;
    for (String page : List.of("README.md", "docs/FAQ.md", "docs/OPERATING.md", "docs/SAMPLES.md")) {
      Matcher lines = Pattern.compile("(?m)^\\./bywash ([^#\n]+)").matcher(
          Files.readString(Scripts.REPOSITORY.resolve(page)));
      while (lines.find()) {
        Ended ended = bywash(lines.group(1).strip().split(" +"));
        assertEquals(0, ended.exitCode(), page + ": " + lines.group() + ": " + ended.err());
        assertTrue(ended.out().contains("java "), page + ": " + lines.group() + ": " + ended.out());
        commands++;
      }
    }
    assertTrue(commands >= 10, "only " + commands + " commands were found");
  }

  @Test
  void onAnotherSystemItSaysThatItRunsOnLinuxOnlyAndBuildsNothing() throws Exception {
    Scripts.write(scripts.bin.resolve("uname"), "echo Darwin");
    Ended ended = bywash("hello");
    assertEquals(1, ended.exitCode());
    assertTrue(ended.err().contains("runs on Linux only, and this is Darwin"), ended.err());
    assertEquals(0, builds());
  }

  @Test
  void itWorksThroughALinkFromAnotherDirectory() throws Exception {
    Path link = Files.createSymbolicLink(scratch.resolve("a link"), scripts.checkout.resolve("bywash"));
    assertStarted(scripts.run(link.toString(), "hello", "publisher"));
    assertStarted(scripts.run("a link", "hello", "publisher"));
  }

  @Test
  void whereNothingCanBeWrittenOlderJarsAreUsedWithAWarning() throws Exception {
    assertStarted(bywash("hello", "publisher"));
    changeSource();
    makeTargetUnwritable();
    Ended ended = bywash("hello", "publisher");
    assertStarted(ended);
    assertTrue(ended.err().contains("warning: ") && ended.err().contains(scripts.checkout + "/target"), ended.err());
    assertEquals(1, builds());
  }

  @Test
  void whereNothingCanBeWrittenAMissingJarIsAnErrorThatNamesIt() throws Exception {
    makeTargetUnwritable();
    Ended ended = bywash("hello", "publisher");
    assertEquals(1, ended.exitCode());
    assertTrue(ended.err().contains(jar("engine-java", true) + " is missing"), ended.err());
    assertEquals("", ended.out());
  }

  @Test
  void aLockThatCannotBeMadeIsAnErrorThatSaysWhy() throws Exception {
    Path lock = scripts.checkout.resolve("target/bywash-build.lock");
    Files.createDirectories(lock.getParent());
    Files.createFile(lock); // no link: nobody holds it, and nobody can take it
    Ended ended = bywash("hello", "publisher");
    assertEquals(1, ended.exitCode());
    assertTrue(ended.err().contains("cannot make the lock") && ended.err().contains(lock.toString()), ended.err());
    assertEquals(0, builds());
  }

  @Test
  void theLockOfADeadLauncherIsClearedAndThatOfALivingOneIsWaitedFor() throws Exception {
    Path lock = scripts.checkout.resolve("target/bywash-build.lock");
    Files.createDirectories(lock.getParent());
    Files.createSymbolicLink(lock, Path.of(ProcessHandle.current().pid() + ".1")); // the same id, another process
    assertStarted(bywash("hello", "publisher"));
    assertEquals(1, builds());
    changeSource();
    String stat = Files.readString(Path.of("/proc/self/stat"));
    String startTime = stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19];
    Files.createSymbolicLink(lock, Path.of(ProcessHandle.current().pid() + "." + startTime));
    Running waiting = scripts.start(scripts.checkout.resolve("bywash").toString(), "hello", "publisher");
    while (!waiting.err().contains("waiting for another bywash")) {
      assertTrue(waiting.process().isAlive(), waiting.err());
      Thread.onSpinWait();
    }
    assertEquals(1, builds());
    Files.delete(lock);
    assertStarted(waiting.await());
    assertEquals(2, builds());
    assertFalse(Files.exists(lock, LinkOption.NOFOLLOW_LINKS), "the lock is left");
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwoBeforeAnythingIsBuilt() throws Exception {
    for (List<String> wrong : List.of(List.of("nothing"), List.of(""), List.of("help", "extra"),
        List.of("--version", "extra"), List.of("hello", "extra"), List.of("hello", ""),
        List.of("hello", "publisher", "extra"), List.of("hello-kotlin", "extra"))) {
      Ended ended = bywash(wrong.toArray(String[]::new));
      assertEquals(2, ended.exitCode(), wrong + ended.toString());
      assertTrue(ended.out().isEmpty() && ended.err().contains("'" + wrong.getLast() + "'"), wrong + ended.toString());
    }
    assertEquals(0, builds());
  }

  @Test
  void itsHelpNamesEachCommandAndItsVersionIsThatOfTheProject() throws Exception {
    Ended help = bywash("help");
    assertEquals(0, help.exitCode());
    assertEquals(help, bywash("--help"));
    assertEquals(help, bywash("hello", "--help"));
    String script = Files.readString(scripts.checkout.resolve("bywash"));
    Matcher commands = Pattern.compile("(?m)^([a-z |-]+)\\) command_")
        .matcher(script.substring(script.lastIndexOf("case $command")));
    List<String> names = commands.results().flatMap(found -> Stream.of(found.group(1).split(" \\| "))).toList();
    assertTrue(names.contains("verify") && names.contains("circular-buffer"), names.toString());
    for (String name : names) {
      assertTrue(help.out().contains(name), name + " is missing in the help");
    }
    Matcher version = Pattern.compile("<artifactId>bywash-parent</artifactId>\\s*<version>(.*)</version>")
        .matcher(Files.readString(scripts.checkout.resolve("pom.xml")));
    assertTrue(version.find());
    assertEquals("bywash " + version.group(1) + "\n", bywash("--version").out());
  }
}
