package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.litmus.LitmusBus;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A work queue with producers in one attachment and consumers in another, and messages that show whether they are torn:
 * each word is made of the message's number, which is its type.
 */
final class LitmusJobs {
  static final int NOTHING = 0;
  static final int WHOLE = 1;
  static final int TORN = 2;

  private static final int BYTES = 64;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  final SegmentEntry sending;
  final SegmentEntry taking;
  final Cells cells;
  final Producer producer;
  final Consumer consumer;
  private int number;

  LitmusJobs(int capacity) {
    LitmusBus.Pair pair = LitmusBus.create(SegmentSpec.of(
        WorkQueue.spec("jobs", capacity, BYTES, DeliveryPolicy.redeliver(), 6)).withEntryCapacity(1));
    sending = (SegmentEntry) pair.first().directory().find("jobs", Kind.WORK_QUEUE);
    taking = (SegmentEntry) pair.second().directory().find("jobs", Kind.WORK_QUEUE);
    cells = Cells.of(taking);
    producer = Producer.open(sending);
    consumer = Consumer.open(taking);
  }

  /** Sends a message; false when the queue is full. */
  boolean send() {
    return send(producer);
  }

  private boolean send(Producer by) {
    QueueClaim claim = by.tryClaim(BYTES, ++number);
    if (claim == null) {
      return false;
    }
    for (int i = 0; i < BYTES; i += Long.BYTES) {
      claim.putLong(i, (number + i) * MIX);
    }
    claim.commit();
    return true;
  }

  /** Whether a message is whole. */
  static int look(Message message) {
    boolean whole = message.length() == BYTES;
    for (int i = 0; whole && i < BYTES; i += Long.BYTES) {
      whole = message.getLong(i) == (message.type() + i) * MIX;
    }
    return whole ? WHOLE : TORN;
  }

  /** Takes up to so many messages: how many there were, or -1 when one was torn. */
  int take(int limit) {
    int[] torn = new int[1];
    int count = consumer.poll(message -> torn[0] |= look(message), limit);
    return (torn[0] & TORN) != 0 ? -1 : count;
  }

  /** Looks at the next message: whether there was one, or -1 when it was torn. */
  int peek() {
    List<QueueView.Waiting> found = QueueView.of(taking).peek(0, 1);
    if (found.isEmpty()) {
      return NOTHING;
    }
    ByteBuffer bytes = ByteBuffer.wrap(found.getFirst().bytes()).order(ByteOrder.LITTLE_ENDIAN);
    boolean whole = bytes.limit() == BYTES;
    for (int i = 0; whole && i < BYTES; i += Long.BYTES) {
      whole = bytes.getLong(i) == (found.getFirst().type() + i) * MIX;
    }
    return whole ? WHOLE : -1;
  }

  /** Takes all that is there. */
  void drain() {
    while (take(100) != 0) {
      // there may be more
    }
  }

  /** The step of a cell, read without an ordering. */
  long step(int index) {
    long offset = cells.slot(0) - slotsOffset(cells.capacity) + index * 8L;
    return cells.step(taking.region().getLongOpaque(offset) ^ index);
  }

  /** A consumer's role with a message, that is taken from its holder as if that were dead. */
  final class Taken {
    private final Place former;
    private final SegmentEntry entry = taking;
    private RoleHandle successor;

    Taken(Place former) {
      this.former = former;
      int index = former.handle().index();
      former.handle().exit();
      long word = entry.roleWord(index);
      entry.region().compareAndSetLong(entry.role(index), word,
          Owner.word(0, Owner.generation(word), 0, SegmentLayout.ROLE_FREE));
      successor = RoleHandle.tryTake(entry, index, MODE_CONSUMER);
    }

    /** Whether the former holder could acknowledge it. */
    boolean acknowledge() {
      try {
        former.exchanger().acknowledge();
        return true;
      } catch (SegmentClosedException told) {
        return false;
      }
    }

    /** Whether the successor has it. */
    boolean takeOver() {
      Exchanger mine = new Exchanger(cells, successor);
      boolean held = mine.isHeld();
      if (held) {
        mine.acknowledge();
      }
      return held;
    }

    void end() {
      successor.exit();
      successor.close();
      former.handle().close();
    }
  }

  /** A producer's role whose holder died in an exchange, and that was taken: to be repaired. */
  final class Dead {
    final RoleHandle handle;
    /** What it owned before, and what it owns if it came to the exchange. */
    final int before;
    final int after;

    /**
     * One that sent a message, and died behind the compare-and-set of the cell.
     *
     * @param sent whether it came to that
     */
    Dead(boolean sent) {
      long position = cells.tail();
      Place place = Place.take(Cells.of(sending), MODE_PRODUCER);
      Producer dying = place.opened(taken -> new Producer(Cells.of(sending), taken, WaitPolicy.PARK));
      Region region = sending.region();
      long role = place.handle().offset();
      int index = place.handle().index();
      long mine = region.getLongOpaque(role + ROLE_MINE);
      long moves = region.getLongOpaque(role + ROLE_MOVES);
      before = Cells.slotOf(cells.mine(index));
      if (sent) {
        send(dying);
        after = Cells.slotOf(cells.mine(index));
        long ofSlot = cells.slot(after) + SLOT_MOVES;
        region.setLongOpaque(ofSlot, region.getLongOpaque(ofSlot) - 1);
        region.setLongOpaque(role + ROLE_MINE, mine);
        region.setLongOpaque(role + ROLE_MOVES, moves);
      } else {
        after = cells.slotIn(cells.cell(cells.index(position)));
      }
      dying.close();
      region.setLongOpaque(role + ROLE_WANT, after);
      region.setLongRelease(role + ROLE_AT, 2 * position + 1);
      handle = RoleHandle.tryTake(sending, index, MODE_PRODUCER);
    }

    /** Repairs it: what it owns then. */
    int repair() {
      return new Exchanger(Cells.of(sending), handle).slot();
    }

    /** It is nobody's. */
    void end() {
      handle.exit();
      handle.close();
    }
  }
}
