package io.bywash.osgi.internal.broadcast;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.osgi.BroadcastService;
import io.bywash.osgi.internal.queue.BundleRoles;
import io.bywash.osgi.internal.queue.FeedingRole;
import io.bywash.osgi.internal.queue.ListenerProperties;
import io.bywash.osgi.internal.queue.QueueKind;
import java.util.List;
import java.util.Optional;

/** Broadcast queues: each is a {@link BroadcastService}, and each listener a subscriber. */
public final class BroadcastKind implements QueueKind {
  @Override
  public Kind kind() {
    return Kind.BROADCAST;
  }

  @Override
  public Class<?> serviceType() {
    return BroadcastService.class;
  }

  @Override
  public Object service(BundleRoles roles) {
    return new BundleBroadcast(roles);
  }

  @Override
  public Optional<String> fault(ListenerProperties properties) {
    return fault(POLICY, policy(properties), POLICY_BLOCK, POLICY_SKIP)
        .or(() -> fault(START, start(properties), START_OLDEST, START_NEWEST));
  }

  private static Optional<String> fault(String key, String value, String one, String other) {
    return List.of(one, other).contains(value) ? Optional.empty()
        : Optional.of(key + "=" + value + " is neither " + one + " nor " + other);
  }

  private static String policy(ListenerProperties properties) {
    return properties.choice(POLICY, POLICY_BLOCK);
  }

  private static String start(ListenerProperties properties) {
    return properties.choice(START, START_OLDEST);
  }

  @Override
  public FeedingRole join(Entry entry, ListenerProperties properties) {
    String policy = policy(properties);
    SubscriberOptions options = policy.equals(POLICY_BLOCK) ? SubscriberOptions.block() : SubscriberOptions.skip();
    return new FeedingSubscriber(policy, Subscriber.open(entry,
        start(properties).equals(START_OLDEST) ? options.startingAtOldest() : options));
  }

  /** What was committed and has not been received. */
  @Override
  public long undelivered(StructureStatus status, long nextSequence) {
    return Math.max(0, ((BroadcastStatus) status).messageCount() - nextSequence);
  }
}
