package io.bywash.osgi.it;

/** In Eclipse Equinox. */
final class EquinoxIT extends RuntimeContract {
  @Override
  String framework() {
    return "equinox";
  }
}
