package io.bywash.osgi.it;

/** What bundles do, and what is told of it, in Apache Felix. */
final class FelixBundlesIT extends RuntimeContract {
  @Override
  String framework() {
    return "felix";
  }
}
