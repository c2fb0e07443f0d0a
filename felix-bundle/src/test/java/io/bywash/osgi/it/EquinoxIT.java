package io.bywash.osgi.it;

/** In Eclipse Equinox. */
final class EquinoxIT extends ContainerContract {
  @Override
  String framework() {
    return "equinox";
  }
}
