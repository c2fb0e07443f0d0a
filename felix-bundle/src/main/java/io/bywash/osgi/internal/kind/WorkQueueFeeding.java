package io.bywash.osgi.internal.kind;

import io.bywash.engine.Revocable;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.wait.Waitable;
import io.bywash.osgi.WorkQueueConsumer;
import io.bywash.osgi.internal.queue.FeedingRole;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * The engine's consumer behind one {@link WorkQueueConsumer}. A call that does not return loses its message: whoever
 * changes the turn from CALLING ends the delivery, the call that returned or the thread that revokes the role. A
 * message that was taken when the end had come is returned unseen, so that no consumer is charged with it.
 */
final class WorkQueueFeeding implements FeedingRole, Consumer.Handler {
  private static final long PAUSE_NANOS = 1_000_000;
  private static final int MOST_PAUSES = 100;

  private enum Turn { IDLE, CALLING, TAKING, TAKEN }

  private final Consumer role;
  private final WorkQueueConsumer consumer;
  private final AtomicReference<Turn> turn = new AtomicReference<>(Turn.IDLE);
  private Calls calls;
  /** How often it has thrown since it last returned. Used by the polls. */
  private int failures;
  /** The message of the call that is under way; published by {@link #turn}. */
  private Delivery delivery;

  WorkQueueFeeding(Consumer role, WorkQueueConsumer consumer) {
    this.role = role;
    this.consumer = consumer;
  }

  @Override
  public Revocable revocable() {
    return role;
  }

  @Override
  public Waitable waitable() {
    return role;
  }

  @Override
  public int poll(Calls newCalls, int limit) {
    calls = newCalls;
    if (failures > 0) { // what it has given back may be all that there is
      LockSupport.parkNanos(Math.min(failures, MOST_PAUSES) * PAUSE_NANOS);
    }
    return role.poll(this, failures > 0 ? 1 : limit);
  }

  @Override
  public void onMessage(Delivery message) {
    delivery = message;
    if (!calls.begin(0) || !turn.compareAndSet(Turn.IDLE, Turn.CALLING)) {
      message.returnUnseen();
      return;
    }
    Throwable thrown = null;
    try {
      consumer.onMessage(message);
    } catch (Throwable failure) {
      thrown = failure;
    }
    if (turn.compareAndSet(Turn.CALLING, Turn.IDLE)) {
      calls.end(thrown);
      failures = thrown == null ? 0 : failures + 1;
      if (thrown != null) {
        giveBack(message);
      }
    } else {
      while (turn.get() != Turn.TAKEN) {
        Thread.onSpinWait(); // the poll goes on only when the message is out of its hands
      }
    }
  }

  private static void giveBack(Delivery message) {
    try {
      message.giveBack();
    } catch (IllegalStateException before) {
      // the consumer had acknowledged it or given it back
    }
  }

  @Override
  public void revoke() {
    role.revoke();
    if (!turn.compareAndSet(Turn.IDLE, Turn.TAKEN) && turn.compareAndSet(Turn.CALLING, Turn.TAKING)) {
      try {
        giveBack(delivery);
      } finally {
        turn.set(Turn.TAKEN);
      }
    }
  }
}
