package io.bywash.osgi.internal.kind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.osgi.WorkQueueConsumer;
import io.bywash.osgi.internal.queue.FeedingRole;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A feeding whose end comes when a message has been taken already, in a queue where each is delivered once. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WorkQueueFeedingTest {
  @TempDir Path bus;

  private Segment segment;
  private Entry jobs;
  private Consumer letters;
  private Consumer role;
  private final List<String> seen = new ArrayList<>();
  private final WorkQueueConsumer consumer = message -> seen.add("seen " + message.type());

  @BeforeEach
  void send() {
    segment = Segment.create(bus.resolve("work"), SegmentSpec.of(
        WorkQueue.spec("jobs", 8, 8, DeliveryPolicy.redeliver().atMost(1).deadLetters("letters")),
        WorkQueue.spec("letters", 8, 100)));
    jobs = segment.directory().find("jobs", Kind.WORK_QUEUE);
    letters = Consumer.open(segment.directory().find("letters", Kind.WORK_QUEUE));
    role = Consumer.open(jobs);
    try (Producer producer = Producer.open(jobs)) {
      for (int type = 0; type < 2; type++) {
        assertTrue(producer.offer(new byte[1], 0, 1, type, 0));
      }
    }
  }

  @AfterEach
  void close() {
    role.close();
    letters.close();
    segment.close();
  }

  /** The feeding has ended as soon as {@code seen} is as long as that. */
  private FeedingRole.Calls endedAfter(int calls) {
    return new FeedingRole.Calls() {
      @Override
      public boolean begin(long nextSequence) {
        return seen.size() < calls;
      }

      @Override
      public void end(Throwable thrown) {
        assertNull(thrown);
      }

      @Override
      public void lost(long messageCount) {
        throw new AssertionError("a work queue loses nothing");
      }

      @Override
      public void passedBy(RuntimeException damage) {
        throw damage;
      }
    };
  }

  private void assertOthersGet(int... types) {
    try (Consumer other = Consumer.open(jobs)) {
      for (int type : types) {
        Delivery left = other.take(60_000_000_000L);
        assertEquals(type + " 1", left.type() + " " + left.deliveries());
        left.ack();
      }
      assertNull(other.take());
    }
    assertNull(letters.take(), "a message was buried that nobody had seen");
  }

  @Test
  void aMessageThatWasTakenAndNotShownIsDeliveredToAnotherConsumer() {
    new WorkQueueFeeding(role, consumer).poll(endedAfter(1), 2);
    role.close();
    assertEquals(List.of("seen 0"), seen);
    assertOthersGet(1);
  }

  @Test
  void aMessageThatWasTakenWhenItsRoleIsRevokedIsDeliveredToAnotherConsumer() {
    WorkQueueFeeding feeding = new WorkQueueFeeding(role, consumer);
    FeedingRole.Calls calls = endedAfter(1);
    feeding.poll(new FeedingRole.Calls() {
      @Override
      public boolean begin(long nextSequence) { // the last moment before the call
        feeding.revoke();
        return true;
      }

      @Override
      public void end(Throwable thrown) {
        calls.end(thrown);
      }

      @Override
      public void lost(long messageCount) {
        calls.lost(messageCount);
      }

      @Override
      public void passedBy(RuntimeException damage) {
        calls.passedBy(damage);
      }
    }, 2);
    assertEquals(List.of(), seen);
    assertTrue(role.isGivenBack());
    assertOthersGet(0, 1);
  }
}
