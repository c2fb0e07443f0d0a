package io.bywash.osgi.runtime;

import org.osgi.annotation.versioning.ProviderType;

/**
 * Tells what this bundle sees and does. It is a service as long as the bundle is active, even if discovery cannot
 * start. Its property {@code service.changecount} grows whenever something other than a counter has changed, at most
 * once in a quarter of a second. Any thread may use it.
 */
@ProviderType
public interface BywashRuntime {
  /** What is known now. It belongs to the caller. */
  RuntimeDTO getRuntimeDTO();
}
