package io.bywash.engine;

/** When a segment is removed. */
public enum Lifetime {
  /** The last living participant removes it when it closes. A killed participant does not count as living. */
  WHILE_USED,
  /** It stays until it is removed on purpose. */
  KEPT
}
