package io.bywash.samples.gameserver;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.cell.RecordArray;
import io.bywash.samples.gameserver.World.Score;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Who has killed how many monsters. The best of them stand in shared memory, and so outlive the server. */
final class Leaderboard {
  private final RecordArray<Score> array;
  private final Map<Integer, Long> kills = new HashMap<>();

  Leaderboard(Segment segment) {
    this.array = RecordArray.open(segment.directory().find("leaderboard", Kind.CELLS), Score.RECORDS);
    for (int i = 0; i < array.length(); i++) {
      Score score = array.get(i);
      if (score != null) {
        kills.merge(score.player(), score.kills(), Math::max); // a place may have been set, and the next one not
      }
    }
  }

  void killed(int player) {
    kills.merge(player, 1L, Long::sum);
  }

  /** Shows the best ones to everybody. */
  void publish() {
    List<Score> best = kills.entrySet().stream()
        .map(each -> new Score(each.getKey(), each.getValue(), "player " + each.getKey()))
        .sorted(Comparator.comparingLong(Score::kills).reversed()).limit(array.length()).toList();
    for (int i = 0; i < best.size(); i++) {
      if (!best.get(i).equals(array.get(i)) && !array.set(i, best.get(i), SECONDS.toNanos(1))) {
        throw new IllegalStateException("another process has been setting place " + i + " for 1 s");
      }
    }
  }
}
