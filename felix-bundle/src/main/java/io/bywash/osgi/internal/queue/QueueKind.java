package io.bywash.osgi.internal.queue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.osgi.StructureService;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What one kind of structure adds to the common part. Any thread may use it. */
public interface QueueKind {
  /** The engine's name for it. */
  Kind kind();

  /** The type under which structures of this kind are services. */
  Class<? extends StructureService> serviceType();

  /** A new service object for one bundle, with {@code roles} to take its roles from. */
  StructureService service(BundleRoles roles);

  /** The properties that its services have beside those of all kinds; fixed as long as the structure is the same. */
  default Map<String, Object> properties(Entry entry) {
    return Map.of();
  }

  /** How its consumers are fed; empty when it has none. */
  default Optional<Feeder> feeder() {
    return Optional.empty();
  }

  /**
   * The last messages of a queue, which is attached read-only; nobody notices. Empty when they cannot be seen without
   * being taken.
   */
  default Optional<List<RuntimeDTO.MessageDTO>> tail(Entry entry, int count) {
    return Optional.empty();
  }
}
