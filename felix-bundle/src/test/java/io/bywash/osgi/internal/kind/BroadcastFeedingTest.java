package io.bywash.osgi.internal.kind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.QueueListener;
import io.bywash.osgi.internal.queue.FeedingRole;
import io.bywash.osgi.internal.queue.ListenerProperties;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A feeding that goes on where its listener was, in a queue that has overwritten what came next. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BroadcastFeedingTest {
  private static final long BEFORE = 3;

  @TempDir Path bus;

  private final List<Long> received = new ArrayList<>();
  private long told;
  /** Where the listener goes on, as the feeding keeps it. */
  private long place;

  private final QueueListener listener = new QueueListener() {
    @Override
    public void onMessage(Message message) {
      received.add(message.sequence());
    }
  };

  private final FeedingRole.Calls calls = new FeedingRole.Calls() {
    @Override
    public boolean begin(long nextSequence) {
      place = nextSequence;
      return true;
    }

    @Override
    public void end(Throwable thrown) {}

    @Override
    public void lost(long messageCount) {
      place += messageCount;
      told += messageCount;
    }

    @Override
    public void passedBy(RuntimeException damage) {
      throw damage;
    }
  };

  @ParameterizedTest
  @ValueSource(strings = {BywashConstants.POLICY_SKIP, BywashConstants.POLICY_EVICT, BywashConstants.POLICY_BLOCK,
      BywashConstants.POLICY_FAIL})
  void aListenerThatReturnsBehindAGapBeginsWhereItWasAndIsToldOfTheGapOnce(String policy) {
    try (Segment segment = Segment.create(bus.resolve("gap"), SegmentSpec.of(Broadcast.spec("ticks", 4096)))) {
      Entry ticks = segment.directory().find("ticks", Kind.BROADCAST);
      try (Publisher publisher = Publisher.open(ticks)) {
        while (publisher.nextSequence() < 2000) {
          publisher.tryClaim(8).putLong(0, publisher.nextSequence()).commit();
        }
      }
      FeedingRole role = new BroadcastKind().join(ticks, new ListenerProperties("gap", "ticks", null, "",
          Map.of(BywashConstants.POLICY, policy)), true, OptionalLong.of(BEFORE), listener);
      place = role.nextSequence();
      assertEquals(BEFORE, place);
      if (role.missedCount() > 0) { // as a feeding does before its first poll
        calls.lost(role.missedCount());
      }
      role.poll(calls, 1);
      assertTrue(told > 0);
      assertEquals(List.of(BEFORE + told), received);
      assertEquals(BEFORE + told + 1, place);
      role.revocable().retire();
    }
  }
}
