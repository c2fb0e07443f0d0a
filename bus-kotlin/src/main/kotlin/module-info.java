/** Bywash for Kotlin: senders, receivers and flows for coroutines, and the topology DSL. */
module io.bywash.bus {
  requires transitive io.bywash.engine;
  requires transitive kotlin.stdlib;
  requires transitive kotlinx.coroutines.core;
  requires static io.bywash.osgi;
  requires static kotlinx.serialization.core;

  exports io.bywash.bus;
  exports io.bywash.bus.broadcast;
  exports io.bywash.bus.call;
  exports io.bywash.bus.cell;
  exports io.bywash.bus.osgi;
  exports io.bywash.bus.pool;
  exports io.bywash.bus.queue;
  exports io.bywash.bus.ring;
}
