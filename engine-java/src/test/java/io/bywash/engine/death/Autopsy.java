package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.Owner;
import io.bywash.engine.internal.SegmentEntry;
import io.bywash.engine.internal.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The living look at what the dead left: each invariant is checked, the segment is recovered and used, and nothing is left in
 * the end.
 */
final class Autopsy {
  private static final Pattern NAMES = Pattern.compile("\\.lock|seg|\\.seg\\.[0-9a-f]{16}\\.tmp");
  /** A round of the ring, and a bit. */
  static final int NEW_MESSAGES = 32;
  /** Of a ring that has turned, at least so much is there: all but two blocks, the longest record, and as much padding. */
  private static final long RETAINED_BYTES = Letters.RING_BYTES - 2 * 64 - 2 * (16 + Letters.MAX_BYTES);

  private final Path bus;
  private final Path file;
  private final Trial.Marks marks;
  private long published;

  private Autopsy(Path bus, Trial.Marks marks) {
    this.bus = bus;
    this.file = bus.resolve(Scene.SEGMENT);
    this.marks = marks;
  }

  /** Looks into an image, which is written to {@code bus} and gone afterwards. */
  static void of(Trial.Found found, Path bus) {
    found.image().writeTo(bus);
    ofReal(bus, found.marks(), found.step() % 2 == 0);
  }

  /** Looks into what was really left in {@code bus}, which is gone afterwards. */
  static void ofReal(Path bus, Trial.Marks marks, boolean recoverFirst) {
    try {
      new Autopsy(bus, marks).examine(Image.of(bus).names(), recoverFirst);
    } finally {
      Image.delete(bus);
    }
  }

  private void examine(Set<String> names, boolean recoverFirst) {
    for (String name : names) {
      assertTrue(NAMES.matcher(name).matches(), name);
    }
    boolean exists = names.contains(Scene.SEGMENT);
    long id = exists ? observe() : 0;
    try (Segment segment = Segment.open(file, Scene.SPEC)) {
      SegmentEntry queue = (SegmentEntry) segment.directory().find(Scene.QUEUE, Kind.BROADCAST);
      assertTrue(!exists || id == queue.core().geometry().segmentId(), "it is another segment");
      if (recoverFirst) {
        recover(segment, queue);
      }
      use(segment, queue, published);
      recover(segment, queue);
    }
    names = Image.of(bus).names();
    assertTrue(Set.of(".lock").containsAll(names), "left: " + names);
  }

  /** What an observer finds, before anybody has changed anything; the segment's id. */
  private long observe() {
    try (Segment observed = Segment.observe(file)) {
      for (Participant participant : observed.participants()) {
        assertFalse(participant.alive(), participant + " looks alive");
        assertFalse(participant.pid() == Scene.STRANGER, participant + " is said to be one that had left");
      }
      for (Finding finding : Verification.of(observed)) {
        assertTrue(finding.severity() != Finding.Severity.ERROR, finding.toString());
      }
      SegmentEntry queue = (SegmentEntry) observed.directory().find(Scene.QUEUE, Kind.BROADCAST);
      BroadcastStatus status = BroadcastStatus.of(queue);
      published = status.messageCount();
      assertTrue(published == marks.promised() || published == marks.begun()
          || marks.several() && published > marks.promised() && published < marks.begun(),
          published + " messages are published, and " + marks.promised() + " or " + marks.begun() + " should be");
      assertEquals(Letters.positionBehind(published), status.publishedBytes(), "position behind message " + published);
      long unpublished = Letters.positionBehind(marks.written()) - Letters.positionBehind(published);
      assertTrue(status.retainedBytes() >= Math.min(status.publishedBytes(), RETAINED_BYTES - unpublished),
          "no more than " + status.retainedBytes() + " bytes were kept");
      assertNothingUnreadIsGivenUp(status);
      try (Subscriber subscriber = Subscriber.open(queue, SubscriberOptions.skip().startingAtOldest())) {
        new Reader(subscriber).readUntil(published);
      }
      return queue.core().geometry().segmentId();
    }
  }

