package io.bywash.samples.gameserver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.cell.*;
import io.bywash.engine.ring.RingView;
import io.bywash.samples.gameserver.Counts.Count;
import io.bywash.samples.gameserver.World.Frame;
import io.bywash.samples.gameserver.World.Score;
import io.bywash.samples.kit.Programs;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Reports how the game goes. It only reads, by the names of what it reads. */
final class Analytics {
  private final RingView frames;
  private final IntCell playersOnline;
  private final RecordArray<Score> leaderboard;
  private final Counts counts;
  private long most;

  private Analytics(Segment segment) {
    Directory directory = segment.directory();
    this.frames = RingView.of(directory.find("frame_stats", Kind.RING));
    this.playersOnline = Atomics.open(directory.find("players_online", Kind.CELLS)).intCell("players");
    this.leaderboard = RecordArray.open(directory.find("leaderboard", Kind.CELLS), Score.RECORDS);
    this.counts = new Counts(segment);
  }

  /** Arguments: segment, and how many milliseconds lie between two reports. */
  public static void main(String[] arguments) {
    Programs.endWithParent();
    try (Segment segment = Segment.attach(arguments[0], SECONDS.toNanos(10))) {
      segment.label("analytics");
      Analytics analytics = new Analytics(segment);
      BooleanCell isActive = Atomics.open(segment.directory().find("match_active", Kind.CELLS)).booleanCell("active");
      while (isActive.get()) {
        LockSupport.parkNanos(MILLISECONDS.toNanos(Long.parseLong(arguments[1])));
        System.err.println(analytics.report());
      }
    }
  }

  private String report() {
    List<Frame> history = frames.lastN(Frame.RECORDS, World.HISTORY);
    if (history.size() < 2) {
      return "no frames yet";
    }
    Frame first = history.getFirst();
    Frame last = history.getLast();
    double seconds = (last.startNanos() - first.startNanos()) / 1e9;
    long slowest = history.stream().mapToLong(Frame::workNanos).max().orElseThrow();
    counts.add(Count.GAPS, Math.abs(last.tick() - first.tick() + 1 - history.size()));
    StringBuilder report = new StringBuilder(String.format(
        "tick %,d: %.1f frames a second over %,d frames, the slowest took %.1f ms; %d players, %d monsters, %d shots%n",
        last.tick(), (history.size() - 1) / seconds, history.size(), slowest / 1e6, playersOnline.get(),
        last.monsters(), last.projectiles()));
    List<String> leaders = new ArrayList<>();
    for (int i = 0; i < leaderboard.length(); i++) {
      Score score = leaderboard.get(i);
      if (score != null) {
        leaders.add((i + 1) + ". " + score.name() + ": " + score.kills());
        if (i == 0) {
          counts.add(Count.FALLEN, score.kills() < most ? 1 : 0);
          most = score.kills();
        }
      }
    }
    counts.add(Count.REPORTS, 1);
    return report.append("  ").append(String.join("  ", leaders)).toString();
  }
}
