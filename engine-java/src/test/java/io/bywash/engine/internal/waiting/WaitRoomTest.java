package io.bywash.engine.internal.waiting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.NativeAccess;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The default policy's step between spinning and sleeping. Whether somebody was about to sleep shows in the summary
 * word.
 */
@Timeout(120)
class WaitRoomTest {
  private static final int TRIES = 1_000;
  private static final int ROLE = 1;
  private static final long PATIENCE_NANOS = 100_000_000_000L;

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment segment;
  private Attachment core;
  private SegmentEntry entry;
  /** Nobody but a waker clears it. */
  private long summary;

  /** Waiting is over at the third look that is not one of the spinning; the look before that takes a while. */
  private final class LateMessage extends WaitPoint {
    private final long delayNanos;
    private int looks = WaitRoom.SPINS + 3;

    LateMessage(long delayNanos) {
      this.delayNanos = delayNanos;
    }

    @Override
    public Waiters waiters() {
      return entry.waitingForData();
    }

    @Override
    public int role() {
      return ROLE;
    }

    @Override
    public long changeStamp() {
      return 0;
    }

    @Override
    public boolean isWaitOver() {
      looks--;
      long start = System.nanoTime();
      while (looks == 1 && System.nanoTime() - start < delayNanos) {
        Thread.onSpinWait();
      }
      return looks <= 0;
    }
  }

  @BeforeEach
  void create() {
    segment = Segment.create(bus.path("wait"), SegmentSpec.of(Broadcast.spec("queue", 4096)));
    entry = (SegmentEntry) segment.directory().find("queue").orElseThrow();
    core = entry.core();
    summary = entry.offset() + SegmentLayout.SUMMARY_FOR_DATA;
  }

  @AfterEach
  void close() {
    segment.close();
  }

  private boolean await(boolean lively) {
    return await(lively, 0);
  }

  private boolean await(boolean lively, long delayNanos) {
    return new WaitRoom(core).await(new LateMessage(delayNanos), WaitStrategy.BACKOFF, PATIENCE_NANOS, lively);
  }

  @Test
  void whoDidNotHaveToSleepTheLastTimeYieldsForAWhileBeforeItAnnouncesItself() {
    boolean yielded = false;
    for (int i = 0; i < TRIES && !yielded; i++) { // a try that the machine interrupts for too long ends in sleep
      core.region().setLongOpaque(summary, 0);
      yielded = await(true) && core.region().getLongOpaque(summary) == 0;
    }
    assertTrue(yielded);
  }

  @Test
  void whoHadToWaitLongWhileItLetOthersRunSleepsTheNextTime() {
    // one late look more than the time to yield, and the wait is over at the look after that
    assertFalse(await(true, WaitRoom.LONG_YIELD_NANOS));
  }

  @Test
  void whoSleptTheLastTimeGoesToSleepAtOnce() {
    assumeTrue(NativeAccess.ENABLED, "nobody announces itself without native access");
    assertFalse(await(false));
    assertEquals(1, core.region().getLongOpaque(summary));
    assertEquals(0, entry.waitingForData().word(0), "it went on, and waits no more");
  }
}
