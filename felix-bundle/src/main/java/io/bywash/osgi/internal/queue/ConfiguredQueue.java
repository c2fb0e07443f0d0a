package io.bywash.osgi.internal.queue;

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
import io.bywash.osgi.BywashConstants;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.osgi.service.log.Logger;

/**
 * A queue that a configuration asks for: found or created, and kept as long as the configuration exists. A failure is
 * logged and listed, and the queue is tried again every second, since the cause may have gone. A queue whose file was
 * removed or replaced is created anew.
 *
 * <p>The order of several configurations for one segment does not matter: as long as nobody else uses it and it has no
 * messages, the segment is created anew with room for all of them.
 *
 * <p>Each kind of queue has a component that extends this.
 */
public abstract class ConfiguredQueue {
  private static final long RETRY_NANOS = 1_000_000_000L;
  /** All that have their segments open; guarded by itself, like everything here: those of one segment act together. */
  private static final Set<ConfiguredQueue> OPEN = new HashSet<>();

  private final String pid;
  private final Settings settings;
  private final Log log;
  private Segment segment;
  /** Device and inode of its file. */
  private Map<String, Object> identity;
  private String failure;
  private long tendedNanos;
  private boolean closed;

  /**
   * What configurations of all kinds say, see {@link BywashConstants}.
   *
   * @param segment the segment's name; null when it is missing
   * @param queue the queue's name; null when it is missing
   * @param lifetime when the segment is removed
   * @param spareBytes for queues that are added later
   * @param directory the bus directory; blank for the standard one
   */
  public record Settings(String segment, String queue, String lifetime, long spareBytes, String directory) {}

  /** Does not open the queue yet: {@link #tend} does. */
  protected ConfiguredQueue(String pid, Settings settings, Logger logger) {
    this.pid = pid;
    this.settings = settings;
    this.log = new Log(logger);
  }

  /**
   * The queue's own part of the specification.
   *
   * @throws IllegalArgumentException when the configuration is wrong
   */
  protected abstract EntrySpec spec();

  /** Opens the queue unless it is open; called by discovery again and again. */
  public final void tend() {
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
      } catch (RuntimeException refused) {
        report(refused);
      }
    }
  }

  private void leave() {
    OPEN.remove(this);
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
    if (settings.segment() == null || settings.queue() == null) {
      throw new IllegalArgumentException(BywashConstants.SEGMENT + " or " + BywashConstants.QUEUE + " is missing");
    }
    Lifetime lifetime = switch (settings.lifetime()) {
      case BywashConstants.LIFETIME_WHILE_USED -> Lifetime.WHILE_USED;
      case BywashConstants.LIFETIME_KEPT -> Lifetime.KEPT;
      default -> throw new IllegalArgumentException(BywashConstants.LIFETIME + "=" + settings.lifetime()
          + " is neither " + BywashConstants.LIFETIME_WHILE_USED + " nor " + BywashConstants.LIFETIME_KEPT);
    };
    Segment opened = attachOrCreate(segmentSpec(List.of(this), lifetime));
    try {
      try {
        opened.directory().findOrAdd(spec());
      } catch (NoSpaceException | TableFullException full) {
        List<ConfiguredQueue> all = siblings(opened.path());
        if (lifetime != Lifetime.WHILE_USED || !isUnused(opened, all.size())) {
          throw full;
        }
        all.forEach(ConfiguredQueue::leave); // they open it again when they are tended
        all.forEach(sibling -> sibling.tendedNanos = 0);
        opened.close(); // the last one removes it
        all.add(this);
        opened = attachOrCreate(segmentSpec(all, lifetime));
        opened.directory().findOrAdd(spec());
      }
      if (opened.lifetime() != lifetime) {
        throw new BusException("Segment " + opened.path() + " exists with lifetime " + opened.lifetime() + ", wanted "
            + lifetime + ". Configure all its queues alike.");
      }
      return opened;
    } catch (RuntimeException refused) {
      Closing.close(opened, log);
      throw refused;
    }
  }

  /** A segment for these queues, with the most room that one of them wants to be left. */
  private static SegmentSpec segmentSpec(List<ConfiguredQueue> all, Lifetime lifetime) {
    SegmentSpec spec = SegmentSpec.of(all.stream().map(ConfiguredQueue::spec).toArray(EntrySpec[]::new))
        .withLifetime(lifetime);
    long spareBytes = all.stream().mapToLong(each -> each.settings.spareBytes()).max().orElse(0);
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
    boolean standard = settings.directory().isBlank();
    Path path = directory(settings.directory()).path(settings.segment());
    while (true) {
      try {
        return Segment.attach(path, 0);
      } catch (SegmentNotFoundException none) {
        try {
          return standard ? Segment.create(settings.segment(), spec) : Segment.create(path, spec);
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

  /** The configuration has gone. */
  protected final void close() {
    synchronized (OPEN) {
      closed = true;
      if (segment != null) {
        leave();
      }
    }
  }

  /** Its row in the listing. */
  public final List<String> row() {
    synchronized (OPEN) {
      return List.of(pid, String.valueOf(settings.segment()), String.valueOf(settings.queue()),
          failure == null ? "open" : failure);
    }
  }
}
