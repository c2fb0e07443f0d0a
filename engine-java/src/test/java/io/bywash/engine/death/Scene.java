package io.bywash.engine.death;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.Owner;
import io.bywash.engine.internal.Role;
import io.bywash.engine.internal.SegmentEntry;
import io.bywash.engine.internal.SegmentLayout;
import io.bywash.engine.internal.Waiters;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.wait.WaitHub;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * What an operation works on: one small segment in a bus directory, attachments and roles, and what was promised to whom so
 * far. Lives in the rewritten engine's class loader.
 */
final class Scene {
  static final String SEGMENT = "seg";
  static final String QUEUE = "queue";
  static final int SLOTS = 4;
  static final int SUBSCRIBERS = 3;
  static final EntrySpec ADDED = Broadcast.spec("added", Letters.RING_BYTES, 1);
  static final SegmentSpec SPEC = spec();
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  /** Long enough for a process that has just been started to come to its sleep; shorter than one sleep. */
  private static final long WAIT_NANOS = 40_000_000;
  /** As many as the hub makes until it has slept once, and more. */
  private static final int HUB_STEPS = 20;
  /** Messages that turn the ring more than twice. */
  static final int TURNS = 70;

  /** Run once during the operation, when things are so, by another participant; no part of it. */
  Runnable meanwhile;
  Predicate<Image> when = image -> false;

  /** The bus directory; another one after everybody died. */
  Path bus;
  Segment segment;
  Publisher publisher;
  Subscriber subscriber;

  /** So many messages were certainly published: their commit or publish returned. */
  long promised;
  /** No more messages than these can be visible. */
  long begun;
  /** So many were ever written, published or not: their records take room. */
  long written;
  /** So many messages were handled by the subscriber; what it has not handled is not to be given up. */
  long handled = Long.MAX_VALUE;

  /** No process has this number, here or in another run. */
  static final long STRANGER = Integer.MAX_VALUE;

  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private int deaths;

  Scene(Path bus) {
    this.bus = bus;
  }

