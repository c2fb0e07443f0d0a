package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.drain;
import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The end of the ring: records before it, at it, and padding up to it. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WrapTest {
  private static final int RING = 4096;

  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;
  private Subscriber block;
  private Subscriber skip;
  private Receiver blockReceiver;
  private Receiver skipReceiver;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("wrap"), RING);
    publisher = queue.publisher();
    block = queue.subscriber(SubscriberOptions.block());
    skip = queue.subscriber(SubscriberOptions.skip());
    blockReceiver = new Receiver(block);
    skipReceiver = new Receiver(skip);
  }

  @AfterEach
  void close() {
    publisher.close();
    block.close();
    skip.close();
    queue.close();
  }

  private long published() {
    return BroadcastStatus.of(queue.entry).publishedBytes();
  }

  private void offerAndRead(int length) {
    assertTrue(offer(publisher, length));
    assertEquals(1, drain(block, blockReceiver));
    assertEquals(1, drain(skip, skipReceiver));
  }

  /** Publishes until the next record would begin at that offset of the ring, which is not 16: no record is so short. */
  private void fillUpTo(int offset) {
    if (published() % RING > offset) {
      fillToEnd();
    }
    fillBy(offset - (int) (published() % RING));
  }

  private void fillToEnd() {
    if (RING - published() % RING == 16) {
      offerAndRead(16); // padding of 16 bytes, and a record of 32
    }
    fillBy(RING - (int) (published() % RING));
  }

  private void fillBy(int bytes) {
    assertTrue(bytes == 0 || bytes >= 32, () -> "cannot fill " + bytes);
    for (int left = bytes; left > 0; ) {
      int record = left == 48 || left > 544 && left % 32 == 16 ? 48 : Math.min(left / 32 * 32, 512);
      record = left - record == 16 ? record - 32 : record;
      offerAndRead(record - 16);
      left -= record;
    }
  }

  @Test
  void theLargestMessageArrivesFromEveryOffsetOfTheRing() {
    int largest = publisher.maxMessageBytes();
    assertEquals(512, largest);
    for (int offset = 0; offset < RING; offset += 16) {
      if (offset != 16) {
        fillUpTo(offset);
        assertEquals(offset, published() % RING);
        long before = published();
        offerAndRead(largest);
        long padding = offset + 528 <= RING ? 0 : RING - offset;
        assertEquals(before + padding + 528, published(), "at offset " + offset);
      }
    }
    assertEquals(0, skipReceiver.lost);
  }

  @Test
  void everyLengthArrivesAcrossTheEndOfTheRing() {
    for (int length = 1; length <= 512; length++) {
      fillUpTo(RING - 16 * (2 + length % 34));
      offerAndRead(length);
      offerAndRead(513 - length);
    }
  }

  @Test
  void aMessageThatEndsExactlyAtTheEndOfTheRingNeedsNoPadding() {
    for (int length : new int[] {512, 16, 1, 100, 497, 496}) {
      int record = (int) BroadcastLayout.recordBytes(length);
      fillUpTo(RING - record);
      long before = published();
      offerAndRead(length);
      assertEquals(before + record, published());
      assertEquals(0, published() % RING);
      offerAndRead(length);
      assertEquals(before + 2 * record, published());
    }
  }

  @Test
  void aMessageThatDoesNotFitBeforeTheEndBeginsAtTheFirstByteOfTheRing() {
    for (int left : new int[] {16, 32, 48, 512}) {
      fillUpTo(RING - left);
      offerAndRead(left); // 16 bytes too long, with its header
      assertEquals(BroadcastLayout.recordBytes(left), published() % RING);
    }
  }

  @Test
  void anAbortedClaimLeavesNoPaddingBehind() {
    fillUpTo(RING - 64);
    long before = published();
    publisher.tryClaim(512).abort();
    assertEquals(before, published());
    offerAndRead(48);
    assertEquals(before + 64, published(), "the shorter message fits before the end");
  }

  @Test
  void aMessageThatNeedsPaddingButFindsNoRoomLeavesNothingBehind() {
    fillUpTo(RING - 64);
    int unread = 0;
    assertTrue(offer(publisher, 48));
    unread++;
    while (published() % RING != RING - 64) {
      assertTrue(offer(publisher, 48));
      unread++;
    }
    long before = published();
    assertFalse(offer(publisher, 512), "the unread messages and the padding fill the ring");
    assertEquals(before, published());
    assertEquals(unread, drain(block, blockReceiver));
    assertTrue(offer(publisher, 512));
    assertEquals(before + 64 + 528, published());
    assertEquals(1, drain(block, blockReceiver));
    drain(skip, skipReceiver);
    skipReceiver.assertSawAll(0, publisher.nextSequence());
  }

  @Test
  void aRingOfUnreadMessagesIsFullWhenEveryByteIsTaken() {
    for (int start : new int[] {0, 2048, 4032}) {
      fillUpTo(start);
      for (int i = 0; i < RING / 64; i++) {
        assertTrue(offer(publisher, 48), "message " + i + " of " + RING / 64 + " from " + start);
      }
      assertFalse(offer(publisher, 48));
      assertFalse(offer(publisher, 1));
      assertEquals(1, block.poll(blockReceiver, 1));
      assertTrue(offer(publisher, 48), "there is room for one as soon as one was read");
      assertFalse(offer(publisher, 48), "and for one only");
      assertNotNull(block);
      drain(block, blockReceiver);
      drain(skip, skipReceiver);
      blockReceiver.assertSawAll(0, publisher.nextSequence());
      skipReceiver.assertSawAll(0, publisher.nextSequence());
    }
  }
}
