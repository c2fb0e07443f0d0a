package io.bywash.engine.ring;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import java.nio.file.Path;
import java.util.List;

/** The ring, to the suites that go through all kinds of structures. */
public final class RingSubject implements Subject, DeathSubject<RingScene> {
  @Override
  public String name() {
    return "ring";
  }

  @Override
  public String toString() {
    return name();
  }

  @Override
  public List<Layout> layouts() {
    return List.of(new Layout("io.bywash.engine.ring.RingLayout", List.of("TAIL", "HEAD"),
        layout -> layout.get("HEAD") + 128, List.of(), List.of()));
  }

  @Override
  public DeathSubject<RingScene> death() {
    return this;
  }

  @Override
  public DamageSubject damage() {
    return new RingDamage();
  }

  @Override
  public EntrySpec spec(String name) {
    return Ring.spec(name, RingScene.CAPACITY, Samples.BYTES);
  }

  @Override
  public EntrySpec added(String name) {
    return Ring.spec(name, 1, Samples.BYTES).withLayout(
        "0 24 Sample\n 0 long number\n 8 long mixed\n 16 long inverse\n");
  }

  @Override
  public EntrySpec differing(String name) {
    return Ring.spec(name, RingScene.CAPACITY + 1, Samples.BYTES);
  }

  @Override
  public RingScene scene(Path bus) {
    return new RingScene(bus, this);
  }

  @Override
  public void operations(OperationList<RingScene> operations) {
    RingOperations.addTo(operations);
  }

  @Override
  public Examination examination(List<Long> marks) {
    return new RingAutopsy(RingScene.Marks.of(marks));
  }

  @Override
  public void useWhileOthersAreBuried(Entry entry) {
    RingAutopsy.work(entry);
  }

  @Override
  public Companion companion(Entry entry) {
    return new RingAutopsy.Companion(entry);
  }

  @Override
  public List<String> unreached() {
    return List.of("ring.Elements.copy:"); // to the reader's own memory
  }

  @Override
  public List<Fault> faults() {
    String publish = "Elements.publish setLongRelease";
    return List.of(
        new Fault("Elements.announce setLongRelease", 0, publish, "push over the oldest"),
        new Fault("Elements.announce setLongRelease", 0, "", "push a bulk over all"),
        new Fault("RecordCodec.putLong setLong", 0, publish, "push records"),
        new Fault("Elements.moveHead setLongRelease", 0, "", "pop where elements were lost"));
  }
}
