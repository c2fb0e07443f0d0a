package io.bywash.osgi.internal.broadcast;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfigurationReader;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import java.util.Map;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.log.Logger;
import org.osgi.service.log.LoggerFactory;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** A broadcast queue that a configuration asks for. */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.QUEUE_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = BroadcastConfiguration.Config.class, factory = true)
public final class BroadcastConfiguration extends ConfiguredQueue {
  private static final long MAX_RING_BYTES = 1L << 40;
  private static final int MAX_SUBSCRIBERS = 1023;

  @Reference(service = LoggerFactory.class, cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC)
  private volatile Logger logger;

  /** Describes the keys for tools. They are read one by one, so that each wrong value is reported with its key. */
  @ObjectClassDefinition(name = "Bywash queue", description = "A queue that exists as long as this configuration does.")
  @interface Config {
    /** See {@link BywashConstants#SEGMENT}. */
    @AttributeDefinition(name = "Segment",
        description = "The segment's name. It is created if there is none of that name.")
    String bywash_segment();

    /** See {@link BywashConstants#QUEUE}. */
    @AttributeDefinition(name = "Queue", description = "The queue's name, unique in its segment.")
    String bywash_queue();

    /** See {@link BywashConstants#RING_BYTES}. */
    @AttributeDefinition(name = "Ring in bytes", required = false, min = "1", max = "" + MAX_RING_BYTES,
        description = "How much the queue holds, rounded up to a power of two. An eighth of it is the largest message."
            + " A change replaces the queue.")
    long bywash_ring_bytes() default BywashConstants.DEFAULT_RING_BYTES;

    /** See {@link BywashConstants#SUBSCRIBERS}. */
    @AttributeDefinition(name = "Subscribers", required = false, min = "1", max = "" + MAX_SUBSCRIBERS,
        description = "The most subscribers at one time. A change replaces the queue.")
    int bywash_subscribers() default Broadcast.DEFAULT_SUBSCRIBERS;

    /** See {@link BywashConstants#LIFETIME}. */
    @AttributeDefinition(name = "Lifetime", required = false,
        description = "When the segment is removed. A change replaces the queue.", options = {
        @Option(value = BywashConstants.LIFETIME_WHILE_USED, label = "by the last living participant"),
        @Option(value = BywashConstants.LIFETIME_KEPT, label = "on purpose only")})
    String bywash_lifetime() default BywashConstants.LIFETIME_WHILE_USED;

    /** See {@link BywashConstants#SPARE_BYTES}. */
    @AttributeDefinition(name = "Spare bytes", required = false, min = "0",
        description = "If the segment is created: room for queues that are added later. A segment never grows.")
    long bywash_spare_bytes() default BywashConstants.DEFAULT_SPARE_BYTES;

    /** See {@link BywashConstants#DIRECTORY}. */
    @AttributeDefinition(name = "Bus directory", required = false,
        description = "The directory of the segment. Empty for the standard one: $BYWASH_DIR, else below /dev/shm.")
    String bywash_directory() default "";

    /** How tools name a configuration. */
    @AttributeDefinition(name = "Name hint", required = false)
    String webconsole_configurationFactory_nameHint() default "{bywash.segment} {bywash.queue}";
  }

  @Override
  protected Logger logger() {
    return logger;
  }

  @Activate
  @Modified
  void changed(Map<String, Object> properties) {
    configure(properties);
  }

  @Override
  protected EntrySpec spec(String queue, ConfigurationReader keys) {
    long ringBytes = keys.number(BywashConstants.RING_BYTES, BywashConstants.DEFAULT_RING_BYTES, 1, MAX_RING_BYTES);
    int subscribers = (int) keys.number(BywashConstants.SUBSCRIBERS, Broadcast.DEFAULT_SUBSCRIBERS, 1,
        MAX_SUBSCRIBERS);
    return Broadcast.spec(queue, ringBytes, subscribers);
  }

  @Deactivate
  void deactivate() {
    close();
  }
}
