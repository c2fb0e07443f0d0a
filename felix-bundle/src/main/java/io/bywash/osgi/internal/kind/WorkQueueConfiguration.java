package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfigurationReader;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.QueueKeys;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** A work queue that a configuration asks for. */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.WORK_QUEUE_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = WorkQueueConfiguration.Config.class, factory = true)
public final class WorkQueueConfiguration extends ConfiguredQueue {
  private static final int MAX_BYTES = 1 << 30;

  /** Describes the keys for tools. They are read one by one, so that each wrong value is reported with its key. */
  @ObjectClassDefinition(name = "Bywash work queue",
      description = "A work queue that exists as long as this configuration does.")
  interface Config extends QueueKeys {
    /** See {@link BywashConstants#CAPACITY}. */
    @AttributeDefinition(name = "Capacity", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_CAPACITY, min = "1",
        description = "How many messages it holds, a power of two. A change replaces it.")
    int bywash_capacity();

    /** See {@link BywashConstants#ELEMENT_SIZE}. */
    @AttributeDefinition(name = "Largest message in bytes", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_ELEMENT_SIZE, min = "1",
        description = "Each message takes as much. A change replaces it.")
    int bywash_element_size();

    /** See {@link BywashConstants#DELIVERY}. */
    @AttributeDefinition(name = "Delivery", required = false, defaultValue = "redeliver",
        description = "What becomes of messages of consumers that died. A change replaces it.", options = {
        @Option(value = BywashConstants.DELIVERY_REDELIVER, label = "another consumer gets it"),
        @Option(value = BywashConstants.DELIVERY_DROP, label = "it is dropped")})
    String bywash_delivery();

    /** See {@link BywashConstants#DELIVERIES}. */
    @AttributeDefinition(name = "Deliveries", required = false, defaultValue = "0", min = "0",
        description = "How often a message is delivered at most; 0 for as often as it takes. A change replaces it.")
    int bywash_deliveries();

    /** See {@link BywashConstants#DEAD_LETTERS}. */
    @AttributeDefinition(name = "Dead letters", required = false,
        description = "The work queue for messages that were delivered that often. A change replaces it.")
    String bywash_dead_letters();

    /** See {@link BywashConstants#ROLES}. */
    @AttributeDefinition(name = "Roles", required = false,
        defaultValue = "" + WorkQueue.DEFAULT_ROLES, min = "2", max = "1024",
        description = "The most producers and consumers together. A change replaces it.")
    int bywash_roles();
  }

  @Override
  protected EntrySpec spec(String queue, ConfigurationReader keys) {
    int capacity = (int) keys.number(CAPACITY, DEFAULT_CAPACITY, 1, WorkQueue.MAX_MESSAGES);
    int bytes = (int) keys.number(ELEMENT_SIZE, DEFAULT_ELEMENT_SIZE, 1, MAX_BYTES);
    int roles = (int) keys.number(ROLES, WorkQueue.DEFAULT_ROLES, 2, EntrySpec.MAX_ROLES);
    return WorkQueue.spec(queue, capacity, bytes, policy(keys), roles);
  }

  private static DeliveryPolicy policy(ConfigurationReader keys) {
    boolean redelivers = keys.oneOf(DELIVERY, DELIVERY_REDELIVER, DELIVERY_REDELIVER, DELIVERY_DROP)
        .equals(DELIVERY_REDELIVER);
    int limit = (int) keys.number(DELIVERIES, 0, 0, Integer.MAX_VALUE);
    String deadLetters = keys.text(DEAD_LETTERS, "");
    if (limit == 0 && !deadLetters.isEmpty() || limit > 0 && !redelivers) {
      throw new IllegalArgumentException(limit == 0
          ? DEAD_LETTERS + "=" + deadLetters + " gets nothing without " + DELIVERIES
          : DELIVERIES + "=" + limit + " has no meaning with " + DELIVERY + "=" + DELIVERY_DROP);
    }
    DeliveryPolicy policy = redelivers ? DeliveryPolicy.redeliver() : DeliveryPolicy.drop();
    DeliveryPolicy limited = limit > 0 ? policy.atMost(limit) : policy;
    return deadLetters.isEmpty() ? limited : limited.deadLetters(deadLetters);
  }
}
