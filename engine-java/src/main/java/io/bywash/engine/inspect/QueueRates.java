package io.bywash.engine.inspect;

import io.bywash.engine.Participant;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.BroadcastStatus.SubscriberStatus;
import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.inspect.SegmentStatus.EntryStatus;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What happened in a broadcast between two looks at its segment. A rate is empty when the earlier look did not see the
 * queue, or that subscriber, or was taken at the same time.
 *
 * @param queue name of the entry
 * @param publisher process id of whoever holds the writer role and lives
 * @param publishedPerSecond messages that were committed
 * @param blockedPerSecond how often a claim found no room
 * @param fullShare the share of the ring, 0 to 1, that the publisher may not write to, since a subscriber that can hold
 *     it back has not read it
 * @param subscribers those that are there now
 */
public record QueueRates(String queue, Optional<Long> publisher, Optional<Double> publishedPerSecond,
    Optional<Double> blockedPerSecond, double fullShare, List<SubscriberRates> subscribers) {
  /** Whoever is less than this share of the ring behind, in both looks, is not accused. */
  private static final double SUSPICIOUS_SHARE = 0.5;

  /** What a subscriber has to do with the publisher. */
  public enum Effect {
    /** The publisher does not wait for it. */
    NONE,
    /** It reads, and the publisher found no room because of it. */
    SLOWS,
    /** It has not moved, nothing was published, and there is no room for a message of the largest size. */
    STOPS
  }

  /**
   * The same of one subscriber.
   *
   * @param subscriber as the later look saw it
   * @param readPerSecond messages that it read, without those that it lost
   * @param ringShare the share of the ring, 0 to 1, that it has not read; 1 when it was overtaken
   * @param effect whether it holds the publisher back
   */
  public record SubscriberRates(SubscriberStatus subscriber, Optional<Double> readPerSecond, double ringShare,
      Effect effect) {}

  static QueueRates between(EntryStatus entry, Optional<BroadcastStatus> earlier, double seconds) {
    BroadcastStatus now = entry.broadcast().orElseThrow();
    Optional<Long> publisher = now.publisher().filter(Participant::alive).map(Participant::pid);
    double farthest = now.subscribers().stream().filter(QueueRates::canHoldBack)
        .mapToDouble(subscriber -> mostBehind(entry, now, earlier, subscriber)).max().orElse(0);
    List<SubscriberRates> subscribers = now.subscribers().stream().map(subscriber -> new SubscriberRates(subscriber,
        sameIn(earlier, subscriber)
            .flatMap(before -> perSecond(read(now, subscriber) - read(earlier.get(), before), seconds)),
        share(entry, now, subscriber),
        publisher.isEmpty() ? Effect.NONE : effect(entry, now, earlier, subscriber, farthest))).toList();
    double full = subscribers.stream().filter(each -> canHoldBack(each.subscriber()))
        .mapToDouble(SubscriberRates::ringShare).max().orElse(0);
    return new QueueRates(entry.name(), publisher,
        earlier.flatMap(before -> perSecond(now.messageCount() - before.messageCount(), seconds)),
        earlier.flatMap(before -> perSecond(now.blockedCount() - before.blockedCount(), seconds)), full, subscribers);
  }

  private static Effect effect(EntryStatus entry, BroadcastStatus now, Optional<BroadcastStatus> earlier,
      SubscriberStatus subscriber, double farthest) {
    Optional<SubscriberStatus> before = sameIn(earlier, subscriber);
    if (before.isEmpty() || !canHoldBack(subscriber)) {
      return Effect.NONE;
    }
    boolean full = isFull(entry, now, subscriber);
    if (full && now.publishedBytes() == earlier.get().publishedBytes()
        && before.get().positionBytes() == subscriber.positionBytes()) {
      return Effect.STOPS;
    }
    double most = mostBehind(entry, now, earlier, subscriber);
    boolean inTheWay = full || isFull(entry, earlier.get(), before.get())
        || most >= farthest && most >= SUSPICIOUS_SHARE;
    return now.blockedCount() > earlier.get().blockedCount() && inTheWay ? Effect.SLOWS : Effect.NONE;
  }

  private static boolean canHoldBack(SubscriberStatus subscriber) {
    return subscriber.gating() && subscriber.participant().alive();
  }

  private static Optional<SubscriberStatus> sameIn(Optional<BroadcastStatus> look, SubscriberStatus subscriber) {
    return look.flatMap(status -> status.subscribers().stream().filter(subscriber::isSameAs).findFirst());
  }

  /** A reader of batches is far behind in one look, and nearly done in the other. */
  private static double mostBehind(EntryStatus entry, BroadcastStatus now, Optional<BroadcastStatus> earlier,
      SubscriberStatus subscriber) {
    return Math.max(share(entry, now, subscriber),
        sameIn(earlier, subscriber).map(before -> share(entry, earlier.get(), before)).orElse(0.0));
  }

  private static double share(EntryStatus entry, BroadcastStatus look, SubscriberStatus subscriber) {
    return Math.clamp((double) (look.publishedBytes() - subscriber.positionBytes()) / entry.capacity(), 0, 1);
  }

  private static boolean isFull(EntryStatus entry, BroadcastStatus look, SubscriberStatus subscriber) {
    return entry.capacity() - (look.publishedBytes() - subscriber.positionBytes()) < entry.elementSizeBytes();
  }

  private static long read(BroadcastStatus look, SubscriberStatus subscriber) {
    return look.messageCount() - subscriber.lagMessages() - subscriber.lostMessages();
  }

  private static Optional<Double> perSecond(long count, double seconds) {
    return seconds > 0 ? Optional.of(Math.max(count, 0) / seconds) : Optional.empty();
  }

  /** Who stops the publisher, or who slows it down, the farthest behind first. */
  Stream<Finding> findings(String segment, boolean stopped) {
    return subscribers.stream().filter(each -> each.effect() == (stopped ? Effect.STOPS : Effect.SLOWS))
        .sorted(Comparator.comparing(SubscriberRates::ringShare).reversed())
        .map(each -> new Finding(Severity.WARNING, segment + "/" + queue, stopped ? stops(each) : slows(each),
            "Look at what that process does, or end it; let it read faster, or subscribe with evictAfter, skip or"
                + " fail."));
  }

  private String stops(SubscriberRates each) {
    return String.format(Locale.ROOT, "%s does not go on, %d messages behind, and holds publisher process %d back: the"
        + " ring is full", who(each), each.subscriber().lagMessages(), publisher.orElseThrow());
  }

  private String slows(SubscriberRates each) {
    return String.format(Locale.ROOT, "%s reads %.0f messages a second, is %d messages behind, %s of the ring, and"
        + " holds publisher process %d back, which published %.0f a second and found no room %.0f times a second", who(each),
        each.readPerSecond().orElse(0.0), each.subscriber().lagMessages(), percent(each.ringShare()),
        publisher.orElseThrow(), publishedPerSecond.orElse(0.0), blockedPerSecond.orElse(0.0));
  }

  /** Full is only what is full. */
  static String percent(double share) {
    return (int) (100 * share) + "%";
  }

  private static String who(SubscriberRates each) {
    SubscriberStatus subscriber = each.subscriber();
    return "subscriber process " + subscriber.participant().pid() + " (" + subscriber.policy() + ", role "
        + subscriber.role() + ")";
  }
}
