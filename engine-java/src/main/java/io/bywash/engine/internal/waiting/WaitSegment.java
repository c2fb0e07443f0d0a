package io.bywash.engine.internal.waiting;

import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.waiting.Hub.Wait;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;

/**
 * The hub's waits in one segment, by structure. What a wake costs depends on what was woken: one load for each 64
 * roles that wait, and a look at those whose bit was taken. Used by the hub's thread alone.
 */
final class WaitSegment {
  private final Hub hub;
  private final Attachment core;
  private final WaitRoom waitRoom;
  private final Map<Long, WaitGroup> byPlace = new HashMap<>();
  private final ArrayList<WaitGroup> groups = new ArrayList<>();
  /** Whether nobody may sleep on its doorbell, so that it is looked at once a millisecond. */
  private boolean blind = true;
  private boolean broken;
  private int doorbell;
  private int revocations;

  WaitSegment(Hub hub, Attachment core) {
    this.hub = hub;
    this.core = core;
    this.waitRoom = new WaitRoom(core);
  }

  void add(Wait wait) {
    Waiters waiters = wait.point.waiters();
    WaitGroup group = byPlace.get(waiters.bitmap());
    if (group == null) {
      groups.ensureCapacity(groups.size() + 1);
      group = new WaitGroup(hub, waiters);
      try {
        byPlace.put(waiters.bitmap(), group);
      } catch (Throwable failure) {
        group.close();
        throw failure;
      }
      groups.add(group);
    }
    group.add(wait);
  }

  boolean isEmpty() {
    for (int i = 0; i < groups.size(); i++) {
      if (!groups.get(i).isEmpty()) {
        return false;
      }
    }
    return true;
  }

  boolean isBlind() {
    return blind;
  }

  /** Whether its doorbell may be slept on; asked when the segment is new, and every 50 ms. */
  void checkBlind(boolean mayBlock) {
    blind = broken || !mayBlock || !Futex.WAIT_ANY || !waitRoom.canBlock();
  }

  /** Adds the doorbell, as it was before the last look, to those that are slept on. */
  void addTo(Futex.Words words) {
    words.add(core.region(), waitRoom.doorbell(), doorbell);
  }

  /** Looks at what was woken, and announces what is new; whether there was anything, so that a fence must follow. */
  boolean look(boolean everything) {
    int seen = blind ? 0 : waitRoom.doorbellValue();
    boolean rung = !blind && seen != doorbell || everything;
    doorbell = seen;
    int latest = core.revocations();
    boolean revoked = latest != revocations;
    revocations = latest;
    boolean announced = false;
    for (int i = 0; i < groups.size(); i++) {
      WaitGroup group = groups.get(i);
      if (rung && !broken) {
        group.lookAtTaken();
      }
      if (revoked) {
        group.lookAtAll();
      }
      if ((group.isRestless() || everything) && !blind) { // in each round, since it may have been blind before
        announced |= group.announce();
      }
    }
    return announced;
  }

  /**
   * Looks at what is new, after the fence; and at everything in which something has changed, if nobody rings for it.
   */
  void lookAtNew(boolean everything) {
    for (int i = 0; i < groups.size(); i++) {
      WaitGroup group = groups.get(i);
      if (group.isRestless()) {
        group.lookAtFresh();
      }
      if (blind || everything) {
        group.lookIfChanged();
      }
    }
  }

  /** What is done every 50 ms. */
  void tend(boolean mayBlock) {
    if (!isEmpty()) {
      core.probeName();
      if (!broken) {
        core.probePeers();
      }
      checkBlind(mayBlock);
      for (int i = 0; i < groups.size() && !broken; i++) {
        groups.get(i).probe();
        groups.get(i).restoreSummary();
      }
    }
  }

  void lookAtAll() {
    for (int i = 0; i < groups.size(); i++) {
      groups.get(i).lookAtAll();
    }
  }

  /** The memory is gone because the file was truncated: each role finds out for itself. */
  void breakDown() {
    broken = true;
    blind = true;
    groups.forEach(WaitGroup::forgetBits);
    lookAtAll();
  }

  /** Forgets structures in which nobody waits. */
  void forgetEmpty() {
    for (int i = groups.size() - 1; i >= 0; i--) {
      WaitGroup group = groups.get(i);
      if (group.isEmpty()) {
        groups.remove(i);
        byPlace.values().remove(group);
        group.close();
      }
    }
  }
}
