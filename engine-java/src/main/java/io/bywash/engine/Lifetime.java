package io.bywash.engine;

/** When a segment is removed. */
public enum Lifetime {
  /**
   * The last living participant removes the segment when it closes, unless a work queue in it holds messages. Killed
   * participants do not count.
   */
  WHILE_USED,
  /** The segment stays until somebody removes it explicitly. */
  KEPT
}
