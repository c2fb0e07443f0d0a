package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Message;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a handler may do, and what its misbehaviour may not do. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HandlerTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("handler"), 4096, 1);
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    queue.close();
  }

  private Subscriber subscriber(boolean gating) {
    return queue.subscriber(gating ? SubscriberOptions.block() : SubscriberOptions.skip());
  }

  private void publish(int count) {
    for (int i = 0; i < count; i++) {
      assertTrue(offer(publisher, 48));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aMessageWhoseHandlerThrewCountsAsReceived(boolean gating) {
    try (Subscriber subscriber = subscriber(gating)) {
      Receiver receiver = new Receiver(subscriber);
      for (int round = 0; round < 500; round++) {
        publish(5);
        int thrower = round % 5;
        Exception thrown = assertThrows(IllegalStateException.class, () -> subscriber.poll(message -> {
          receiver.onMessage(message);
          if (message.sequence() % 5 == thrower) {
            throw new IllegalStateException("on purpose at " + message.sequence());
          }
        }, 10));
        assertEquals("on purpose at " + (round * 5L + thrower), thrown.getMessage());
        assertEquals(round * 5L + thrower + 1, subscriber.nextSequence());
        assertEquals(4 - thrower, drain(subscriber, receiver));
      }
      receiver.assertSawAll(0, 2500);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aMessageIsInvalidAfterTheCallOfItsHandler(boolean gating) {
    try (Subscriber subscriber = subscriber(gating)) {
      Message[] kept = new Message[1];
      publish(2);
      subscriber.poll(message -> kept[0] = message, 1);
      assertInvalid(kept[0]);
      assertThrows(IllegalStateException.class, () -> subscriber.poll(message -> {
        throw new IllegalStateException("on purpose");
      }, 1));
      assertInvalid(kept[0]);
    }
  }

  private static void assertInvalid(Message message) {
    assertThrows(IndexOutOfBoundsException.class, () -> message.getByte(0));
    assertThrows(IndexOutOfBoundsException.class, () -> message.getLong(0));
    assertThrows(IndexOutOfBoundsException.class, () -> message.getBytes(0, new byte[1], 0, 1));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSubscriberThatIsClosedByItsOwnHandlerReadsNoFurtherAndTouchesItsPlaceNoMore(boolean gating) {
    Subscriber[] next = new Subscriber[1];
    Receiver[] nextReceiver = new Receiver[1];
    Subscriber subscriber = subscriber(gating);
    publish(10);
    int[] calls = new int[1];
    try {
      subscriber.poll(message -> {
        calls[0]++;
        if (next[0] == null) {
          subscriber.close();
          publish(3); // the place is free: nobody holds the publisher back
          next[0] = queue.subscriber(SubscriberOptions.block()); // and is taken by the next one
          nextReceiver[0] = new Receiver(next[0]);
        }
      }, 10);
    } catch (SegmentClosedException fair) {
      // this would be a good answer as well
    }
    assertEquals(1, calls[0], "a closed subscriber went on reading");
    assertEquals(13, nextReceiver[0].next);
    for (int i = 0; i < 200; i++) { // the old one must not have moved the new one's position back or forth
      offer(publisher, 48);
    }
    drain(next[0], nextReceiver[0]);
    nextReceiver[0].assertSawAll(13, publisher.nextSequence());
    assertEquals(13 + 64, publisher.nextSequence(), "as many messages as the ring holds beyond the new one's position");
    assertThrows(SegmentClosedException.class, () -> subscriber.poll(message -> {}, 1));
    next[0].close();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aHandlerMayCloseTheSegment(boolean gating) {
    Subscriber subscriber = subscriber(gating);
    publish(10);
    try {
      subscriber.poll(message -> queue.close(), 10);
    } catch (SegmentClosedException fair) {
      // this would be a good answer as well
    }
    assertThrows(SegmentClosedException.class, () -> subscriber.poll(message -> {}, 1));
    subscriber.close();
  }
}
