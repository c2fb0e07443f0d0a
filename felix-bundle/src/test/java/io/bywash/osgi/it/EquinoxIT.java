package io.bywash.osgi.it;

/** Queues, listeners and configurations in Eclipse Equinox. */
final class EquinoxIT extends ConfigurationContract {
  @Override
  String framework() {
    return "equinox";
  }
}
