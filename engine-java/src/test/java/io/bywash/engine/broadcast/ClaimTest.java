package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.lang.foreign.MemorySegment;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;

@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ClaimTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;
  private Subscriber subscriber;
  private Receiver receiver;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("claim"), 4096);
    publisher = queue.publisher();
    subscriber = queue.subscriber(SubscriberOptions.block());
    receiver = new Receiver(subscriber);
  }

  @AfterEach
  void close() {
    publisher.close();
    subscriber.close();
    queue.close();
  }

  @Test
  void nothingIsSeenBeforeTheCommit() {
    Claim claim = publisher.tryClaim(20);
    Payload.fill(claim, 0);
    assertEquals(0, drain(subscriber, receiver));
    assertFalse(subscriber.isReady());
    claim.commit();
    assertEquals(1, drain(subscriber, receiver));
  }

  @Test
  void anAbortedClaimUsesNoSequenceAndNoRoom() {
    Random random = Payload.random("anAbortedClaim");
    for (int i = 0; i < 5000; i++) {
      Claim claim = publisher.tryClaim(1 + random.nextInt(512));
      claim.putByte(0, (byte) -1);
      claim.abort();
      if (i % 3 == 0) {
        assertTrue(offer(publisher, 1 + random.nextInt(512)));
        assertEquals(1, drain(subscriber, receiver));
      }
    }
    assertEquals(1667, publisher.nextSequence());
    receiver.assertSawAll(0, 1667);
  }

  @Test
  void aSecondClaimIsRefusedWhileOneIsPendingAndTheFirstStaysValid() {
    Claim claim = publisher.tryClaim(16);
    assertThrows(IllegalStateException.class, () -> publisher.tryClaim(16));
    assertThrows(IllegalStateException.class, () -> publisher.claim(16, 0, 1));
    assertThrows(IllegalStateException.class, () -> publisher.offer(new byte[16]));
    Payload.fill(claim, 0).commit();
    assertEquals(1, drain(subscriber, receiver));
  }

  @Test
  void aCommitAfterCommitOrAbortIsRefusedAndPublishesNothing() {
    Claim claim = publisher.tryClaim(16);
    Payload.fill(claim, 0).commit();
    assertThrows(IllegalStateException.class, claim::commit);
    claim.abort();
    claim.close();
    assertEquals(1, publisher.nextSequence());
    publisher.tryClaim(16).abort();
    assertThrows(IllegalStateException.class, claim::commit);
    claim.abort();
    assertEquals(1, publisher.nextSequence());
    assertEquals(1, drain(subscriber, receiver));
  }

  @Test
  void aTryBlockAbortsWhatWasNotCommitted() {
    try (Claim claim = publisher.tryClaim(16)) {
      claim.putLong(0, 1);
    }
    assertThrows(ArithmeticException.class, () -> {
      try (Claim claim = publisher.tryClaim(16)) {
        claim.putLong(0, 1 / (int) publisher.nextSequence());
        claim.commit();
      }
    });
    assertEquals(0, publisher.nextSequence());
    try (Claim claim = publisher.tryClaim(16)) {
      Payload.fill(claim, 0).commit();
    }
    assertEquals(1, publisher.nextSequence());
    assertEquals(1, drain(subscriber, receiver));
  }

  @Test
  void everyAccessOutsideOfTheClaimIsRefusedAndWritesNothing() {
    offer(publisher, 48);
    Claim claim = publisher.tryClaim(20);
    assertEquals(20, claim.length());
    Payload.fill(claim, 1);
    for (int bad : new int[] {-1, 20, 21, 4096, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      assertRefusesAccess(claim, bad);
    }
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putShort(19, (short) -1));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putInt(17, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putLong(13, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putDouble(13, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putBytes(16, new byte[5], 0, 5));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putBytes(0, new byte[5], 1, 5));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putBytes(0, new byte[5], -1, 5));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putBytes(0, new byte[5], 0, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putBytes(0, MemorySegment.ofArray(new byte[5]), 1, 5));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putBytes(0, MemorySegment.ofArray(new byte[5]), 0, -1));
    assertThrows(IndexOutOfBoundsException.class, () -> claim.putBytes(0, MemorySegment.ofArray(new byte[5]), -1, 2));
    claim.commit();
    assertEquals(2, drain(subscriber, receiver));
  }

  private static void assertRefusesAccess(Claim claim, int index) {
    Executable[] accesses = {
      () -> claim.putByte(index, (byte) -1), () -> claim.putShort(index, (short) -1), () -> claim.putInt(index, -1),
      () -> claim.putLong(index, -1), () -> claim.putDouble(index, -1), () -> claim.putBytes(index, new byte[1], 0, 1),
      () -> claim.putBytes(index, MemorySegment.ofArray(new byte[1]), 0, 1)};
    for (Executable access : accesses) {
      assertThrows(IndexOutOfBoundsException.class, access);
    }
  }

  @Test
  void everyAccessAfterCommitOrAbortIsRefusedAndWritesNothing() {
    Claim claim = publisher.tryClaim(16);
    Payload.fill(claim, 0).commit();
    assertRefusesAccess(claim, 0);
    assertEquals(1, drain(subscriber, receiver));
    publisher.tryClaim(16).abort();
    assertRefusesAccess(claim, 0);
    publisher.tryClaim(16);
    publisher.close();
    assertRefusesAccess(claim, 0);
  }

  @Test
  void aLengthThatNoMessageCanHaveIsRefusedByName() {
    for (int length : new int[] {0, -1, 513, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      var failure = assertThrows(IllegalArgumentException.class, () -> publisher.tryClaim(length));
      assertTrue(failure.getMessage().contains("length=" + length) && failure.getMessage().contains("512"),
          failure.getMessage());
    }
    assertTrue(offer(publisher, 512));
    assertEquals(1, drain(subscriber, receiver));
  }

  @Test
  void theBytesOfAnArrayAndOfASegmentAreCopiedToTheirPlace() {
    Claim claim = publisher.tryClaim(8);
    claim.putBytes(0, new byte[8], 0, 8).putBytes(1, new byte[] {7, 8, 9}, 1, 2)
        .putBytes(5, MemorySegment.ofArray(new byte[] {4, 5, 6}), 1, 2).commit();
    assertEquals(1, subscriber.poll(message ->
        assertArrayEquals(new byte[] {0, 8, 9, 0, 0, 5, 6, 0}, message.toBytes()), 1));
  }
}
