package io.bywash.engine;

import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import java.util.List;
import java.util.Optional;

/**
 * A look at one structure, in terms that all kinds share: what it counted, who holds a role in it, and who holds whom
 * back. The numbers were true one after the other, not all at one instant. Each kind has a record of its own with more,
 * for example {@link BroadcastStatus}. Any thread may use it.
 */
public sealed interface StructureStatus permits BroadcastStatus {

  /**
   * Looks at an entry, from any attachment, also a read-only one. It costs those who use the structure nothing.
   *
   * @return empty when this version does not know the entry's kind
   * @throws DamagedSegmentException when what is in shared memory is impossible
   * @throws SegmentClosedException when the attachment was closed
   */
  static Optional<StructureStatus> of(Entry entry) {
    if (!(entry instanceof SegmentEntry own)) {
      throw new IllegalArgumentException("entry=" + entry + " is not an entry of this engine");
    }
    return own.status();
  }

  /** How a counter is shown. */
  enum Form {
    /** Its value. */
    COUNT,
    /** Its value, and by how much it grows in a second. */
    COUNT_AND_RATE,
    /** Only by how much it grows in a second. */
    RATE,
    /** Its value as a share of its whole. */
    SHARE
  }

  /**
   * A number.
   *
   * @param name what it counts, one or a few words in lower case; unique among the counters beside it
   * @param value the number itself
   * @param form how it is shown
   * @param whole what the value is a share of; 0 for all other forms
   */
  record Counter(String name, long value, Form form, long whole) {
    /** A number of which only the last value matters. */
    public static Counter count(String name, long value) {
      return new Counter(name, value, Form.COUNT, 0);
    }

    /** A number that only grows, of interest by itself and for its rate. */
    public static Counter growing(String name, long value) {
      return new Counter(name, value, Form.COUNT_AND_RATE, 0);
    }

    /** A number that only grows, of interest for its rate. */
    public static Counter rate(String name, long value) {
      return new Counter(name, value, Form.RATE, 0);
    }

    /** A part of a whole that is greater than 0. */
    public static Counter share(String name, long value, long whole) {
      return new Counter(name, value, Form.SHARE, whole);
    }

    /** Whether it grows, so that two looks give a rate. */
    public boolean isRated() {
      return form == Form.COUNT_AND_RATE || form == Form.RATE;
    }
  }

  /**
   * Somebody who holds a role. Two of one process differ in their roles.
   *
   * @param role the number of the role
   * @param generation how often that role was used, modulo 2^16
   * @param participant whose it is, dead or alive
   * @param label what its program calls the role, empty if it did not say
   * @param task what it does there, for example {@code publisher}, or what it asked for, for example {@code block}
   * @param counters its own, the same for all holders with such a task
   */
  record Holder(int role, int generation, Participant participant, String label, String task, List<Counter> counters) {
    /** Whether two looks at one structure saw the same holder, and not another one in its role. */
    public boolean isSameAs(Holder other) {
      return role == other.role && generation == other.generation && participant.id() == other.participant.id()
          && participant.epoch() == other.participant.epoch();
    }
  }

  /** What one holder does to others. */
  enum Effect {
    /** It goes on, but others wait for it. */
    SLOWS,
    /** It does not go on, and neither do others. */
    STOPS
  }

  /**
   * A holder that others wait for.
   *
   * @param role the number of its role
   * @param effect what it does to them
   * @param heldBackPids process ids of those who wait
   * @param problem a sentence for the user
   * @param advice what to do about it
   */
  record Obstacle(int role, Effect effect, List<Long> heldBackPids, String problem, String advice) {}

  /** What it counted, the same counters in the same order for all structures of one kind. */
  List<Counter> counters();

  /** The share of its capacity, 0 to 1, that is taken; empty when that has no meaning. */
  Optional<Double> fill();

  /** Everybody who holds a role in it, dead or alive, by the numbers of the roles. */
  List<Holder> holders();

  /** Whether nothing was ever put into it, so that nobody would miss it. */
  boolean isUntouched();

  /**
   * Who holds others back, the worst first.
   *
   * @param earlier a look at the same structure; this look itself gives everybody who is in the way now
   * @param seconds between the two looks
   */
  List<Obstacle> obstacles(StructureStatus earlier, double seconds);
}
