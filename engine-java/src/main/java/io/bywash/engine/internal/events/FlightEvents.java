package io.bywash.engine.internal.events;

import java.nio.file.Path;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Throttle;
import jdk.jfr.Timespan;

/** The only class that knows {@code jdk.jfr}; {@link EngineEvents} uses it where that is there. */
final class FlightEvents {
  // Each is asked whether its kind is recorded; so nothing is allocated if not.
  private static final WriterBlocked WRITER_BLOCKED = new WriterBlocked();
  private static final Overrun OVERRUN = new Overrun();
  private static final Eviction EVICTION = new Eviction();
  private static final Recovery RECOVERY = new Recovery();
  private static final Death DEATH = new Death();
  private static final SlowWake SLOW_WAKE = new SlowWake();
  private static final Redelivery REDELIVERY = new Redelivery();
  private static final LateReply LATE_REPLY = new LateReply();

  private FlightEvents() {}

  /** Fails to link where this cannot be used. */
  static boolean areUsable() {
    return true;
  }

  @Category("Bywash")
  @StackTrace(false)
  private abstract static class InSegment extends Event {
    @Label("Segment")
    String segment;

    void commitIn(Path path) {
      segment = path.toString();
      commit();
    }
  }

  private abstract static class InEntry extends InSegment {
    @Label("Entry")
    String entry;
    @Label("Role")
    int role;

    void commitIn(Path path, String name, int number) {
      entry = name;
      role = number;
      commitIn(path);
    }
  }

  @Name("io.bywash.WriterBlocked")
  @Label("Writer Blocked")
  @Description("A writer found no room: readers are too far behind, or the structure is full")
  @Throttle("100/s")
  private static final class WriterBlocked extends InEntry {}

  static void writerBlocked(Path segment, String entry, int role) {
    if (WRITER_BLOCKED.isEnabled()) {
      new WriterBlocked().commitIn(segment, entry, role);
    }
  }

  @Name("io.bywash.Overrun")
  @Label("Overrun")
  @Description("A reader lost messages or elements that were overwritten before it came to them")
  @Throttle("100/s")
  private static final class Overrun extends InEntry {
    @Label("Lost Count")
    long lostCount;
  }

  static void overrun(Path segment, String entry, int role, long lostCount) {
    if (OVERRUN.isEnabled()) {
      Overrun event = new Overrun();
      event.lostCount = lostCount;
      event.commitIn(segment, entry, role);
    }
  }

  @Name("io.bywash.Eviction")
  @Label("Eviction")
  @Description("A publisher evicted a subscriber that held it back for too long")
  private static final class Eviction extends InEntry {
    @Label("Evicted Process")
    long evictedPid;
    @Label("Publisher Blocked For")
    @Timespan(Timespan.NANOSECONDS)
    long blockedNanos;
  }

  static void eviction(Path segment, String entry, int role, long pid, long blockedNanos) {
    if (EVICTION.isEnabled()) {
      Eviction event = new Eviction();
      event.evictedPid = pid;
      event.blockedNanos = blockedNanos;
      event.commitIn(segment, entry, role);
    }
  }

  @Name("io.bywash.Recovery")
  @Label("Recovery")
  @Description("What the dead holder of a role left in a structure was recovered")
  private static final class Recovery extends InEntry {}

  static void recovery(Path segment, String entry, int role) {
    if (RECOVERY.isEnabled()) {
      new Recovery().commitIn(segment, entry, role);
    }
  }

  @Name("io.bywash.Death")
  @Label("Death Noticed")
  @Description("A participant was found dead, and all that it held was freed")
  private static final class Death extends InSegment {
    @Label("Slot")
    int slot;
    @Label("Dead Process")
    long deadPid;
    @Label("Freed Roles")
    int freedRoleCount;
  }

  static void death(Path segment, int slot, long pid, int freedRoleCount) {
    if (DEATH.isEnabled()) {
      Death event = new Death();
      event.slot = slot;
      event.deadPid = pid;
      event.freedRoleCount = freedRoleCount;
      event.commitIn(segment);
    }
  }

  @Name("io.bywash.SlowWake")
  @Label("Slow Wake")
  @Description("A thread that waited went on later than it should have, since nobody woke it or it got no processor")
  @Throttle("100/s")
  private static final class SlowWake extends InEntry {
    @Label("Late By")
    @Timespan(Timespan.NANOSECONDS)
    long lateNanos;
  }

  static boolean areSlowWakesTold() {
    return SLOW_WAKE.isEnabled();
  }

  static void slowWake(Path segment, String entry, int role, long lateNanos) {
    if (SLOW_WAKE.isEnabled()) {
      SlowWake event = new SlowWake();
      event.lateNanos = lateNanos;
      event.commitIn(segment, entry, role);
    }
  }

  @Name("io.bywash.Redelivery")
  @Label("Redelivery")
  @Description("A message or request of a participant that is gone is delivered again")
  private static final class Redelivery extends InEntry {}

  static void redelivery(Path segment, String entry, int role) {
    if (REDELIVERY.isEnabled()) {
      new Redelivery().commitIn(segment, entry, role);
    }
  }

  @Name("io.bywash.LateReply")
  @Label("Late Reply")
  @Description("A responder replied to a call that had ended")
  private static final class LateReply extends InEntry {}

  static void lateReply(Path segment, String entry, int role) {
    if (LATE_REPLY.isEnabled()) {
      new LateReply().commitIn(segment, entry, role);
    }
  }
}
