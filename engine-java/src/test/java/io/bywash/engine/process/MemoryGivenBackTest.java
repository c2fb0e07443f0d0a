package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentExistsException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The memory of a closed segment is given back when its last user is out of it, and not when the collector runs. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@SuppressWarnings("try") // roles that are there to hold something
class MemoryGivenBackTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("queue", 4096));

  @RegisterExtension final TempBus bus = new TempBus();

  /** Whether a file of the bus directory is mapped into this process, removed or not. */
  private boolean isMapped() {
    try {
      return Files.readAllLines(Path.of("/proc/self/maps")).stream()
          .anyMatch(line -> line.contains(bus.directory() + "/"));
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private Segment open() {
    return Segment.open(bus.path("memory"), SPEC);
  }

  private static Entry queue(Segment segment) {
    return segment.directory().find("queue", Kind.BROADCAST);
  }

  @Test
  void theCloseOfASegmentUnmapsItAtOnceWithAllRolesThatWereForgotten() {
    Segment segment = open();
    Publisher publisher = Publisher.open(queue(segment));
    Subscriber block = Subscriber.open(queue(segment));
    Subscriber skip = Subscriber.open(queue(segment), SubscriberOptions.skip());
    assertTrue(publisher.offer(new byte[8]));
    assertEquals(1, block.poll(message -> {}, 10));
    assertTrue(isMapped());
    segment.close();
    assertFalse(isMapped());
    assertEquals(List.of(), bus.files());
    assertThrows(SegmentClosedException.class, () -> publisher.offer(new byte[8]));
    assertThrows(SegmentClosedException.class, () -> skip.poll(message -> {}, 10));
    assertTrue(publisher.isReady() && block.isReady() && skip.isReady());
  }

  @Test
  void aReadOnlyAttachmentKeepsARemovedSegmentOnlyUntilItIsClosed() {
    Segment segment = open();
    Segment observed = Segment.observe(bus.path("memory"));
    Subscriber reader = Subscriber.open(queue(observed), SubscriberOptions.skip());
    segment.close();
    assertTrue(isMapped());
    assertEquals(0, reader.poll(message -> {}, 10));
    observed.close();
    assertFalse(isMapped());
    assertThrows(SegmentClosedException.class, () -> reader.poll(message -> {}, 10));
    assertThrows(SegmentClosedException.class, observed::participants);
  }

  @Test
  void whoIsRefusedKeepsNothing() {
    try (Segment segment = open()) {
      long mapped = count();
      assertThrows(SpecMismatchException.class, () -> Segment.open(bus.path("memory"), SegmentSpec.of(
          Broadcast.spec("queue", 8192))));
      assertThrows(SegmentExistsException.class, () -> Segment.create(bus.path("memory"), SPEC));
      assertEquals(mapped, count());
    }
    assertFalse(isMapped());
  }

  private long count() {
    try {
      return Files.readAllLines(Path.of("/proc/self/maps")).stream()
          .filter(line -> line.contains(bus.directory() + "/")).count();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"commit", "stage", "abort", "close"})
  void aClaimThatIsOpenKeepsTheMemoryUntilItEndsAndCannotBeCommitted(String end) {
    try (Segment other = open(); Subscriber subscriber = Subscriber.open(queue(other))) {
      Segment segment = open();
      Publisher publisher = Publisher.open(queue(segment));
      Claim claim = publisher.tryClaim(8);
      long before = count();
      segment.close();
      assertEquals(before, count(), "the claim's user may be writing");
      claim.putLong(0, 7);
      switch (end) {
        case "commit" -> assertThrows(SegmentClosedException.class, claim::commit);
        case "stage" -> assertThrows(SegmentClosedException.class, claim::stage);
        case "abort" -> claim.abort();
        default -> publisher.close();
      }
      assertTrue(count() < before, "the memory was given back");
      assertEquals(1, other.participants().size(), "and so were slot and role");
      assertThrows(SegmentClosedException.class, () -> publisher.tryClaim(8));
      assertThrows(IndexOutOfBoundsException.class, () -> claim.putLong(0, 8));
      assertEquals(0, subscriber.poll(message -> {}, 10));
      try (Publisher next = Publisher.open(queue(other))) {
        assertTrue(next.offer(new byte[1]));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aHandlerThatIsBeingCalledKeepsTheMemoryUntilItReturns(boolean inPlace) throws InterruptedException {
    SubscriberOptions options = inPlace ? SubscriberOptions.block() : SubscriberOptions.skip();
    try (Threads threads = new Threads()) {
      Segment segment = open();
      Subscriber subscriber = Subscriber.open(queue(segment), options);
      try (Publisher publisher = Publisher.open(queue(segment))) {
        publisher.tryClaim(8).putLong(0, 77).commit();
        publisher.tryClaim(8).putLong(0, 78).commit();
      }
      CountDownLatch handling = new CountDownLatch(1);
      CountDownLatch closed = new CountDownLatch(1);
      threads.start("reader", () -> {
        int count = subscriber.poll(message -> {
          handling.countDown();
          await(closed);
          assertEquals(77, message.getLong(0), "what is read stays what it was");
        }, 10);
        assertEquals(1, count, "messages after the close are not handed over");
        assertFalse(isMapped(), "the poll gave the memory back at its end");
        assertThrows(SegmentClosedException.class, () -> subscriber.poll(message -> {}, 10));
      });
      await(handling);
      segment.close();
      assertTrue(isMapped(), "the handler may be reading");
      closed.countDown();
      threads.join();
    }
    assertEquals(List.of(), bus.files());
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(100, TimeUnit.SECONDS));
    } catch (InterruptedException impossible) {
      throw new AssertionError(impossible);
    }
  }

  @Test
  void whoClosesItsSegmentInItsOwnHandlerGetsTheMemoryBackWhenThePollEnds() {
    Segment segment = open();
    try (Publisher publisher = Publisher.open(queue(segment))) {
      assertTrue(publisher.offer(new byte[8]));
    }
    Subscriber forgotten = Subscriber.open(queue(segment), SubscriberOptions.skip().startingAtOldest());
    assertEquals(1, forgotten.poll(message -> segment.close(), 10));
    assertFalse(isMapped());
    assertEquals(List.of(), bus.files());
  }

  /** Nothing but the close gives the space back: a heap that does not grow has no reason to be collected. */
  @Test
  void aLoopOfOpeningAndClosingKeepsNoMemory() {
    long bytes = 16 << 20;
    for (int i = 0; i < 40; i++) {
      try (Segment segment = Segment.create(bus.path("loop"), SegmentSpec.of(Broadcast.spec("queue", bytes)));
          Publisher publisher = Publisher.open(queue(segment))) {
        assertTrue(publisher.offer(new byte[1000]));
      }
      assertFalse(isMapped(), "round " + i);
    }
  }
}
