package io.bywash.engine.death;

/** What is special about an operation. */
public enum Trait {
  /** The segment is not there before, or not there afterwards: nobody else can be attached meanwhile. */
  ALONE,
  /** Others died before, in another directory. */
  AFTER_DEATHS,
  /** It waits, and so writes nothing without native access. */
  PARKS,
  /** It stores to a structure and does nothing else, so it makes the same steps with and without native access. */
  STORES_ONLY,
  /** Every segment has it, whatever kind of structure is in it. */
  COMMON
}
