package io.bywash.engine;

import java.util.List;

/**
 * The result of an attempt to remove a segment from a bus directory, or an entry from a segment.
 *
 * @param name of the file or the entry
 * @param outcome what happened
 * @param pids the processes that use it, each in its own pid namespace; empty when none does, or when they are unknown
 * @param explanation a sentence for people
 */
public record Removal(String name, Outcome outcome, List<Long> pids, String explanation) {
  /** What can happen. */
  public enum Outcome {
    /** It was removed. */
    REMOVED,
    /** It stays, because a living process uses it. */
    IN_USE,
    /** Nothing of that name exists. */
    NOT_FOUND,
    /** It stays, because it is not a segment of this user and this version. */
    REFUSED
  }

  /** Copies {@code pids}. */
  public Removal {
    pids = List.copyOf(pids);
  }
}
