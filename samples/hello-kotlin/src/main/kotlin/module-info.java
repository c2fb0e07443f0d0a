/** One process sends, another one receives, in Kotlin. */
module io.bywash.samples.hello.kotlin {
  requires io.bywash.bus;
}
