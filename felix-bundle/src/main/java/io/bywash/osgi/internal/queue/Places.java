package io.bywash.osgi.internal.queue;

import java.util.Map;
import java.util.OptionalLong;

/** Where one listener goes on, by what it was fed from. Those of a named subscription are kept elsewhere as well. */
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
    Long next = sequences.get(key);
    return next != null ? OptionalLong.of(next)
        : key.name().isEmpty() ? OptionalLong.empty() : subscriptions.next(key);
  }

  /** The end of a feeding. */
  void end(Subscriptions.Key key, long next) {
    synchronized (this) {
      sequences.put(key, next);
    }
    if (!key.name().isEmpty()) {
      subscriptions.remember(key, next);
      subscriptions.giveBack(key);
    }
  }
}
