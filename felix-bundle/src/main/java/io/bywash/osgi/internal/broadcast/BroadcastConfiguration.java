package io.bywash.osgi.internal.broadcast;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import java.util.Map;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
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
  private final Config config;

  /** Which queue to create. */
  @ObjectClassDefinition(name = "Bywash queue", description = "A queue that exists as long as this configuration does.")
  public @interface Config {
    /** What all keys begin with. */
    String PREFIX_ = "bywash.";

    /** See {@link BywashConstants#SEGMENT}. */
    @AttributeDefinition(name = "Segment",
        description = "The segment's name. It is created if there is none of that name.")
    String segment();

    /** See {@link BywashConstants#QUEUE}. */
    @AttributeDefinition(name = "Queue", description = "The queue's name, unique in its segment.")
    String queue();

    /** See {@link BywashConstants#RING_BYTES}. */
    @AttributeDefinition(name = "Ring in bytes", required = false,
        description = "How much the queue holds, rounded up to a power of two. An eighth of it is the largest message.")
    long ring_bytes() default 1 << 20;

    /** See {@link BywashConstants#SUBSCRIBERS}. */
    @AttributeDefinition(name = "Subscribers", required = false,
        description = "The most subscribers at one time, 1 to 1023.")
    int subscribers() default Broadcast.DEFAULT_SUBSCRIBERS;

    /** See {@link BywashConstants#LIFETIME}. */
    @AttributeDefinition(name = "Lifetime", required = false, description = "When the segment is removed.", options = {
        @Option(value = BywashConstants.LIFETIME_WHILE_USED, label = "by the last living participant"),
        @Option(value = BywashConstants.LIFETIME_KEPT, label = "on purpose only")})
    String lifetime() default BywashConstants.LIFETIME_WHILE_USED;

    /** See {@link BywashConstants#SPARE_BYTES}. */
    @AttributeDefinition(name = "Spare bytes", required = false,
        description = "If the segment is created: room for queues that are added later. A segment never grows.")
    long spare_bytes() default 4 << 20;

    /** See {@link BywashConstants#DIRECTORY}. */
    @AttributeDefinition(name = "Bus directory", required = false,
        description = "The directory of the segment. Empty for the standard one: $BYWASH_DIR, else below /dev/shm.")
    String directory() default "";
  }

  /** Called by Declarative Services. */
  @Activate
  public BroadcastConfiguration(Config config, Map<String, Object> properties,
      @Reference(service = LoggerFactory.class) Logger logger) {
    super(properties.get(Constants.SERVICE_PID).toString(), new Settings(config.segment(), config.queue(),
        config.lifetime(), config.spare_bytes(), config.directory()), logger);
    this.config = config;
    tend();
  }

  @Override
  protected EntrySpec spec() {
    return Broadcast.spec(config.queue(), config.ring_bytes(), config.subscribers());
  }

  @Deactivate
  void deactivate() {
    close();
  }
}
