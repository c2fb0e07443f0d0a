package io.bywash.engine.internal.segment;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/** The word that says whether a segment is open, being removed by its last participant, or removed. */
public final class SegmentState {
  private final Path path;
  private final SegmentFile file;
  private final Region region;
  private final Participants participants;
  private volatile boolean removing;

  public SegmentState(Path path, SegmentFile file, Region region, Participants participants) {
    this.path = path;
    this.file = file;
    this.region = region;
    this.participants = participants;
  }

  public boolean isOpen() {
    return Owner.state(region.getLongVolatile(STATE_OFFSET)) == OPEN;
  }

  public boolean isRemoved() {
    return Owner.state(region.getLongVolatile(STATE_OFFSET)) == REMOVED;
  }

  /** Whether a participant that has just joined may stay. First reverts a removal whose remover died. */
  public boolean openAgain() {
    for (int tries = 0; tries < Owner.MAX_TRIES; tries++) {
      long state = region.getLongVolatile(STATE_OFFSET);
      switch (Owner.state(state)) {
        case OPEN -> {
          return true;
        }
        case CLOSING -> {
          if (!isAbandoned(state)) {
            return false;
          }
          region.compareAndSetLong(STATE_OFFSET, state, OPEN);
        }
        case REMOVED -> {
          if (file.isAt(path)) {
            throw Geometry.damaged(path, "it is marked as removed, but it is still there");
          }
          return false;
        }
        default -> throw Geometry.damaged(path, "its state is " + Owner.state(state));
      }
    }
    throw Geometry.damaged(path, "its state does not stand still: it changed " + Owner.MAX_TRIES + " times at"
        + " one look");
  }

  /** Whether a living participant is about to remove the segment, or has removed it. */
  public boolean isLeaving() {
    long state = region.getLongVolatile(STATE_OFFSET);
    return Owner.state(state) == REMOVED && !file.isAt(path) || Owner.state(state) == CLOSING && !isAbandoned(state);
  }

  /** Whether a state is that of a removal whose remover died, or of a failed removal by this participant. */
  private boolean isAbandoned(long state) {
    return Owner.state(state) == CLOSING
        && (!participants.isAlive(state) || Owner.participant(state) == participants.self() && !removing);
  }

  /** Opens the segment again if its remover died; returns whether it did so. */
  public boolean revertIfAbandoned() {
    long state = region.getLongVolatile(STATE_OFFSET);
    return isAbandoned(state) && region.compareAndSetLong(STATE_OFFSET, state, OPEN);
  }

  /**
   * Removes the file, unless somebody joined meanwhile, or it has to stay. Returns whether it removed the file. The
   * caller holds the names lock, so no other remover and no creator is at work.
   *
   * @param isKept whether the segment has to stay though nobody uses it; asked when nobody can join any more, and what
   *     others did before they left is visible
   */
  public boolean removeUnlessJoined(OpenDirectory directory, BooleanSupplier isKept) throws IOException {
    long mine = Owner.word(participants.self(), 0, 0, CLOSING);
    revertIfAbandoned(); // another remover died
    removing = true; // or a thread that recovers would revert it
    if (!region.compareAndSetLong(STATE_OFFSET, OPEN, mine)) { // [closing]
      removing = false;
      return false; // already removed, or damaged, which is not reported on closing
    }
    VarHandle.fullFence(); // [closing]
    boolean removed = false;
    try {
      if (!participants.anyOtherStays() && !isKept.getAsBoolean() && file.isAt(path)) {
        directory.deleteIfExists(path.getFileName().toString());
        removed = true;
      }
    } finally { // even when this process may not unlink it
      region.setLongVolatile(STATE_OFFSET, removed ? REMOVED : OPEN);
      removing = false;
    }
    return removed;
  }
}
