package io.bywash.engine.queue;

import static io.bywash.engine.queue.TestJobs.send;
import static io.bywash.engine.queue.TestJobs.take;
import static io.bywash.engine.queue.TestJobs.takeNumber;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Removal.Outcome;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Messages in roles that nobody holds, where something prevents that they are dealt with. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LeftMessagesTest {
  private static final String LETTERS = "letters";
  private static final DeliveryPolicy ONCE = DeliveryPolicy.redeliver().atMost(1).deadLetters(LETTERS);

  @RegisterExtension final TempBus bus = new TempBus();

  /** A segment stays while a message is left. */
  @AfterEach
  void deleteWhatStayed() throws IOException {
    Files.deleteIfExists(bus.path("seg"));
  }

  private TestJobs withLetters(int capacity) {
    return TestJobs.of(bus.path("seg"), WorkQueue.spec(TestJobs.NAME, 4, TestJobs.MAX_BYTES, ONCE, 8),
        WorkQueue.spec(LETTERS, capacity, TestJobs.MAX_BYTES, DeliveryPolicy.redeliver(), 8));
  }

  /** Has a consumer end with the next message in its hands. */
  private static void leave(TestJobs queue) {
    Consumer closed = queue.consumer();
    take(closed);
    closed.close();
  }

  /** The role that holds the only message. */
  private static int roleThatHolds(Cells cells) {
    int role = 0;
    while (!cells.mayHold(role)) {
      role++;
    }
    return role;
  }

  private static long leftWord(TestJobs queue) {
    return ((SegmentEntry) queue.jobs).leftCount();
  }

  /** Nothing of the second attachment stays once it is closed. */
  private static void assertLeavesNothing(TestJobs queue) {
    queue.second.close();
    assertEquals(1, queue.first.participants().size());
  }

  /** Removes the queue for dead letters; this process is told. */
  private static void removeLetters(TestJobs queue) {
    try (Consumer undertaker = Consumer.open(letters(queue))) {
      assertEquals(Outcome.REMOVED, queue.second.directory().remove(LETTERS).outcome());
      assertThrows(EntryRemovedException.class, () -> undertaker.take(TestJobs.PATIENCE_NANOS));
    }
  }

  private static Entry letters(TestJobs queue) {
    return queue.second.directory().find(LETTERS).orElseThrow();
  }

  @Test
  void aRemovedQueueForDeadLettersCountsAsFull() {
    try (TestJobs queue = withLetters(4); Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 1);
      leave(queue);
      removeLetters(queue);
      assertNull(consumer.take());
      long left = leftWord(queue);
      for (int i = 0; i < 10; i++) {
        assertNull(consumer.take());
      }
      assertEquals(left, leftWord(queue), "its role is not taken again and again");
      assertEquals(1, queue.status().leftCount());
      queue.assertSound();
      assertLeavesNothing(queue);
    }
  }

  @Test
  void aMessageThatIsGivenBackStaysWhenTheQueueForDeadLettersWasRemoved() {
    try (TestJobs queue = withLetters(4); Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 1);
      Delivery taken = take(consumer);
      removeLetters(queue);
      taken.giveBack();
      assertNull(consumer.take());
      assertEquals(1, queue.status().heldCount());
      assertLeavesNothing(queue);
      assertEquals(1, queue.status().leftCount());
    }
  }

  @Test
  void noDeadLetterIsLostInAQueueThatWasRemovedUnnoticed() {
    try (TestJobs queue = withLetters(4); Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 1);
      leave(queue);
      assertEquals(Outcome.REMOVED, queue.second.directory().remove(LETTERS).outcome());
      assertNull(consumer.take());
      assertEquals(1, queue.status().leftCount());
      assertEquals(0, queue.status().deadLetterCount());
    }
  }

  @Test
  void aLeftMessageThatIsDamagedKeepsNobodyFromLeaving() {
    try (TestJobs queue = withLetters(4); Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      send(producer, 0, 1);
      leave(queue);
      Cells cells = Cells.of(queue.jobs);
      cells.region.setLongRelease(cells.slot(Cells.slotOf(cells.mine(roleThatHolds(cells)))) + QueueLayout.SLOT_LENGTH,
          -1);
      assertThrows(DamagedSegmentException.class, consumer::take);
      assertNull(consumer.take(), "it is told once, until the next look");
      assertLeavesNothing(queue);
      assertEquals(1, queue.status().leftCount());
    }
  }

  @Test
  void eachOfTwoConsumersIsToldOnceOfALeftMessageThatIsDamagedAndTakesWhatIsInTheCells() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer one = queue.consumer(); Consumer other = queue.consumer()) {
      send(producer, 0, 1);
      leave(queue);
      Cells cells = Cells.of(queue.jobs);
      int role = roleThatHolds(cells);
      long lengthOffset = cells.slot(Cells.slotOf(cells.mine(role))) + QueueLayout.SLOT_LENGTH;
      long sound = cells.region.getLongAcquire(lengthOffset);
      cells.region.setLongRelease(lengthOffset, -1);
      long left = leftWord(queue);
      assertEquals(List.of(1, 1), tellAndTake(producer, one, other));
      assertEquals(left, leftWord(queue), "its role is not taken for that");
      cells.region.setLongRelease(lengthOffset, sound);
      assertLeavesNothing(queue);
    }
  }

  @Test
  void eachOfTwoConsumersIsToldOnceOfALeftRoleThatIsDamagedAndTakesWhatIsInTheCells() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer one = queue.consumer(); Consumer other = queue.consumer()) {
      send(producer, 0, 1);
      leave(queue);
      Cells cells = Cells.of(queue.jobs);
      long at = cells.entry.role(roleThatHolds(cells)) + QueueLayout.ROLE_AT;
      cells.region.setLongRelease(at, Long.MAX_VALUE - 1); // found by whoever takes the role
      assertEquals(List.of(1, 1), tellAndTake(producer, one, other));
      cells.region.setLongRelease(at, 0);
      assertLeavesNothing(queue);
    }
  }

  /** Sends a message, and has both take by turns until long after it came; how often each was told of damage. */
  private static List<Integer> tellAndTake(Producer producer, Consumer... consumers) {
    send(producer, 5, 1);
    int[] told = new int[consumers.length];
    int taken = 0;
    for (int i = 0; i < 10 * consumers.length; i++) {
      Consumer consumer = consumers[i % consumers.length];
      try {
        Delivery found = consumer.take();
        if (found != null) {
          assertEquals(5, TestJobs.number(found));
          found.ack();
          taken++;
        }
      } catch (DamagedSegmentException damaged) {
        told[i % consumers.length]++;
      }
    }
    assertEquals(1, taken, "how often the message in the cells came");
    return Arrays.stream(told).boxed().toList();
  }

  @Test
  void aMessageThatComesToARoleThatWasFoundDamagedIsDelivered() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer consumer = queue.consumer()) {
      send(producer, 0, 1);
      leave(queue);
      Cells cells = Cells.of(queue.jobs);
      int role = roleThatHolds(cells);
      cells.region.setLongRelease(cells.slot(Cells.slotOf(cells.mine(role))) + QueueLayout.SLOT_LENGTH, -1);
      assertThrows(DamagedSegmentException.class, consumer::take);
      assertNull(consumer.take());
      Place place = Place.tryTake(cells, role, QueueLayout.MODE_CONSUMER);
      place.exchanger().acknowledge();
      int slot = Cells.slotOf(cells.mine(role));
      int sent = 0;
      do { // until it has the same slot again
        send(producer, sent++, 1);
        assertTrue(place.exchanger().take());
      } while (place.exchanger().slot() != slot);
      place.giveBack();
      assertEquals(role, roleThatHolds(cells));
      assertEquals(sent - 1, takeNumber(consumer));
    }
  }

  /** Frees the role of a consumer that holds the only message, as one who dies before it says so the second time. */
  private static void freeAndDie(TestJobs queue, Runnable between) {
    SegmentEntry entry = (SegmentEntry) queue.jobs;
    int role = roleThatHolds(Cells.of(entry));
    long word = entry.roleWord(role);
    entry.raiseLeft();
    between.run();
    entry.region().setLongRelease(entry.role(role) + SegmentLayout.ROLE_WORD,
        Owner.word(0, Owner.generation(word), 0, SegmentLayout.ROLE_FREE));
  }

  @Test
  void whoWaitsThroughTheHubFindsWhatADyingParticipantFreed() throws Exception {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer consumer = queue.consumer(); Consumer dying = queue.consumer()) {
      send(producer, 0, 1);
      take(dying);
      freeAndDie(queue, () -> assertNull(consumer.take(), "its role is still taken"));
      WaitHub.shared().whenReady(consumer).get(60, TimeUnit.SECONDS);
      assertEquals(0, takeNumber(consumer));
    }
  }

  @Test
  void aVirtualThreadFindsWhatADyingParticipantFreed() throws Exception {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4); Producer producer = queue.producer();
        Consumer consumer = queue.consumer(); Consumer dying = queue.consumer()) {
      send(producer, 0, 1);
      take(dying);
      CompletableFuture<Integer> taken = new CompletableFuture<>();
      freeAndDie(queue, () -> {
        assertNull(consumer.take());
        Thread.ofVirtual().start(() -> {
          Delivery found = consumer.take(TestJobs.PATIENCE_NANOS);
          taken.complete(found == null ? -1 : found.type());
          if (found != null) {
            found.ack();
          }
        });
      });
      assertEquals(0, taken.get(60, TimeUnit.SECONDS));
    }
  }

  /** A consumer whose message is to become a dead letter, for which there is no room. */
  private static Consumer stuck(TestJobs queue, Producer producer, WaitPolicy policy) {
    Consumer consumer = queue.consumer(policy);
    send(producer, 0, 2);
    take(consumer).giveBack(); // fills the queue for dead letters
    take(consumer).giveBack();
    assertNull(consumer.take());
    return consumer;
  }

  private static boolean isAnnounced(TestJobs queue, int role) {
    return ((SegmentEntry) queue.jobs).waitingForData().isAnnounced(role);
  }

  @Test
  void aConsumerThatNeedsRoomForADeadLetterTakesNoWakesFromOthers() throws Exception {
    try (TestJobs queue = withLetters(1); Producer producer = queue.producer();
        Consumer stuck = stuck(queue, producer, WaitPolicy.BLOCK); Threads threads = new Threads()) {
      int role = roleThatHolds(Cells.of(queue.jobs));
      Thread waiting = threads.start("stuck consumer", () -> assertNull(stuck.take(200_000_000)));
      while (waiting.isAlive()) {
        assertFalse(isAnnounced(queue, role));
      }
      threads.join();
    }
  }

  @Test
  void aConsumerThatWaitsForRoomThroughTheHubIsToldOfRoomAndTakesNoWakes() throws Exception {
    try (TestJobs queue = withLetters(1); Producer producer = queue.producer();
        Consumer stuck = stuck(queue, producer, WaitPolicy.BACKOFF); Consumer other = queue.consumer();
        Consumer undertaker = Consumer.open(letters(queue))) {
      int role = roleThatHolds(Cells.of(queue.jobs));
      CompletableFuture<Void> room = WaitHub.shared().whenReady(stuck);
      CompletableFuture<Void> message = WaitHub.shared().whenReady(other);
      for (int i = 0; i < 100; i++) {
        assertFalse(isAnnounced(queue, role));
        Thread.sleep(1);
      }
      send(producer, 2, 1);
      message.get(60, TimeUnit.SECONDS);
      assertFalse(room.isDone());
      assertEquals(2, takeNumber(other));
      takeNumber(undertaker);
      room.get(60, TimeUnit.SECONDS);
      assertNull(stuck.take());
      takeNumber(undertaker);
      assertEquals(2, queue.status().deadLetterCount());
    }
  }
}
