package io.bywash.engine;

import java.util.List;

/**
 * What became of an attempt to remove a file from a bus directory, or an entry from a segment.
 *
 * @param name of the file or the entry
 * @param outcome what became of it
 * @param pids the processes that use it, each in its own pid namespace; empty when none does, or they are not known
 * @param explanation a sentence for the user
 */
public record Removal(String name, Outcome outcome, List<Long> pids, String explanation) {
  /** What can become of it. */
  public enum Outcome {
    /** It is gone. */
    REMOVED,
    /** It stays, because somebody lives who uses it. */
    IN_USE,
    /** There is none of that name. */
    NOT_FOUND,
    /** It stays, because it is no segment of this user and this version. */
    REFUSED
  }

  /** Copies the list. */
  public Removal {
    pids = List.copyOf(pids);
  }
}
