package io.bywash.engine.internal.events;

import java.nio.file.Path;

/**
 * Events for Java Flight Recorder, of what happens seldom and is of interest then. Where the module {@code jdk.jfr} is
 * missing, or nothing is being recorded, each method returns at once and allocates nothing. None of them ever fails.
 * Any thread may call any method. A role of -1 is that of an observer.
 */
public final class EngineEvents {
  /** A wake that is so late is slow; less is usual on a busy machine. */
  public static final long LATE_NANOS = 1_000_000;

  private static final boolean PRESENT = isPresent();

  private EngineEvents() {}

  private static boolean isPresent() {
    try {
      return FlightEvents.areUsable();
    } catch (LinkageError none) { // no such module, or a container that does not let the engine see it
      return false;
    }
  }

  /** A writer found no room for what it wanted to send. */
  public static void writerBlocked(Path segment, String entry, int role) {
    if (PRESENT) {
      try {
        FlightEvents.writerBlocked(segment, entry, role);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // nothing is lost but this event
      }
    }
  }

  /** A reader was overtaken. */
  public static void overrun(Path segment, String entry, int role, long lostCount) {
    if (PRESENT) {
      try {
        FlightEvents.overrun(segment, entry, role, lostCount);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // nothing is lost but this event
      }
    }
  }

  /** A publisher evicted a subscriber, after it was blocked for so long. */
  public static void eviction(Path segment, String entry, int role, long pid, long blockedNanos) {
    if (PRESENT) {
      try {
        FlightEvents.eviction(segment, entry, role, pid, blockedNanos);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // nothing is lost but this event
      }
    }
  }

  /** What the dead holder of a role left in a structure is being recovered. */
  public static void recovery(Path segment, String entry, int role) {
    if (PRESENT) {
      try {
        FlightEvents.recovery(segment, entry, role);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // nothing is lost but this event
      }
    }
  }

  /** A participant was found dead, and its roles were freed. */
  public static void death(Path segment, int slot, long pid, int freedRoleCount) {
    if (PRESENT) {
      try {
        FlightEvents.death(segment, slot, pid, freedRoleCount);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // nothing is lost but this event
      }
    }
  }

  /** Whether anybody wants to know of slow wakes, so that it pays to read the clock. */
  public static boolean areSlowWakesTold() {
    return PRESENT && FlightEvents.areSlowWakesTold();
  }

  /** A thread that waited went on so much later than it should have. */
  public static void slowWake(Path segment, String entry, int role, long lateNanos) {
    if (PRESENT) {
      try {
        FlightEvents.slowWake(segment, entry, role, lateNanos);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // nothing is lost but this event
      }
    }
  }

  /** A message or request of somebody who is gone is delivered again. */
  public static void redelivery(Path segment, String entry, int role) {
    if (PRESENT) {
      try {
        FlightEvents.redelivery(segment, entry, role);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // nothing is lost but this event
      }
    }
  }

  /** A reply came after its call had ended. */
  public static void lateReply(Path segment, String entry, int role) {
    if (PRESENT) {
      try {
        FlightEvents.lateReply(segment, entry, role);
      } catch (OutOfMemoryError | StackOverflowError shortage) {
        // nothing is lost but this event
      }
    }
  }
}
