package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.internal.layout.Numbers;
import io.bywash.engine.internal.memory.Region;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * A look at the messages that wait in a work queue. It takes no role and no message, nothing of it is shared, and
 * neither producers nor consumers notice it. So there may be any number, also in segments that are attached read-only,
 * and it need not be closed.
 *
 * {@snippet :
 * QueueView view = QueueView.of(segment.directory().find("jobs", Kind.WORK_QUEUE));
 * for (QueueView.Waiting each : view.peek(0, 10)) { // the ten that are taken next
 *   System.out.println(each.sequence() + ": " + each.bytes().length + " bytes");
 * }
 * }
 *
 * <p>Any thread may use it. After the segment was closed in this process, each method throws
 * {@link io.bywash.engine.SegmentClosedException}, and after the entry was removed,
 * {@link io.bywash.engine.EntryRemovedException}.
 */
public final class QueueView {
  private final Cells cells;
  private final Region region;

  private QueueView(Cells cells) {
    this.cells = cells;
    this.region = cells.region;
  }

  /**
   * A copy of a message that waited.
   *
   * @param position how many messages were sent before it, those that were given back included
   * @param sequence its number, which it keeps when it is given back
   * @param type what its producer chose, 0 by default
   * @param deliveries how often it was delivered and not acknowledged
   * @param bytes the whole message
   */
  public record Waiting(long position, long sequence, int type, int deliveries, byte[] bytes) {}

  /**
   * Looks at a work queue.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a work queue
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static QueueView of(Entry entry) {
    return new QueueView(Cells.of(entry));
  }

  /** The position of the next message that is sent. */
  public long sentCount() {
    return cells.entry.look(cells::tail);
  }

  /**
   * Copies of messages that wait to be taken, in the order in which they are taken. What consumers take meanwhile is
   * left out, and what they hold does not wait.
   *
   * @param position of the first message that is wanted; 0 for all
   * @param limit the most messages to return, at least 1
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no producer writes
   */
  public List<Waiting> peek(long position, int limit) {
    Numbers.checkPositive("limit", limit);
    return cells.entry.look(() -> {
      List<Waiting> found = new ArrayList<>();
      long tail = cells.tail();
      long head = cells.head(); // after the tail: what waits is no more than there is room for
      if (tail - head > cells.capacity) {
        throw cells.entry.damaged((tail - head) + " messages would wait where " + cells.capacity + " have room");
      }
      for (long at = Math.max(position, head); at < tail && found.size() < limit; at++) {
        Waiting message = at(at);
        if (message != null) {
          found.add(message);
        }
      }
      return List.copyOf(found);
    });
  }

  /** The message at a position; null when it does not wait there any more. */
  private Waiting at(long position) {
    int index = cells.index(position);
    long cell = cells.cell(index);
    if (cells.step(cell) != 2 * cells.turn(position) + 1) {
      return null;
    }
    int slot = cells.slotIn(cell);
    long offset = cells.slot(slot);
    int length = region.getInt(offset + SLOT_LENGTH);
    byte[] bytes = new byte[Math.clamp(length, 0, cells.maxMessageBytes)];
    region.copyTo(offset + SLOT_HEADER_BYTES, bytes, 0, bytes.length);
    Waiting message = new Waiting(position, region.getLongOpaque(offset + SLOT_SEQUENCE),
        region.getInt(offset + SLOT_TYPE), Cells.deliveries(cells.deliveriesWord(slot)), bytes);
    VarHandle.acquireFence(); // [cell] if the slot was written since, it was taken before, and that is seen
    if (cells.cell(index) != cell) {
      return null;
    }
    cells.checkLength(length, slot);
    return message;
  }
}
