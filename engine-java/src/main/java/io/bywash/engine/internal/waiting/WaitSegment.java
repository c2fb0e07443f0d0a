package io.bywash.engine.internal.waiting;

import io.bywash.engine.internal.attachment.Attachment;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.waiting.Hub.Wait;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;

/**
 * The hub's waits in one segment, by structure. The cost of a wake depends on what was woken: one load for each 64
 * roles that wait, and one check for each role whose bit was taken. Used only by the hub's thread.
 */
final class WaitSegment {
  private final Hub hub;
  private final Attachment core;
  private final WaitRoom waitRoom;
  private final Map<Place, WaitGroup> byPlace = new HashMap<>();
  private final ArrayList<WaitGroup> groups = new ArrayList<>();
  /** Whether the hub must not sleep on this segment's doorbell, and checks the segment once a millisecond. */
  private boolean blind = true;
  private boolean broken;
  private int doorbell;
  private int revocations;

  /** Where roles wait for one reason. The bitmap alone does not say enough: its bytes may be another entry's later. */
  private record Place(long entryId, long bitmap) {
    static Place of(Waiters waiters) {
      return new Place(waiters.row().id(), waiters.bitmap());
    }
  }

  WaitSegment(Hub hub, Attachment core) {
    this.hub = hub;
    this.core = core;
    this.waitRoom = new WaitRoom(core);
  }

  void add(Wait wait) {
    Waiters waiters = wait.point.waiters();
    Place place = Place.of(waiters);
    WaitGroup group = byPlace.get(place);
    if (group == null) {
      groups.ensureCapacity(groups.size() + 1);
      group = new WaitGroup(hub, waiters);
      try {
        byPlace.put(place, group);
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

  /** Updates {@link #isBlind}; called when the segment is new, and every 50 ms. */
  void checkBlind(boolean mayBlock) {
    blind = broken || !mayBlock || !Futex.WAIT_ANY || !waitRoom.canBlock();
  }

  /** Adds the doorbell, with its value before the last look, to those that the hub sleeps on. */
  void addTo(Futex.Words words) {
    words.add(core.region(), waitRoom.doorbell(), doorbell);
  }

  /** Checks what was woken, and announces what is new. Returns whether it announced anything: a fence must follow. */
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
   * Checks what is new, after the fence. If nobody wakes the hub for this segment, it checks all that has changed.
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

  /** Does what is due every 50 ms. */
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

  /** Called when the memory is gone because the file was truncated; each role finds that out for itself. */
  void breakDown() {
    broken = true;
    blind = true;
    groups.forEach(WaitGroup::forgetBits);
    lookAtAll();
  }

  /** Removes the structures in which nobody waits. */
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
