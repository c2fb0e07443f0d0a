package io.bywash.osgi.it;

/** Structures, consumers and configurations in Eclipse Equinox. */
final class EquinoxIT extends TypedContract {
  @Override
  String framework() {
    return "equinox";
  }
}
