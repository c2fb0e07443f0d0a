/** What several samples need: processes that are started and ended, and what they tell a monitor. */
module io.bywash.samples.kit {
  requires transitive io.bywash.engine;

  exports io.bywash.samples.kit;
}
