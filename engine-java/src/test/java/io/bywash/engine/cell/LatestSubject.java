package io.bywash.engine.cell;

import static io.bywash.engine.death.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Trait.PARKS;
import static io.bywash.engine.death.Trait.STORES_ONLY;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Message;
import io.bywash.engine.cell.LatestScene.Marks;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The latest value, to the suites that go through all kinds of structures; with an array of numbers beside it. */
public final class LatestSubject implements Subject, DeathSubject<LatestScene> {
  /** Numbers that newcomers set; those of the dead are smaller. */
  private static final int NEW = 1_000;

  @Override
  public String name() {
    return "latest";
  }

  @Override
  public String toString() {
    return name();
  }

  @Override
  public List<Layout> layouts() {
    return List.of(new Layout("io.bywash.engine.cell.LatestLayout", List.of("LATEST"),
        layout -> layout.get("LATEST") + 128, List.of(), List.of()));
  }

  @Override
  public DeathSubject<LatestScene> death() {
    return this;
  }

  @Override
  public DamageSubject damage() {
    return new LatestDamage();
  }

  @Override
  public EntrySpec spec(String name) {
    return Latest.spec(name, LatestScene.MAX_BYTES, LatestScene.WRITERS, LatestScene.READERS);
  }

  static EntrySpec numbers(String name) {
    return NumberArray.spec(name, LatestScene.NUMBERS, long.class);
  }

  @Override
  public EntrySpec added(String name) {
    return numbers(name);
  }

  @Override
  public EntrySpec differing(String name) {
    return Latest.spec(name, LatestScene.MAX_BYTES, LatestScene.WRITERS + 1, LatestScene.READERS - 1);
  }

  @Override
  public LatestScene scene(Path bus) {
    return new LatestScene(bus, this);
  }

  @Override
  public void operations(OperationList<LatestScene> list) {
    list.add("take a writer", LatestScene::open, LatestScene::writer);
    list.add("take a reader", scene -> scene.opened(2), scene -> scene.reader(WaitPolicy.BACKOFF));
    list.add("set the first value", scene -> scene.opened(0), scene -> scene.set().set(), STORES_ONLY);
    list.add("set values in all buffers", scene -> scene.opened(6), scene -> scene.set().set().set().set().set(),
        STORES_ONLY);
    list.add("set records", scene -> scene.opened(1), scene -> scene.setRecord().setRecord(), STORES_ONLY);
    list.add("set a value after another writer", scene -> {
      scene.opened(3);
      scene.opened(1);
    }, LatestScene::set, STORES_ONLY);
    list.add("set a value for one who waits", scene -> {
      scene.opened(2);
      scene.reader(WaitPolicy.BLOCK);
      scene.waitForNewer(); // its bit stays
    }, LatestScene::set);
    list.add("read a value", scene -> scene.opened(2), scene -> {
      scene.reader.get();
      scene.reader.read(value -> {});
      scene.reader.awaitNewer(0);
      scene.reader.close();
    });
    list.add("wait for a newer value", scene -> {
      scene.opened(2);
      scene.reader(WaitPolicy.BLOCK);
      scene.waitForNewer(); // the first time takes a new process longer
      scene.set();
    }, LatestScene::waitForNewer, PARKS);
    list.add("wait by the hub", scene -> scene.opened(2), LatestScene::waitByTheHub);
    list.add("set values after a writer that died in setting one", scene -> {
      scene.opened(5);
      long last = scene.last();
      long[] steps = new long[1];
      scene.dieDuring(scene::set, 0, word -> ++steps[0] < 4);
      scene.expectAsBefore(last);
      scene.open();
      scene.writer();
    }, scene -> scene.set().set().set().set(), AFTER_DEATHS);
    list.add("take the writer of one that died", scene -> {
      scene.opened(5);
      scene.die();
      scene.open();
    }, scene -> {
      scene.writer();
      scene.set();
    }, AFTER_DEATHS);
    list.add("use numbers", LatestScene::withNumbers, scene -> {
      scene.count();
      scene.countInBulk();
    }, STORES_ONLY);
    list.add("revoke a reader in its handler", scene -> scene.opened(2),
        scene -> scene.reader.read(value -> scene.reader.revoke()));
  }

