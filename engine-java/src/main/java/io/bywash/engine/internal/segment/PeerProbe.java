package io.bywash.engine.internal.segment;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Finds out that a peer died, for threads that wait: they may be the only ones that ever notice, and they may wait for
 * that peer. However many threads ask, this probes at most once in {@link #INTERVAL_NANOS}, at least a quarter of the
 * slots each time. So every slot is probed within 200 ms while somebody waits, and the many participants that wait in a
 * large segment do not spend their time probing each other.
 */
public final class PeerProbe {
  /** The longest time between two probes of a peer that somebody waits for. */
  public static final long INTERVAL_NANOS = 50_000_000;

  private static final int ROUNDS = 4;
  private static final int MIN_SLOTS = 16;

  private final Participants participants;
  private final int slotCount;
  private final AtomicLong lastNanos = new AtomicLong(System.nanoTime() - INTERVAL_NANOS);
  private volatile int next;

  public PeerProbe(Participants participants, int slotCount) {
    this.participants = participants;
    this.slotCount = slotCount;
  }

  /** Probes, if it is time to, and buries participants that are found dead. Called by participants that wait. */
  public void buryDead() {
    long now = System.nanoTime();
    long last = lastNanos.get();
    if (now - last < INTERVAL_NANOS || !lastNanos.compareAndSet(last, now)) {
      return;
    }
    int first = next;
    int count = Math.min(Math.max(slotCount / ROUNDS, MIN_SLOTS), slotCount);
    next = (first + count) % slotCount;
    try {
      participants.tryBury(first, count);
    } catch (IOException unknown) {
      // no proof of death
    }
  }
}
