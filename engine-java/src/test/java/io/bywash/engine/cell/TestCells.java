package io.bywash.engine.cell;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.inspect.Verification;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/** A segment with cells, attached twice, as two processes would; and values that show whether they are torn. */
final class TestCells implements AutoCloseable {
  static final String NAME = "cells";

  final Segment first;
  final Segment second;
  final Entry cells;
  final Entry elsewhere;

  TestCells(Path file, EntrySpec spec) {
    first = Segment.create(file, SegmentSpec.of(spec));
    second = Segment.attach(file, 0);
    cells = first.directory().find(spec.name()).orElseThrow();
    elsewhere = second.directory().find(spec.name()).orElseThrow();
  }

  /** One number on the way back, so that who sets something learns how far the other one has come. */
  static final class Back implements AutoCloseable {
    private final TestCells cells;
    private final Atomics setting;
    private final Atomics seeing;

    Back(Path file) {
      cells = new TestCells(file, Atomics.spec("back", "long seen"));
      setting = Atomics.open(cells.cells);
      seeing = Atomics.open(cells.elsewhere);
    }

    LongCell cell() {
      return setting.longCell("seen");
    }

    LongCell seen() {
      return seeing.longCell("seen");
    }

    @Override
    public void close() {
      setting.close();
      seeing.close();
      cells.close();
    }
  }

  /** A source of random numbers whose seed is printed, and can be given. */
  static Random random(String test) {
    long seed = Long.getLong("bywash.cells.seed", System.nanoTime());
    System.out.println(test + ": seed -Dbywash.cells.seed=" + seed);
    return new Random(seed);
  }

  void assertSound() {
    assertEquals(List.of(), Verification.of(first));
  }

  @Override
  public void close() {
    second.close();
    first.close();
  }
}
