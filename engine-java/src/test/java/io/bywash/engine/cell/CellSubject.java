package io.bywash.engine.cell;

import static io.bywash.engine.cell.Stats.STATS;
import static io.bywash.engine.death.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Trait.STORES_ONLY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.cell.CellScene.Marks;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import java.nio.file.Path;
import java.util.List;

/** Cells, to the suites that go through all kinds of structures: an array of records, with atomics beside it. */
public final class CellSubject implements Subject, DeathSubject<CellScene> {
  private static final long PATIENCE_NANOS = 60_000_000_000L;
  /** Numbers that newcomers set; those of the dead are smaller. */
  private static final long NEW = 1_000;

  @Override
  public String name() {
    return "cells";
  }

  @Override
  public String toString() {
    return name();
  }

  @Override
  public List<Layout> layouts() {
    return List.of(new Layout("io.bywash.engine.cell.CellsLayout", List.of(), layout -> 0, List.of(), List.of()));
  }

  @Override
  public DeathSubject<CellScene> death() {
    return this;
  }

  @Override
  public DamageSubject damage() {
    return new CellDamage();
  }

  @Override
  public EntrySpec spec(String name) {
    return RecordArray.spec(name, CellScene.LENGTH, STATS);
  }

  static EntrySpec atomics(String name) {
    return Atomics.spec(name, "long count", "int ready", "boolean over", "double mean");
  }

  @Override
  public EntrySpec added(String name) {
    return atomics(name);
  }

  @Override
  public EntrySpec differing(String name) {
    return RecordArray.spec(name, CellScene.LENGTH + 1, STATS);
  }

  @Override
  public CellScene scene(Path bus) {
    return new CellScene(bus, this);
  }

  @Override
  public void operations(OperationList<CellScene> list) {
    list.add("set an element", CellScene::opened, scene -> scene.set(0).set(0), STORES_ONLY);
    list.add("set an element that another one has set", scene -> {
      scene.opened().set(0).set(1);
      scene.opened();
    }, scene -> scene.set(1).set(0), STORES_ONLY);
    list.add("set an element that a dead one was setting", scene -> {
      scene.opened().set(0);
      long version = scene.lock(0) + CellsLayout.ELEMENT_VERSION;
      long last = scene.lastOf(0);
      scene.dieDuring(() -> scene.set(0), version, word -> word == 1);
      scene.expectAsBefore(0, last);
      scene.opened();
    }, scene -> scene.set(0).set(1), AFTER_DEATHS);
    list.add("set an element that a dead one had set", scene -> {
      scene.opened().set(0);
      scene.dieDuring(() -> scene.set(0), scene.lock(0), word -> (word & 0xF) == CellsLayout.LOCKED);
      scene.opened();
    }, scene -> scene.set(0), AFTER_DEATHS);
    list.add("read an element that a dead one was setting", scene -> {
      scene.holdEverything();
      scene.die();
      scene.opened();
    }, scene -> {
      for (int i = 0; i < 2; i++) {
        if (!scene.array.get(i).isWhole()) {
          throw new AssertionError("torn");
        }
      }
      scene.array.close();
    }, AFTER_DEATHS);
    list.add("use atomics", CellScene::withAtomics, scene -> {
      scene.count();
      scene.count();
      scene.countTo(7);
      scene.atomics.intCell("ready").compareAndSet(0, 1);
      scene.countBeyond(9);
      scene.atomics.booleanCell("over").set(true);
    }, STORES_ONLY);
    list.add("close an array and the segment", scene -> scene.withAtomics().set(0), scene -> {
      scene.segment.close();
      scene.array.close();
      scene.atomics.close();
    });
  }

  @Override
  public List<String> unreached() {
    return List.of("cell.NumberArray."); // has no stores but single ones; the subject of latest values has them
  }

  @Override
  public List<Fault> faults() {
    return List.of(new Fault("Cell.setWord setLongVolatile", 0, "", "use atomics"));
  }

  @Override
  public Examination examination(List<Long> marks) {
    return new Autopsy(Marks.of(marks));
  }

  /** The living look at cells in whose use somebody died. */
  private static final class Autopsy implements Examination {
    private final Marks marks;
    private boolean found;

    Autopsy(Marks marks) {
      this.marks = marks;
    }

    @Override
    public void observe(Entry entry) {
      found = true;
      try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
        check(array, marks);
      }
      CellsStatus.of(entry);
    }

    static void check(RecordArray<Stats> array, Marks marks) {
      for (int i = 0; i < CellScene.LENGTH - 1; i++) {
        Stats stats = array.get(i);
        long number = stats == null ? 0 : stats.number();
        assertTrue(!array.wasBusy() && (stats == null || stats.isWhole()), "element " + i + ": " + stats);
        assertTrue(number == marks.set().get(i) || number == marks.begun().get(i), "element " + i + " is " + number
            + ": " + marks);
      }
    }

    @Override
    public void use(Entry entry) {
      try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
        if (found) {
          check(array, marks);
        }
        setAll(array);
      }
    }

    @Override
    public void useAdded(Entry entry) {
      try (Atomics atomics = Atomics.open(entry)) {
        LongCell count = atomics.longCell("count");
        long value = count.get();
        assertTrue(value == 0 && (!found || marks.counted() == 0) || value == marks.counted()
            || value == marks.counting(), "the count is " + value + ": " + marks);
        assertEquals(value, count.getAndAdd(1));
        assertEquals(value + 1, count.get());
      }
    }
  }

  /** Nobody's lock is in the way. */
  private static void setAll(RecordArray<Stats> array) {
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < CellScene.LENGTH; i++) {
        assertTrue(array.set(i, Stats.of(NEW + round), PATIENCE_NANOS), "element " + i + " is locked");
        Stats stats = array.get(i);
        assertNotNull(stats);
        assertTrue(stats.isWhole() && stats.number() == NEW + round, stats.toString());
      }
    }
  }

  @Override
  public void useWhileOthersAreBuried(Entry entry) {
    try (RecordArray<Stats> array = RecordArray.open(entry, STATS)) {
      setAll(array);
    }
  }

  @Override
  public Companion companion(Entry entry) {
    return new Beside(RecordArray.open(entry, STATS));
  }

  /** One that has its own element beside those who die. */
  private record Beside(RecordArray<Stats> array) implements Companion {
    @Override
    public void live() {
      int mine = CellScene.LENGTH - 1;
      assertTrue(array.set(mine, Stats.of(NEW), PATIENCE_NANOS));
      assertTrue(array.get(mine).isWhole());
      for (int i = 0; i < mine; i++) {
        Stats stats = array.get(i);
        assertTrue(stats == null || stats.isWhole());
      }
    }

    @Override
    public void takeOver(List<Long> marks) {
      Autopsy.check(array, Marks.of(marks));
      setAll(array);
    }

    @Override
    public void close() {
      array.close();
    }
  }
}
