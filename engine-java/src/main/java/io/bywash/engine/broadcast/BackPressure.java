package io.bywash.engine.broadcast;

import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus.Effect;
import io.bywash.engine.StructureStatus.Obstacle;
import io.bywash.engine.broadcast.BroadcastStatus.SubscriberStatus;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Which subscribers hold the publisher back, from two looks at their queue. */
final class BackPressure {
  /** Whoever is less than this share of the ring behind, in both looks, is not accused. */
  private static final double SUSPICIOUS_SHARE = 0.5;
  private static final String ADVICE = "Look at what that process does, or end it; let it read faster, or subscribe"
      + " with evictAfter, skip or fail.";

  private final BroadcastStatus now;
  private final BroadcastStatus earlier;
  private final double seconds;
  private final long publisherPid;

  private BackPressure(BroadcastStatus now, BroadcastStatus earlier, double seconds, long publisherPid) {
    this.now = now;
    this.earlier = earlier;
    this.seconds = seconds;
    this.publisherPid = publisherPid;
  }

  /** Those that do not move, then those that are slow, the farthest behind first. */
  static List<Obstacle> obstacles(BroadcastStatus now, BroadcastStatus earlier, double seconds) {
    Optional<Long> publisher = now.publisher().filter(Participant::alive).map(Participant::pid);
    return publisher.map(pid -> new BackPressure(now, earlier, seconds, pid).obstacles()).orElse(List.of());
  }

  /**
   * The share of the ring that the publisher may not write to, since a subscriber that can hold it back has not read
   * it.
   */
  static double fill(BroadcastStatus now) {
    return now.subscribers().stream().filter(BackPressure::canHoldBack)
        .mapToDouble(subscriber -> share(now, subscriber)).max().orElse(0);
  }

  private List<Obstacle> obstacles() {
    double farthest = now.subscribers().stream().filter(BackPressure::canHoldBack)
        .mapToDouble(this::mostBehind).max().orElse(0);
    return now.subscribers().stream()
        .sorted(Comparator.comparing((SubscriberStatus each) -> share(now, each)).reversed())
        .flatMap(each -> effect(each, farthest).map(effect -> obstacle(each, effect)).stream())
        .sorted(Comparator.comparing(Obstacle::effect).reversed()).toList();
  }

  private Optional<Effect> effect(SubscriberStatus subscriber, double farthest) {
    Optional<SubscriberStatus> before = before(subscriber);
    if (before.isEmpty() || !canHoldBack(subscriber)) {
      return Optional.empty();
    }
    boolean full = isFull(now, subscriber);
    if (full && now.publishedBytes() == earlier.publishedBytes()
        && before.get().positionBytes() == subscriber.positionBytes()) {
      return Optional.of(Effect.STOPS);
    }
    double most = mostBehind(subscriber);
    boolean inTheWay = full || isFull(earlier, before.get()) || most >= farthest && most >= SUSPICIOUS_SHARE;
    return now.blockedCount() > earlier.blockedCount() && inTheWay ? Optional.of(Effect.SLOWS) : Optional.empty();
  }

  private static boolean canHoldBack(SubscriberStatus subscriber) {
    return subscriber.gating() && subscriber.participant().alive();
  }

  private Optional<SubscriberStatus> before(SubscriberStatus subscriber) {
    return earlier.subscribers().stream().filter(subscriber::isSameAs).findFirst();
  }

  /** A reader of batches is far behind in one look, and nearly done in the other. */
  private double mostBehind(SubscriberStatus subscriber) {
    return Math.max(share(now, subscriber), before(subscriber).map(before -> share(earlier, before)).orElse(0.0));
  }

  private static double share(BroadcastStatus look, SubscriberStatus subscriber) {
    return (double) look.unreadBytes(subscriber) / look.capacityBytes();
  }

  private static boolean isFull(BroadcastStatus look, SubscriberStatus subscriber) {
    return look.capacityBytes() - (look.publishedBytes() - subscriber.positionBytes()) < look.maxMessageBytes();
  }

  private Obstacle obstacle(SubscriberStatus each, Effect effect) {
    String problem = effect == Effect.STOPS ? stops(each) : slows(each);
    return new Obstacle(each.role(), effect, List.of(publisherPid), problem, ADVICE);
  }

  private String stops(SubscriberStatus each) {
    return String.format(Locale.ROOT, "%s does not go on, %d messages behind, and holds publisher process %d back: the"
        + " ring is full", who(each), each.lagMessages(), publisherPid);
  }

  private String slows(SubscriberStatus each) {
    long read = now.readMessages(each) - before(each).map(earlier::readMessages).orElse(0L);
    return String.format(Locale.ROOT, "%s reads %.0f messages a second, is %d messages behind, %d%% of the ring, and"
        + " holds publisher process %d back, which published %.0f a second and found no room %.0f times a second",
        who(each), perSecond(read), each.lagMessages(), (int) (100 * share(now, each)), publisherPid,
        perSecond(now.messageCount() - earlier.messageCount()), perSecond(now.blockedCount() - earlier.blockedCount()));
  }

  private double perSecond(long count) {
    return seconds > 0 ? Math.max(count, 0) / seconds : 0;
  }

  private static String who(SubscriberStatus each) {
    return "subscriber " + each.participant().who(each.label()) + " (" + each.policy() + ", role " + each.role() + ")";
  }
}
