/** Bywash for Kotlin: channels, flows, calls and the topology DSL. */
module io.bywash.bus {
  requires transitive io.bywash.engine;
  requires transitive kotlin.stdlib;
  requires transitive kotlinx.coroutines.core;
  requires static kotlinx.serialization.core;

  exports io.bywash.bus;
  exports io.bywash.bus.broadcast;
}
