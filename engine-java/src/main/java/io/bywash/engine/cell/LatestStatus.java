package io.bywash.engine.cell;

import static io.bywash.engine.cell.LatestLayout.MODE_WRITER;

import io.bywash.engine.Entry;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The state of a latest value, read from any attachment, even a read-only one. Reading it costs writers and readers
 * nothing.
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
    SegmentEntry entry = buffers.entry;
    List<Holder> holders = new ArrayList<>();
    for (int index = 0; index < entry.rolesUsed(); index++) {
      int role = index;
      long word = entry.roleWord(index);
      String task = (Owner.mode(word) == MODE_WRITER ? "writer" : "reader")
          + (Owner.state(word) == SegmentLayout.ROLE_REVOKED ? " (revoked)" : "");
      if (Owner.state(word) != SegmentLayout.ROLE_FREE) {
        entry.core().participants().describe(word).ifPresent(each -> holders.add(new Holder(role,
            Owner.generation(word), each, entry.roleLabel(role), task,
            List.of(Counter.count("waits", entry.waitingForData().isAnnounced(role) ? 1 : 0)))));
      }
    }
    return new LatestStatus(buffers.maxValueBytes, LatestBuffers.version(buffers.latest()), List.copyOf(holders));
  }

  @Override
  public List<Counter> counters() {
    return List.of(Counter.growing("set", version));
  }

  /** {@inheritDoc} A latest value is replaced, and never full. */
  @Override
  public Optional<Double> fill() {
    return Optional.empty();
  }

  @Override
  public List<Holder> holders() {
    return roles;
  }

  @Override
  public boolean isUntouched() {
    return version == 0;
  }

  /** {@inheritDoc} Nobody holds anybody up. */
  @Override
  public List<Obstacle> obstacles(StructureStatus earlier, double seconds) {
    return List.of();
  }
}
