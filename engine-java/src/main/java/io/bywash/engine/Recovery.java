package io.bywash.engine;

import java.util.List;

/**
 * What {@link Segment#recover} found, and has put in order. Everything in it is done; nothing is left to the caller.
 *
 * @param dead the participants that had died without leaving, as they were; their slots are free now
 * @param rolesFreed how many roles they held, in all structures
 * @param intentVoided whether one had died while it added an entry: a half-added entry is gone, a whole one is there
 * @param removalReverted whether one had died while it removed the segment, which is open again
 * @param filesRemoved how many hidden files of dead creators were removed from the segment's directory
 */
public record Recovery(
    List<Participant> dead, int rolesFreed, boolean intentVoided, boolean removalReverted, int filesRemoved) {
  /** Copies the list. */
  public Recovery {
    dead = List.copyOf(dead);
  }

  /** Whether there was nothing to do. */
  public boolean isEmpty() {
    return dead.isEmpty() && rolesFreed == 0 && !intentVoided && !removalReverted && filesRemoved == 0;
  }
}
