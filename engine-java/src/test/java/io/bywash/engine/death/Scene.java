package io.bywash.engine.death;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.role.Role;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.waiting.WaitPoints;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.subject.DeathSubject;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.LongPredicate;
import java.util.function.Predicate;

/**
 * What an operation works on: one small segment in a bus directory, and the attachments to it. A kind of structure adds
 * its roles, and what was promised to whom so far. Lives in the rewritten engine's class loader.
 */
public abstract class Scene {
  static final String SEGMENT = "seg";
  static final String STRUCTURE = "structure";
  static final String ADDED = "added";
  static final int SLOTS = 4;
  protected static final long PATIENCE_NANOS = 60_000_000_000L;

  /** No process has this number, here or in another run. */
  static final long STRANGER = Integer.MAX_VALUE;

  /** Run once during the operation, when things are so, by another participant; no part of it. */
  Runnable meanwhile;
  Predicate<Image> when = image -> false;

  /** The bus directory; another one after everybody died. */
  Path bus;
  /** The attachment that was made last. */
  public Segment segment;

  final EntrySpec added;
  private final SegmentSpec spec;
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private int deaths;

  /** A scene for structures of that kind. */
  protected Scene(Path bus, DeathSubject<?> subject) {
    this.bus = bus;
    this.added = subject.added(ADDED);
    this.spec = spec(subject);
  }

  /** One row and the space for one more entry. */
  static SegmentSpec spec(DeathSubject<?> subject) {
    SegmentSpec spec = SegmentSpec.of(subject.spec(STRUCTURE)).withParticipantCapacity(SLOTS).withEntryCapacity(2);
    return spec.withSizeBytes(spec.sizeBytes() + subject.added(ADDED).sizeBytes());
  }

  /** Opens the segment, and uses the structure for a while, so that it is not as new any more. Roles stay taken. */
  protected abstract void use();

  /** Gives back the roles that {@link #use} took. */
  protected abstract void leave();

  /**
   * Opens the segment three times, and holds by each attachment what somebody can hold: roles, something half done, and
   * a wait that was announced.
   */
  protected abstract void holdEverything();

  /** Reads the structure through an attachment that only observes. */
  protected abstract void observe(Entry entry);

  /** What was promised so far. */
  protected abstract List<Long> marks();

  /** Everybody died, and what this scene had kept open was closed: it begins anew. */
  protected abstract void forget();

  final SegmentSpec spec() {
    return spec;
  }

  final Path file() {
    return bus.resolve(SEGMENT);
  }

  /** Is closed in the end. */
  protected final <T extends AutoCloseable> T keep(T resource) {
    opened.push(resource);
    return resource;
  }

  /** Opens the segment, and the next time another attachment to it. */
  public final Segment open() {
    return segment = keep(Segment.open(file(), spec));
  }

  /** The structure, seen by the attachment that was made last. */
  protected final Entry entry() {
    return segment.directory().find(STRUCTURE).orElseThrow();
  }

  /** The next free slot looks as if a stranger had had it, and had left. */
  final void strangerLeft() {
    SegmentEntry entry = (SegmentEntry) entry();
    int id = Owner.slotId(entry.core().participants().self()) + 1;
    entry.region().setLongOpaque(entry.core().geometry().slot(id) + SegmentLayout.SLOT_PID, STRANGER);
  }

  /** A hidden file of a creator that died at once. */
  final void leaveHidden() {
    try {
      Files.createFile(bus.resolve("." + SEGMENT + ".0123456789abcdef.tmp"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** A bus directory that the group may write to. */
  final void shareDirectory() {
    try {
      Files.setPosixFilePermissions(bus, PosixFilePermissions.fromString("rwxrwx---"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /**
   * Waits, again and again, until the role has announced itself, which then stays; only once where nobody does that.
   */
  protected final void waitUntilAnnounced(Role role, Runnable wait) {
    Waiters waiters = waiters(role);
    waiters.signal(); // takes what stands there
    waiters.signal(); // and clears the summary
    long start = System.nanoTime();
    do {
      if (System.nanoTime() - start > PATIENCE_NANOS) {
        throw new AssertionError("nobody is seen to wait");
      }
      wait.run();
    } while (NativeAccess.ENABLED && !isInSummary(waiters));
    if (NativeAccess.ENABLED) {
      waiters.announce(number(role)); // as one that died in its sleep
    }
  }

  private static boolean isInSummary(Waiters waiters) {
    long common = waiters.row().offset();
    return (waiters.row().region().getLongVolatile(common + SegmentLayout.SUMMARY_FOR_DATA)
        | waiters.row().region().getLongVolatile(common + SegmentLayout.SUMMARY_FOR_SPACE)) != 0;
  }

  protected static boolean isAnnounced(Role role) {
    return waiters(role).isAnnounced(number(role));
  }

  private static Waiters waiters(Role role) {
    return WaitPoints.waiters(role);
  }

  private static int number(Role role) {
    return WaitPoints.role(role);
  }

  /** Everybody dies now, and what they left is found in another directory. */
  public final void die() {
    moveTo(Image.of(bus));
  }

  /** Everybody dies during {@code operation}, at the last step behind which {@code moment} is true. */
  final void dieDuring(Runnable operation, Predicate<Image> moment) {
    Image[] last = new Image[1];
    Path where = bus;
    Probe.watch(() -> {
      Image image = Image.of(where);
      last[0] = moment.test(image) ? image : last[0];
    });
    try {
      operation.run();
    } finally {
      Probe.watch(null);
    }
    if (last[0] == null) {
      throw new AssertionError("it never was as it was to be found");
    }
    moveTo(last[0]);
  }

  /** The same at the last step behind which a word of the segment's file is so. */
  public final void dieDuring(Runnable operation, long offset, LongPredicate moment) {
    dieDuring(operation, image -> moment.test(image.word(offset)));
  }

  private void moveTo(Image found) {
    closeAll(); // they are not seen any more
    bus = bus.resolveSibling("life" + ++deaths);
    found.writeTo(bus);
    segment = null;
    forget();
  }

  /** Closes what is open. */
  final void tidy() {
    Probe.stopClock(false);
    closeAll();
  }

  private void closeAll() {
    while (!opened.isEmpty()) {
      AutoCloseable resource = opened.pop();
      try {
        resource.close();
      } catch (Exception failure) {
        throw new AssertionError("closing " + resource, failure);
      }
    }
  }

  /** Fails unless {@code refused} fails in that way. */
  public static void expect(Class<? extends BusException> failure, Runnable refused) {
    try {
      refused.run();
    } catch (BusException thrown) {
      if (thrown.getClass() == failure) {
        return;
      }
      throw thrown;
    }
    throw new AssertionError("it was not refused");
  }
}
