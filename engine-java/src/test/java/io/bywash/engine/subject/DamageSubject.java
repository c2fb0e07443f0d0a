package io.bywash.engine.subject;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/**
 * What the suites about damage know of a kind of structure: what is in a segment that is damaged, which words of a
 * structure are worth it, and what touches them. The segment's own words, whole pages and the file are damaged by the
 * suites.
 *
 * <p>A use of damaged words ends in success or in an exception that is documented, and soon; one of a structure that
 * was not touched ends in success.
 */
public interface DamageSubject {
  /** Where a structure is in the file, and its data in the structure. */
  record Place(int offset, int sizeBytes, int data, int roles) {
    public static Place of(Entry entry) {
      SegmentEntry row = (SegmentEntry) entry;
      return new Place((int) row.offset(), (int) row.sizeBytes(),
          (int) SegmentLayout.structureDataOffset(row.roleCount()), row.roleCount());
    }
  }

  /** How many damaged segments a normal build tries. */
  default int imagesInVerify() {
    return 1_000;
  }

  /** A use of damaged words, in steps that are judged one by one. */
  interface Uses {
    Random random();

    /** What the step returns; null when it ended in an exception that it may end in. */
    <T> T step(String name, Step<T> step) throws Exception;
  }

  /** A call or a few of the public interface. */
  interface Step<T> {
    T run() throws Exception;
  }

  /** Ends a step as its documentation says, where that is no {@link io.bywash.engine.BusException}. */
  final class Documented extends Exception {
    private static final long serialVersionUID = 1;

    public Documented(String outcome, Exception cause) {
      super(outcome, cause);
    }
  }

  // Structures at rest.

  /** At least two of the kind, of different sizes, for one segment. */
  List<EntrySpec> structures();

  /** One more, which is added to damaged segments; there is room for three. */
  EntrySpec added(String name);

  /** Uses a structure for a while: 5 leaves it young, and by 200 each word has been used again. Leaves no role. */
  void fill(Entry entry, int amount);

  /** Takes roles of all sorts and leaves work half done, in a structure that was filled. */
  List<AutoCloseable> hold(Entry entry);

  /** A word that is worth damage, by its place in the structure: on the whole each word that the uses trust. */
  int word(Place place, ByteBuffer segment, Random random);

  /** Values that hurt: those of the structure's words, and some that are nearly right. */
  List<Long> tempting(Place place, ByteBuffer segment);

  /** What can be looked at without a role; for people. */
  String status(Entry entry);

  /** Reads what an attachment may read that only observes; leaves no role. */
  void observe(Entry entry, Uses uses) throws Exception;

  /** Takes roles and uses them in any way; those that are open then are closed as steps of their own. */
  List<AutoCloseable> use(Entry entry, Uses uses) throws Exception;

  /** Takes roles in a structure that was not touched, whoever else is dead in it, uses them, and checks the results. */
  void useSound(Entry entry) throws Exception;

  /** Outcomes that have to come up in a thousand segments, or else they prove little; as {@code step: exception}. */
  List<String> expectedOutcomes();

  // Structures that are used while their words change.

  /** Takes roles in a sound structure, by two attachments, and begins something. */
  Living live(Entry one, Entry other);

  /** Those who live in a structure. */
  interface Living {
    /** Goes on, whatever happened to the structure. */
    void use(Uses uses) throws Exception;

    /**
     * Goes on in a structure that was not touched, and checks what was done before and now; how many messages that
     * were.
     */
    int useSound();

    /** What is to be closed. */
    List<AutoCloseable> roles();
  }

  /** One with some data, used by several threads at once. */
  EntrySpec busy(String name);

  /** As {@link #word}, but the words are being used, and nothing follows from their values. */
  int busyWord(Place place, Random random);

  /**
   * What is done by one thread each with a structure of {@link #busy}, again and again, by names. Each of them has to
   * meet damage, and success too.
   */
  Map<String, BusyUse> busyUses();

  /** One turn. */
  interface BusyUse {
    void run(Entry entry, Turn turn) throws Exception;
  }

  /** What a turn may know. */
  interface Turn {
    Random random();

    /** Whether to come to an end. */
    boolean isOver();

    /** Counts an outcome. */
    void note(String outcome);
  }

  /** Fills one of {@link #busy} always in the same way; leaves no role. */
  void fillBusy(Entry entry);

  /** Words that somebody changes to and fro in what {@link #fillBusy} filled. */
  List<Change> changes();

  /**
   * A change.
   *
   * @param name for people
   * @param before done once, to make it more credible
   * @param flip to one value and the other
   * @param slow when each use may take the time that a search may last
   */
  record Change(String name, Consumer<SegmentEntry> before, Flip flip, boolean slow) {
    public Change(String name, Flip flip) {
      this(name, entry -> {}, flip, false);
    }
  }

  /** Stores one value or the other. */
  interface Flip {
    void flip(SegmentEntry entry, boolean there);
  }

  /** Everything that touches those words, each with roles of its own, which it gives back. */
  List<Consumer<Entry>> usesOfChanged();
}
