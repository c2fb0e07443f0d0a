package io.bywash.osgi.it;

/** Structures, consumers and configurations in Apache Felix. */
final class FelixIT extends TypedContract {
  @Override
  String framework() {
    return "felix";
  }
}
