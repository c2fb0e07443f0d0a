/** Programs that start in any order, over whatever lies there, and one that dies in the middle of a message. */
module io.bywash.samples.crashrecovery {
  requires io.bywash.engine;
}
