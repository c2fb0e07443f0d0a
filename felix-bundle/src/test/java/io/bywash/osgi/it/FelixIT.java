package io.bywash.osgi.it;

/** In Apache Felix. */
final class FelixIT extends OperationContract {
  @Override
  String framework() {
    return "felix";
  }
}
