/** Bywash for OSGi: queues as services. */
module io.bywash.osgi {
  requires transitive io.bywash.engine;
  requires static org.osgi.service.component.annotations;
  requires static org.osgi.service.metatype.annotations;

  exports io.bywash.osgi;
}
