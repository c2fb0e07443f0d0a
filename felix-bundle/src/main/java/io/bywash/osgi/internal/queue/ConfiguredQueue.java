package io.bywash.osgi.internal.queue;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Lifetime;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.log.Logger;
import org.osgi.service.log.LoggerFactory;

/**
 * A structure that a configuration asks for: found or created, and kept as long as the configuration is there. A
 * failure is logged and listed, and it is tried again every second, since the cause may have gone. One whose file was
 * removed or replaced is created anew.
 *
 * <p>When the configuration changes, the queue is left alone unless a key changed that it depends on. A change that is
 * wrong changes nothing.
 *
 * <p>The order of several configurations for one segment does not matter: as long as nobody else uses it and it has no
 * messages, the segment is created anew with room for all of them.
 *
 * <p>Each kind has a component that extends this.
 */
public abstract class ConfiguredQueue {
  private static final long RETRY_NANOS = 1_000_000_000L;
  private static final long MAX_SPARE_BYTES = 1L << 40;
  /** All that have their segments open; guarded by itself, like everything here: those of one segment act together. */
  private static final Set<ConfiguredQueue> OPEN = new HashSet<>();

  /** The log service; null while there is none. Set by Declarative Services. */
  @Reference(service = LoggerFactory.class, cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC)
  protected volatile Logger logger;

  private final Log log = new Log(() -> logger);
  private String pid;
  /** What is asked for; null before the first configuration that can be used. */
  private Settings settings;
  /** What is wrong with the last configuration; empty when nothing is. */
  private String fault = "";
  private List<String> unknownKeys = List.of();
  private Segment segment;
  /** Device and inode of its file. */
  private Map<String, Object> identity;
  private String failure;
  private boolean watched = true;
  private long tendedNanos;
  private boolean closed;

  /**
   * What a configuration says.
   *
   * @param segment the segment's name
   * @param directory the bus directory; blank for the standard one
   * @param lifetime when the segment is removed
   * @param spec the queue
   * @param spareBytes for queues that are added later; matters only when the segment is created
   */
  private record Settings(String segment, String directory, Lifetime lifetime, EntrySpec spec, long spareBytes) {
    boolean isSameQueueAs(Settings other) {
      return other != null && equals(new Settings(other.segment, other.directory, other.lifetime, other.spec,
          spareBytes));
    }

    Path path() {
      return ConfiguredQueue.directory(directory).path(segment);
    }
  }

  /** Asks for nothing yet: {@link #configure} does. */
  protected ConfiguredQueue() {}

  /**
   * The queue's own part of the specification.
   *
   * @throws IllegalArgumentException when the configuration is wrong
   */
  protected abstract EntrySpec spec(String queue, ConfigurationReader keys);

  /** The configuration is there, or has changed. Called by Declarative Services. */
  @Activate
  @Modified
  protected final void configure(Map<String, Object> properties) {
    synchronized (OPEN) {
      pid = String.valueOf(properties.get(Constants.SERVICE_PID));
      Settings before = settings;
      try {
        Settings asked = read(properties);
        fault = "";
        settings = asked;
        if (segment != null && !asked.isSameQueueAs(before)) {
          leave();
        }
        failure = segment == null ? null : failure;
        tendedNanos = 0;
      } catch (RuntimeException wrong) {
        fault = String.valueOf(wrong.getMessage());
        log.error("Configuration {} is not used: {}{}", pid, fault, before == null ? "" : ". What was there stays.");
      }
      if (!unknownKeys.isEmpty()) {
        log.warn("Configuration {} has keys that mean nothing: {}", pid, unknownKeys);
      }
      tendLocked();
    }
  }

  private Settings read(Map<String, Object> properties) {
    ConfigurationReader keys = new ConfigurationReader(properties);
    String name = keys.text(SEGMENT);
    String queue = keys.text(QUEUE);
    String directory = keys.text(DIRECTORY, "");
    Lifetime lifetime = keys.oneOf(LIFETIME, LIFETIME_WHILE_USED, LIFETIME_WHILE_USED, LIFETIME_KEPT)
        .equals(LIFETIME_KEPT) ? Lifetime.KEPT : Lifetime.WHILE_USED;
    long spareBytes = keys.number(SPARE_BYTES, DEFAULT_SPARE_BYTES, 0, MAX_SPARE_BYTES);
    EntrySpec spec = null;
    String refused = "";
    try {
      spec = spec(queue.isEmpty() ? "missing" : queue, keys);
    } catch (IllegalArgumentException wrong) {
      refused = wrong.getMessage();
    }
    unknownKeys = keys.unknownKeys();
    if (!keys.faults().isEmpty() || spec == null) {
      throw new IllegalArgumentException(keys.faults().isEmpty() ? refused : keys.faults());
    }
    Settings read = new Settings(name, directory, lifetime, spec, spareBytes);
    read.path(); // or the name is none
    return read;
  }

