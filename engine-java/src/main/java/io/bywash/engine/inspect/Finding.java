package io.bywash.engine.inspect;

/**
 * Something that deserves attention.
 *
 * @param severity how serious it is
 * @param where what it concerns, for example {@code demo/readings} for an entry of a segment
 * @param problem what was found: one or more sentences, or parts of one
 * @param advice what to do about it; empty when there is nothing to do
 */
public record Finding(Severity severity, String where, String problem, String advice) {
  /** How serious a finding is. */
  public enum Severity {
    /** For information only. */
    NOTE,
    /** Something does not work as well as it could, or waits to be recovered by the next user. */
    WARNING,
    /** Something does not work, or is damaged. */
    ERROR
  }

  /** Replaces control and format characters: text from shared memory or the file system must not control a terminal. */
  public Finding {
    where = printable(where);
    problem = printable(problem);
    advice = printable(advice);
  }

  static String printable(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Cf}]", "?");
  }
}
