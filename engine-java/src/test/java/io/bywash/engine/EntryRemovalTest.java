package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Removal.Outcome;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.inspect.SegmentStatus;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.engine.queue.QueueView;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.wait.WaitHub;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Entries are removed from a segment in use, and their names and bytes are used again. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class EntryRemovalTest {
  private static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(60);

  @RegisterExtension final TempBus bus = new TempBus();

  private final EntrySpec spec = Broadcast.spec("queue", 4096, 3);
  private Segment segment;
  private Segment other;

  @BeforeEach
  void twoParticipants() {
    segment = Segment.create(bus.path("seg"), SegmentSpec.small(List.of(spec)).withSizeBytes(200_000));
    other = Segment.attach(bus.path("seg"), 0);
  }

  @AfterEach
  void theSegmentIsSound() {
    assertEquals(List.of(), Verification.of(segment));
    other.close();
    segment.close();
  }

  private static Entry queue(Segment of) {
    return of.directory().find("queue", Kind.BROADCAST);
  }

  private long unusedBytes() {
    return SegmentStatus.of(segment).unusedBytes();
  }

  private void assertRemoved(Segment by) {
    Removal removal = by.directory().remove("queue");
    assertEquals(Outcome.REMOVED, removal.outcome(), removal::toString);
    assertTrue(segment.directory().find("queue").isEmpty());
  }

  @Test
  void anEntryThatNobodyHoldsIsGoneWithItsBytes() {
    long before = unusedBytes();
    assertRemoved(segment);
    assertEquals(before + spec.sizeBytes(), unusedBytes());
    assertEquals(Outcome.NOT_FOUND, segment.directory().remove("queue").outcome());
  }

  @Test
  void anEntryIsNotRemovedWhileAnotherLivingParticipantOwnsIt() {
    try (Publisher publisher = Publisher.open(queue(other))) {
      Removal removal = segment.directory().remove("queue");
      assertEquals(Outcome.IN_USE, removal.outcome());
      assertEquals(List.of(ProcessHandle.current().pid()), removal.pids());
      assertTrue(publisher.offer(new byte[8]));
    }
  }

  /** As when an entry is removed while a verification is on its way. */
  @Test
  void anEntryThatWasRemovedIsNotSuspectedOfAnything() {
    SegmentEntry entry = (SegmentEntry) queue(segment);
    assertRemoved(segment);
    assertEquals(List.of(), entry.suspects());
  }

  @Test
  void theCreatorOfAnEntryOwnsItWhileItHasNoPublisher() {
    assertEquals(Outcome.IN_USE, other.directory().remove("queue").outcome());
    segment.directory().remove("queue");
    other.directory().findOrAdd(spec);
    assertEquals(Outcome.IN_USE, segment.directory().remove("queue").outcome());
    assertRemoved(other);
  }

  @Test
  void aSubscriberThatWaitsLearnsOfTheRemoval() throws Exception {
    try (Threads threads = new Threads(); Subscriber subscriber = Subscriber.open(queue(other))) {
      threads.start("waiting subscriber", () -> assertThrows(EntryRemovedException.class, () -> {
        while (subscriber.poll(message -> {}, 1, DEADLINE_NANOS) == 0) {
          Thread.onSpinWait();
        }
      }));
      assertRemoved(segment);
      threads.join();
      assertThrows(EntryRemovedException.class, () -> subscriber.poll(message -> {}, 1));
    }
  }

  @Test
  void whoWaitsByTheHubLearnsOfTheRemoval() throws Exception {
    try (Subscriber subscriber = Subscriber.open(queue(other))) {
      CompletableFuture<Void> ready = WaitHub.shared().whenReady(subscriber);
      assertRemoved(segment);
      ready.get(60, TimeUnit.SECONDS);
      assertThrows(EntryRemovedException.class, () -> subscriber.poll(message -> {}, 1));
    }
  }

  @Test
  void aSubscriberThatPollsWithoutWaitingLearnsOfTheRemoval() {
    try (Subscriber subscriber = Subscriber.open(queue(other))) {
      assertRemoved(segment);
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 10_000; i++) {
          assertEquals(0, subscriber.poll(message -> {}, 1));
        }
      });
    }
  }

  @Test
  void aPublisherLearnsOfTheRemovalWhenItLooksForRoom() {
    try (Publisher publisher = Publisher.open(queue(segment))) {
      assertRemoved(segment);
      assertThrows(EntryRemovedException.class, () -> {
        for (int i = 0; i < 1000; i++) {
          publisher.offer(new byte[64]);
        }
      });
    }
  }

  @Test
  void theBytesOfARemovedEntryAreNotUsedWhileSomebodyHoldsARoleInIt() {
    Entry first = queue(other);
    try (Subscriber subscriber = Subscriber.open(first)) {
      assertRemoved(segment);
      Entry second = segment.directory().findOrAdd(spec);
      try (Publisher publisher = Publisher.open(second)) {
        assertTrue(publisher.offer(new byte[8]));
      }
      assertEquals(0, subscriber.poll(message -> {}, 1), "what is published belongs to another entry");
    }
    assertRemoved(segment);
    long unused = unusedBytes();
    segment.directory().findOrAdd(spec);
    assertEquals(unused - spec.sizeBytes(), unusedBytes());
  }

  @Test
  void aRoleIsNotTakenInAnEntryThatWasRemovedAfterItWasFound() {
    Entry found = queue(other);
    assertRemoved(segment);
    assertThrows(EntryRemovedException.class, () -> Subscriber.open(found));
    segment.directory().findOrAdd(spec);
    assertThrows(EntryRemovedException.class, () -> Publisher.open(found));
  }

  /** The hub forgets a structure in which nobody waits only after a while; what it knew must not meet another entry. */
  @Test
  void whoWaitsInAnEntryThatGotTheBytesOfARemovedOneIsWokenInItsOwn() throws Exception {
    SegmentEntry stale = (SegmentEntry) queue(other);
    try (Subscriber subscriber = Subscriber.open(stale)) {
      assertRemoved(segment);
      WaitHub.shared().whenReady(subscriber).get(60, TimeUnit.SECONDS);
    }
    segment.directory().findOrAdd(Broadcast.spec("wide", 4096, 12));
    SegmentEntry wide = (SegmentEntry) other.directory().find("wide", Kind.BROADCAST);
    assertEquals(stale.offset(), wide.offset());
    try (Publisher publisher = Publisher.open(wide)) {
      List<Subscriber> subscribers = IntStream.range(0, 10).mapToObj(_ -> Subscriber.open(wide)).toList();
      CompletableFuture<Void> ready = WaitHub.shared().whenReady(subscribers.getLast());
      assertTrue(publisher.offer(new byte[8]));
      ready.get(60, TimeUnit.SECONDS);
      subscribers.forEach(Subscriber::close);
    }
  }

  @Test
  void theBytesAreFreeAgainWhenNobodyWaitsThereAnyMore() throws Exception {
    long before = unusedBytes();
    try (Subscriber subscriber = Subscriber.open(queue(other))) {
      CompletableFuture<Void> ready = WaitHub.shared().whenReady(subscriber);
      assertEquals(0, subscriber.poll(message -> {}, 1, TimeUnit.MILLISECONDS.toNanos(20)));
      ready.cancel(false);
    }
    assertRemoved(segment);
    Threads.await(() -> {
      segment.directory().findOrAdd(spec); // whoever changes the directory frees what nobody holds any more
      segment.directory().remove(spec.name());
      return unusedBytes() == before + spec.sizeBytes();
    }, "the bytes of the removed entry to be free");
  }

  @Test
  void whatIsSweptAfterItsEntryWasRemovedIsLeftAlone() {
    SegmentEntry stale = (SegmentEntry) queue(other);
    assertRemoved(segment);
    SegmentEntry next = (SegmentEntry) segment.directory().findOrAdd(spec);
    assertEquals(stale.offset(), next.offset());
    assertTrue(stale.isGone());
    assertFalse(next.isGone());
    try (Publisher publisher = Publisher.open(next)) {
      assertThrows(EntryRemovedException.class, () -> Subscriber.open(stale));
      assertEquals(0, other.recover().rolesFreed());
      assertTrue(publisher.offer(new byte[8]));
    }
  }

  @Test
  void whoLooksWithoutARoleAtBytesThatAreAnothersNowIsToldOfTheRemoval() {
    assertRemoved(segment);
    segment.directory().findOrAdd(WorkQueue.spec("jobs", 4, 64));
    Entry jobs = other.directory().find("jobs").orElseThrow();
    QueueView view = QueueView.of(jobs);
    assertEquals(List.of(), view.peek(0, 1));
    assertEquals(Outcome.REMOVED, segment.directory().remove("jobs").outcome());
    SegmentEntry next = (SegmentEntry) segment.directory().findOrAdd(spec);
    assertEquals(((SegmentEntry) jobs).offset(), next.offset());
    Region region = next.region();
    for (long at = next.offset() + SegmentLayout.ROLES; at < next.offset() + next.sizeBytes(); at += Long.BYTES) {
      region.setLong(at, -1);
    }
    assertThrows(EntryRemovedException.class, () -> view.peek(0, 1));
    assertThrows(EntryRemovedException.class, view::sentCount);
    assertThrows(EntryRemovedException.class, () -> QueueStatus.of(jobs));
    assertEquals(Outcome.REMOVED, segment.directory().remove("queue").outcome());
  }

  @Test
  void anEntryOfAnotherVersionOfItsKindIsListedButNotUsed() {
    SegmentEntry entry = (SegmentEntry) queue(segment);
    long row = entry.core().geometry().row(entry.row());
    entry.region().setLong(row, entry.word() & ~0xFF00L | 9 << 8);
    Entry unknown = segment.directory().find("queue").orElseThrow();
    assertEquals(Kind.UNKNOWN, unknown.kind());
    assertEquals("kind 1", SegmentStatus.of(segment).entries().getFirst().kind());
    assertThrows(SpecMismatchException.class, () -> Publisher.open(unknown));
    entry.region().setLong(row, entry.word());
  }

  @Test
  void anEntryBeginsEmptyWhereAnotherOneWas() {
    segment.directory().findOrAdd(Broadcast.spec("behind", 4096, 1)); // so that the bytes stay the row's
    for (int i = 0; i < 3; i++) {
      try (Publisher publisher = Publisher.open(queue(segment));
          Subscriber subscriber = Subscriber.open(queue(segment))) {
        assertEquals(0, publisher.nextSequence());
        assertTrue(publisher.offer(new byte[100]));
        assertEquals(1, subscriber.poll(message -> {}, 10));
      }
      assertRemoved(segment);
      segment.directory().findOrAdd(spec);
    }
  }

  @Test
  void changingTheSizeAgainAndAgainUsesNoMoreThanTwoPlaces() {
    long start = unusedBytes();
    for (int i = 0; i < 200; i++) {
      assertRemoved(segment);
      segment.directory().findOrAdd(Broadcast.spec("queue", i % 2 == 0 ? 8192 : 4096, 3));
      assertTrue(start - unusedBytes() <= 8192, "round " + i + ": " + unusedBytes());
    }
  }

  @Test
  void anEntryWithoutRolesTakes128BytesAndARow() {
    EntrySpec word = new EntrySpec("word", Kind.BROADCAST, 1, 8, 0, 8); // stands for a kind without roles
    long before = unusedBytes();
    for (int i = 0; i < 10; i++) {
      segment.directory().findOrAdd(new EntrySpec("word-" + i, word.kind(), 1, 8, 0, 8));
    }
    assertEquals(before - 10 * 128, unusedBytes());
    for (int i = 0; i < 10; i++) {
      assertEquals(Outcome.REMOVED, segment.directory().remove("word-" + i).outcome());
    }
    assertFalse(segment.directory().find("word-3").isPresent());
  }

  @Test
  void layoutAndParametersAreThereForWhoeverAttaches() {
    String layout = "0 16 Tick\n 0 long time\n 8 double price\n";
    EntrySpec typed = new EntrySpec("typed", Kind.BROADCAST, 4096, 16, layout, 2, 4096, List.of(1L, -1L));
    segment.directory().findOrAdd(typed);
    Entry found = other.directory().find("typed", Kind.BROADCAST);
    assertEquals(layout, found.layout());
    assertEquals(typed.fingerprint(), found.fingerprint());
    EntrySpec wrong = new EntrySpec("typed", Kind.BROADCAST, 4096, 16, layout.replace("double", "long"), 2, 4096,
        List.of(1L, -1L));
    SpecMismatchException mismatch =
        assertThrows(SpecMismatchException.class, () -> other.directory().findOrAdd(wrong));
    assertEquals(List.of("entry \"typed\": field price of type 0 is \"8 double price\", wanted \"8 long price\""),
        mismatch.differences());
  }
}