  /** One row and the space for one more entry. */
  private static SegmentSpec spec() {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(QUEUE, Letters.RING_BYTES, SUBSCRIBERS))
        .withParticipantCapacity(SLOTS).withEntryCapacity(2);
    return spec.withSizeBytes(spec.sizeBytes() + ADDED.sizeBytes());
  }

  Path file() {
    return bus.resolve(SEGMENT);
  }

  private <T extends AutoCloseable> T keep(T resource) {
    opened.push(resource);
    return resource;
  }

  /** Opens the segment, and the next time another attachment to it. */
  Segment open() {
    return segment = keep(Segment.open(file(), SPEC));
  }

  /** The next free slot looks as if a stranger had had it, and had left. */
  void strangerLeft() {
    SegmentEntry entry = (SegmentEntry) queue();
    int id = Owner.slotId(entry.core().participants().self()) + 1;
    entry.region().setLongOpaque(entry.core().geometry().slot(id) + SegmentLayout.SLOT_PID, STRANGER);
  }

  Entry queue() {
    return segment.directory().find(QUEUE, Kind.BROADCAST);
  }

  Publisher publisher() {
    publisher = keep(Publisher.open(queue()));
    promised = begun = written = publisher.nextSequence();
    return publisher;
  }

  Subscriber subscriber(SubscriberOptions options) {
    return subscriber = keep(Subscriber.open(queue(), options));
  }

  /** From now on what this subscriber has not handled is not to be given up. */
  void gate() {
    handled = subscriber.nextSequence();
  }

  /** Opens the segment and a publisher, and publishes. */
  Scene published(int count) {
    open();
    publisher();
    return publish(count);
  }

  /** Publishes messages, one by one. */
  Scene publish(int count) {
    for (int i = 0; i < count; i++) {
      long sequence = publisher.nextSequence();
      Claim claim = room(sequence);
      begun = sequence + 1;
      claim.commit();
      promised = sequence + 1;
    }
    return this;
  }

  /** Publishes copies, without a claim. */
  void offer(int count) {
    for (int i = 0; i < count; i++) {
      long sequence = publisher.nextSequence();
      written = sequence + 1;
      begun = sequence + 1;
      byte[] content = Letters.content(sequence);
      if (!publisher.offer(content, 0, content.length, Letters.type(sequence), PATIENCE_NANOS)) {
        throw new AssertionError("no room for message " + sequence);
      }
      promised = sequence + 1;
    }
  }

  private Claim room(long sequence) {
    written = sequence + 1;
    Claim claim = publisher.claim(Letters.length(sequence), Letters.type(sequence), PATIENCE_NANOS);
    if (claim == null) {
      throw new AssertionError("no room for message " + sequence);
    }
    return Letters.write(claim, sequence);
  }

  /** Publishes up to the message before which there is to be padding. */
  Scene publishUntilPadding() {
    while (!Letters.isPadded(publisher.nextSequence())) {
      publish(1);
    }
    return this;
  }

  /** Stages messages without publishing them; they may be visible once {@link #publishStaged} is under way. */
  Scene stage(int count) {
    for (int i = 0; i < count; i++) {
      room(publisher.nextSequence()).stage();
    }
    return this;
  }

  void publishStaged() {
    begun = publisher.nextSequence();
    publisher.publish();
    promised = begun;
  }

  /** Waits in the hub's thread for a message that does not come. */
  void waitByTheHub() {
    CompletableFuture<Void> ready = WaitHub.shared().whenReady(subscriber);
    long start = System.nanoTime();
    while (NativeAccess.ENABLED
        && (Probe.hubSteps() < HUB_STEPS || !waiters(subscriber).isAnnounced(role(subscriber)))) {
      if (System.nanoTime() - start > PATIENCE_NANOS) {
        throw new AssertionError("the hub does not announce the subscriber, and sleep");
      }
      LockSupport.parkNanos(100_000);
    }
    ready.cancel(false);
  }

  /** A hidden file of a creator that died at once. */
  void leaveHidden() {
    try {
      Files.createFile(bus.resolve("." + SEGMENT + ".0123456789abcdef.tmp"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** A bus directory that the group may write to. */
  void shareDirectory() {
    try {
      Files.setPosixFilePermissions(bus, PosixFilePermissions.fromString("rwxrwx---"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Claims room and writes a whole message that is never to be seen. */
  Claim claimed() {
    return room(publisher.nextSequence());
  }

  /** Publishes until a claim finds no room. */
  void fill() {
    fill(0);
  }

  /** Publishes until a claim has waited for room in vain. */
  private void fill(long timeoutNanos) {
    while (true) {
      long sequence = publisher.nextSequence();
      written = sequence + 1;
      Claim claim = publisher.claim(Letters.length(sequence), Letters.type(sequence), timeoutNanos);
      if (claim == null) {
        return;
      }
      Letters.write(claim, sequence);
      begun = sequence + 1;
      claim.commit();
      promised = sequence + 1;
    }
  }

  /** Waits in vain until the subscriber has announced itself, which then stays; only polls where nobody does that. */
  void waitForMessage() {
    waitUntilAnnounced(subscriber, () -> poll(WAIT_NANOS));
  }

  /**
   * Fills the ring, and waits in vain until the publisher has announced itself, as above; only claims where nobody
   * does that.
   */
  void waitForRoom() {
    waitUntilAnnounced(publisher, () -> fill(WAIT_NANOS));
  }

  private void waitUntilAnnounced(Role role, Runnable wait) {
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
      waiters.announce(role(role)); // as one that died in its sleep
    }
  }

  private static boolean isInSummary(Waiters waiters) {
    long common = waiters.entry().offset();
    return (waiters.entry().region().getLongVolatile(common + SegmentLayout.SUMMARY_FOR_DATA)
        | waiters.entry().region().getLongVolatile(common + SegmentLayout.SUMMARY_FOR_SPACE)) != 0;
  }

  private static Waiters waiters(Role role) {
    return Role.waitPoint(role).waiters();
  }

  private static int role(Role role) {
    return Role.waitPoint(role).role();
  }

  int poll() {
    return poll(0);
  }

  /** Polls; each message is checked. */
  private int poll(long timeoutNanos) {
    long[] due = {subscriber.nextSequence()};
    MessageHandler handler = new MessageHandler() {
      @Override
      public void onMessage(io.bywash.engine.Message message) {
        String fault = Letters.fault(message, due[0]);
        if (fault != null) {
          throw new AssertionError(fault);
        }
        due[0]++;
        if (handled != Long.MAX_VALUE) {
          handled = due[0];
        }
      }

      @Override
      public void onLost(long messageCount) {
        due[0] += messageCount;
      }
    };
    return timeoutNanos > 0 ? subscriber.poll(handler, 100, timeoutNanos) : subscriber.poll(handler, 100);
  }

  /** Everybody dies now, and what they left is found in another directory. */
  void die() {
    moveTo(Image.of(bus));
  }

  /** Everybody dies during {@code operation}, at the last step behind which {@code moment} is true. */
  void dieDuring(Runnable operation, Predicate<Image> moment) {
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

  private void moveTo(Image found) {
    while (!opened.isEmpty()) { // they are not seen any more
      close(opened.pop());
    }
    bus = bus.resolveSibling("life" + ++deaths);
    found.writeTo(bus);
    segment = null;
    publisher = null;
    subscriber = null;
    handled = Long.MAX_VALUE;
  }

  /** Closes what is open. */
  void tidy() {
    Probe.stopClock(false);
    while (!opened.isEmpty()) {
      close(opened.pop());
    }
  }

  private static void close(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception failure) {
      throw new AssertionError("closing " + resource, failure);
    }
  }
}
