package io.bywash.engine;

import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.call.EndpointStatus;
import io.bywash.engine.cell.CellsStatus;
import io.bywash.engine.cell.LatestStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.pool.PoolStatus;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.engine.ring.RingStatus;
import java.util.List;
import java.util.Optional;

/**
 * The status of one structure, in terms that all kinds share: what it counted, who holds its roles, and who holds whom
 * back. The values were read one after another, not all at one instant. Each kind has a record of its own with more
 * detail, for example {@link BroadcastStatus}. Any thread may use it.
 */
public sealed interface StructureStatus
    permits BroadcastStatus, QueueStatus, CellsStatus, LatestStatus, RingStatus, PoolStatus, EndpointStatus {

  /**
   * Inspects an entry. Any attachment will do, even a read-only one. Those who use the structure are not slowed down.
   *
   * @return empty when this version does not know the entry's kind
   * @throws DamagedSegmentException when shared memory holds something impossible
   * @throws SegmentClosedException when the segment is closed in this process
   * @throws IllegalArgumentException when {@code entry} is not an entry of this engine
   */
  static Optional<StructureStatus> of(Entry entry) {
    if (!(entry instanceof SegmentEntry segmentEntry)) {
      throw new IllegalArgumentException("entry=" + entry + " is not an entry of this engine");
    }
    return segmentEntry.status();
  }

  /** How to show a counter. */
  enum Form {
    /** Its value. */
    COUNT,
    /** Its value, and its growth per second. */
    COUNT_AND_RATE,
    /** Only its growth per second. */
    RATE,
    /** Its value as a share of a whole. */
    SHARE
  }

  /**
   * A number to show.
   *
   * @param name what it counts, one or a few words in lower case; unique among the counters that are shown with it
   * @param value the number itself
   * @param form how to show it
   * @param whole the whole that {@code value} is a share of; 0 for all other forms
   */
  record Counter(String name, long value, Form form, long whole) {
    /** A number of which only the latest value matters. */
    public static Counter count(String name, long value) {
      return new Counter(name, value, Form.COUNT, 0);
    }

    /** A number that never decreases, of interest for its value and its rate. */
    public static Counter growing(String name, long value) {
      return new Counter(name, value, Form.COUNT_AND_RATE, 0);
    }

    /** A number that never decreases, of interest only for its rate. */
    public static Counter rate(String name, long value) {
      return new Counter(name, value, Form.RATE, 0);
    }

    /** A share of {@code whole}, which is greater than 0. */
    public static Counter share(String name, long value, long whole) {
      return new Counter(name, value, Form.SHARE, whole);
    }

    /** Whether the counter has a rate, which two inspections yield. */
    public boolean isRated() {
      return form == Form.COUNT_AND_RATE || form == Form.RATE;
    }
  }

  /**
   * The holder of a role. Two holders in one process differ in their roles.
   *
   * @param role the number of the role
   * @param generation how often that role was used, modulo 2^16
   * @param participant the participant that holds it, dead or alive
   * @param label what its program calls the role, empty by default
   * @param task what the holder does, for example {@code publisher}, or which policy it chose, for example
   *     {@code block}
   * @param counters the holder's own counters, the same ones for all holders with this kind of task
   */
  record Holder(int role, int generation, Participant participant, String label, String task, List<Counter> counters) {
    /** Whether this is the same holder that another inspection saw, and not a later holder of the same role. */
    public boolean isSameAs(Holder other) {
      return role == other.role && generation == other.generation && participant.id() == other.participant.id()
          && participant.epoch() == other.participant.epoch();
    }
  }

  /** How a holder affects others. */
  enum Effect {
    /** It makes progress, but others have to wait for it. */
    SLOWS,
    /** It makes no progress, and neither do those who wait for it. */
    STOPS
  }

  /**
   * A holder that others wait for.
   *
   * @param role the number of its role
   * @param effect how it affects them
   * @param heldBackPids the process ids of those who wait
   * @param problem a sentence for people
   * @param advice what to do about it
   */
  record Obstacle(int role, Effect effect, List<Long> heldBackPids, String problem, String advice) {}

  /** The structure's counters: the same ones in the same order for all structures of one kind. */
  List<Counter> counters();

  /** The share of the capacity that is taken, 0 to 1; empty when that has no meaning for this kind. */
  default Optional<Double> fill() {
    return Optional.empty();
  }

  /** All holders of a role in the structure, dead or alive, in the order of the roles' numbers. */
  default List<Holder> holders() {
    return List.of();
  }

  /** Whether nothing was ever put into the structure, so that nobody would miss it. */
  boolean isUntouched();

  /**
   * Those who hold others back, the worst first.
   *
   * @param earlier an earlier status of the same structure; if it is this one, all who are in the way now are returned
   * @param seconds the time between the two inspections
   */
  default List<Obstacle> obstacles(StructureStatus earlier, double seconds) {
    return List.of();
  }
}
