package io.bywash.engine.internal.role;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Roles that their users forgot to close. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class UnreachableRoleTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private Segment open() {
    return Segment.open(bus.path("forgotten"), SegmentSpec.of(Broadcast.spec("queue", 4096, 3)));
  }

  private static Entry queue(Segment segment) {
    return segment.directory().find("queue", Kind.BROADCAST);
  }

  private static void forgetPublisher(Entry queue) {
    assertTrue(Publisher.open(queue).offer(new byte[48]));
    assertThrows(RoleTakenException.class, () -> Publisher.open(queue));
  }

  private static void forgetSubscribers(Entry queue) {
    for (int i = 0; i < 3; i++) {
      assertEquals(0, Subscriber.open(queue).nextSequence());
    }
  }

  private static boolean canPublish(Entry queue) {
    System.gc();
    try (Publisher publisher = Publisher.open(queue)) {
      return publisher.nextSequence() == 1;
    } catch (RoleTakenException notYet) {
      return false;
    }
  }

  @Test
  void aForgottenPublisherLosesItsRoleToTheNext() {
    try (Segment segment = open()) {
      Entry queue = queue(segment);
      forgetPublisher(queue);
      Threads.await(() -> canPublish(queue), "the role to be given back");
    }
    awaitRemoval();
  }

  /** Whoever gives back a role keeps the segment until that is done. */
  private void awaitRemoval() {
    Threads.await(() -> bus.files().isEmpty(), "the removal of the segment");
  }

  @Test
  void forgottenSubscribersHoldNobodyBack() {
    try (Segment segment = open(); Publisher publisher = Publisher.open(queue(segment))) {
      forgetSubscribers(queue(segment));
      assertEquals(3, publisher.subscriberCount());
      while (publisher.offer(new byte[48])) {
        // until the ring is full
      }
      Threads.await(() -> {
        System.gc();
        return publisher.offer(new byte[48]);
      }, "room");
      Threads.await(() -> publisher.subscriberCount() == 0, "all places to be free");
    }
    awaitRemoval();
  }

  @Test
  void aClosedSegmentWhoseLastRoleWasForgottenIsRemovedAtLast() {
    Segment segment = open();
    forgetPublisher(queue(segment));
    segment.close();
    Threads.await(() -> {
      System.gc();
      return bus.files().isEmpty();
    }, "the removal of the segment");
  }

  @Test
  void aRoleThatIsInUseIsNotTakenForForgotten() {
    try (Segment segment = open(); Publisher publisher = Publisher.open(queue(segment))) {
      Entry queue = queue(segment);
      Subscriber subscriber = Subscriber.open(queue);
      for (int i = 0; i < 5; i++) {
        System.gc();
        assertThrows(RoleTakenException.class, () -> Publisher.open(queue));
        assertTrue(publisher.offer(new byte[1]));
        assertEquals(1, subscriber.poll(message -> {}, 1));
      }
      subscriber.close();
      assertFalse(publisher.isReady() && publisher.subscriberCount() > 0);
      assertEquals(List.of("forgotten"), bus.files());
    }
  }
}
