package io.bywash.osgi.internal.broadcast;

import io.bywash.engine.MessageHandler;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.wait.Waitable;
import io.bywash.osgi.internal.queue.FeedingRole;

/** The subscriber of one listener. */
record FeedingSubscriber(String policy, Subscriber subscriber, long missedCount) implements FeedingRole {
  @Override
  public Waitable waitable() {
    return subscriber;
  }

  @Override
  public long nextSequence() {
    return subscriber.nextSequence();
  }

  @Override
  public int poll(MessageHandler handler, int limit) {
    return subscriber.poll(handler, limit);
  }

  @Override
  public void revoke() {
    subscriber.revoke();
  }

  @Override
  public void close() {
    subscriber.close();
  }
}
