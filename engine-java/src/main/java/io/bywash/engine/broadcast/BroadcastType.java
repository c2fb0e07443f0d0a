package io.bywash.engine.broadcast;

import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.broadcast.BroadcastStatus.SubscriberStatus;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.segment.Census;
import java.util.List;

/** What the engine's common code asks of broadcasts. Not part of the public API. */
@SuppressWarnings("exports") // StructureType has no member for users
public final class BroadcastType extends StructureType {
  /** The only instance. */
  public static final BroadcastType INSTANCE = new BroadcastType();

  private BroadcastType() {
    super(Kind.BROADCAST);
  }

  @Override
  protected String damage(SegmentEntry entry) {
    long capacity = entry.capacity();
    if (Long.bitCount(capacity) != 1 || capacity < Broadcast.MIN_RING_BYTES || capacity > Broadcast.MAX_RING_BYTES
        || entry.roleCount() < 2
        || entry.elementSizeBytes() < 1 || entry.elementSizeBytes() > Broadcast.maxMessageBytes(capacity)
        || capacity > room(entry)) {
      return "a ring of " + capacity + " bytes with messages of up to " + entry.elementSizeBytes() + " bytes and "
          + entry.roleCount() + " roles does not fit its " + entry.sizeBytes() + " bytes";
    }
    return null;
  }

  @Override
  protected long owner(SegmentEntry entry, Census census) {
    return firstHolder(entry); // the publisher
  }

  @Override
  protected StructureStatus status(SegmentEntry entry) {
    return BroadcastStatus.of(entry);
  }

  @Override
  protected List<String> problems(SegmentEntry entry) {
    return RingCheck.problems(Ring.of(entry));
  }

  /**
   * Subscribers that hold the publisher back at a position that was overwritten. A subscriber looks like this, without
   * any damage, if it was overrun while it joined, before it was gating, and has been paused since. One that runs moves
   * on within a moment.
   */
  @Override
  protected List<Suspect> suspects(SegmentEntry entry) {
    BroadcastStatus now = BroadcastStatus.of(entry);
    long firstByte = now.publishedBytes() - entry.capacity();
    return now.subscribers().stream().filter(each -> each.gating() && each.participant().alive()
        && each.positionBytes() >= 0 && each.positionBytes() < firstByte).map(BroadcastType::overtaken).toList();
  }

  private static Suspect overtaken(SubscriberStatus each) {
    long participant = Owner.participant(each.participant().id(), each.participant().epoch());
    return new Suspect(each.role(), Owner.word(participant, each.generation(), 0, 0), "subscriber process "
        + each.participant().pid() + " holds the publisher back at position " + each.positionBytes()
        + ", which was overwritten before it counted: it stopped while it joined, or its position is damaged",
        "Resume or end that process.");
  }
}
