package io.bywash.engine.queue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import java.nio.file.Path;
import java.util.List;

/** The work queue, to the suites that go through all kinds of structures. */
public final class WorkSubject implements Subject, DeathSubject<JobScene> {
  /** What the death suite adds. */
  private static final String ADDED = "added";

  @Override
  public String name() {
    return "queue";
  }

  @Override
  public String toString() {
    return name();
  }

  @Override
  public List<Layout> layouts() {
    return List.of(new Layout("io.bywash.engine.queue.QueueLayout", List.of("TAIL", "HEAD"),
        layout -> layout.get("HEAD") + 128, List.of(),
        List.of("ROLE_MINE", "ROLE_MOVES", "ROLE_WANT", "ROLE_AT", "ROLE_HELD_SINCE", "ROLE_REDELIVERED",
            "ROLE_DROPPED", "ROLE_DEAD_LETTERS")));
  }

  @Override
  public DeathSubject<JobScene> death() {
    return this;
  }

  @Override
  public DamageSubject damage() {
    return new JobDamage();
  }

  @Override
  public EntrySpec spec(String name) {
    return WorkQueue.spec(name, JobScene.CAPACITY, JobScene.MAX_BYTES,
        DeliveryPolicy.redeliver().atMost(JobScene.LIMIT), JobScene.ROLES);
  }

  @Override
  public EntrySpec added(String name) {
    EntrySpec bytes = WorkQueue.spec(name, 2, JobScene.MAX_BYTES, DeliveryPolicy.redeliver(), 4);
    return new EntrySpec(name, bytes.kind(), bytes.capacity(), bytes.elementSizeBytes(), "0 8 Job\n 0 long number\n",
        bytes.roleCount(), bytes.dataBytes(), bytes.parameters());
  }

  static EntrySpec deadLetters() {
    return new WorkSubject().added(ADDED);
  }

  @Override
  public EntrySpec differing(String name) {
    return WorkQueue.spec(name, JobScene.CAPACITY, JobScene.MAX_BYTES, DeliveryPolicy.drop(), JobScene.ROLES);
  }

  @Override
  public JobScene scene(Path bus) {
    return new JobScene(bus, this);
  }

  @Override
  public void operations(OperationList<JobScene> operations) {
    JobOperations.addTo(operations);
  }

  @Override
  public Examination examination(List<Long> marks) {
    return new JobAutopsy(JobScene.Marks.of(marks));
  }

  @Override
  public void useWhileOthersAreBuried(Entry entry) {
    JobAutopsy.useWhileOthersAreBuried(entry);
  }

  @Override
  public Companion companion(Entry entry) {
    return new JobAutopsy.Companion(entry);
  }

  @Override
  public List<Fault> faults() {
    return List.of(
        new Fault("Exchanger.exchange setLongRelease", 1, "Cells.change compareAndSetLong", "offer in a later turn"),
        new Fault("Exchanger.send setLong", 0, "Cells.change compareAndSetLong", "offer in a later turn"),
        new Fault("MessageWriter.send setLong", 0, "Cells.change compareAndSetLong", "offer in a later turn"));
  }
}
