package io.bywash.engine.pool;

import static io.bywash.engine.death.Trait.AFTER_DEATHS;
import static io.bywash.engine.death.Trait.STORES_ONLY;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import java.nio.file.Path;
import java.util.List;

/** The pool, to the suites that go through all kinds of structures. */
public final class PoolSubject implements Subject, DeathSubject<PoolScene> {
  @Override
  public String name() {
    return "pool";
  }

  @Override
  public String toString() {
    return name();
  }

  @Override
  public List<Layout> layouts() {
    return List.of(new Layout("io.bywash.engine.pool.PoolLayout", List.of("RECLAIMED"),
        layout -> layout.get("RECLAIMED") + 128, List.of(), List.of()));
  }

  @Override
  public DeathSubject<PoolScene> death() {
    return this;
  }

  @Override
  public DamageSubject damage() {
    return new PoolDamage();
  }

  @Override
  public EntrySpec spec(String name) {
    return Pool.spec(name, PoolScene.CAPACITY, Things.BYTES, PoolScene.USERS);
  }

  @Override
  public EntrySpec added(String name) {
    return Pool.spec(name, 1, Things.BYTES, 1);
  }

  @Override
  public EntrySpec differing(String name) {
    return Pool.spec(name, PoolScene.CAPACITY + 1, Things.BYTES, PoolScene.USERS);
  }

  @Override
  public PoolScene scene(Path bus) {
    return new PoolScene(bus, this);
  }

  @Override
  public void operations(OperationList<PoolScene> list) {
    list.add("take a user", PoolScene::open, PoolScene::user);
    list.add("acquire, write and release", PoolScene::opened, scene -> {
      scene.acquire().set().set().acquire().set().release(scene.handle);
      scene.acquire().set();
    }, STORES_ONLY);
    list.add("acquire with a record", scene -> scene.opened().acquireRecord().release(scene.handle),
        scene -> scene.acquireRecord().acquireRecord(), STORES_ONLY);
    list.add("write again", scene -> scene.opened().acquire().set(), scene -> scene.set().set(), STORES_ONLY);
    list.add("acquire all, and find none", PoolScene::opened, PoolScene::acquireAll, STORES_ONLY);
    list.add("release and acquire in a full pool", scene -> scene.opened().acquire().set(), scene -> {
      long first = scene.handle;
      scene.acquireAll().release(first).acquire().set();
    }, STORES_ONLY);
    list.add("hand an object over", scene -> scene.opened().withOther().acquire().set(), scene -> {
      if (!scene.transfer() || !scene.other.holds(scene.handle)) {
        throw new AssertionError("it was not handed over");
      }
    }, STORES_ONLY);
    list.add("hand an object to one that is gone", scene -> {
      scene.opened().withOther().acquire().set();
      scene.other.close();
    }, scene -> {
      if (scene.transfer() || !scene.user.holds(scene.handle)) {
        throw new AssertionError("it was handed over");
      }
      scene.set();
    }, STORES_ONLY);
    afterDeaths(list);
    list.add("close a user that has objects", scene -> scene.opened().acquire().set().acquire().expectNothing(),
        scene -> scene.user.close());
    list.add("revoke a user that has objects", scene -> scene.opened().acquire().set().expectNothing(),
        scene -> scene.user.revoke());
    list.add("close, then the users", scene -> scene.opened().withOther().acquire().set().expectNothing(), scene -> {
      scene.segment.close();
      scene.other.close();
      scene.user.close();
    });
  }

  private static void afterDeaths(OperationList<PoolScene> list) {
    list.add("acquire what dead ones had", scene -> {
      scene.holdEverything();
      scene.die();
      scene.opened();
    }, PoolScene::acquireAll, AFTER_DEATHS);
    list.add("acquire what no hint leads to any more", scene -> {
      scene.opened();
      Segment first = scene.segment;
      scene.opened();
      first.close(); // so that a newcomer gets neither the slot nor the role of the dead one, and repairs nothing
      scene.dieDuring(scene::acquire, scene.leaseOf(0), word -> word == 0);
      scene.opened();
    }, PoolScene::acquireAll, AFTER_DEATHS);
    list.add("recover from one that died as it wrote", scene -> {
      scene.opened().acquire().set();
      long version = scene.leaseOf(PoolScene.index(scene.handle)) + PoolLayout.OBJECT_VERSION;
      scene.dieDuring(scene::set, version, word -> (word & 1) != 0);
      scene.open();
    }, scene -> scene.segment.recover(), AFTER_DEATHS);
    list.add("take the role of one that died as it released", scene -> {
      scene.opened().acquire().set();
      scene.dieDuring(() -> scene.release(scene.handle), scene.hints(), word -> word != 0);
      scene.open();
    }, scene -> {
      scene.user();
      scene.acquireAll();
    }, AFTER_DEATHS);
  }

  @Override
  public Examination examination(List<Long> marks) {
    return new PoolAutopsy(PoolScene.Mark.of(marks));
  }

  @Override
  public void useWhileOthersAreBuried(Entry entry) {
    try (PoolUser user = PoolUser.open(entry)) {
      PoolAutopsy.work(user, 1);
    }
  }

  @Override
  public Companion companion(Entry entry) {
    return new PoolAutopsy.Companion(entry);
  }

  @Override
  public List<String> unreached() {
    return List.of("pool.Hints.markFull:"); // takes its step back if somebody releases an object between two looks
  }

  @Override
  public List<Fault> faults() {
    return List.of(
        new Fault("Leases.write setLongOpaque", 0, "", "write again"),
        new Fault("Leases.write setLongOpaque", 0, "Leases.write setLongRelease", "write again"),
        new Fault("Leases.write setLongRelease", 0, "", "acquire, write and release"));
  }
}
