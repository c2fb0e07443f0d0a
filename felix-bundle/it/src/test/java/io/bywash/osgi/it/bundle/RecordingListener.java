package io.bywash.osgi.it.bundle;

import io.bywash.engine.Message;
import io.bywash.osgi.QueueListener;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A listener in a bundle of its own. What it gets leaves the container as types of the JDK: the sequence of each
 * message goes into {@code sequences}, and {@code duringCall} is then run. Its messages hold their sequence.
 */
public final class RecordingListener implements QueueListener {
  private final Queue<Long> sequences;
  private final AtomicLong lost;
  private final Runnable duringCall;

  public RecordingListener(Queue<Long> sequences, AtomicLong lost, Runnable duringCall) {
    this.sequences = sequences;
    this.lost = lost;
    this.duringCall = duringCall;
  }

  @Override
  public void onMessage(Message message) {
    if (message.getLong(0) != message.sequence()) {
      throw new AssertionError("message " + message.sequence() + " holds " + message.getLong(0));
    }
    sequences.add(message.sequence());
    duringCall.run();
  }

  @Override
  public void onLost(long messageCount) {
    lost.addAndGet(messageCount);
  }
}
