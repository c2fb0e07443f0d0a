package io.bywash.engine.cell;

import static io.bywash.engine.cell.LatestLayout.MODE_WRITER;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.List;

/**
 * The state of a latest value, read from any attachment, even a read-only one. Reading it costs writers and readers
 * nothing. A latest value is replaced, and never full, and nobody holds anybody up.
 *
 * @param maxValueBytes the size of the longest value in bytes
 * @param version how often the value was set
 * @param roles all holders of roles, dead or alive; each one's counter tells whether it waits for a newer value
 */
public record LatestStatus(int maxValueBytes, long version, List<Holder> roles) implements StructureStatus {
  /**
   * Reads the state of a latest value.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is no latest value
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static LatestStatus of(Entry entry) {
    LatestBuffers buffers = LatestBuffers.of(entry);
    return buffers.entry.look(() -> of(buffers));
  }

  static LatestStatus of(LatestBuffers buffers) {
    List<Holder> holders = buffers.entry.heldRoles((role, word, holder) -> look(buffers.entry, role, word, holder));
    return new LatestStatus(buffers.maxValueBytes, LatestBuffers.version(buffers.latest()), holders);
  }

  private static Holder look(SegmentEntry entry, int role, long word, Participant participant) {
    String task = (Owner.mode(word) == MODE_WRITER ? "writer" : "reader")
        + (Owner.state(word) == SegmentLayout.ROLE_REVOKED ? " (revoked)" : "");
    return new Holder(role, Owner.generation(word), participant, entry.roleLabel(role), task,
        List.of(Counter.count("waits", entry.waitingForData().isAnnounced(role) ? 1 : 0)));
  }

  @Override
  public List<Counter> counters() {
    return List.of(Counter.growing("set", version));
  }

  @Override
  public List<Holder> holders() {
    return roles;
  }

  @Override
  public boolean isUntouched() {
    return version == 0;
  }
}
