package io.bywash.samples.containers;

/**
 * What came of it, mostly as the receivers saw it.
 *
 * @param published prices that the exchange has published, before and after it was killed
 * @param shown prices that the desk got in their order
 * @param seen prices that this process got in their order
 * @param lost prices that either of them lost or got wrong
 * @param sent orders that this process has sent
 * @param filled different orders that the desk has filled
 * @param wrong orders that it filled twice or with a wrong quote
 * @param failed calls of the desk that failed while the exchange was away; their orders came again
 * @param filledAfterwards orders that were filled after the exchange had come back
 */
record Outcome(long published, long shown, long seen, long lost, long sent, long filled, long wrong, long failed,
    long filledAfterwards) {
  boolean isOk() {
    return published > 0 && shown == published && seen == published && lost == 0 && sent > 0 && filled == sent
        && wrong == 0 && failed > 0 && filledAfterwards > 0;
  }

  String toJson() {
    return "{\"ok\": " + isOk() + ", \"published\": " + published + ", \"shown\": " + shown + ", \"seen\": " + seen
        + ", \"lost\": " + lost + ", \"sent\": " + sent + ", \"filled\": " + filled + ", \"wrong\": " + wrong
        + ", \"failed\": " + failed + ", \"filledAfterwards\": " + filledAfterwards + "}";
  }
}
