package io.bywash.osgi.internal;

import io.bywash.engine.BusException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Lifetime;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.osgi.BywashConstants;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

/**
 * A queue that a configuration asks for: found or created, and kept as long as the configuration exists. What goes
 * wrong is logged and listed, and tried again every second, since its cause may have gone. A queue whose file was
 * removed or replaced is made anew.
 *
 * <p>The order of several configurations for one segment does not matter: as long as nobody else uses it, and it has no
 * messages, the segment is made anew with room for all of them.
 */
@Component(service = ConfiguredQueue.class, immediate = true, configurationPid = BywashConstants.QUEUE_PID,
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = ConfiguredQueue.Config.class, factory = true)
public final class ConfiguredQueue {
  private static final long RETRY_NANOS = 1_000_000_000L;
  /** All that have their segments open; guarded by itself, like everything here: those of one segment act together. */
  private static final Set<ConfiguredQueue> OPEN = new HashSet<>();

  private final String pid;
  private final Config config;
  private final Log log;
  private Segment segment;
  /** Device and inode of its file. */
  private Map<String, Object> identity;
  private String failure;
  private long tendedNanos;
  private boolean closed;

  /** What queue to create. */
  @ObjectClassDefinition(name = "Bywash queue", description = "A queue that exists as long as this configuration does.")
  public @interface Config {
    /** All keys begin so. */
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
        description = "Room for so many at one time, 1 to 1023.")
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
  public ConfiguredQueue(Config config, Map<String, Object> properties,
      @Reference(service = LoggerFactory.class) Logger logger) {
    this.pid = properties.get(Constants.SERVICE_PID).toString();
    this.config = config;
    this.log = new Log(logger);
    tend();
  }

  /** Opens the queue, unless it is open; called by discovery again and again. */
  void tend() {
    synchronized (OPEN) {
      tendLocked();
    }
  }

  private void tendLocked() {
    long now = System.nanoTime();
    if (closed || tendedNanos != 0 && now - tendedNanos < RETRY_NANOS) {
      return;
    }
    tendedNanos = now;
    if (segment != null && (identity.isEmpty() // it went before it was asked for
        || !identity.equals(WatchedSegment.identity(segment.path())))) {
      log.warn("The file of configuration {} was removed or replaced. Its queue is made anew.", pid);
      leave();
    }
    if (segment == null) {
      try {
        segment = open();
        identity = WatchedSegment.identity(segment.path());
        failure = null;
        OPEN.add(this);
      } catch (RuntimeException refused) {
        tell(refused);
      }
    }
  }

  private void leave() {
    OPEN.remove(this);
    WatchedSegment.close(segment, log);
    segment = null;
  }

  private void tell(RuntimeException refused) {
    String reason = String.valueOf(refused.getMessage());
    if (!reason.equals(failure)) {
      failure = reason;
      log.error("Configuration {} does not get its queue. {}", pid, failure, refused);
    }
  }

  private Segment open() {
    if (config.segment() == null || config.queue() == null) {
      throw new IllegalArgumentException(BywashConstants.SEGMENT + " or " + BywashConstants.QUEUE + " is missing");
    }
    Lifetime lifetime = switch (config.lifetime()) {
      case BywashConstants.LIFETIME_WHILE_USED -> Lifetime.WHILE_USED;
      case BywashConstants.LIFETIME_KEPT -> Lifetime.KEPT;
      default -> throw new IllegalArgumentException(BywashConstants.LIFETIME + "=" + config.lifetime() + " is neither "
          + BywashConstants.LIFETIME_WHILE_USED + " nor " + BywashConstants.LIFETIME_KEPT);
    };
    Segment opened = attachOrCreate(spec(List.of(this), lifetime));
    try {
      try {
        opened.directory().findOrAdd(queue());
      } catch (NoSpaceException | TableFullException full) {
        List<ConfiguredQueue> all = siblings(opened.path());
        if (lifetime != Lifetime.WHILE_USED || !isUnused(opened, all.size())) {
          throw full;
        }
        all.forEach(ConfiguredQueue::leave); // they come back when they are tended
        all.forEach(sibling -> sibling.tendedNanos = 0);
        opened.close(); // the last one removes it
        all.add(this);
        opened = attachOrCreate(spec(all, lifetime));
        opened.directory().findOrAdd(queue());
      }
      if (opened.lifetime() != lifetime) {
        throw new BusException("Segment " + opened.path() + " exists with lifetime " + opened.lifetime() + ", wanted "
            + lifetime + ". Configure all its queues alike.");
      }
      return opened;
    } catch (RuntimeException refused) {
      WatchedSegment.close(opened, log);
      throw refused;
    }
  }

  private EntrySpec queue() {
    return Broadcast.spec(config.queue(), config.ring_bytes(), config.subscribers());
  }

  /** A segment for these queues, and what they want to have spare. */
  private static SegmentSpec spec(List<ConfiguredQueue> all, Lifetime lifetime) {
    SegmentSpec spec = SegmentSpec.of(all.stream().map(ConfiguredQueue::queue).toArray(EntrySpec[]::new))
        .withLifetime(lifetime);
    long spareBytes = all.stream().mapToLong(each -> each.config.spare_bytes()).max().orElse(0);
    return spec.withSizeBytes(Math.addExact(spec.sizeBytes(), spareBytes));
  }

  /** The others that have the same segment open. */
  private List<ConfiguredQueue> siblings(Path path) {
    return new ArrayList<>(OPEN.stream().filter(each -> each != this && each.segment.path().equals(path)).toList());
  }

  /**
   * Whether the segment has no participants but those of so many configurations and this one, and nothing was published
   * in it.
   */
  private static boolean isUnused(Segment segment, int others) {
    SegmentStatus status = SegmentStatus.of(segment);
    return status.participants().size() == others + 1 && status.isUntouched();
  }

  private Segment attachOrCreate(SegmentSpec spec) {
    boolean standard = config.directory().isBlank();
    while (true) {
      try {
        return Segment.attach(BusWatcher.directory(config.directory()).path(config.segment()), 0);
      } catch (SegmentNotFoundException none) {
        try {
          return standard ? Segment.create(config.segment(), spec)
              : Segment.create(BusWatcher.directory(config.directory()).path(config.segment()), spec);
        } catch (SegmentExistsException another) {
          // was faster: attach to that one
        }
      }
    }
  }

  @Deactivate
  void close() {
    synchronized (OPEN) {
      closed = true;
      if (segment != null) {
        leave();
      }
    }
  }

  /** Its row in the listing. */
  List<String> row() {
    synchronized (OPEN) {
      return List.of(pid, String.valueOf(config.segment()), String.valueOf(config.queue()),
          failure == null ? "open" : failure);
    }
  }
}
