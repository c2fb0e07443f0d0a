package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.PATIENCE_NANOS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Removal;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.wait.WaitHub;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A queue is removed while an observer reads it. The observer holds nothing, so the queue's bytes are zeroed at once,
 * and the next queue of that size takes them.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ObserverRemovalTest {
  private static final int RING_BYTES = 1 << 15;
  private static final byte OLD = 1;
  private static final byte NEW = 2;

  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue writing;
  private TestQueue observing;
  private Publisher publisher;
  private final MessageHandler onlyOld = new MessageHandler() {
    @Override
    public void onMessage(Message message) {
      assertEquals(OLD, message.getByte(0), "a message of another queue");
    }

    @Override
    public void onLost(long messageCount) {
      fail(messageCount + " messages of this queue were not lost");
    }
  };

  @BeforeEach
  void open() {
    writing = TestQueue.create(bus.path("seen"), RING_BYTES);
    observing = TestQueue.observe(bus.path("seen"));
    publisher = writing.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    observing.close();
    writing.close();
  }

  private void publish(byte content, int count) {
    byte[] message = new byte[48];
    Arrays.fill(message, content);
    for (int i = 0; i < count; i++) {
      assertTrue(publisher.offer(message));
    }
  }

  private Subscriber observer(SubscriberOptions options) {
    return observing.subscriber(options);
  }

  private void remove() {
    publisher.close();
    assertEquals(Removal.Outcome.REMOVED, writing.segment.directory().remove("queue").outcome());
  }

  /** Removes the queue, and adds another one in its bytes, with so many messages of the same size. */
  private void replace(int count) {
    remove();
    publisher = Publisher.open(writing.segment.directory().findOrAdd(Broadcast.spec("queue", RING_BYTES)));
    publish(NEW, count);
  }

  private void assertRemoved(Subscriber observer) {
    for (int i = 0; i < 2; i++) {
      assertThrows(EntryRemovedException.class, () -> observer.poll(onlyOld, 100));
      assertThrows(EntryRemovedException.class, () -> observer.poll(onlyOld, 100, PATIENCE_NANOS));
    }
    assertTrue(observer.isReady(), "so that a waiting thread finds out");
  }

  @Test
  void whoHasReadLearnsOfTheRemoval() {
    try (Subscriber observer = observer(SubscriberOptions.skip())) {
      publish(OLD, 10);
      assertEquals(10, observer.poll(onlyOld, 100));
      remove();
      assertRemoved(observer);
    }
  }

  @Test
  void whoHasReadNothingLearnsOfTheRemoval() {
    try (Subscriber observer = observer(SubscriberOptions.skip())) {
      remove();
      assertRemoved(observer);
    }
  }

  @Test
  void nothingOfTheNextQueueIsTakenForThisOnes() {
    for (int next : List.of(0, 10, 20, 2000)) {
      try (Subscriber observer = observer(SubscriberOptions.skip())) {
        publish(OLD, 10);
        assertEquals(10, observer.poll(onlyOld, 100));
        replace(next);
        assertRemoved(observer);
      }
      replaceObserved();
    }
  }

  private void replaceObserved() {
    observing.close();
    observing = TestQueue.observe(bus.path("seen"));
  }

  @Test
  void aPollEndsWhenTheQueueIsRemovedMeanwhile() {
    for (int next : List.of(0, 400, 2000)) {
      publish(OLD, 400);
      try (Subscriber observer = observer(SubscriberOptions.skip().startingAtOldest())) {
        int[] received = {0};
        assertThrows(EntryRemovedException.class, () -> observer.poll(new MessageHandler() {
          @Override
          public void onMessage(Message message) {
            onlyOld.onMessage(message);
            if (received[0]++ == 0) {
              replace(next);
            }
          }

          @Override
          public void onLost(long messageCount) {
            onlyOld.onLost(messageCount);
          }
        }, 400));
        assertTrue(received[0] < 400, "all messages were copied at once, so the test proves nothing");
        assertRemoved(observer);
      }
      replace(0);
      replaceObserved();
    }
  }

  @Test
  void nobodyJoinsAQueueThatWasRemoved() {
    publish(OLD, 10);
    replace(20);
    for (SubscriberOptions options : List.of(SubscriberOptions.skip(), SubscriberOptions.skip().startingAtOldest(),
        SubscriberOptions.skip().startingAtLast(5), SubscriberOptions.skip().startingAt(25))) {
      assertThrows(EntryRemovedException.class, () -> observer(options));
    }
    remove();
    assertThrows(EntryRemovedException.class, () -> observer(SubscriberOptions.skip()));
  }

  @Test
  void whoWaitsLearnsOfTheRemoval() throws Exception {
    for (int count : List.of(0, 10)) {
      try (Threads threads = new Threads(); Subscriber observer = observer(SubscriberOptions.skip());
          Subscriber inTheHub = observer(SubscriberOptions.skip());
          Subscriber untilThePublisherGoes = observer(SubscriberOptions.skip())) {
        publish(OLD, count);
        assertEquals(count, observer.poll(onlyOld, 100));
        assertEquals(count, inTheHub.poll(onlyOld, 100));
        CompletableFuture<Void> ready = WaitHub.shared().whenReady(inTheHub);
        CompletableFuture<Void> gone = WaitHub.shared().whenReady(untilThePublisherGoes.publisherGone());
        assertFalse(ready.isDone() || gone.isDone());
        threads.start("observer", () -> assertThrows(EntryRemovedException.class, () ->
            observer.poll(onlyOld, 100, PATIENCE_NANOS)));
        replace(count);
        threads.join();
        ready.get(60, TimeUnit.SECONDS);
        gone.get(60, TimeUnit.SECONDS);
        assertRemoved(inTheHub);
      }
      replaceObserved();
    }
  }
}
