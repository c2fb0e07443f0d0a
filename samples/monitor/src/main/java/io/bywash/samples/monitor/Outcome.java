package io.bywash.samples.monitor;

/**
 * What the monitor has seen.
 *
 * @param processes that have told about themselves
 * @param alarms about processes that live and told nothing
 * @param cleared of these, since the process told something again
 * @param dead processes that died, or have ended
 * @param processed messages that all processes together told of
 */
record Outcome(long processes, long alarms, long cleared, long dead, long processed) {
  boolean isOk() {
    return processes == 4 && alarms == 1 && cleared == 1 && dead >= 1 && processed > 0;
  }

  String toText() {
    return String.format("%d processes, %d hung, %d of them worked again, %d dead; %,d messages processed%n%s",
        processes, alarms, cleared, dead, processed, isOk() ? "the hung one and the dead one were noticed" : "NOT OK");
  }

  String toJson() {
    return String.format("{\"ok\": %b, \"processes\": %d, \"alarms\": %d, \"cleared\": %d, \"dead\": %d,"
        + " \"processed\": %d}", isOk(), processes, alarms, cleared, dead, processed);
  }
}
