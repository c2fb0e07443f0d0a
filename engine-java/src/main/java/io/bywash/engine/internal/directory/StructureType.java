package io.bywash.engine.internal.directory;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.memory.Region;
import java.util.Arrays;
import java.util.List;

/**
 * What the common code asks of one kind of structure. Each kind has one implementation, in the package of its
 * structure. They are listed in {@link io.bywash.engine.internal.kinds.StructureTypes}, and handed to each attachment.
 * Nothing else outside of a structure's package knows its kind.
 *
 * <p>Called through {@link SegmentEntry}, for entries of this kind whose row is sound. Any thread may call; all state
 * is in the segment.
 */
public abstract class StructureType {
  private final Kind kind;

  protected StructureType(Kind kind) {
    this.kind = kind;
  }

  /** The kind that this is about. */
  public final Kind kind() {
    return kind;
  }

  /**
   * What is impossible about the geometry in an entry's row; null when nothing is. Nothing else is asked before that.
   */
  protected abstract String damage(SegmentEntry entry);

  /** How an entry's parameters differ from those that somebody wants, in the words of the kind's specifications. */
  protected String parameterDifference(long[] found, long[] wanted) {
    return "parameters are " + Arrays.toString(found) + ", wanted " + Arrays.toString(wanted);
  }

  /** The owner word of the participant on which the entry depends; 0 when that is its creator. */
  protected long owner(SegmentEntry entry) {
    return 0;
  }

  /**
   * The status of the entry; it only reads.
   *
   * @throws io.bywash.engine.DamagedSegmentException when what is in shared memory is impossible
   */
  protected abstract StructureStatus status(SegmentEntry entry);

  /** A sentence on each thing that is impossible in the entry, while it may be in use; see {@code Verification}. */
  protected abstract List<String> problems(SegmentEntry entry);

  /**
   * Something that does not go on, and that nothing in shared memory tells from damage. It is told when a second look,
   * some moments later, finds an equal one.
   *
   * @param role the number of the role that it is about
   * @param owner the word of that role's holder, without mode and state
   * @param problem a sentence; it names every number that changes as soon as the holder goes on
   * @param advice what to do about it
   */
  public record Suspect(int role, long owner, String problem, String advice) {}

  /** Who does not seem to go on, for a second look to find again. */
  protected List<Suspect> suspects(SegmentEntry entry) {
    return List.of();
  }

  /**
   * Puts in order what the dead holder of a role left in the structure. Called before {@code word} is taken out of the
   * role. Several may call it at once, and a caller may die in it: then whoever comes next calls it again.
   */
  protected void recover(SegmentEntry entry, int role, long word) {}

  /**
   * Whether a role, taken or free, has something that the holder of another one has to see to when it becomes free: a
   * message that was not done with, for example. The others then find that {@link SegmentEntry#leftCount} has changed.
   */
  protected boolean leavesSomething(SegmentEntry entry, int role) {
    return false;
  }

  /**
   * What the segment has to stay for even when nobody uses it, for example "holds 3 messages that nobody has taken";
   * null when it need not.
   */
  protected String retained(SegmentEntry entry) {
    return null;
  }

  /** Whether entries of this kind may have to stay: programs that do not know the kind then leave the segment alone. */
  protected boolean mayRetain() {
    return false;
  }

  /**
   * Writes what a new structure begins with, where that is more than zeros. Called before its row becomes live, with
   * its first byte in {@code region}; an adder that dies in it leaves bytes that are not zero.
   */
  protected void format(Region region, long offset, EntrySpec spec) {}
}
