package io.bywash.osgi.internal.queue;

import io.bywash.engine.MessageHandler;
import io.bywash.engine.wait.Waitable;

/** The engine's role that receives messages for one listener, whatever kind of queue it belongs to. */
public interface FeedingRole extends AutoCloseable {
  /** What the listing shows under POLICY. */
  String policy();

  /** What to wait for. */
  Waitable waitable();

  /** The sequence of the message that comes next. Asked before the first {@link #poll}. */
  long nextSequence();

  /** How many messages were lost between the place where the listener was to go on and that one. */
  long missedCount();

  /** Hands messages that are there to {@code handler}, up to {@code limit}; returns how many. */
  int poll(MessageHandler handler, int limit);

  /** See {@link io.bywash.engine.Revocable#revoke}. */
  void revoke();

  @Override
  void close();
}
