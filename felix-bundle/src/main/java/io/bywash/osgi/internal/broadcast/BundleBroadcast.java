package io.bywash.osgi.internal.broadcast;

import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.osgi.BroadcastService;
import io.bywash.osgi.internal.queue.BundleRoles;
import java.nio.file.Path;

/** A broadcast queue as one bundle uses it. */
final class BundleBroadcast implements BroadcastService {
  private final BundleRoles roles;

  BundleBroadcast(BundleRoles roles) {
    this.roles = roles;
  }

  @Override
  public String segment() {
    return roles.segment();
  }

  @Override
  public String queue() {
    return roles.queue();
  }

  @Override
  public Path path() {
    return roles.path();
  }

  @Override
  public BroadcastStatus status() {
    return BroadcastStatus.of(roles.observed());
  }

  @Override
  public Subscriber subscribe(SubscriberOptions options) {
    return roles.take(entry -> Subscriber.open(entry, options));
  }

  @Override
  public Publisher publish() {
    return roles.take(Publisher::open);
  }

  @Override
  public String toString() {
    return roles.toString();
  }
}
