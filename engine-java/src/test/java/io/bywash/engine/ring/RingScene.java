package io.bywash.engine.ring;

import io.bywash.engine.Entry;
import io.bywash.engine.death.Probe;
import io.bywash.engine.death.Scene;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;

/** A segment with one ring, its roles, and what was promised about its elements, whose numbers are their positions. */
final class RingScene extends Scene {
  static final int CAPACITY = 5;
  /** Elements that fill all places of the ring more than once, all of them popped. */
  static final int TURNS = 17;
  private static final long WAIT_NANOS = 40_000_000;
  private static final int HUB_STEPS = 20;

  RingWriter writer;
  RingPopper popper;

  private long pushed;
  private long pushing;
  private long popped;
  private long popping;

  RingScene(Path bus, DeathSubject<?> subject) {
    super(bus, subject);
  }

  /**
   * What the marks say.
   *
   * @param pushed so many elements were certainly pushed
   * @param pushing so many may have been
   * @param popped so many were certainly popped
   * @param popping so many may have been
   */
  record Marks(long pushed, long pushing, long popped, long popping) {
    static Marks of(List<Long> marks) {
      return new Marks(marks.get(0), marks.get(1), marks.get(2), marks.get(3));
    }
  }

  @Override
  protected List<Long> marks() {
    return List.of(pushed, pushing, popped, popping);
  }

  @Override
  protected void use() {
    opened(TURNS).push(3);
  }

  @Override
  protected void leave() {
    popper.close();
    writer.close();
  }

  /** Both roles, the writer waiting; and elements that were overwritten and that nobody has counted. */
  @Override
  protected void holdEverything() {
    open();
    writer();
    open();
    popper();
    turn(TURNS);
    overwrite(8);
    waitForRoom(); // its bit stays
    open();
  }

  @Override
  protected void observe(Entry entry) {
    RingStatus.of(entry);
    RingView.of(entry).lastN(Samples.room(CAPACITY), 0, CAPACITY);
  }

  @Override
  protected void forget() {
    writer = null;
    popper = null;
  }

  RingWriter writer() {
    return writer = keep(RingWriter.open(entry()));
  }

  RingPopper popper() {
    return popper = keep(RingPopper.open(entry()));
  }

  void popperThatBlocks() {
    popper = keep(RingPopper.open(entry(), WaitPolicy.BLOCK));
  }

  /** Opens the segment and both roles, and has so many elements pushed and popped. */
  RingScene opened(int count) {
    open();
    writer();
    popper();
    return turn(count);
  }

  private RingScene turn(int count) {
    for (int i = 0; i < count; i++) {
      push(1).pop(1);
    }
    return this;
  }

  private void pushing(int count, IntSupplier push) {
    pushing = pushed + count;
    int done = push.getAsInt();
    pushed += done;
    pushing = pushed;
  }

  /** Pushes elements, all of which find room. */
  RingScene push(int count) {
    pushing(count, () -> {
      if (writer.pushBulk(Samples.of(pushed, count), 0, count, 0) != count) {
        throw new AssertionError("no room for element " + pushed);
      }
      return count;
    });
    return this;
  }

  void pushRecords(int count) {
    pushing(count, () -> writer.pushBulk(Samples.Typed.SAMPLES, Samples.samples(pushed, count), 0));
  }

  RingScene overwrite(int count) {
    pushing(count, () -> {
      writer.pushBulkOverwrite(Samples.of(pushed, count), 0, count);
      return count;
    });
    return this;
  }

  private int popping(int limit, IntSupplier pop) {
    popping = popped + limit;
    int done = pop.getAsInt();
    popped += done;
    popping = popped;
    return done;
  }

  /** Pops up to so many elements, which are those behind what was popped or lost before. */
  int pop(int limit) {
    return pop(limit, 0);
  }

  private int pop(int limit, long timeoutNanos) {
    return popping(limit, () -> {
      MemorySegment elements = Samples.room(limit);
      int count = popper.popBulk(elements, 0, limit, timeoutNanos);
      Samples.check(elements, count, popper.poppedCount() + popper.lostCount() - count);
      return count;
    });
  }

  void popRecords(int limit) {
    popping(limit, () -> popper.popBulk(Samples.Typed.SAMPLES, limit, 0).size());
  }

  void drain() {
    while (pop(3) > 0) {
      // there may be more
    }
  }

  /** Waits in vain until the popper has announced itself, which then stays. */
  void waitForElement() {
    waitUntilAnnounced(popper, () -> pop(1, WAIT_NANOS));
  }

  /** The same for the writer, in a full ring. */
  void waitForRoom() {
    while (writer.pushedCount() - popped < CAPACITY) {
      push(1);
    }
    waitUntilAnnounced(writer, () -> writer.pushBulk(Samples.of(pushed, 1), 0, 1, WAIT_NANOS));
  }

  /** Waits in the hub's thread for an element that does not come. */
  void waitByTheHub() {
    CompletableFuture<Void> ready = WaitHub.shared().whenReady(popper);
    long start = System.nanoTime();
    while (NativeAccess.ENABLED && (Probe.hubSteps() < HUB_STEPS || !isAnnounced(popper))) {
      if (System.nanoTime() - start > PATIENCE_NANOS) {
        throw new AssertionError("the hub does not announce the popper, and sleep");
      }
      LockSupport.parkNanos(100_000);
    }
    ready.cancel(false);
  }

  /** So many elements are not there, since who was pushing them died before. */
  void expectNotPushed(int count) {
    pushed -= count;
    pushing = pushed;
  }

  /** So many elements are still there. */
  void expectNotPopped(int count) {
    popped -= count;
    popping = popped;
  }

  /** Where a word of the ring is in the file. */
  long offsetOf(int word) {
    return ((SegmentEntry) entry()).offset() + word;
  }

  long word(int word) {
    return ((SegmentEntry) entry()).region().getLongVolatile(offsetOf(word));
  }
}
