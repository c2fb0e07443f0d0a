package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.ring.Ring;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfigurationReader;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.QueueKeys;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** A ring that a configuration asks for. */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.RING_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = RingConfiguration.Config.class, factory = true)
public final class RingConfiguration extends ConfiguredQueue {
  /** Describes the keys for tools. They are read one by one, so that each wrong value is reported with its key. */
  @ObjectClassDefinition(name = "Bywash ring", description = "A ring that exists as long as this configuration does.")
  interface Config extends QueueKeys {
    /** See {@link BywashConstants#CAPACITY}. */
    @AttributeDefinition(name = "Capacity", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_CAPACITY, min = "1",
        description = "How many elements it holds. A change replaces it.")
    int bywash_capacity();

    /** See {@link BywashConstants#ELEMENT_SIZE}. */
    @AttributeDefinition(name = "Element in bytes", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_ELEMENT_SIZE, min = "1",
        description = "The size of each element. A change replaces it.")
    int bywash_element_size();
  }

  @Override
  protected EntrySpec spec(String queue, ConfigurationReader keys) {
    int capacity = (int) keys.number(CAPACITY, DEFAULT_CAPACITY, 1, Ring.MAX_ELEMENTS);
    int bytes = (int) keys.number(ELEMENT_SIZE, DEFAULT_ELEMENT_SIZE, 1, Ring.MAX_ELEMENT_BYTES);
    return Ring.spec(queue, capacity, bytes);
  }
}
