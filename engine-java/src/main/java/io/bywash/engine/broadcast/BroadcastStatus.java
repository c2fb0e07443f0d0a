package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A look at a broadcast queue, from any attachment, also a read-only one. It costs publisher and subscribers nothing.
 * The numbers were true one after the other, not all at one instant.
 *
 * @param capacityBytes of the ring
 * @param maxMessageBytes the largest message
 * @param messageCount messages ever committed; the last one's sequence is one less
 * @param publishedBytes position behind the last committed record
 * @param retainedBytes bytes of records that a subscriber could still start from
 * @param blockedCount how often a claim found no room
 * @param evictedCount subscribers that were cut off because they held the publisher back for too long
 * @param publisher who holds the writer role, dead or alive
 * @param publisherGeneration how often the writer role was used, modulo 2^16
 * @param revokedPublisher whose writer role was revoked while it was in use; until that ends nobody else can take it
 * @param publisherLabel what the writer's program calls it
 * @param subscribers everybody who holds a subscriber's role, dead or alive
 */
public record BroadcastStatus(long capacityBytes, int maxMessageBytes, long messageCount, long publishedBytes,
    long retainedBytes, long blockedCount, long evictedCount, Optional<Participant> publisher, int publisherGeneration,
    Optional<Participant> revokedPublisher, String publisherLabel, List<SubscriberStatus> subscribers)
    implements StructureStatus {

  /**
   * A look at one subscriber. Two of one process differ in their roles.
   *
   * @param role the number of its role, 1 or more
   * @param generation how often that role was used, modulo 2^16
   * @param participant whose it is
   * @param policy {@code block}, {@code skip}, {@code fail} or {@code evict}
   * @param gating whether it holds the publisher back
   * @param evicted whether it was cut off, by the publisher if its policy is {@code evict}, or since its role was
   *     revoked and its user has not come out; it then holds back nobody, and gets nothing
   * @param positionBytes where it stands, as it last told
   * @param lagMessages messages that were committed and that it has not read, as it last told
   * @param lostMessages messages that it lost since it joined
   * @param label what its program calls it, empty if it did not say
   */
  public record SubscriberStatus(int role, int generation, Participant participant, String policy, boolean gating,
      boolean evicted, long positionBytes, long lagMessages, long lostMessages, String label) {

    /** Whether two looks at one queue saw the same subscriber, and not another one in its role. */
    public boolean isSameAs(SubscriberStatus other) {
      return role == other.role && generation == other.generation && participant.id() == other.participant.id()
          && participant.epoch() == other.participant.epoch();
    }
  }

  /**
   * Looks at a queue.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is no broadcast
   * @throws io.bywash.engine.DamagedSegmentException when what is in shared memory is impossible
   */
  public static BroadcastStatus of(Entry entry) {
    Ring ring = Ring.of(entry);
    return ring.entry.core().whileMapped(() -> of(ring));
  }

  private static BroadcastStatus of(Ring ring) {
    Ring.Cursor newest = ring.cursor(true);
    List<SubscriberStatus> subscribers = new ArrayList<>();
    for (int index = FIRST_SUBSCRIBER_ROLE; index < ring.entry.rolesUsed(); index++) {
      int number = index;
      long word = ring.entry.roleWord(index);
      long role = ring.entry.role(index);
      boolean evicted = Owner.state(word) == ROLE_REVOKED;
      if (Owner.state(word) == ROLE_ACTIVE || evicted) {
        long lag = newest.sequence() - ring.region.getLongOpaque(role + ROLE_SEQUENCE);
        ring.entry.core().participants().describe(word).ifPresent(participant -> subscribers.add(
            new SubscriberStatus(number, Owner.generation(word), participant, policy(word),
                Gate.isGating(word), evicted, ring.region.getLongOpaque(role + ROLE_POSITION), Math.max(lag, 0),
                ring.region.getLongOpaque(role + ROLE_LOST), ring.entry.roleLabel(number))));
      }
    }
    return new BroadcastStatus(ring.capacityBytes, ring.maxMessageBytes, newest.sequence(), newest.position(),
        newest.position() - Math.min(newest.position(), ring.oldest()), ring.region.getLongOpaque(ring.blockedOffset),
        ring.region.getLongOpaque(ring.evictedOffset), describe(ring.entry, ROLE_ACTIVE),
        Owner.generation(ring.entry.roleWord(PUBLISHER_ROLE)), describe(ring.entry, ROLE_REVOKED),
        ring.entry.roleLabel(PUBLISHER_ROLE), List.copyOf(subscribers));
  }

  /**
   * Looks for what is impossible in a queue: positions, records, their sequences, the block index, the roles of its
   * subscribers. It only reads, and what changes meanwhile is looked at again, so that a queue in use is not accused.
   * It takes time in proportion to the ring; of one beyond 8 GiB only the newest 8 GiB are looked at.
   *
   * @return a sentence on each finding; empty when the queue is sound
   * @throws io.bywash.engine.SpecMismatchException when the entry is no broadcast
   */
  public static List<String> problems(Entry entry) {
    return Ring.broadcast(entry).problems();
  }

  @Override
  public List<Counter> counters() {
    return List.of(Counter.growing("published", messageCount), Counter.growing("blocked", blockedCount),
        Counter.count("evicted", evictedCount));
  }

  /** {@inheritDoc} Here what a subscriber has not read that can hold the publisher back. */
  @Override
  public Optional<Double> fill() {
    return Optional.of(BackPressure.fill(this));
  }

  @Override
  public List<Holder> holders() {
    List<Holder> holders = new ArrayList<>();
    publisher.ifPresent(each ->
        holders.add(new Holder(PUBLISHER_ROLE, publisherGeneration, each, publisherLabel, "publisher", List.of())));
    revokedPublisher.ifPresent(each -> holders.add(new Holder(PUBLISHER_ROLE, publisherGeneration, each, publisherLabel,
        "publisher (revoked)", List.of())));
    subscribers.forEach(each -> holders.add(new Holder(each.role(), each.generation(), each.participant(), each.label(),
        task(each), List.of(Counter.rate("read", readMessages(each)),
            Counter.count("lag", each.lagMessages()), Counter.share("of the ring", unreadBytes(each), capacityBytes),
            Counter.count("lost", each.lostMessages())))));
    return List.copyOf(holders);
  }

  /** What a subscriber has read since the queue was created, as if it had been there. */
  long readMessages(SubscriberStatus subscriber) {
    return messageCount - subscriber.lagMessages() - subscriber.lostMessages();
  }

  /** What of the ring a subscriber has not read; all of it when it was overtaken. */
  long unreadBytes(SubscriberStatus subscriber) {
    return Math.clamp(publishedBytes - subscriber.positionBytes(), 0, capacityBytes);
  }

  @Override
  public boolean isUntouched() {
    return messageCount == 0;
  }

  /**
   * {@inheritDoc} Subscribers for which the publisher waits, because the ring has no room for a message of the largest
   * size, and that have not moved ({@link Effect#STOPS}); and those that read, but more slowly than the publisher could
   * publish ({@link Effect#SLOWS}).
   */
  @Override
  public List<Obstacle> obstacles(StructureStatus earlier, double seconds) {
    return earlier instanceof BroadcastStatus before ? BackPressure.obstacles(this, before, seconds) : List.of();
  }

  private static String task(SubscriberStatus subscriber) {
    return !subscriber.evicted() ? subscriber.policy() : subscriber.policy().equals("evict") ? "evicted" : "revoked";
  }

  private static String policy(long word) {
    return switch (Owner.mode(word)) {
      case MODE_BLOCK -> "block";
      case MODE_SKIP -> "skip";
      case MODE_FAIL -> "fail";
      case MODE_EVICT -> "evict";
      default -> "unknown";
    };
  }

  private static Optional<Participant> describe(SegmentEntry entry, int publisherState) {
    long word = entry.roleWord(PUBLISHER_ROLE);
    return Owner.state(word) == publisherState ? entry.core().participants().describe(word) : Optional.empty();
  }
}
