package io.bywash.osgi.it;

/** Queues, listeners and configurations in Apache Felix. */
final class FelixIT extends ConfigurationContract {
  @Override
  String framework() {
    return "felix";
  }
}
