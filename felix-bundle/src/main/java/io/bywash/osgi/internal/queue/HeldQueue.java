package io.bywash.osgi.internal.queue;

import io.bywash.engine.BusException;
import io.bywash.engine.Lifetime;
import io.bywash.engine.NoSpaceException;
import io.bywash.engine.Participant;
import io.bywash.engine.Removal;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TableFullException;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.engine.inspect.SegmentStatus.EntryStatus;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * The queue of one configuration, and the attachment that holds it. Nothing is given up before its successor is
 * possible, as far as that can be known.
 *
 * <p>Used with {@link #LOCK} held, but for {@link #isAs} and {@link #path}.
 */
final class HeldQueue {
  /** Held while segments are opened, changed and left: the configurations of one segment act together. */
  static final ReentrantLock LOCK = new ReentrantLock();

  /** All that have their segments open. */
  private static final Set<HeldQueue> OPEN = new HashSet<>();

  /** What it is to be; null before that is known. Written by any thread. */
  volatile QueueSettings wanted;
  private volatile Segment segment;
  /** Device and inode of its file. */
  private volatile Map<String, Object> identity = Map.of();
  /** What it is. */
  private volatile QueueSettings opened;
  /** What the segment would have taken that could not be created; 0 when there was another failure. */
  private long neededBytes;

  /** The file of the segment that is open; null when none is. */
  Path path() {
    Segment current = segment;
    return current == null ? null : current.path();
  }

  /** Whether it is there, and nothing differs on which it depends. */
  boolean isAs(QueueSettings settings) {
    return segment != null && settings.isSameQueueAs(opened);
  }

  /** Whether its file was removed or replaced, even before its identity could be asked for. */
  boolean isReplaced() {
    Path path = path();
    return path != null && (identity.isEmpty() || !identity.equals(WatchedSegment.identity(path)));
  }

  /** How much space in the file system the last failure was about; 0 when it was another one. */
  long neededBytes() {
    return neededBytes;
  }

  /** Opens it, or changes it. May fail, and may be tried again then. */
  void bringAbout(QueueSettings settings, Log log) {
    neededBytes = 0;
    if (isReplaced()) {
      leave(log);
    }
    boolean isElsewhere = segment != null && !identity.equals(WatchedSegment.identity(settings.path()));
    Segment next = segment == null ? open(settings, log)
        : isElsewhere ? move(settings, log)
        : change(settings, log);
    opened = settings;
    if (segment == null) {
      identity = WatchedSegment.identity(next.path());
      segment = next;
      OPEN.add(this);
      HeldSegments.add(next.path());
    }
  }

  /** Opens another segment before this one is left, unless what is in the way there may be on its way to here. */
  private Segment move(QueueSettings settings, Log log) {
    Segment next;
    try {
      next = open(settings, log);
    } catch (SpecMismatchException differs) {
      boolean changesPlaces = siblings(settings.path()).stream()
          .anyMatch(each -> !each.isWantedHere() && each.opened.spec().name().equals(settings.spec().name()));
      if (changesPlaces) {
        leave(log); // each would wait for the other
      }
      throw differs;
    }
    leave(log);
    return next;
  }

  /** Whether it is to stay in its segment. */
  private boolean isWantedHere() {
    return wanted.path().equals(opened.path());
  }

  /** Leaves the segment, if it is open. */
  void leave(Log log) {
    Segment left = segment;
    if (left != null) {
      OPEN.remove(this);
      HeldSegments.remove(left.path());
      segment = null;
      Closing.close(left, log);
    }
  }

  private Segment open(QueueSettings settings, Log log) {
    Segment attached = attachOrCreate(settings, QueueSettings.segmentSpec(List.of(settings)));
    boolean done = false;
    try {
      checkLifetime(attached, settings);
      Segment added = add(attached, settings, log);
      done = true;
      return added;
    } finally {
      if (!done) {
        Closing.close(attached, log);
      }
    }
  }

  /** Once more when somebody is faster, but not for ever: who is paused while it removes a segment is in the way. */
  private Segment attachOrCreate(QueueSettings settings, SegmentSpec spec) {
    SegmentExistsException faster = null;
    for (int attempt = 0; attempt < 2; attempt++) {
      try {
        return Segment.attach(settings.path(), 0);
      } catch (SegmentNotFoundException none) {
        try {
          return settings.create(spec);
        } catch (SegmentExistsException another) {
          faster = another;
        } catch (NoSpaceException full) {
          neededBytes = spec.sizeBytes();
          throw full;
        }
      }
    }
    throw new BusException("Segment " + settings.path() + " is being created or removed by another process.", faster);
  }

  /** Before anything is added. */
  private static void checkLifetime(Segment attached, QueueSettings settings) {
    if (attached.lifetime() != settings.lifetime()) {
      throw new BusException("Segment " + attached.path() + " exists with lifetime " + attached.lifetime()
          + ", wanted " + settings.lifetime() + ". Configure all its queues alike.");
    }
  }

  /** Adds the queue; where there is no room for it, and nobody would miss the segment, one that has room takes over. */
  private Segment add(Segment attached, QueueSettings settings, Log log) {
    try {
      attached.directory().findOrAdd(settings.spec());
      return attached;
    } catch (NoSpaceException | TableFullException full) {
      List<HeldQueue> siblings = siblings(attached.path());
      SegmentStatus status = SegmentStatus.of(attached);
      boolean isMoving = siblings.stream().anyMatch(each -> !each.isWantedHere()); // it keeps what it has until then
      if (settings.lifetime() != Lifetime.WHILE_USED || isShared(status, siblings) || !status.isUntouched()
          || isMoving) {
        throw full;
      }
      return makeAnew(attached, settings, siblings, log);
    }
  }

  /** Replaces a segment that goes with its last participant by one for all these, which then open it again. */
  private Segment makeAnew(Segment attached, QueueSettings settings, List<HeldQueue> siblings, Log log) {
    SegmentSpec spec = QueueSettings.segmentSpec(wanted(settings, siblings));
    long usableBytes = Retry.usableBytes(settings.path().getParent()) + attached.sizeBytes();
    if (usableBytes < spec.sizeBytes()) {
      throw new NoSpaceException("Segment " + settings.path() + " needs " + spec.sizeBytes() + " bytes, of "
          + usableBytes + " that it could have.");
    }
    siblings.forEach(sibling -> sibling.leave(log));
    if (attached == segment) {
      leave(log);
    } else {
      attached.close(); // the last one removes it
    }
    Segment made = attachOrCreate(settings, spec);
    boolean done = false;
    try {
      checkLifetime(made, settings);
      made.directory().findOrAdd(settings.spec());
      done = true;
      return made;
    } finally {
      if (!done) {
        Closing.close(made, log);
      }
    }
  }

  /** What all these want of the segment; a queue that several want only once, as it is if one of them wants it so. */
  private static List<QueueSettings> wanted(QueueSettings settings, List<HeldQueue> siblings) {
    Map<String, QueueSettings> byName = new LinkedHashMap<>();
    byName.put(settings.spec().name(), settings);
    Stream.concat(siblings.stream().filter(each -> each.isAs(each.wanted)), siblings.stream())
        .map(each -> each.wanted)
        .filter(each -> each.path().equals(settings.path()) && each.lifetime() == settings.lifetime())
        .forEach(each -> byName.putIfAbsent(each.spec().name(), each));
    return List.copyOf(byName.values());
  }

  /** Those of other configurations that have the same segment open. */
  private List<HeldQueue> siblings(Path path) {
    return OPEN.stream().filter(each -> each != this && path.equals(each.path())).toList();
  }

  /** Whether the segment has participants other than this and those. */
  private static boolean isShared(SegmentStatus status, List<HeldQueue> siblings) {
    return status.participants().stream().filter(Participant::alive).count() != siblings.size() + 1;
  }

  // ---- a change of what is open

  private Segment change(QueueSettings settings, Log log) {
    SegmentStatus status = SegmentStatus.of(segment);
    List<HeldQueue> siblings = siblings(segment.path());
    boolean shared = isShared(status, siblings);
    if (settings.lifetime() != opened.lifetime()) {
      boolean agreed = siblings.stream().map(each -> each.wanted)
          .allMatch(each -> each.path().equals(settings.path()) && each.lifetime() == settings.lifetime());
      if (shared || !agreed || opened.lifetime() == Lifetime.KEPT) {
        checkLifetime(segment, settings);
      }
      return makeAnew(segment, settings, siblings, log);
    } else if (!shared && siblings.isEmpty() && settings.lifetime() == Lifetime.WHILE_USED) {
      return makeAnew(segment, settings, siblings, log);
    }
    return exchange(settings, siblings, status, log);
  }

  /** One queue for another, in a segment that stays. */
  private Segment exchange(QueueSettings settings, List<HeldQueue> siblings, SegmentStatus status, Log log) {
    String before = opened.spec().name();
    boolean wantedElsewhere = siblings.stream()
        .anyMatch(each -> each.opened.spec().name().equals(before) && each.isAs(each.wanted));
    if (settings.spec().name().equals(before)) {
      if (!wantedElsewhere) { // else it is what is wanted here as well, or differs
        checkRoom(settings, siblings, status);
        remove(before, siblings, status);
      }
      return add(segment, settings, log);
    }
    Segment added = add(segment, settings, log);
    if (!wantedElsewhere && added == segment) {
      try {
        remove(before, siblings, status);
      } catch (BusException used) {
        log.warn("It stays, although its configuration has changed. {}", used.getMessage());
      }
    }
    return added;
  }

  private static Optional<EntryStatus> entry(SegmentStatus status, String name) {
    return status.entries().stream().filter(each -> each.name().equals(name)).findFirst();
  }

  private static Optional<Participant> stranger(SegmentStatus status) {
    return status.participants().stream().filter(each -> each.alive() && !each.local()).findFirst();
  }

  /** Listeners here leave a queue that is removed, and then the segment can be made anew. Others may stay. */
  private void checkRoom(QueueSettings settings, List<HeldQueue> siblings, SegmentStatus status) {
    long roomBytes = Math.max(status.unusedBytes(),
        entry(status, opened.spec().name()).map(EntryStatus::sizeBytes).orElse(0L));
    boolean stays = settings.lifetime() == Lifetime.KEPT || !siblings.isEmpty() || stranger(status).isPresent();
    if (stays && roomBytes < settings.spec().sizeBytes()) {
      throw new NoSpaceException("Segment " + segment.path() + " has " + roomBytes + " bytes left, and queue "
          + settings.spec().name() + " needs " + settings.spec().sizeBytes() + ".");
    }
  }

  /** Removes a queue that nobody else owns. */
  private void remove(String name, List<HeldQueue> siblings, SegmentStatus status) {
    String what = "Queue " + name + " of " + segment.path() + " is in use. ";
    boolean ownerless = entry(status, name).filter(each -> each.owner().filter(Participant::alive).isEmpty())
        .isPresent();
    Optional<Participant> stranger = stranger(status);
    if (ownerless && stranger.isPresent()) { // it may have a configuration that asks for the queue
      throw new BusException(what + "Its creator has gone, but " + stranger.get().who("") + " uses the segment.");
    }
    Removal removal = segment.directory().remove(name);
    for (HeldQueue sibling : siblings) { // which may have created it
      removal = removal.outcome() == Removal.Outcome.IN_USE ? sibling.segment.directory().remove(name) : removal;
    }
    if (removal.outcome() == Removal.Outcome.IN_USE) {
      throw new BusException(what + removal.explanation());
    }
  }
}
