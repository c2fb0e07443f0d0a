/** Bywash for OSGi: queues as services. A container does not read this descriptor; the manifest says the same. */
@SuppressWarnings("requires-transitive-automatic") // annotations only, not there at run time
module io.bywash.osgi {
  requires transitive io.bywash.engine;
  requires static transitive org.osgi.annotation.bundle;
  requires static transitive org.osgi.annotation.versioning;
  requires static org.apache.felix.gogo.runtime;
  requires static org.apache.felix.healthcheck.api;
  requires static org.apache.felix.inventory;
  requires static transitive org.osgi.dto;
  requires static org.osgi.framework;
  requires static org.osgi.resource;
  requires static org.osgi.service.component.annotations;
  requires static org.osgi.service.log;
  requires static org.osgi.service.metatype.annotations;

  exports io.bywash.osgi;
  exports io.bywash.osgi.runtime;
}
