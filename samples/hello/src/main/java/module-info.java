/** One process publishes, another one reads. */
module io.bywash.samples.hello {
  requires io.bywash.engine;
}
