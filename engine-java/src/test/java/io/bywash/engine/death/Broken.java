package io.bywash.engine.death;

import io.bywash.engine.internal.memory.Region;

/** The stores of an engine that was broken on purpose. */
public final class Broken {
  private Broken() {}

  /** Stores a word later. */
  public static void later(Region region, long offset, long value) {
    Probe.later(() -> region.setLong(offset, value));
  }

  /** Stores a word later. */
  public static void later(Region region, long offset, int index, long value) {
    Probe.later(() -> region.setLong(offset, index, value));
  }

  /** Leaves a store out. */
  public static void never(Region region, long offset, long value) {}

  /** Leaves a store out. */
  public static void never(Region region, long offset, int value) {}
}
