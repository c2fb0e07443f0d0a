package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import java.util.List;

/** What the engine's common code asks of work queues. Not part of the public API. */
@SuppressWarnings("exports") // StructureType has no member for users
public final class QueueType extends StructureType {
  /** The only instance. */
  public static final QueueType INSTANCE = new QueueType();

  private QueueType() {
    super(Kind.WORK_QUEUE);
  }

  @Override
  protected String damage(SegmentEntry entry) {
    long capacity = entry.capacity();
    long longest = entry.elementSizeBytes();
    if (capacity < 1 || capacity > MAX_CAPACITY || Long.bitCount(capacity) != 1 || entry.roleCount() < 2
        || longest < 1 || longest > 1 << 30
        || dataBytes(capacity, entry.roleCount(), longest) > Math.min(WorkQueue.MAX_BYTES, room(entry))) {
      return capacity + " messages of up to " + longest + " bytes and " + entry.roleCount() + " roles do not fit its "
          + entry.sizeBytes() + " bytes";
    }
    return policy(entry) == null ? "its parameters are no delivery policy" : null;
  }

  /** The policy in the row's parameters; null when they are not those of a policy. */
  static DeliveryPolicy policy(SegmentEntry entry) {
    return DeliveryPolicy.of(entry.parameters());
  }

  @Override
  protected String parameterDifference(long[] found, long[] wanted) {
    DeliveryPolicy policy = DeliveryPolicy.of(found); // null when the row is damaged
    return "delivery policy is " + (policy == null ? "impossible" : "\"" + policy + "\"") + ", wanted \""
        + DeliveryPolicy.of(wanted) + "\"";
  }

  @Override
  protected StructureStatus status(SegmentEntry entry) {
    return QueueStatus.of(entry);
  }

  @Override
  protected List<String> problems(SegmentEntry entry) {
    return QueueCheck.problems(new Cells(entry));
  }

  @Override
  protected boolean leavesSomething(SegmentEntry entry, int role) {
    return new Cells(entry).mayHold(role);
  }

  @Override
  protected boolean mayRetain() {
    return true;
  }

  @Override
  protected String retained(SegmentEntry entry) {
    long count = new Cells(entry).messageCount();
    return count == 0 ? null : "holds " + count + (count == 1 ? " message" : " messages") + " that nobody has"
        + " acknowledged";
  }
}
