/** One process writes messages of any length round and round a ring, others read and check them. */
module io.bywash.samples.circularbuffer {
  requires io.bywash.engine;
}
