package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.internal.memory.Region;
import java.util.Arrays;

/**
 * The publisher's look at the subscribers that may hold it back: how far they have read, whether they live, and who has
 * been in the way for too long.
 *
 * <p>Time counts against a subscriber only while this publisher sees itself blocked by it: the time between two claims
 * that found no room, and of that no more than {@link WaitRoom#PROBE_NANOS}, so that a publisher which was itself
 * paused accuses nobody.
 */
final class Gate {
  private final Ring ring;
  private final SegmentEntry entry;
  private final Region region;

  /** The lowest position of all gating subscribers when last looked at. */
  private long lowest = -1;
  private long lastProbeNanos;
  private long blockedCount;
  private long evictedCount;

  /** What has to be passed for the claim that found no room. */
  private volatile long wantedBoundary;
  /** When a claim last found no room. */
  private volatile long blockedNanos;
  private boolean blocked;
  /** How long this publisher has been blocked without a claim that found room. */
  private long stalledNanos;
  /**
   * Of each role: the word of a subscriber that is in the way, and how long the stall had lasted when it was first
   * seen.
   */
  private final long[] inTheWay;
  private final long[] stalledBefore;

  Gate(Ring ring) {
    this.ring = ring;
    this.entry = ring.entry;
    this.region = ring.region;
    this.inTheWay = new long[entry.roleCount()];
    this.stalledBefore = new long[entry.roleCount()];
    this.blockedCount = region.getLongOpaque(ring.blockedOffset);
    this.evictedCount = region.getLongOpaque(ring.evictedOffset);
  }

  /**
   * As {@link #isPassed}, for the boundary that stands already: an earlier look is good enough, since joiners respect
   * it.
   */
  boolean isStillPassed(long boundary) {
    return lowest >= boundary || isPassed(boundary);
  }

  /** Earlier looks are not good enough any more: the boundary moves. */
  void lookAgain() {
    lowest = -1;
  }

  /** Whether every gating subscriber has read up to {@code boundary}; else this publisher is blocked. */
  boolean isPassed(long boundary) {
    lowest = lowestPosition();
    if (lowest < boundary) {
      clear(boundary);
    }
    if (lowest < boundary) {
      blocked = true;
      wantedBoundary = boundary;
      blockedNanos = System.nanoTime();
      region.setLongOpaque(ring.blockedOffset, ++blockedCount);
      EngineEvents.writerBlocked(entry.core().path(), entry.name(), PUBLISHER_ROLE);
      return false;
    }
    return true;
  }

  /** Called for each claim that finds room behind one that found none. */
  void endStall() {
    if (blocked) {
      blocked = false;
      stalledNanos = 0;
      Arrays.fill(inTheWay, 0);
    }
  }

  /**
   * Removes the dead now and then, and whoever was in the way for longer than it may be. It probes only those in the
   * way, and so learns of their deaths sooner than from a probe of all peers.
   */
  private void clear(long boundary) {
    long now = System.nanoTime();
    if (blocked) {
      stalledNanos += Math.clamp(now - blockedNanos, 0, WaitRoom.PROBE_NANOS);
    }
    boolean probing = now - lastProbeNanos >= WaitRoom.PROBE_NANOS || lastProbeNanos == 0;
    if (probing) {
      lastProbeNanos = now;
    }
    boolean cleared = false;
    for (int index = FIRST_SUBSCRIBER_ROLE; index < entry.rolesUsed(); index++) {
      long word = entry.roleWord(index);
      if (!isGating(word) || positionOf(index) >= boundary) {
        inTheWay[index] = 0; // when it is in the way again, its time begins anew
      } else {
        cleared |= Owner.mode(word) == MODE_EVICT && isOverdue(index, word) && evict(index, word)
            || probing && !entry.core().participants().isAlive(word) && entry.freeDeadRole(index, word);
      }
    }
    if (cleared) {
      lowest = lowestPosition();
    }
  }

  private boolean isOverdue(int index, long word) {
    if (inTheWay[index] != word) {
      inTheWay[index] = word;
      stalledBefore[index] = stalledNanos;
    }
    return stalledNanos - stalledBefore[index]
        >= Math.max(region.getLongOpaque(entry.role(index) + ROLE_EVICT_AFTER), 1);
  }

  /** Takes the right to hold this publisher back; the role stays its holder's until that gives it back. */
  private boolean evict(int index, long word) {
    if (!entry.revokeRole(index, word)) {
      return false;
    }
    region.setLongOpaque(ring.evictedOffset, ++evictedCount);
    EngineEvents.eviction(entry.core().path(), entry.name(), index, entry.core().participants().pid(word),
        stalledNanos - stalledBefore[index]);
    entry.waitingForData().signalRole(index); // it may wait for data, and has to know
    return true;
  }

  static boolean isGating(long word) {
    int mode = Owner.mode(word);
    return Owner.state(word) == ROLE_ACTIVE && (mode == MODE_BLOCK || mode == MODE_EVICT);
  }

  private long positionOf(int index) {
    return region.getLongAcquire(entry.role(index) + ROLE_POSITION); // [position] its reads up to there are finished
  }

  private long lowestPosition() {
    long lowestFound = Long.MAX_VALUE;
    int used = entry.rolesUsed();
    for (int index = FIRST_SUBSCRIBER_ROLE; index < used; index++) {
      if (isGating(entry.roleWord(index))) { // [role-active]
        lowestFound = Math.min(lowestFound, positionOf(index));
      }
    }
    return lowestFound;
  }

  /**
   * Whether a claim that found no room is worth another try: there is room now, or the last try was 50 ms ago, and the
   * next one looks whether those who are in the way still live and may stay. Any thread may ask.
   */
  boolean isWorthAnotherTry() {
    return hasRoom() || System.nanoTime() - blockedNanos > WaitRoom.PROBE_NANOS;
  }

  /** Whether a claim that found no room would find it now. Any thread may ask. */
  boolean hasRoom() {
    return lowestPosition() >= wantedBoundary;
  }
}
