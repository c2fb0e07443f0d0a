package io.bywash.engine.internal.layout;

/**
 * The format of every shared word that belongs to a participant: slot words, role words, the segment's state, the
 * directory's intent.
 *
 * <pre>
 *   63                             32 31             16 15      8 7    4 3    0
 *  +---------------------------------+-----------------+---------+------+------+
 *  |             epoch               |   generation    | slot id | mode | state|
 *  +---------------------------------+-----------------+---------+------+------+
 * </pre>
 *
 * <p>Slot id and epoch name one life of one participant. In a role word the generation counts the uses modulo 2^16, so
 * that the compare-and-set of somebody who slept meanwhile fails.
 */
public final class Owner {
  /** Slot ids fit in 8 bits. */
  public static final int MAX_SLOTS = 256;

  /** How often to retry a compare-and-set: far more often than honest others can get in the way. */
  public static final int MAX_TRIES = 10_000;

  private static final long PARTICIPANT_MASK = 0xFFFF_FFFF_0000_FF00L;
  private static final int GENERATION_MASK = 0xFFFF;

  private Owner() {}

  /** The word's participant part alone: equal for all words of one life of one participant. */
  public static long participant(long word) {
    return word & PARTICIPANT_MASK;
  }

  public static long participant(int slotId, int epoch) {
    return (long) epoch << 32 | (long) slotId << 8;
  }

  public static long word(long participant, int generation, int mode, int state) {
    return participant & PARTICIPANT_MASK | (long) (generation & GENERATION_MASK) << 16 | (long) mode << 4 | state;
  }

  /** The same word in another state. */
  public static long withState(long word, int state) {
    return word & ~0xFL | state;
  }

  public static int slotId(long word) {
    return (int) (word >>> 8) & 0xFF;
  }

  public static int epoch(long word) {
    return (int) (word >>> 32);
  }

  public static int generation(long word) {
    return (int) (word >>> 16) & GENERATION_MASK;
  }

  public static int mode(long word) {
    return (int) (word >>> 4) & 0xF;
  }

  public static int state(long word) {
    return (int) word & 0xF;
  }
}
