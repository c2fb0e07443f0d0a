package io.bywash.engine.ring;

import static io.bywash.engine.ring.RingLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.segment.Census;
import java.util.List;

/** What the engine's common code asks of rings. Not part of the public API. */
@SuppressWarnings("exports") // StructureType has no member for users
public final class RingType extends StructureType {
  /** The only instance. */
  public static final RingType INSTANCE = new RingType();

  private RingType() {
    super(Kind.RING);
  }

  @Override
  protected String damage(SegmentEntry entry) {
    long capacity = entry.capacity();
    long bytes = entry.elementSizeBytes();
    if (capacity < 1 || capacity > MAX_CAPACITY || bytes < 1 || bytes > MAX_ELEMENT_BYTES
        || entry.roleCount() != ROLE_COUNT
        || dataBytes((int) capacity, (int) bytes) > Math.min(Ring.MAX_BYTES, room(entry))) {
      return capacity + " elements of " + bytes + " bytes and " + entry.roleCount() + " roles do not fit its "
          + entry.sizeBytes() + " bytes";
    }
    return null;
  }

  @Override
  protected long owner(SegmentEntry entry, Census census) {
    return firstHolder(entry); // the writer
  }

  @Override
  protected StructureStatus status(SegmentEntry entry) {
    return RingStatus.of(entry);
  }

  /** Whoever else goes on meanwhile: words are read in the reverse of the order in which they are written. */
  @Override
  protected List<String> problems(SegmentEntry entry) {
    Elements elements = new Elements(entry);
    try {
      Elements.Head head = elements.readHead();
      long tail = elements.tail();
      elements.checkPopped(head, tail);
      elements.checkIntent(tail);
      return List.of();
    } catch (DamagedSegmentException damage) {
      return List.of(damage.getMessage());
    }
  }
}
