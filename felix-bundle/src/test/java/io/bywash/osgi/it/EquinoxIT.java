package io.bywash.osgi.it;

/** In Eclipse Equinox. */
final class EquinoxIT extends OperationContract {
  @Override
  String framework() {
    return "equinox";
  }
}
