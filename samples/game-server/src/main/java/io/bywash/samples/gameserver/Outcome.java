package io.bywash.samples.gameserver;

import static io.bywash.samples.gameserver.Counts.Count.*;

import io.bywash.samples.gameserver.Counts.Count;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What was seen of a match. A server that is killed may have counted a message that the next one gets again.
 *
 * @param killed processes that were killed
 * @param survived of these kills, those in which all others went on, and a new process took over
 * @param serversKilled of the processes that were killed, how many were the server
 * @param ticks frames that were played
 * @param sentInputs what players did
 * @param sentRequests of the AI, for monsters
 * @param waitingRequests of these, those that no server has taken yet
 * @param bestKills how many monsters the leader has killed
 * @param isOlderRefused whether a program with another field in its monsters was refused by that field's name
 * @param counts of the processes themselves
 */
record Outcome(int killed, int survived, int serversKilled, long ticks, long sentInputs, long sentRequests,
    long waitingRequests, long bestKills, boolean isOlderRefused, Map<Count, Long> counts) {
  static final Outcome NONE = new Outcome(0, 0, 0, 0, 0, 0, 0, 0, false, Map.of());

  boolean isOk() {
    return ticks > 0 && survived == killed && isComplete(sentInputs, count(INPUTS))
        && isComplete(sentRequests, count(REQUESTS) + waitingRequests) && count(SEEN) > 0 && count(MISPLACED) == 0
        && count(CAME) > 0 && count(REPORTS) > 0 && count(GAPS) == 0 && count(FALLEN) == 0 && bestKills > 0
        && isOlderRefused;
  }

  private long count(Count what) {
    return counts.getOrDefault(what, 0L);
  }

  private boolean isComplete(long sent, long taken) {
    return sent > 0 && taken >= sent && taken <= sent + serversKilled;
  }

  String toText() {
    String numbers = counts.entrySet().stream().map(each -> String.format("%,d %s", each.getValue(), each.getKey()))
        .collect(Collectors.joining(", "));
    return String.format("%,d frames, %d processes killed, %d replaced while all others went on; %,d inputs and %,d"
        + " requests sent%ncounted: %s%n%s", ticks, killed, survived, sentInputs, sentRequests, numbers,
        isOk() ? "whoever was killed, the game went on" : "NOT OK");
  }

  String toJson() {
    String numbers = counts.entrySet().stream().map(each -> ", \"" + each.getKey() + "\": " + each.getValue())
        .collect(Collectors.joining());
    return String.format("{\"ok\": %b, \"killed\": %d, \"survived\": %d, \"ticks\": %d, \"sentInputs\": %d,"
        + " \"sentRequests\": %d, \"waitingRequests\": %d, \"bestKills\": %d, \"olderRefused\": %b%s}", isOk(), killed,
        survived, ticks, sentInputs, sentRequests, waitingRequests, bestKills, isOlderRefused, numbers);
  }
}
