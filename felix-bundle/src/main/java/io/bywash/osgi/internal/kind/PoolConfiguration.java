package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.pool.Pool;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfigurationReader;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.QueueKeys;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** A pool that a configuration asks for. */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.POOL_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = PoolConfiguration.Config.class, factory = true)
public final class PoolConfiguration extends ConfiguredQueue {
  /** Describes the keys for tools. They are read one by one, so that each wrong value is reported with its key. */
  @ObjectClassDefinition(name = "Bywash pool", description = "A pool that exists as long as this configuration does.")
  interface Config extends QueueKeys {
    /** See {@link BywashConstants#CAPACITY}. */
    @AttributeDefinition(name = "Capacity", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_CAPACITY, min = "1",
        description = "How many objects there are. A change replaces it.")
    int bywash_capacity();

    /** See {@link BywashConstants#ELEMENT_SIZE}. */
    @AttributeDefinition(name = "Object in bytes", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_ELEMENT_SIZE, min = "1",
        description = "The size of each object. A change replaces it.")
    int bywash_element_size();

    /** See {@link BywashConstants#ROLES}. */
    @AttributeDefinition(name = "Users", required = false,
        defaultValue = "" + Pool.DEFAULT_USERS, min = "1", max = "1024",
        description = "The most users at one time. A change replaces it.")
    int bywash_roles();
  }

  @Override
  protected EntrySpec spec(String queue, ConfigurationReader keys) {
    int capacity = (int) keys.number(CAPACITY, DEFAULT_CAPACITY, 1, Pool.MAX_OBJECTS);
    int bytes = (int) keys.number(ELEMENT_SIZE, DEFAULT_ELEMENT_SIZE, 1, Pool.MAX_OBJECT_BYTES);
    int users = (int) keys.number(ROLES, Pool.DEFAULT_USERS, 1, EntrySpec.MAX_ROLES);
    return Pool.spec(queue, capacity, bytes, users);
  }
}
