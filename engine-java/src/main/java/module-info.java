/** Shared-memory messaging between the processes of one host. */
@SuppressWarnings("requires-automatic") // annotations only, not there at run time
module io.bywash.engine {
  requires static java.management; // where it is there, segments can be shown in JMX
  requires static jdk.jfr; // where it is there, events are told
  requires static org.osgi.annotation.versioning;

  exports io.bywash.engine;
  exports io.bywash.engine.broadcast;
  exports io.bywash.engine.call;
  exports io.bywash.engine.cell;
  exports io.bywash.engine.inspect;
  exports io.bywash.engine.pool;
  exports io.bywash.engine.queue;
  exports io.bywash.engine.record;
  exports io.bywash.engine.ring;
  exports io.bywash.engine.wait;
}