  /**
   * Opens the queue unless it is open; called by discovery again and again.
   *
   * @param watch tells whether a directory is watched
   */
  public final void tend(Predicate<Path> watch) {
    Path directory;
    synchronized (OPEN) {
      tendLocked();
      directory = segment == null ? null : segment.path().getParent();
    }
    boolean seen = directory == null || watch.test(directory); // without the lock, since that takes another one
    synchronized (OPEN) {
      if (watched && !seen) {
        log.warn("The queue of configuration {} is no service: no discovery watches its directory {}.", pid, directory);
      }
      watched = seen;
    }
  }

  private void tendLocked() {
    long now = System.nanoTime();
    if (closed || settings == null || tendedNanos != 0 && now - tendedNanos < RETRY_NANOS) {
      return;
    }
    tendedNanos = now;
    if (segment != null && (identity.isEmpty() // it went before it could be asked for
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
        HeldSegments.add(segment.path());
      } catch (RuntimeException refused) {
        report(refused);
      }
    }
  }

  private void leave() {
    OPEN.remove(this);
    HeldSegments.remove(segment.path());
    Closing.close(segment, log);
    segment = null;
  }

  private void report(RuntimeException refused) {
    String reason = String.valueOf(refused.getMessage());
    if (!reason.equals(failure)) {
      failure = reason;
      log.error("Configuration {} does not get its queue. {}", pid, failure, refused);
    }
  }

  private Segment open() {
    Segment opened = attachOrCreate(segmentSpec(List.of(this)));
    try {
      checkLifetime(opened);
      try {
        opened.directory().findOrAdd(settings.spec);
      } catch (NoSpaceException | TableFullException full) {
        List<ConfiguredQueue> all = siblings(opened.path());
        if (settings.lifetime != Lifetime.WHILE_USED || !isUnused(opened, all.size())) {
          throw full;
        }
        all.forEach(ConfiguredQueue::leave); // they open it again when they are tended
        all.forEach(sibling -> sibling.tendedNanos = 0);
        opened.close(); // the last one removes it
        all.add(this);
        opened = attachOrCreate(segmentSpec(all));
        checkLifetime(opened);
        opened.directory().findOrAdd(settings.spec);
      }
      return opened;
    } catch (RuntimeException refused) {
      Closing.close(opened, log);
      throw refused;
    }
  }

  /** Before anything is added. */
  private void checkLifetime(Segment opened) {
    if (opened.lifetime() != settings.lifetime) {
      throw new BusException("Segment " + opened.path() + " exists with lifetime " + opened.lifetime() + ", wanted "
          + settings.lifetime + ". Configure all its queues alike.");
    }
  }

  /** A segment for these queues, with the most room that one of them wants to be left. */
  private SegmentSpec segmentSpec(List<ConfiguredQueue> all) {
    SegmentSpec spec = SegmentSpec.of(all.stream().map(each -> each.settings.spec).toArray(EntrySpec[]::new))
        .withLifetime(settings.lifetime);
    long spareBytes = all.stream().mapToLong(each -> each.settings.spareBytes).max().orElse(0);
    return spec.withSizeBytes(Math.addExact(spec.sizeBytes(), spareBytes));
  }

  /** The other configurations that have the same segment open. */
  private List<ConfiguredQueue> siblings(Path path) {
    return new ArrayList<>(OPEN.stream().filter(each -> each != this && each.segment.path().equals(path)).toList());
  }

  /**
   * Whether the only participants of the segment are this configuration and that many others, and nothing was ever
   * published in it.
   */
  private static boolean isUnused(Segment segment, int others) {
    SegmentStatus status = SegmentStatus.of(segment);
    return status.participants().size() == others + 1 && status.isUntouched();
  }

  private Segment attachOrCreate(SegmentSpec spec) {
    boolean standard = settings.directory.isEmpty();
    Path path = settings.path();
    while (true) {
      try {
        return Segment.attach(path, 0);
      } catch (SegmentNotFoundException none) {
        try {
          return standard ? Segment.create(settings.segment, spec) : Segment.create(path, spec);
        } catch (SegmentExistsException another) {
          // somebody was faster: attach to that one
        }
      }
    }
  }

  /** The bus directory that a configuration names; the standard one when it is blank. */
  public static BusDirectory directory(String configured) {
    return configured.isBlank() ? BusDirectory.standard() : BusDirectory.at(Path.of(configured));
  }

  /** The configuration has gone. Called by Declarative Services. */
  @Deactivate
  protected final void close() {
    synchronized (OPEN) {
      closed = true;
      if (segment != null) {
        leave();
      }
    }
  }

  /** All of it. */
  public final RuntimeDTO.ConfigurationDTO describe() {
    RuntimeDTO.ConfigurationDTO dto = new RuntimeDTO.ConfigurationDTO();
    synchronized (OPEN) {
      dto.pid = pid;
      dto.segment = settings == null ? "" : settings.segment;
      dto.queue = settings == null ? "" : settings.spec.name();
      dto.unknownKeys = unknownKeys;
      if (!fault.isEmpty()) {
        dto.state = "BAD_VALUE";
        dto.reason = fault + (settings == null ? "" : "; what was there before stays");
      } else if (failure != null) {
        dto.state = "REFUSED";
        dto.reason = failure;
      } else {
        dto.state = watched ? "OPEN" : "UNWATCHED";
        dto.reason = watched ? "" : "no discovery watches its directory";
      }
    }
    return dto;
  }
}
