package io.bywash.osgi.internal.queue;

import java.util.Map;
import java.util.OptionalLong;

/** Where one listener goes on, by what it was fed from. With a named subscription it shares that with others. */
final class Places {
  /** Of so many queues, which came and went, is remembered where to go on. */
  private static final int REMEMBERED_QUEUES = 16;

  private final Subscriptions subscriptions;
  private final Map<Subscriptions.Key, Long> sequences = new Recent<>(REMEMBERED_QUEUES);

  Places(Subscriptions subscriptions) {
    this.subscriptions = subscriptions;
  }

  /** The sequence of the message that comes next; empty at the first time. */
  synchronized OptionalLong next(Subscriptions.Key key) {
    if (!key.name().isEmpty()) {
      return subscriptions.next(key);
    }
    Long next = sequences.get(key);
    return next == null ? OptionalLong.empty() : OptionalLong.of(next);
  }

  /** The end of a feeding. */
  synchronized void end(Subscriptions.Key key, long next) {
    if (key.name().isEmpty()) {
      sequences.put(key, next);
    } else {
      subscriptions.remember(key, next);
      subscriptions.giveBack(key);
    }
  }
}
