package io.bywash.engine.internal.waiting;

import io.bywash.engine.internal.waiting.Hub.Wait;
import io.bywash.engine.internal.memory.NativeAccess;
import java.util.Arrays;

/**
 * The hub's waits of one process for one reason in one structure, by role. A role's bit is set while it has waits
 * here; it is announced once, not at each sleep. Used only by the hub's thread.
 *
 * <p>Changing the waits allocates no memory, so a shortage of heap leaves them as they were.
 */
final class WaitGroup {
  private static final int OBSERVERS = 1;

  private final Hub hub;
  private final Waiters waiters;
  private final int roleCount;
  /** The first wait of each role; those of observers come last. */
  private final Wait[] first;
  private int count;
  /** How many of the waits are {@linkplain WaitPoint#isTimed timed}. */
  private int timedCount;

  // ---- one bit for each role
  private final long[] waiting;
  private final long[] announced;
  /** To be checked before the next sleep. */
  private final long[] fresh;

  /** Whether a role that waits is not announced, or is fresh. */
  private boolean restless;
  private long stamp;
  /** Whether the structure's bytes stay its own until {@link #close}, so bits may be set there. */
  private final boolean mayAnnounce;

  WaitGroup(Hub hub, Waiters waiters) {
    this.hub = hub;
    this.waiters = waiters;
    this.roleCount = waiters.row().roleCount();
    this.first = new Wait[roleCount + OBSERVERS];
    int words = (first.length + 63) >>> 6;
    this.waiting = new long[words];
    this.announced = new long[words];
    this.fresh = new long[words];
    this.mayAnnounce = NativeAccess.ENABLED && !waiters.row().core().isReadOnly() && waiters.row().tryBeginWait();
  }

  /** Called when nobody waits here any more. */
  void close() {
    if (mayAnnounce) {
      waiters.row().endWait();
    }
  }

  boolean isEmpty() {
    return count == 0;
  }

  boolean isRestless() {
    return restless;
  }

  void add(Wait wait) {
    int role = indexOf(wait);
    wait.next = first[role];
    first[role] = wait;
    wait.group = this;
    count++;
    timedCount += wait.point.isTimed() ? 1 : 0;
    waiting[role >>> 6] |= 1L << (role & 63);
    fresh[role >>> 6] |= 1L << (role & 63);
    restless = true;
  }

  private int indexOf(Wait wait) {
    int role = wait.point.role();
    return role < 0 ? roleCount : role;
  }

  /** Checks the roles whose bits were taken by wakers. */
  void lookAtTaken() {
    for (int word = 0; word < waiters.words(); word++) {
      long taken = announced[word] == 0 ? 0 : announced[word] & ~waiters.word(word);
      if (taken != 0) {
        fresh[word] |= taken;
        announced[word] &= ~taken;
        restless = true;
        look(word, taken, true);
      }
    }
  }

  /** Announces all roles that wait and are not announced yet; returns whether there were any. */
  boolean announce() {
    boolean any = false;
    for (int word = 0; mayAnnounce && word < waiters.words(); word++) {
      for (long bits = waiting[word] & ~announced[word]; bits != 0; bits &= bits - 1) {
        int role = (word << 6) + Long.numberOfTrailingZeros(bits);
        if (role < roleCount && first[role].point.usesWakes()) {
          waiters.announce(role);
          announced[word] |= 1L << (role & 63);
          fresh[word] |= 1L << (role & 63);
          any = true;
        }
      }
    }
    restless |= any;
    return any;
  }

  /** Checks the waits that were added or announced since the last check. */
  void lookAtFresh() {
    restless = false;
    for (int word = 0; word < fresh.length; word++) {
      look(word, fresh[word], false);
    }
  }

  /** Checks all waits if something has changed in the structure. */
  void lookIfChanged() {
    Wait any = any();
    if (any == null) {
      return;
    }
    if (!waiters.row().core().file().tryBeginLook()) {
      lookAtAll();
      return;
    }
    long now;
    try {
      now = any.point.changeStamp();
    } catch (RuntimeException | InternalError failure) { // each wait meets it too
      lookAtAll();
      return;
    } finally {
      waiters.row().core().file().endLook();
    }
    if (now != stamp || timedCount > 0) {
      stamp = now;
      lookAtAll();
    }
  }

  private Wait any() {
    for (int word = 0; word < waiting.length; word++) {
      if (waiting[word] != 0) {
        return first[(word << 6) + Long.numberOfTrailingZeros(waiting[word])];
      }
    }
    return null;
  }

  void lookAtAll() {
    for (int word = 0; word < waiting.length; word++) {
      look(word, waiting[word], false);
    }
  }

  /** Checks the role of a wait whose user has reported that it is over. */
  void lookAt(Wait over) {
    int role = indexOf(over);
    look(role >>> 6, 1L << (role & 63), false);
  }

  /** Called when the structure's memory is gone, so nothing can be announced. */
  void forgetBits() {
    Arrays.fill(announced, 0);
  }

  /** Probes whether the entry is still there, and ends its roles if not. */
  void probe() {
    waiters.row().probeFromOutside();
  }

  /** Sets summary bits again that a dead waker may have cleared. */
  void restoreSummary() {
    synchronized (waiters.row().core().presence()) {
      for (int word = 0; word < waiters.words() && !waiters.row().core().hasLeft(); word++) {
        if (announced[word] != 0) {
          waiters.restoreSummary(word);
        }
      }
    }
  }

  private void look(int word, long roles, boolean taken) {
    for (long bits = roles; bits != 0; bits &= bits - 1) {
      look((word << 6) + Long.numberOfTrailingZeros(bits), taken);
    }
  }

  /** Ends the waits of a role that are over. The others stay, announced or to be announced again. */
  private void look(int role, boolean taken) {
    int word = role >>> 6;
    long bit = 1L << (role & 63);
    boolean used = false;
    boolean failed = false;
    Wait before = null;
    Wait next;
    for (Wait each = first[role]; each != null; each = next) {
      next = each.next;
      Hub.Look look = hub.look(each);
      used |= look == Hub.Look.READY;
      failed |= look == Hub.Look.FAILED;
      if (look == Hub.Look.WAITS || look == Hub.Look.FAILED) {
        before = each;
      } else {
        count--;
        timedCount -= each.point.isTimed() ? 1 : 0;
        each.next = null;
        each.group = null;
        if (before == null) {
          first[role] = next;
        } else {
          before.next = next;
        }
      }
    }
    if (failed) {
      fresh[word] |= bit;
    } else {
      fresh[word] &= ~bit;
    }
    if (first[role] == null) {
      leave(word, bit, role, taken, used);
    }
    restless |= failed || (waiting[word] & ~announced[word] & bit) != 0;
  }

  /** Called when nobody waits in a role any more. An unused wake is passed on to another role. */
  private void leave(int word, long bit, int role, boolean taken, boolean used) {
    waiting[word] &= ~bit;
    boolean passOn = taken;
    if ((announced[word] & bit) != 0) {
      announced[word] &= ~bit;
      passOn |= !waiters.endAnnouncement(role);
    }
    if (passOn && !used) {
      waiters.passOn();
    }
  }
}
