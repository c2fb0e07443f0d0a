package io.bywash.engine.broadcast;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Claim;
import io.bywash.engine.EvictedException;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Random use of one queue, compared with a model: the list of positions at which messages begin, how many of them were
 * published, and for each subscriber the message that it is due. Subscribers with a limited time have the shortest: the
 * second try that finds no room cuts them off.
 */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BroadcastModelTest {
  private static final int ROUNDS = 150;
  private static final int STEPS = 400;
  private static final int RING = 4096;
  /**
   * Room is given up for a record and the padding before it, even if that is aborted then, and up to a record that
   * begins in another block, perhaps behind padding as well.
   */
  private static final int SLACK = 4 * 528 + RING / BroadcastLayout.BLOCK_COUNT;

  @RegisterExtension final TempBus bus = new TempBus();

  private Random random;
  private List<TestQueue> attachments;
  private TestQueue observing;
  private Ring ring;
  private Publisher publisher;
  private List<Member> members;
  /** The position of each message, and at last of the next one, before any padding. */
  private List<Long> positions;
  /** The messages that can be seen; those behind it are staged. */
  private int published;
  private long evicted;
  private long refused;
  private long cutOff;
  private long overtaken;
  private long autoPublished;

  private static final class Member {
    final Subscriber subscriber;
    final Receiver receiver;
    final SubscriberOptions options;
    long joinedAt;
    /** It was far behind when somebody was cut off. */
    boolean maybeEvicted;

    Member(Subscriber subscriber, SubscriberOptions options) {
      this.subscriber = subscriber;
      this.receiver = new Receiver(subscriber);
      this.options = options;
      this.joinedAt = subscriber.nextSequence();
    }

    boolean holdsBack() {
      return options.isGating() && !maybeEvicted;
    }
  }

  @Test
  void aQueueBehavesLikeItsModelUnderRandomUse() {
    long seed = System.nanoTime();
    for (int round = 0; round < ROUNDS; round++) {
      random = new Random(seed + round);
      try {
        playRound();
      } catch (Throwable failure) {
        throw new AssertionError("with seed " + (seed + round) + "L: " + failure.getMessage(), failure);
      }
    }
    System.out.println("seed of aQueueBehavesLikeItsModel: " + seed + "L; refused " + refused + " messages, cut off "
        + cutOff + ", overtook " + overtaken + ", published " + autoPublished + " batches for want of room");
    assertTrue(refused > ROUNDS, "the ring was hardly ever full");
    assertTrue(cutOff > ROUNDS / 10 && overtaken > ROUNDS / 10 && autoPublished > ROUNDS / 10,
        "hardly anybody was too slow");
  }

  private void playRound() {
    attachments = new ArrayList<>(List.of(TestQueue.create(bus.path("model"), RING)));
    attachments.add(TestQueue.attach(bus.path("model")));
    observing = TestQueue.observe(bus.path("model"));
    ring = Ring.of(observing.entry);
    members = new ArrayList<>();
    positions = new ArrayList<>(List.of(0L));
    published = 0;
    evicted = 0;
    publisher = any(attachments).publisher();
    int most = random.nextBoolean() ? 512 : 64;
    boolean batches = random.nextBoolean();
    for (int step = 0; step < STEPS; step++) {
      int length = 1 + random.nextInt(most);
      switch (random.nextInt(20)) {
        case 0 -> join();
        case 1 -> leave();
        case 2 -> reopenPublisher();
        case 3 -> abort(length);
        case 4 -> publishBatch(length);
        case 5, 6, 7, 8 -> poll();
        default -> send(length, batches && random.nextInt(40) > 0);
      }
      checkStatus();
    }
    publisher.publish();
    published = all();
    assertEquals(evicted, BroadcastStatus.of(observing.entry).evictedCount());
    assertEquals(published, BroadcastStatus.of(observing.entry).messageCount());
    while (!members.isEmpty()) {
      leave();
    }
    publisher.close();
    observing.close();
    attachments.forEach(TestQueue::close);
    assertEquals(List.of(), bus.files());
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private int all() {
    return positions.size() - 1;
  }

  private void checkStatus() {
    assertEquals(new Ring.Cursor(positions.get(published), published), ring.cursor(true));
    assertEquals(evicted, evictedCount());
    assertEquals(all(), publisher.nextSequence());
  }

  private long evictedCount() {
    return ring.region.getLongOpaque(ring.evictedOffset);
  }

  private long end(int length) {
    long begin = positions.getLast();
    long record = BroadcastLayout.recordBytes(length);
    long untilEnd = RING - begin % RING;
    return (record <= untilEnd ? begin : begin + untilEnd) + record;
  }

  private long distance(Member member, long end) {
    return end - positions.get((int) member.receiver.next);
  }

  /** A claim, after which the model knows who was cut off and what was published for want of room. */
  private Claim claim(int length) {
    long end = end(length);
    Claim claim = publisher.tryClaim(length);
    if (claim == null) {
      refused++;
      published = all();
      assertEquals(positions.getLast(), ring.published(), "a refused claim publishes what is staged");
      // those with the shortest time are cut off at the second try; only who blocks can refuse it
      claim = publisher.tryClaim(length);
      assertTrue(claim != null || members.stream().anyMatch(
          member -> member.options.mode == BroadcastLayout.MODE_BLOCK && distance(member, end) > RING - SLACK),
          "refused although there was room, or only such in the way as had to be cut off");
    } else {
      noteBatch(end);
    }
    noteEvictions(end);
    members.stream().filter(Member::holdsBack).forEach(member ->
        assertTrue(ring.oldest() <= positions.get((int) member.receiver.next),
            "what somebody who is waited for has not read was given up"));
    return claim;
  }

  private void noteBatch(long end) {
    if (published < all() && ring.published() != positions.get(published)) {
      assertTrue(end - positions.get(published) > RING - SLACK, "published a batch although there was room");
      autoPublished++;
      published = all();
    }
  }

  private void noteEvictions(long end) {
    long more = evictedCount() - evicted;
    if (more > 0) {
      List<Member> late = members.stream().filter(member -> member.options.mode == BroadcastLayout.MODE_EVICT
          && distance(member, end) > RING - SLACK).toList();
      assertTrue(late.size() >= more, () -> "cut off " + more + ", only " + late.size() + " were late");
      late.forEach(member -> member.maybeEvicted = true);
      evicted += more;
    }
  }

  private void send(int length, boolean staged) {
    long end = end(length);
    Claim claim = claim(length);
    if (claim == null) {
      return;
    }
    members.stream().filter(Member::holdsBack).forEach(member ->
        assertTrue(distance(member, end) <= RING, "the publisher overran somebody who is waited for"));
    Payload.fill(claim, publisher.nextSequence());
    positions.add(end);
    if (staged) {
      claim.stage();
    } else {
      claim.commit();
      published = all();
    }
  }

  private void abort(int length) {
    Claim claim = claim(length);
    if (claim != null) {
      Payload.fill(claim, 1L << 40).abort();
    }
  }

  /** Publishes, in half the cases while a claim is open that is aborted then. */
  private void publishBatch(int length) {
    Claim claim = random.nextBoolean() ? null : claim(length);
    publisher.publish();
    published = all();
    checkStatus();
    if (claim != null) {
      Payload.fill(claim, 1L << 40).abort();
    }
  }

  private void reopenPublisher() {
    if (random.nextBoolean()) {
      claim(1 + random.nextInt(512));
    }
    publisher.close();
    published = all();
    publisher = any(attachments).publisher();
  }

  private SubscriberOptions anyPolicy() {
    return switch (random.nextInt(5)) {
      case 0 -> SubscriberOptions.fail();
      case 1 -> SubscriberOptions.evictAfter(1);
      case 2 -> SubscriberOptions.skip();
      case 3 -> SubscriberOptions.skip().resumingAtNewest();
      default -> SubscriberOptions.block();
    };
  }

  private void join() {
    SubscriberOptions policy = anyPolicy();
    boolean asObserver = policy.mode == BroadcastLayout.MODE_SKIP && random.nextInt(3) == 0;
    TestQueue place = asObserver ? observing : any(attachments);
    switch (random.nextInt(4)) {
      case 0 -> assertEquals(published, add(place, policy).joinedAt);
      case 1 -> assertOldest(add(place, policy.startingAtOldest()).joinedAt);
      case 2 -> {
        int count = random.nextInt(100);
        long first = add(place, policy.startingAtLast(count)).joinedAt;
        assertTrue(first >= published - count);
        if (first != published - count) {
          assertOldest(first);
        }
      }
      default -> joinAt(place, policy, random.nextInt(published + 3));
    }
  }

  private Member add(TestQueue place, SubscriberOptions options) {
    members.add(new Member(place.subscriber(options), options));
    return members.getLast();
  }

  private void assertOldest(long sequence) {
    long retained = positions.getLast() - positions.get((int) sequence);
    assertTrue(retained <= RING);
    assertTrue(sequence == 0 || retained > RING - SLACK, () -> "only " + retained + " retained");
  }

  private void joinAt(TestQueue place, SubscriberOptions policy, int sequence) {
    SubscriberOptions options = policy.startingAt(sequence);
    if (sequence > published) {
      assertThrows(IllegalArgumentException.class, () -> place.subscriber(options));
      return;
    }
    try {
      Member member = add(place, options);
      if (member.joinedAt != sequence) {
        assertEquals(BroadcastLayout.MODE_SKIP, policy.mode);
        assertOldest(member.joinedAt);
        member.joinedAt = sequence;
        member.receiver.next = sequence; // the first poll tells the gap
      }
    } catch (OverrunException overrun) {
      assertTrue(policy.mode != BroadcastLayout.MODE_SKIP);
      assertEquals(sequence, overrun.nextSequence() - overrun.lostCount());
      assertOldest(overrun.nextSequence());
    }
  }

  private void leave() {
    if (!members.isEmpty()) {
      Member member = members.remove(random.nextInt(members.size()));
      boolean toTheEnd = random.nextBoolean();
      while (toTheEnd && poll(member, 100) > 0) {
        // to the end
      }
      if (member.receiver.received + member.receiver.lost > 0) { // a gap before the beginning has been told
        member.receiver.assertSawAll(member.joinedAt, member.subscriber.nextSequence());
        assertEquals(member.receiver.lost, member.subscriber.lostCount());
      }
      member.subscriber.close();
    }
  }

  /** A poll that takes being overtaken as a loss like any other; -1 when the subscriber was cut off. */
  private int poll(Member member, int limit) {
    try {
      int count = TestQueue.pollOrFail(member.subscriber, member.receiver, limit);
      assertFalse(member.maybeEvicted && evicted == 0);
      return count;
    } catch (EvictedException end) {
      assertTrue(member.maybeEvicted, "cut off in time");
      assertEquals(member.receiver.next, end.nextSequence());
      cutOff++;
      return -1;
    }
  }

  private void poll() {
    if (members.isEmpty()) {
      return;
    }
    Member member = any(members);
    long due = member.receiver.next;
    long lost = member.receiver.lost;
    boolean waiting = due < published;
    assertTrue(member.subscriber.isReady() == waiting || member.maybeEvicted);
    int limit = 1 + random.nextInt(40);
    int count = poll(member, limit);
    if (count < 0) {
      members.remove(member);
      member.subscriber.close();
      return;
    }
    member.maybeEvicted = false; // or it would have been told
    boolean lapped = member.receiver.lost > lost;
    assertEquals(due + count, member.receiver.next - (member.receiver.lost - lost));
    assertFalse(lapped && member.options.isGating(), "a gating subscriber lost messages");
    if (!lapped) { // a poll may end at what was published when the subscriber looked last
      assertTrue(count <= Math.min(limit, published - due), () -> count + " messages");
      assertEquals(waiting, count > 0);
    } else {
      overtaken += member.options.mode == BroadcastLayout.MODE_FAIL ? 1 : 0;
      assertTrue(positions.getLast() - positions.get((int) due) > RING - SLACK, "lost without need");
      assertTrue(!member.options.resumingAtNewest || due == member.joinedAt || member.receiver.next == published,
          "resumed before the newest");
    }
  }
}
