package io.bywash.samples.gameserver;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.*;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.pool.PoolView;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.engine.record.Records;
import io.bywash.samples.gameserver.Counts.Count;
import io.bywash.samples.gameserver.Match.Part;
import io.bywash.samples.gameserver.World.Score;
import io.bywash.samples.kit.Programs;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Stream;

/** Plays a match in which players shoot and processes are killed, and adds up what all of them saw. */
final class GameServer {
  private static final String HELP = """
      usage: bywash game-server [OPTION...]

      A game server keeps its whole state in one segment: players, monsters and projectiles in pools, the grid in which
      they collide, queues, the history of frames, the leaderboard. An AI looks at the monsters and asks for more of
      them, analytics report how the game goes; both know nothing but names. Each of the three is killed and started
      again while the others go on.

        --kill WHO       analytics, ai, server, all (default) or none
        --report MILLIS  how many milliseconds lie between two reports; 1000, or GAME_REPORT_MILLIS
        --json           what was counted as one line on the standard output, everything else on the standard error
        --sabotage grid  the server puts monsters into wrong cells of the grid: the AI notices that
        --help           this text

      Ends with 0 if the game went on whoever was killed, with 1 if not, with 2 if it was called wrongly.""";
  private static final String SEGMENT = "game-server-" + ProcessHandle.current().pid();

  /** As {@link World.Monster} was in an older program. */
  private record Monster(int x, int y, float health, long request, long movedTick) {}

  private GameServer() {}

  public static void main(String[] arguments) {
    List<String> options = Programs.options(HELP, arguments);
    boolean json = options.remove("--json");
    String kill = "";
    String reportMillis = "";
    String sabotage = "";
    try {
      kill = Programs.take(options, "--kill", "", "all", "analytics|ai|server|all|none");
      reportMillis = Programs.take(options, "--report", "GAME_REPORT_MILLIS", "1000", "[1-9]\\d{0,4}");
      sabotage = Programs.take(options, "--sabotage", "", "none", "none|grid");
      Programs.requireNoMore(options);
    } catch (IllegalArgumentException wrong) {
      Programs.endWrongly("game-server", wrong);
    }
    Programs.leaveNothing(SEGMENT);
    PrintStream out = json ? System.err : System.out;
    Outcome outcome = Outcome.NONE;
    try (Match match = new Match(SEGMENT, reportMillis, sabotage, out)) {
      String victims = kill;
      outcome = play(match, Stream.of(Part.values())
          .filter(each -> victims.equals("all") || victims.equalsIgnoreCase(each.toString())).toList(), out);
      out.println(outcome.toText());
    } catch (IOException | InterruptedException | BusException | IllegalStateException failure) {
      System.err.println("game-server: " + failure.getMessage());
    }
    Programs.end(json, outcome.toJson(), outcome.isOk());
  }

  private static Outcome play(Match match, List<Part> victims, PrintStream out)
      throws IOException, InterruptedException {
    Counts counts = match.counts;
    Network network = new Network(match.segment);
    match.await("the AI saw a monster that it had asked for", () -> counts.get(Count.CAME) > 0);
    int survived = 0;
    for (Part victim : victims) {
      match.killAndStartAgain(victim);
      survived++;
    }
    match.await("each process has done something", match::isUnderWay);
    Entry leaderboard = match.segment.directory().find("leaderboard", Kind.CELLS);
    match.await("a player has killed a monster", () -> bestKills(leaderboard) > 0);
    network.end();
    Entry inputs = match.segment.directory().find("network_queue", Kind.WORK_QUEUE);
    match.await("all inputs were taken", () -> waiting(inputs) == 0);
    boolean isRefused = isRefused(match.segment.directory().find("monsters", Kind.POOL), out);
    match.end();
    Entry requests = match.segment.directory().find("spawn_queue", Kind.WORK_QUEUE);
    counts.add(Count.DROPPED, network.dropped());
    return new Outcome(victims.size(), survived, victims.contains(Part.SERVER) ? 1 : 0, match.tick.get(),
        network.sent(), QueueStatus.of(requests).sentCount(), waiting(requests), bestKills(leaderboard), isRefused,
        counts.toMap());
  }

  /** Messages in a queue that are not acknowledged yet. */
  private static long waiting(Entry queue) {
    QueueStatus status = QueueStatus.of(queue);
    return status.readyCount() + status.heldCount() + status.leftCount();
  }

  private static long bestKills(Entry leaderboard) {
    try (RecordArray<Score> scores = RecordArray.open(leaderboard, Score.RECORDS)) {
      Score best = scores.get(0);
      return best == null ? 0 : best.kills();
    }
  }

  /** Whether a program with another field in its monsters is told so, and which. */
  private static boolean isRefused(Entry entry, PrintStream out) {
    try (PoolView monsters = PoolView.open(entry)) {
      monsters.get(monsters.next(0), Records.of(lookup(), Monster.class));
      return false;
    } catch (SpecMismatchException mismatch) {
      out.println("an older program: " + mismatch.getMessage());
      return mismatch.getMessage().contains("field health");
    }
  }
}
