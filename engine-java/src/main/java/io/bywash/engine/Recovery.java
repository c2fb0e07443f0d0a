package io.bywash.engine;

import java.util.List;

/**
 * What {@link Segment#recover} found and repaired. Nothing is left for the caller to do.
 *
 * @param dead the participants that had died without leaving, as they were; their slots are free now
 * @param rolesFreed how many roles they held, in all structures
 * @param intentVoided whether a participant had died while it added an entry; an entry that was half added is gone, one
 *     that was complete stays
 * @param removalReverted whether a participant had died while it removed the segment, which is open again
 * @param filesRemoved how many temporary files of dead creators were removed from the bus directory
 */
public record Recovery(
    List<Participant> dead, int rolesFreed, boolean intentVoided, boolean removalReverted, int filesRemoved) {
  /** Copies {@code dead}. */
  public Recovery {
    dead = List.copyOf(dead);
  }

  /** Whether there was nothing to do. */
  public boolean isEmpty() {
    return dead.isEmpty() && rolesFreed == 0 && !intentVoided && !removalReverted && filesRemoved == 0;
  }
}
