package io.bywash.samples.gameserver;

/**
 * What was seen of a match.
 *
 * @param ticks frames that were played
 * @param killed processes that were killed
 * @param survived of these kills, those in which all others went on, and a new process took over
 * @param serversKilled of the processes that were killed, how many were the server
 * @param inputs that came over the network
 * @param inputsTaken of these, as servers counted them: a server that is killed may have counted one that the next one
 *     gets again
 * @param requests for monsters that the AI sent
 * @param requestsTaken of these, as servers counted them, and those that are still in the queue
 * @param came monsters that came on request, as the AI saw them
 * @param lookedAt monsters that the AI looked at
 * @param misplaced of these, those that were not in their cell of the grid
 * @param reports of the analytics
 * @param gaps frames that were missing in the history or came twice
 * @param fallen reports in which the leader had fewer kills than before
 * @param bestKills how many monsters the leader has killed
 * @param refused whether a program with another field in its monsters was refused by that field's name
 */
record Outcome(long ticks, int killed, int survived, int serversKilled, long inputs, long inputsTaken, long requests,
    long requestsTaken, long came, long lookedAt, long misplaced, long reports, long gaps, long fallen, long bestKills,
    boolean refused) {
  static final Outcome NONE = new Outcome(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false);

  boolean isOk() {
    return ticks > 0 && survived == killed && isComplete(inputs, inputsTaken) && isComplete(requests, requestsTaken)
        && came > 0 && lookedAt > 0 && misplaced == 0 && reports > 0 && gaps == 0 && fallen == 0 && bestKills > 0
        && refused;
  }

  private boolean isComplete(long sent, long taken) {
    return sent > 0 && taken >= sent && taken <= sent + serversKilled;
  }

  String toText() {
    return String.format("%,d frames; %d killed, %d times all others went on; %,d inputs, %,d taken; %,d requests, %,d"
        + " taken, %,d monsters came; %,d looks at monsters, %,d misplaced; %,d reports, %,d gaps, %,d fallen%n%s",
        ticks, killed, survived, inputs, inputsTaken, requests, requestsTaken, came, lookedAt, misplaced, reports, gaps,
        fallen, isOk() ? "whoever was killed, the game went on" : "NOT OK");
  }

  String toJson() {
    return String.format("{\"ok\": %b, \"ticks\": %d, \"killed\": %d, \"survived\": %d, \"inputs\": %d,"
        + " \"inputsTaken\": %d, \"requests\": %d, \"requestsTaken\": %d, \"came\": %d, \"lookedAt\": %d,"
        + " \"misplaced\": %d, \"reports\": %d, \"gaps\": %d, \"fallen\": %d, \"bestKills\": %d, \"refused\": %b}",
        isOk(), ticks, killed, survived, inputs, inputsTaken, requests, requestsTaken, came, lookedAt, misplaced,
        reports, gaps, fallen, bestKills, refused);
  }
}
