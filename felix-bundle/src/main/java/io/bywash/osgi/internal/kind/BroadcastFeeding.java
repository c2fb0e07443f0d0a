package io.bywash.osgi.internal.kind;

import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Revocable;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.wait.Waitable;
import io.bywash.osgi.QueueListener;
import io.bywash.osgi.internal.queue.FeedingRole;

/** The subscriber of one listener. */
final class BroadcastFeeding implements FeedingRole, MessageHandler {
  private final String policy;
  private final Subscriber subscriber;
  private final long firstSequence;
  private final long missedCount;
  private final QueueListener listener;
  private Calls calls;

  /**
   * A feeding that has not begun.
   *
   * @param firstSequence where it begins, whether or not that message is still there
   * @param missedCount how many are not, from there on, as far as the subscriber does not tell
   */
  BroadcastFeeding(String policy, Subscriber subscriber, long firstSequence, long missedCount,
      QueueListener listener) {
    this.policy = policy;
    this.subscriber = subscriber;
    this.firstSequence = firstSequence;
    this.missedCount = missedCount;
    this.listener = listener;
  }

  @Override
  public String policy() {
    return policy;
  }

  @Override
  public Revocable revocable() {
    return subscriber;
  }

  @Override
  public Waitable waitable() {
    return subscriber;
  }

  @Override
  public long nextSequence() {
    return firstSequence;
  }

  @Override
  public long missedCount() {
    return missedCount;
  }

  @Override
  public int poll(Calls newCalls, int limit) {
    calls = newCalls;
    return subscriber.poll(this, limit);
  }

  @Override
  public void onMessage(Message message) {
    if (calls.begin(message.sequence() + 1)) {
      Throwable thrown = null;
      try {
        listener.onMessage(message);
      } catch (Throwable failure) {
        thrown = failure;
      }
      calls.end(thrown);
    }
  }

  @Override
  public void onLost(long messageCount) {
    calls.lost(messageCount);
  }

  @Override
  public void tellLost(long messageCount) {
    listener.onLost(messageCount);
  }
}
