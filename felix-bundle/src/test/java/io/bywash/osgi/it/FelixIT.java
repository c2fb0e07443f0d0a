package io.bywash.osgi.it;

/** In Apache Felix. */
final class FelixIT extends RuntimeContract {
  @Override
  String framework() {
    return "felix";
  }
}
