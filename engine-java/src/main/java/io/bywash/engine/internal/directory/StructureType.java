package io.bywash.engine.internal.directory;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.segment.Census;
import java.util.Arrays;
import java.util.List;

/**
 * What the common code asks of one kind of structure. Each kind has one implementation, in the package of its
 * structure. {@link io.bywash.engine.internal.kinds.StructureTypes} lists them, and each attachment gets that list.
 * Nothing else outside a structure's package knows its kind.
 *
 * <p>Called through {@link SegmentEntry}, for entries of this kind whose row is sound. Any thread may call any method;
 * all state is in the segment.
 */
public abstract class StructureType {
  private final Kind kind;

  protected StructureType(Kind kind) {
    this.kind = kind;
  }

  /** The kind that this implements. */
  public final Kind kind() {
    return kind;
  }

  /**
   * An entry that must be one of this kind, in a segment that is open.
   *
   * @param otherwise what is to be said of an entry of another kind, for example "is no ring"
   * @throws SpecMismatchException when it is of another kind
   */
  public final SegmentEntry require(Entry entry, String otherwise) {
    if (!(entry instanceof SegmentEntry segmentEntry)) {
      throw new IllegalArgumentException("entry=" + entry + " is not an entry of this engine");
    }
    if (segmentEntry.kind() != kind) {
      throw new SpecMismatchException("Entry \"" + segmentEntry.name() + "\" of segment "
          + segmentEntry.core().path() + " " + otherwise + ": ",
          List.of("kind is " + segmentEntry.kind() + ", wanted " + kind));
    }
    segmentEntry.core().checkOpen();
    return segmentEntry;
  }

  /**
   * The same, for one that is about to be used, so that it must be sound.
   *
   * @throws io.bywash.engine.DamagedSegmentException when it is not
   */
  public final SegmentEntry requireSound(Entry entry, String otherwise) {
    SegmentEntry segmentEntry = require(entry, otherwise);
    segmentEntry.requireSound();
    String damage = damage(segmentEntry);
    if (damage != null) {
      throw segmentEntry.damaged(damage);
    }
    return segmentEntry;
  }

  /**
   * What is impossible about the geometry in an entry's row; null when nothing is. Called before any other method.
   */
  protected abstract String damage(SegmentEntry entry);

  /** How an entry's parameters differ from the wanted ones, in the words of the kind's specifications. */
  protected String parameterDifference(long[] found, long[] wanted) {
    return "parameters are " + Arrays.toString(found) + ", wanted " + Arrays.toString(wanted);
  }

  /**
   * The owner word of the participant on which the entry depends; 0 when that is its creator. By default it is that of
   * the first active role whose holder is alive.
   */
  protected long owner(SegmentEntry entry, Census census) {
    for (int index = 0; entry.roleCount() > 0 && index < entry.rolesUsed(); index++) {
      long word = entry.roleWord(index);
      if (Owner.state(word) == SegmentLayout.ROLE_ACTIVE && census.isAlive(word)) {
        return word;
      }
    }
    return 0;
  }

  /** The word of the first role while that is active, whether or not its holder is alive; else 0. */
  protected static long firstHolder(SegmentEntry entry) {
    long first = entry.roleCount() > 0 ? entry.roleWord(0) : 0;
    return Owner.state(first) == SegmentLayout.ROLE_ACTIVE ? first : 0;
  }

  /** How many bytes an entry has for its data, behind its roles. */
  protected static long room(SegmentEntry entry) {
    return entry.sizeBytes() - SegmentLayout.structureDataOffset(entry.roleCount()) - SegmentLayout.SPARE_BYTES;
  }

  /**
   * The status of the entry. Changes nothing.
   *
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  protected abstract StructureStatus status(SegmentEntry entry);

  /** A sentence on each thing that is impossible in the entry, while it may be in use; see {@code Verification}. */
  protected abstract List<String> problems(SegmentEntry entry);

  /**
   * A role that does not go on, where nothing in shared memory distinguishes that from damage. It is reported when a
   * second look, some moments later, finds an equal one.
   *
   * @param role the role's index
   * @param owner the word of the role's holder, without mode and state
   * @param problem a sentence with every number that changes as soon as the holder goes on
   * @param advice what to do about it
   */
  public record Suspect(int role, long owner, String problem, String advice) {}

  /** Roles that do not seem to go on; a second look confirms them. */
  protected List<Suspect> suspects(SegmentEntry entry) {
    return List.of();
  }

  /**
   * Recovers what the dead holder of a role left in the structure. Called before the role's {@code word} is replaced.
   * Several callers may do this at once, and a caller may die in it: then the next one repeats it.
   */
  protected void recover(SegmentEntry entry, int role, long word) {}

  /**
   * Gives up what a role has in the structure, whose holder has not died. Called before the role's {@code word}, which
   * may have been revoked, becomes free; its user is outside. Whoever calls this may die in it: then {@link #recover}
   * is called.
   */
  protected void leave(SegmentEntry entry, int role, long word) {}

  /**
   * Whether a role, taken or free, has something that the holder of another role must deal with when it becomes free,
   * such as a message that was not acknowledged. The others then see that {@link SegmentEntry#leftCount} has changed.
   */
  protected boolean leavesSomething(SegmentEntry entry, int role) {
    return false;
  }

  /**
   * Why the segment has to stay even when nobody uses it, for example "holds 3 messages that nobody has taken"; null
   * when it need not.
   */
  protected String retained(SegmentEntry entry) {
    return null;
  }

  /** Whether entries of this kind may have to stay. Programs that do not know the kind then leave the segment alone. */
  protected boolean mayRetain() {
    return false;
  }

  /**
   * Writes the first content of a new structure, where that is not zero. Called before its row becomes live, with the
   * structure's offset in {@code region}. An adder that dies in this call leaves bytes that are not zero.
   */
  protected void format(Region region, long offset, EntrySpec spec) {}
}
