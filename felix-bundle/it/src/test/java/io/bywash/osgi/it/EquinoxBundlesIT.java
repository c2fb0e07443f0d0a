package io.bywash.osgi.it;

/** What bundles do, and what is told of it, in Eclipse Equinox. */
final class EquinoxBundlesIT extends RuntimeContract {
  @Override
  String framework() {
    return "equinox";
  }
}
