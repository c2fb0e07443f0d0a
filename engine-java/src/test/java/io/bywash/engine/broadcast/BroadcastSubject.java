package io.bywash.engine.broadcast;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.death.OperationList;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** Broadcast, to the suites that go through all kinds of structures. */
public final class BroadcastSubject implements Subject, DeathSubject<BroadcastScene> {
  private static final int SUBSCRIBERS = 3;

  @Override
  public String name() {
    return "broadcast";
  }

  @Override
  public String toString() {
    return name();
  }

  @Override
  public List<Layout> layouts() {
    return List.of(new Layout("io.bywash.engine.broadcast.BroadcastLayout",
        List.of("PUBLISHED", "OLDEST", "BLOCKED_COUNT", "BLOCK_INDEX"),
        layout -> layout.get("BLOCK_INDEX") + layout.get("NOTED_BLOCKS") * layout.get("BLOCK_ENTRY_BYTES"),
        List.of("ROLE_EVICT_AFTER"), List.of("ROLE_POSITION", "ROLE_SEQUENCE", "ROLE_LOST")));
  }

  @Override
  public DeathSubject<BroadcastScene> death() {
    return this;
  }

  @Override
  public DamageSubject damage() {
    return new BroadcastDamage();
  }

  @Override
  public EntrySpec spec(String name) {
    return Broadcast.spec(name, Letters.RING_BYTES, SUBSCRIBERS);
  }

  @Override
  public EntrySpec added(String name) {
    EntrySpec bytes = Broadcast.spec(name, Letters.RING_BYTES, 1);
    return new EntrySpec(name, bytes.kind(), bytes.capacity(), bytes.elementSizeBytes(), "0 8 Tick\n 0 long time\n",
        bytes.roleCount(), bytes.dataBytes(), List.of(7L)); // with a text, so that more than the row is written
  }

  @Override
  public EntrySpec differing(String name) {
    return Broadcast.spec(name, 2 * Letters.RING_BYTES);
  }

  @Override
  public BroadcastScene scene(Path bus) {
    return new BroadcastScene(bus, this);
  }

  @Override
  public void operations(OperationList<BroadcastScene> operations) {
    BroadcastOperations.addTo(operations);
  }

  @Override
  public Examination examination(List<Long> marks) {
    return new BroadcastAutopsy(BroadcastScene.Marks.of(marks));
  }

  @Override
  public void useWhileOthersAreBuried(Entry entry) {
    BroadcastAutopsy.useWhileOthersAreBuried(entry);
  }

  @Override
  public Companion companion(Entry entry) {
    return new BroadcastAutopsy.Companion(entry);
  }

  @Override
  public List<String> unreached() {
    return List.of("broadcast.RingRepair."); // only for damage, which takes no part in these tests: see RingRepairTest
  }

  /**
   * A publisher takes messages for a stream when little time passes between them, and only then fetches lines ahead.
   */
  @Override
  public Set<String> clocks() {
    return Set.of("RecordWriter");
  }

  @Override
  public List<Fault> faults() {
    String publish = "RecordWriter.publishUntil setLongRelease";
    return List.of(
        new Fault("RecordWriter.writeHeader setLong", 0, publish, "claim and commit"),
        new Fault("RecordWriter.writeHeader setLong", 1, publish, "claim and commit"),
        new Fault("ClaimView.putLong setLong", 0, publish, "claim and commit in a ring that turned"),
        new Fault("RecordCodec.putLong setLong", 0, publish, "offer a record"),
        new Fault("RecordWriter.extendGrant setLong", 0, publish, "wrap with padding"),
        new Fault("RecordWriter.giveUpBefore setLongRelease", 0, "", "commit as many as fill the ring"),
        new Fault("BlockIndex.note setLongRelease", 0, "", "commit as many as fill the ring"));
  }
}
