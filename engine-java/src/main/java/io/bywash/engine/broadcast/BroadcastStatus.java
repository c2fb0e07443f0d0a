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
 * The status of a broadcast queue. Any attachment can read it, even a read-only one, without slowing publisher or
 * subscribers down. The values were read one after another, not all at one instant.
 *
 * @param capacityBytes the size of the ring
 * @param maxMessageBytes the size of the largest message
 * @param messageCount how many messages were ever committed; the last one's sequence is one less
 * @param publishedBytes the position behind the last committed record
 * @param retainedBytes how many bytes of records are still there for a subscriber to start from
 * @param blockedCount how often a claim found no room
 * @param evictedCount how many subscribers were evicted because they held the publisher back for too long
 * @param publisher who holds the publisher role, dead or alive
 * @param publisherGeneration how often the publisher role was used, modulo 2^16
 * @param revokedPublisher whose publisher role was revoked while it was in use; until that use ends, nobody can take
 *     the role
 * @param publisherLabel what the publisher's program calls it
 * @param subscribers all who hold a subscriber role, dead or alive
 */
public record BroadcastStatus(long capacityBytes, int maxMessageBytes, long messageCount, long publishedBytes,
    long retainedBytes, long blockedCount, long evictedCount, Optional<Participant> publisher, int publisherGeneration,
    Optional<Participant> revokedPublisher, String publisherLabel, List<SubscriberStatus> subscribers)
    implements StructureStatus {

  /**
   * The status of one subscriber. Two subscribers in one process differ in their roles.
   *
   * @param role the number of its role, 1 or more
   * @param generation how often that role was used, modulo 2^16
   * @param participant the participant that holds it
   * @param policy {@code block}, {@code skip}, {@code fail} or {@code evict}
   * @param gating whether it is able to hold the publisher back
   * @param evicted whether it was evicted by the publisher, or revoked while its user was inside an operation; it then
   *     holds nobody back and receives nothing
   * @param positionBytes its position, as last stored
   * @param lagMessages how many committed messages it has not read, as last stored
   * @param lostMessages how many messages it has lost since it joined
   * @param label what its program calls it, empty by default
   */
  public record SubscriberStatus(int role, int generation, Participant participant, String policy, boolean gating,
      boolean evicted, long positionBytes, long lagMessages, long lostMessages, String label) {

    /** Whether this is the same subscriber that another inspection saw, and not a later one in the same role. */
    public boolean isSameAs(SubscriberStatus other) {
      return role == other.role && generation == other.generation && participant.id() == other.participant.id()
          && participant.epoch() == other.participant.epoch();
    }
  }

  /**
   * Inspects a queue.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a broadcast
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   * @throws io.bywash.engine.SegmentClosedException when the segment is closed in this process
   */
  public static BroadcastStatus of(Entry entry) {
    Ring ring = Ring.of(entry);
    return ring.entry.look(() -> of(ring));
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
   * Checks a queue for what is impossible, in its positions, records, sequences, block index and subscriber roles. It
   * only reads. What changes meanwhile is read again, so a queue in use yields no false finding. The time is
   * proportional to the size of the ring; of a ring larger than 8 GiB only the newest 8 GiB are checked.
   *
   * @return one sentence for each finding; empty when the queue is sound
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a broadcast
   */
  public static List<String> problems(Entry entry) {
    return Ring.broadcast(entry).problems();
  }

  @Override
  public List<Counter> counters() {
    return List.of(Counter.growing("published", messageCount), Counter.growing("blocked", blockedCount),
        Counter.count("evicted", evictedCount));
  }

  /** {@inheritDoc} For a broadcast, it is the share that a subscriber able to hold the publisher back has not read. */
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

  /** How many messages a subscriber would have read if it had been there since the queue was created. */
  long readMessages(SubscriberStatus subscriber) {
    return messageCount - subscriber.lagMessages() - subscriber.lostMessages();
  }

  /** How many bytes of the ring a subscriber has not read; the whole ring when it was overrun. */
  long unreadBytes(SubscriberStatus subscriber) {
    return Math.clamp(publishedBytes - subscriber.positionBytes(), 0, capacityBytes);
  }

  @Override
  public boolean isUntouched() {
    return messageCount == 0;
  }

  /**
   * {@inheritDoc} A subscriber {@linkplain Effect#STOPS stops} the publisher if it has not moved, and the ring has no
   * room for a message of the largest size because of it. It {@linkplain Effect#SLOWS slows} the publisher if it reads,
   * but more slowly than the publisher could publish.
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