  @Override
  public List<String> unreached() {
    return List.of("cell.NumberArray.setInt:"); // as setLong
  }

  @Override
  public List<Fault> faults() {
    String named = "LatestBuffers.change compareAndSetLong";
    return List.of(
        new Fault("LatestWriter.publish setLong", 0, named, "set values in all buffers"),
        new Fault("LatestWriter.publish setLongOpaque", 0, named, "set values in all buffers"));
  }

  @Override
  public Examination examination(List<Long> marks) {
    return new Autopsy(Marks.of(marks));
  }

  /** The living look at a latest value that somebody used who died. */
  private static final class Autopsy implements Examination {
    private final Marks marks;
    private boolean found;

    Autopsy(Marks marks) {
      this.marks = marks;
    }

    @Override
    public void observe(Entry entry) {
      found = true;
      try (LatestReader reader = LatestReader.open(entry)) {
        check(reader, marks);
      }
      LatestStatus.of(entry);
    }

    static void check(LatestReader reader, Marks marks) {
      Message value = reader.get();
      assertFalse(reader.wasBusy(), "the value is torn");
      long number = value == null ? 0 : number(value);
      assertTrue(number == marks.set() || number == marks.begun(), "the value is " + number + ": " + marks);
    }

    /** The number of a value, which is whole. */
    private static long number(Message value) {
      if (value.type() == 0) {
        Stats stats = Stats.STATS.read(value);
        assertTrue(stats.isWhole(), stats.toString());
        return stats.number();
      }
      assertArrayEquals(LatestScene.content(value.type()), value.toBytes());
      return value.type();
    }

    @Override
    public void use(Entry entry) {
      try (LatestReader reader = LatestReader.open(entry)) {
        if (found) {
          check(reader, marks);
        }
        work(entry, reader);
      }
      allRoles(entry);
    }

    @Override
    public void useAdded(Entry entry) {
      try (NumberArray numbers = NumberArray.open(entry, long.class)) {
        for (int i = 0; i < LatestScene.NUMBERS; i++) {
          long number = numbers.getLong(i);
          assertTrue(number == 0 && (!found || marks.counted() == 0) || number == marks.counted()
              || number == marks.counting(), "number " + i + " is " + number + ": " + marks);
          numbers.setLong(i, NEW);
          assertEquals(NEW, numbers.getLong(i));
        }
      }
    }
  }

  private static void work(Entry entry, LatestReader reader) {
    try (LatestWriter writer = LatestWriter.open(entry)) {
      for (int i = NEW; i < NEW + 6; i++) {
        byte[] bytes = LatestScene.content(i);
        writer.set(bytes, 0, bytes.length, i);
        assertTrue(reader.isReady());
        Message value = reader.get();
        assertNotNull(value);
        assertEquals(i, value.type());
        assertArrayEquals(bytes, value.toBytes());
      }
    }
  }

  private static void allRoles(Entry entry) {
    List<AutoCloseable> all = new ArrayList<>();
    try {
      for (int i = 0; i < LatestScene.WRITERS; i++) {
        all.add(LatestWriter.open(entry));
      }
      for (int i = 0; i < LatestScene.READERS; i++) {
        all.add(LatestReader.open(entry));
      }
    } finally {
      for (AutoCloseable each : all) {
        try {
          each.close();
        } catch (Exception failure) {
          throw new AssertionError(failure);
        }
      }
    }
  }

  @Override
  public void useWhileOthersAreBuried(Entry entry) {
    try (LatestReader reader = LatestReader.open(entry)) {
      work(entry, reader);
    }
  }

  @Override
  public Companion companion(Entry entry) {
    return new Beside(entry, LatestReader.open(entry));
  }

  /** A reader beside those who die. */
  private record Beside(Entry entry, LatestReader reader) implements Companion {
    @Override
    public void live() {
      Message value = reader.get();
      if (value != null) {
        Autopsy.number(value);
      }
    }

    @Override
    public void takeOver(List<Long> marks) {
      Autopsy.check(reader, Marks.of(marks));
      work(entry, reader);
    }

    @Override
    public void close() {
      reader.close();
    }
  }
}
