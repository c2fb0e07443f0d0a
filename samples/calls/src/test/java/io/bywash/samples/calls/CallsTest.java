package io.bywash.samples.calls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.ajalt.mordant.rendering.AnsiLevel;
import com.github.ajalt.mordant.rendering.Theme;
import com.github.ajalt.mordant.terminal.Terminal;
import com.github.ajalt.mordant.terminal.TerminalRecorder;
import io.bywash.engine.call.CallFailedException.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import kotlin.Unit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The sample as its users run it: as processes, in a bus directory of its own. */
@Timeout(240)
final class CallsTest {
  private Path bus;
  @TempDir Path scratch;

  @BeforeEach
  void makeBus() throws IOException {
    bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-calls-test-");
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

  private record Ended(int exitCode, String out, String err) {}

  private Ended run(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow(), "-cp",
        System.getProperty("java.class.path"), "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC", "io.bywash.samples.calls.Calls"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(scratch.resolve("out").toFile())
        .redirectError(scratch.resolve("err").toFile());
    builder.environment().put("BYWASH_DIR", bus.toString());
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(200, TimeUnit.SECONDS), "it does not end");
    } finally {
      process.destroy(); // it ends its guest, which SIGKILL would not let it do
    }
    return new Ended(process.waitFor(), Files.readString(scratch.resolve("out")),
        Files.readString(scratch.resolve("err")));
  }

  private static String direction(int requests) {
    return "{\"requests\": N, \"received\": N, \"intact\": N, \"right\": N, \"bytes\": [1-9]\\d*}"
        .replace("{", "\\{").replace("N", Integer.toString(requests));
  }

  @Test
  void fourSlowRequestsAreInsideTheHandlerAtOneTimeAndTheHostGoesOnAfterTheGuestWasKilled() throws Exception {
    Ended ended = run("-w", "4", "--requests", "2000", "--json");
    assertEquals(1, ended.out.lines().count(), ended.toString());
    assertTrue(ended.out.matches("\\{\"ok\": true, \"toGuest\": " + direction(3000) + ", \"toHost\": " + direction(2500)
        + ", \"workers\": 4, \"inside\": 4, \"failures\": \\{\"TIMED_OUT\": 1, \"CANCELLED\": 1, \"NO_RESPONDER\": 1,"
        + " \"RESPONDER_GONE\": 4, \"HANDLER_FAILED\": 1}, \"tooLate\": [12], \"afterRestart\": 500}\\s*"),
        ended.toString());
    assertEquals(0, ended.exitCode);
    assertTrue(ended.err.contains("java.lang.UnsupportedOperationException: request 0 is one that fails"), ended.err);
    assertTrue(ended.err.contains("| host to guest ") && ended.err.contains("| guest to host "), ended.err);
  }

  @Test
  void aByteThatIsWrongIsNoticed() throws Exception {
    Ended ended = run("--requests", "400", "--json", "--sabotage", "corrupt");
    // One of each of the two guests.
    assertTrue(ended.out.startsWith("{\"ok\": false, \"toGuest\": {\"requests\": 600, \"received\": 600, "
        + "\"intact\": 600, \"right\": 598, "), ended.toString());
    assertEquals(1, ended.exitCode);
  }

  @Test
  void aCallThatIsNotMadeIsNoticed() throws Exception {
    Ended ended = run("--requests", "400", "--json", "--sabotage", "drop");
    assertTrue(ended.out.startsWith("{\"ok\": false, ") && ended.out.contains(
        "\"toHost\": {\"requests\": 500, \"received\": 498, \"intact\": 498, \"right\": 498, "), ended.toString());
    assertEquals(1, ended.exitCode);
  }

  private static Outcome outcome(Consumer<Outcome> change) {
    Outcome outcome = new Outcome(4);
    for (Direction direction : List.of(outcome.getToGuest(), outcome.getToHost())) {
      direction.setRequests(10);
      direction.setReceived(10);
      direction.setIntact(10);
      direction.setRight(10);
    }
    for (Reason reason : Reason.values()) {
      outcome.failed(reason);
    }
    for (int worker = 1; worker < 4; worker++) {
      outcome.failed(Reason.RESPONDER_GONE);
    }
    outcome.setInside(4);
    outcome.setTooLate(1);
    outcome.setAfterRestart(5);
    change.accept(outcome);
    return outcome;
  }

  @Test
  void anyOtherDifferenceIsNotOk() {
    assertTrue(outcome(same -> { }).isOk());
    assertFalse(outcome(each -> each.getToGuest().setReceived(9)).isOk(), "a request did not arrive");
    assertFalse(outcome(each -> each.getToHost().setReceived(11)).isOk(), "a request came twice");
    assertFalse(outcome(each -> each.getToHost().setIntact(9)).isOk(), "a request was not intact");
    assertFalse(outcome(each -> each.getToGuest().setRight(9)).isOk(), "an answer was wrong");
    assertFalse(outcome(each -> each.setInside(3)).isOk(), "a worker did not work");
    assertFalse(outcome(each -> each.setTooLate(0)).isOk(), "no reply was told to be too late");
    assertFalse(outcome(each -> each.setAfterRestart(0)).isOk(), "nothing came from the second guest");
    for (Reason reason : Reason.values()) {
      assertFalse(outcome(each -> each.failed(reason)).isOk(), "one failure too many: " + reason);
    }
    assertFalse(new Outcome(4).isOk(), "there was nothing to do");
  }

  @Test
  void aTerminalShowsABarForEachDirectionAndItsEnd() {
    TerminalRecorder screen = new TerminalRecorder(AnsiLevel.NONE, 100, 24, false, true, false, true);
    Terminal terminal =
        new Terminal(AnsiLevel.NONE, Theme.Companion.getDefault(), 100, 24, 100, 24, false, 8, true, screen);
    AtomicLong done = new AtomicLong();
    new View(terminal).during(new Lane[] {new Lane("host to guest", 10, done::get),
        new Lane("guest to host", 20, () -> 2 * done.get())}, () -> {
          done.set(10);
          return Unit.INSTANCE;
        });
    assertTrue(screen.output().matches("(?s).*host to guest +={30}.*guest to host +={30}.*"), screen.output());
  }

  @Test
  void whoCallsItWronglyIsToldWhyWithExitCodeTwo() throws Exception {
    for (List<String> wrong : List.of(List.of("x"), List.of("-w", "0"))) {
      Ended ended = run(wrong.toArray(String[]::new));
      assertEquals(2, ended.exitCode, ended.toString());
      assertTrue(ended.out.isEmpty() && ended.err.contains(String.join(" ", wrong)), ended.toString());
    }
    assertEquals(0, run("--help").exitCode);
  }

  @Test
  void noFileHasMoreThan200Lines() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertTrue(Files.readAllLines(file).size() <= 200, file.toString());
      }
    }
  }
}
