package io.bywash.engine.inspect;

/**
 * Something that is worth to be told.
 *
 * @param severity how bad it is
 * @param where the thing that it is about, for example {@code demo/readings} for an entry of a segment
 * @param problem what was found, one or more sentences or parts of one
 * @param advice what to do about it; empty when there is nothing to do
 */
public record Finding(Severity severity, String where, String problem, String advice) {
  /** How bad a finding is. */
  public enum Severity {
    /** Good to know. */
    NOTE,
    /** Something does not work as well as it could, or waits to be put right by whoever comes next. */
    WARNING,
    /** Something does not work, or is damaged. */
    ERROR
  }

  /** Text that may stem from shared memory or the file system is made printable: a terminal must not obey it. */
  public Finding {
    where = printable(where);
    problem = printable(problem);
    advice = printable(advice);
  }

  static String printable(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Cf}]", "?");
  }
}