  private void assertNothingUnreadIsGivenUp(BroadcastStatus status) {
    long oldest = status.publishedBytes() - status.retainedBytes();
    for (BroadcastStatus.SubscriberStatus subscriber : status.subscribers()) {
      if (subscriber.gating()) {
        assertTrue(oldest <= subscriber.positionBytes(), "given up to " + oldest + " before " + subscriber);
        assertTrue(marks.handled() == Long.MAX_VALUE
            || subscriber.positionBytes() <= Letters.positionOf(marks.handled()),
            "only " + marks.handled() + " messages were handled by " + subscriber);
      }
    }
  }

  /** Recovers, and finds all of the segment's own words in order. */
  private static void recover(Segment segment, SegmentEntry queue) {
    for (Participant dead : segment.recover().dead()) {
      assertFalse(dead.pid() == Scene.STRANGER, dead + " is said to be one that had left");
    }
    assertTrue(segment.recover().isEmpty(), "the second time");
    assertEquals(List.of(), Verification.of(segment));
    assertEquals(1, segment.participants().size());
    Region region = queue.region();
    assertEquals(SegmentLayout.OPEN, region.getLongVolatile(SegmentLayout.STATE_OFFSET), "the segment's state");
    assertEquals(0, region.getLongVolatile(SegmentLayout.INTENT_OFFSET), "the intent");
    for (Entry each : segment.directory().entries()) {
      SegmentEntry entry = (SegmentEntry) each;
      for (int role = 0; role < entry.roleCount(); role++) {
        assertEquals(SegmentLayout.ROLE_FREE, Owner.state(entry.roleWord(role)), "role " + role + " of " + entry.name());
      }
      for (int role = 0; role < entry.roleCount(); role++) {
        boolean waits = entry.waitingForData().isAnnounced(role) || entry.waitingForSpace().isAnnounced(role);
        assertFalse(waits, "role " + role + " of " + entry.name() + " waits");
      }
    }
  }

  private static void use(Segment segment, Entry queue, long published) {
    try (Publisher publisher = Publisher.open(queue);
        Subscriber block = Subscriber.open(queue, SubscriberOptions.block().startingAtOldest());
        Subscriber skip = Subscriber.open(queue, SubscriberOptions.skip().startingAtOldest())) {
      assertEquals(published, publisher.nextSequence(), "the successor's first message");
      Reader blocked = new Reader(block);
      Reader skipping = new Reader(skip);
      blocked.readUntil(published);
      skipping.readUntil(published);
      for (long sequence = published; sequence < published + NEW_MESSAGES; sequence++) {
        publish(publisher);
        if (sequence % 3 == 0) {
          blocked.readUntil(sequence + 1);
          skipping.readUntil(sequence + 1);
        }
      }
      blocked.readUntil(published + NEW_MESSAGES);
      skipping.readUntil(published + NEW_MESSAGES);
    }
    Entry added = segment.directory().findOrAdd(Scene.ADDED); // fits only if neither a row nor space was lost
    assertEquals(List.of(Scene.QUEUE, Scene.ADDED.name()), segment.directory().entries().stream().map(Entry::name).toList());
    try (Publisher publisher = Publisher.open(added); Subscriber subscriber = Subscriber.open(added)) {
      publish(publisher);
      new Reader(subscriber).readUntil(1);
    }
  }

  static void publish(Publisher publisher) {
    long sequence = publisher.nextSequence();
    Claim claim = publisher.tryClaim(Letters.length(sequence), Letters.type(sequence));
    assertTrue(claim != null, "there is no room, though nobody is in the way");
    Letters.write(claim, sequence).commit();
  }

  /** Reads without any loss. */
  static final class Reader implements MessageHandler {
    private final Subscriber subscriber;
    private long due;

    Reader(Subscriber subscriber) {
      this.subscriber = subscriber;
      this.due = subscriber.nextSequence();
    }

    @Override
    public void onMessage(Message message) {
      assertNull(Letters.fault(message, due));
      due++;
    }

    @Override
    public void onLost(long messageCount) {
      throw new AssertionError("lost " + messageCount + " messages from " + due + " on");
    }

    /** Everything up to that message, and nothing more. */
    void readUntil(long sequence) {
      while (subscriber.poll(this, 1_000) > 0) {
        // there may be more
      }
      assertEquals(sequence, due, "the next message that is due");
    }
  }
}
