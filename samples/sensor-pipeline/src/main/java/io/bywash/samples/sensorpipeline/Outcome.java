package io.bywash.samples.sensorpipeline;

/**
 * What the processes saw.
 *
 * @param samples that were pushed, by the number of the last one
 * @param popped samples, by the ring's count
 * @param dropped samples, by the ring's count
 * @param missing samples, by the gaps between their numbers
 * @param pushedSpectra windows that were processed
 * @param spectra that came out at the end
 * @param right spectra with the frequencies that were generated
 * @param replayed whether a recording took the place of the sines, so that no spectrum is known beforehand
 * @param reporting processes that told the monitor how they fare
 * @param refused whether samples with another field were refused by that field's name
 */
record Outcome(long samples, long popped, long dropped, long missing, long pushedSpectra, long spectra, long right,
    boolean replayed, int reporting, boolean refused) {
  boolean isOk() {
    return popped + dropped == samples && dropped > 0 && missing == dropped && spectra > 0 && spectra == pushedSpectra
        && (replayed || right == spectra) && reporting == SensorPipeline.PROCESSES && refused;
  }

  String toText() {
    return String.format("%,d samples: %,d processed, %,d dropped, %,d missing; %,d spectra, %,d of them as generated%n"
        + "%s", samples, popped, dropped, missing, spectra, right, isOk() ? "nothing is missing but what was counted"
        : "NOT OK");
  }

  String toJson() {
    return String.format("{\"ok\": %b, \"samples\": %d, \"popped\": %d, \"dropped\": %d, \"missing\": %d, \"spectra\":"
        + " %d, \"right\": %d, \"reporting\": %d, \"refused\": %b}", isOk(), samples, popped, dropped, missing, spectra,
        right, reporting, refused);
  }
}
