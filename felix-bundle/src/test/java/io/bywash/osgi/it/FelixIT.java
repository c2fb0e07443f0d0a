package io.bywash.osgi.it;

/** In Apache Felix. */
final class FelixIT extends ContainerContract {
  @Override
  String framework() {
    return "felix";
  }
}
