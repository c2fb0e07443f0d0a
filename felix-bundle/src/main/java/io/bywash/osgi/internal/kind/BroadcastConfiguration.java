package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfigurationReader;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.QueueKeys;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** A broadcast queue that a configuration asks for. */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.QUEUE_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = BroadcastConfiguration.Config.class, factory = true)
public final class BroadcastConfiguration extends ConfiguredQueue {
  private static final long MAX_RING_BYTES = 1L << 40;
  private static final int MAX_SUBSCRIBERS = 1023;

  /** Describes the keys for tools. They are read one by one, so that each wrong value is reported with its key. */
  @ObjectClassDefinition(name = "Bywash queue",
      description = "A queue that exists as long as this configuration does.")
  interface Config extends QueueKeys {
    /** See {@link BywashConstants#RING_BYTES}. */
    @AttributeDefinition(name = "Ring in bytes", required = false,
        defaultValue = "" + BywashConstants.DEFAULT_RING_BYTES, min = "1",
        max = "" + MAX_RING_BYTES,
        description = "How much it holds, rounded up to a power of two. An eighth is the longest message. A change"
            + " replaces it.")
    long bywash_ring_bytes();

    /** See {@link BywashConstants#SUBSCRIBERS}. */
    @AttributeDefinition(name = "Subscribers", required = false,
        defaultValue = "" + Broadcast.DEFAULT_SUBSCRIBERS, min = "1",
        max = "" + MAX_SUBSCRIBERS,
        description = "The most subscribers at one time. A change replaces it.")
    int bywash_subscribers();
  }

  @Override
  protected EntrySpec spec(String queue, ConfigurationReader keys) {
    long ringBytes = keys.number(RING_BYTES, DEFAULT_RING_BYTES, 1, MAX_RING_BYTES);
    int subscribers = (int) keys.number(SUBSCRIBERS, Broadcast.DEFAULT_SUBSCRIBERS, 1, MAX_SUBSCRIBERS);
    return Broadcast.spec(queue, ringBytes, subscribers);
  }
}
