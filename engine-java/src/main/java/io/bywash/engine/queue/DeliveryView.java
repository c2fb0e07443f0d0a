package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.internal.record.MessageView;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/** The message that a consumer holds, as its user sees it. */
final class DeliveryView extends MessageView implements Delivery {
  private static final AtomicIntegerFieldUpdater<DeliveryView> SHOWN =
      AtomicIntegerFieldUpdater.newUpdater(DeliveryView.class, "shown");

  private final Consumer consumer;
  private final Cells cells;
  /** 1 while the message can be acknowledged or given back; two threads may want to, when a handler hangs. */
  private volatile int shown;
  private int deliveries;
  private long origin;

  DeliveryView(Consumer consumer, Cells cells) {
    super(cells.region, cells.slotsOffset, cells.slotsBytes);
    this.consumer = consumer;
    this.cells = cells;
  }

  /** Shows the message in a slot, and counts the delivery. */
  void open(int slot) {
    long at = cells.slot(slot);
    long header = cells.region.getLong(at + SLOT_LENGTH);
    int length = cells.checkLength((int) header, slot);
    long counted = cells.deliveriesWord(slot);
    deliveries = Cells.deliveries(counted) + 1;
    cells.setDeliveries(slot, deliveries);
    origin = Cells.reason(counted) == NO_DEAD_LETTER ? -1 : cells.region.getLong(at + SLOT_ORIGIN);
    setWithin(at - cells.slotsOffset + SLOT_HEADER_BYTES, length, (int) (header >>> Integer.SIZE),
        cells.region.getLong(at + SLOT_SEQUENCE));
    SHOWN.lazySet(this, 1);
  }

  /** Ends the flight of the message; false when it was ended before. Of several threads one succeeds. */
  boolean tryEnd() {
    boolean ended = SHOWN.compareAndSet(this, 1, 0);
    if (ended) {
      super.clear();
    }
    return ended;
  }

  @Override
  public void clear() {
    SHOWN.lazySet(this, 0);
    super.clear();
  }

  boolean isOpen() {
    return length() > 0;
  }

  @Override
  public int deliveries() {
    return deliveries;
  }

  @Override
  public boolean isDeadLetter() {
    return origin >= 0;
  }

  @Override
  public long originSequence() {
    return origin;
  }

  @Override
  public void ack() {
    consumer.acknowledge();
  }

  @Override
  public void giveBack() {
    consumer.giveBack();
  }

  @Override
  public void returnUnseen() {
    consumer.returnUnseen();
  }
}
