package io.bywash.samples.gameserver;

import static io.bywash.samples.gameserver.Counts.Count.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.samples.gameserver.Counts.Count;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sample as its users run it: as processes, in a bus directory of its own. */
@Timeout(240)
final class GameServerTest {
  private Path bus;
  @TempDir Path scratch;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-game-server-test-");
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    Files.deleteIfExists(bus.resolve(".lock"));
    try (Stream<Path> files = Files.list(bus)) {
      List<Path> left = files.toList();
      for (Path file : left) {
        Files.delete(file);
      }
      Files.delete(bus);
      assertEquals(List.of(), left, "left in the bus directory");
    }
  }

  private record Ended(int exitCode, String out, String err) {
    long number(String key) {
      Matcher found = Pattern.compile("\"" + key + "\": (\\d+)").matcher(out);
      assertTrue(found.find(), this::toString);
      return Long.parseLong(found.group(1));
    }
  }

  private Ended run(Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-p",
        Path.of("../../engine-java/target/classes").toAbsolutePath() + File.pathSeparator
            + Path.of("../kit/target/classes").toAbsolutePath() + File.pathSeparator
            + Path.of("target/classes").toAbsolutePath(),
        "--enable-native-access=io.bywash.engine", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-m",
        "io.bywash.samples.gameserver/io.bywash.samples.gameserver.GameServer"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(scratch.resolve("out").toFile())
        .redirectError(scratch.resolve("err").toFile());
    builder.environment().put("BYWASH_DIR", bus.toString());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(200, TimeUnit.SECONDS), "it does not end");
    } finally {
      process.destroy(); // it ends its processes, which SIGKILL would not let it do
    }
    return new Ended(process.waitFor(), Files.readString(scratch.resolve("out")),
        Files.readString(scratch.resolve("err")));
  }

  @Test
  void whichOfTheThreeProcessesIsKilledTheOthersGoOnAndAnotherOneTakesOver() throws Exception {
    Ended ended = run(Map.of("GAME_REPORT_MILLIS", "100"), "--json");
    assertEquals(1, ended.out.lines().count(), ended.toString());
    assertTrue(ended.out.startsWith("{\"ok\": true, "), ended.toString());
    assertEquals(0, ended.exitCode);
    assertEquals(3, ended.number("killed"));
    assertEquals(3, ended.number("survived"));
    assertTrue(ended.number("inputs") - ended.number("sentInputs") <= 1, ended.toString());
    for (String told : List.of("killed the analytics", "killed the AI", "killed the server", "frames a second over",
        "1. player ", "field health of type 0 is \"8 int health\", wanted \"8 float health\"")) {
      assertTrue(ended.err.contains(told), told + ": " + ended.err);
    }
    for (String place : List.of("pool +players +Player +100 objects", "pool +monsters +Monster +1000 objects",
        "pool +projectiles +Projectile +500 objects", "cells +collision +Element +65536 cells",
        "work queue +damage_queue +Damage +1024 messages", "work queue +spawn_queue +Spawn +128 messages",
        "work queue +network_queue +Input +8192 messages", "ring +frame_stats +Frame +3600 elements",
        "cells +tick ", "cells +players_online ", "cells +match_active ", "cells +leaderboard +Score +10 cells")) {
      assertTrue(Pattern.compile(place).matcher(ended.err).find(), place + ": " + ended.err);
    }
  }

  @Test
  void monstersInWrongCellsOfTheGridAreNoticedByTheAi() throws Exception {
    Ended ended = run(Map.of(), "--json", "--kill", "none", "--report", "100", "--sabotage", "grid");
    assertTrue(ended.out.startsWith("{\"ok\": false, "), ended.toString());
    assertTrue(ended.number("misplaced") > 0, ended.toString());
    assertEquals(ended.number("sentInputs"), ended.number("inputs"), "all else is as it should be");
    assertEquals(1, ended.exitCode);
  }

  @Test
  void anyOtherDifferenceIsNotOk() {
    Map<Count, Long> good = Map.of(INPUTS, 11L, REQUESTS, 8L, SEEN, 9L, CAME, 2L, REPORTS, 4L);
    assertTrue(outcome(3, 1, true, good).isOk());
    assertTrue(outcome(3, 1, true, with(good, INPUTS, 12)).isOk(), "one was taken again after a server was killed");
    assertFalse(outcome(3, 0, true, with(good, INPUTS, 12)).isOk(), "one was taken twice, and no server was killed");
    assertFalse(outcome(3, 1, true, with(good, INPUTS, 10)).isOk(), "an input was lost");
    assertFalse(outcome(3, 1, true, with(good, REQUESTS, 7)).isOk(), "a request was lost");
    assertFalse(outcome(3, 1, true, with(good, MISPLACED, 1)).isOk(), "a monster was in a wrong cell");
    assertFalse(outcome(3, 1, true, with(good, CAME, 0)).isOk(), "no request was fulfilled");
    assertFalse(outcome(3, 1, true, with(good, GAPS, 1)).isOk(), "a frame is missing");
    assertFalse(outcome(3, 1, true, with(good, FALLEN, 1)).isOk(), "a score was forgotten");
    assertFalse(outcome(2, 1, true, good).isOk(), "a process was not replaced");
    assertFalse(outcome(3, 1, false, good).isOk(), "another field was not refused");
    assertFalse(Outcome.NONE.isOk(), "nothing was played");
  }

  /** With 11 inputs and 10 requests, of which 2 are in the queue, and 3 processes that were killed. */
  private static Outcome outcome(int survived, int serversKilled, boolean isOlderRefused, Map<Count, Long> counts) {
    return new Outcome(3, survived, serversKilled, 5, 11, 10, 2, 3, isOlderRefused, counts);
  }

  private static Map<Count, Long> with(Map<Count, Long> counts, Count count, long value) {
    Map<Count, Long> changed = new EnumMap<>(counts);
    changed.put(count, value);
    return changed;
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwo() throws Exception {
    Ended ended = run(Map.of(), "--kill", "x");
    assertEquals(2, ended.exitCode, ended.toString());
    assertTrue(ended.out.isEmpty() && ended.err.contains("--kill x"), ended.toString());
    ended = run(Map.of("GAME_REPORT_MILLIS", "often"));
    assertEquals(2, ended.exitCode, ended.toString());
    assertTrue(ended.out.isEmpty() && ended.err.contains("often"), ended.toString());
    assertEquals(0, run(Map.of(), "--help").exitCode);
  }

  @Test
  void noFileHasMoreThan200Lines() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/main/java"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertTrue(Files.readAllLines(file).size() <= 200, file.toString());
      }
    }
  }
}
