package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.TestQueue.offer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Payload;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.TestQueue.Receiver;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Random use of one queue, compared with a model: the list of positions at which messages begin, and for each
 * subscriber the message that it is due.
 */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BroadcastModelTest {
  private static final int ROUNDS = 200;
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
  private Publisher publisher;
  private List<Member> members;
  /** The position of each message, and at last of the next one, before any padding. */
  private List<Long> positions;
  private long refused;

  private static final class Member {
    final Subscriber subscriber;
    final Receiver receiver;
    final boolean gating;
    final boolean newest;
    final long joinedAt;

    Member(Subscriber subscriber, boolean gating, boolean newest) {
      this.subscriber = subscriber;
      this.receiver = new Receiver(subscriber);
      this.gating = gating;
      this.newest = newest;
      this.joinedAt = subscriber.nextSequence();
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
    System.out.println("seed of aQueueBehavesLikeItsModel: " + seed + "L; refused " + refused + " messages");
    assertTrue(refused > ROUNDS, "the ring was hardly ever full");
  }

  private void playRound() {
    attachments = new ArrayList<>(List.of(TestQueue.create(bus.path("model"), RING)));
    attachments.add(TestQueue.attach(bus.path("model")));
    members = new ArrayList<>();
    positions = new ArrayList<>(List.of(0L));
    publisher = any(attachments).publisher();
    int most = random.nextBoolean() ? 512 : 64;
    for (int step = 0; step < STEPS; step++) {
      switch (random.nextInt(20)) {
        case 0 -> join();
        case 1 -> leave();
        case 2 -> reopenPublisher();
        case 3 -> abort(1 + random.nextInt(most));
        case 4, 5, 6, 7, 8 -> poll();
        default -> publish(1 + random.nextInt(most));
      }
      assertEquals(positions.getLast(), BroadcastStatus.of(attachments.get(0).entry).publishedBytes());
    }
    while (!members.isEmpty()) {
      leave();
    }
    publisher.close();
    attachments.forEach(TestQueue::close);
    assertEquals(List.of(), bus.files());
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private int published() {
    return positions.size() - 1;
  }

  private long end(int length) {
    long begin = positions.getLast();
    long record = BroadcastLayout.recordBytes(length);
    long untilEnd = RING - begin % RING;
    return (record <= untilEnd ? begin : begin + untilEnd) + record;
  }

  private void publish(int length) {
    long end = end(length);
    boolean wasPublished = offer(publisher, length);
    if (wasPublished) {
      positions.add(end);
    } else {
      refused++;
    }
    assertEquals(published(), publisher.nextSequence());
    long slowest = members.stream().filter(member -> member.gating)
        .mapToLong(member -> positions.get((int) member.receiver.next)).min().orElse(Long.MAX_VALUE);
    if (wasPublished) {
      assertTrue(slowest == Long.MAX_VALUE || end - slowest <= RING, "the publisher overran the slowest subscriber");
    }
    assertTrue(Ring.of(attachments.get(0).entry).oldest() <= slowest, "what the slowest has not read was given up");
    if (!wasPublished) { // whole blocks are given up, up to a record's beginning
      assertTrue(slowest < Long.MAX_VALUE, "refused although nobody holds the publisher back");
      assertTrue(end - slowest > RING - SLACK, "refused although there was room");
    }
  }

  private void abort(int length) {
    var claim = publisher.tryClaim(length);
    if (claim != null) {
      Payload.fill(claim, 1L << 40).abort();
    }
    assertEquals(published(), publisher.nextSequence());
  }

  private void reopenPublisher() {
    if (random.nextBoolean()) {
      var claim = publisher.tryClaim(1 + random.nextInt(512));
      assertTrue(claim == null || claim.length() > 0);
    }
    publisher.close();
    publisher = any(attachments).publisher();
    assertEquals(published(), publisher.nextSequence());
  }

  private void join() {
    boolean gating = random.nextBoolean();
    boolean newest = !gating && random.nextBoolean();
    SubscriberOptions options = gating ? SubscriberOptions.block() : SubscriberOptions.skip();
    options = newest ? options.resumingAtNewest() : options;
    boolean oldest = random.nextBoolean();
    Subscriber joined = any(attachments).subscriber(oldest ? options.startingAtOldest() : options);
    Member member = new Member(joined, gating, newest);
    if (oldest) {
      long retained = positions.getLast() - positions.get((int) member.joinedAt);
      assertTrue(retained <= RING);
      assertTrue(member.joinedAt == 0 || retained > RING - SLACK, () -> "only " + retained + " retained");
    } else {
      assertEquals(published(), member.joinedAt);
    }
    members.add(member);
  }

  private void leave() {
    if (!members.isEmpty()) {
      Member member = members.remove(random.nextInt(members.size()));
      if (random.nextBoolean()) {
        while (member.subscriber.poll(member.receiver, 100) > 0) {
          // to the end
        }
      }
      member.receiver.assertSawAll(member.joinedAt, member.subscriber.nextSequence());
      assertEquals(member.receiver.lost, member.subscriber.lostCount());
      member.subscriber.close();
    }
  }

  private void poll() {
    if (members.isEmpty()) {
      return;
    }
    Member member = any(members);
    long due = member.receiver.next;
    long lost = member.receiver.lost;
    boolean waiting = due < published();
    assertEquals(waiting, member.subscriber.isReady());
    int limit = 1 + random.nextInt(40);
    int count = member.subscriber.poll(member.receiver, limit);
    boolean lapped = member.receiver.lost > lost;
    assertEquals(due + count, member.receiver.next - (member.receiver.lost - lost));
    assertFalse(lapped && member.gating, "a gating subscriber lost messages");
    if (!lapped) { // a poll may end at what was published when the subscriber looked last
      assertTrue(count <= Math.min(limit, published() - due), () -> count + " messages");
      assertEquals(waiting, count > 0);
    } else {
      assertTrue(positions.getLast() - positions.get((int) due) > RING - SLACK, "lost without need");
      assertTrue(!member.newest || member.receiver.next == published(), "resumed before the newest");
    }
  }
}
