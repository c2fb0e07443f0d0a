package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

import io.bywash.engine.internal.events.EngineEvents;
import io.bywash.engine.internal.record.ClaimView;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.record.RecordType;
import java.lang.ref.Reference;

/** Writes a message into the producer's own slot, and sends it. */
final class MessageWriter extends ClaimView implements QueueClaim {
  /** Longer messages are written by bulk copies, which fetch many cache lines at a time anyway. */
  private static final int OWN_MAX_BYTES = 256;
  /** How many messages are sent, by all producers, until this one asks again whether the queue is still there. */
  private static final int SENDS_A_PROBE = 1024;

  private final Producer owner;
  private final Cells cells;
  private final RoleHandle handle;
  private final Exchanger exchanger;
  private final Waiters waitingForData;
  private final int maxMessageBytes;
  private int type;
  /** Whether a consumer may have to be woken for what was staged. */
  private boolean staged;
  /** The first position at which that is asked again. */
  private long probeAt;

  MessageWriter(Producer owner, Cells cells, RoleHandle handle, Exchanger exchanger) {
    super(cells.region, cells.slotsOffset);
    this.owner = owner;
    this.cells = cells;
    this.handle = handle;
    this.exchanger = exchanger;
    this.waitingForData = cells.entry.waitingForData();
    this.maxMessageBytes = cells.maxMessageBytes;
  }

  /** Claims the own slot; null when the queue is full. The operation lasts until the claim ends. */
  QueueClaim tryClaim(int length, int newType) {
    begin(length);
    try {
      exchanger.refresh();
      if (exchanger.isNextFree() || hasRoom()) {
        type = newType;
        open(message(), length);
        return this;
      }
      blocked();
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
    return null;
  }

  /** Sends a copy; false when the queue is full. */
  boolean tryOffer(byte[] source, int index, int length, int newType) {
    begin(length);
    boolean sent;
    try {
      exchanger.refresh();
      region.copyFrom(message(), source, index, length);
      sent = send(length, newType, NO_DEAD_LETTER, 0);
      wake(sent);
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
    return sent;
  }

  /**
   * Sends a record; false when the queue is full. A claim is open while the record's accessors run, so that they cannot
   * use this producer; it is closed however this method ends.
   */
  <T> boolean tryOffer(RecordType<T> recordType, T record) {
    begin(recordType.sizeBytes());
    boolean sent;
    try {
      exchanger.refresh();
      openEmpty();
      recordType.write(region, message(), record);
      if (!endEmpty()) {
        handle.checkUsable();
        throw new IllegalStateException("the record has used the producer that was about to send it");
      }
      sent = send(recordType.sizeBytes(), recordType.number(), NO_DEAD_LETTER, 0);
      wake(sent);
    } catch (Throwable failure) {
      endEmpty();
      throw failed(failure);
    }
    handle.exit();
    return sent;
  }

  /** Sends a copy of a message of another queue, as a dead letter; false when there is no room. */
  boolean tryBury(Cells from, int slot, int length, int newType, long sequence) {
    begin(length);
    boolean sent;
    try {
      exchanger.refresh();
      probe(); // each time: its former queue drops it when it is in this one
      from.region.copyTo(from.slot(slot) + SLOT_HEADER_BYTES, region, message(), length);
      sent = send(length, newType, DELIVERED_TOO_OFTEN, sequence);
      wake(sent);
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
    return sent;
  }

  private void begin(int length) {
    if (Integer.compareUnsigned(length - 1, maxMessageBytes) >= 0 || isOpen()) {
      throw refused(length);
    }
    handle.enter();
  }

  private RuntimeException refused(int length) {
    handle.checkUsable();
    if (length < 1 || length > maxMessageBytes) {
      return new IllegalArgumentException("length=" + length + " is not between 1 and " + maxMessageBytes
          + ", the longest message of entry \"" + cells.entry.name() + "\"");
    }
    return new IllegalStateException(handle.isCallerInside()
        ? "the last claim was neither committed, staged nor aborted"
        : "another thread has a claim of this producer: use a producer in one thread at a time");
  }

  /** Ends an operation that failed, and returns what to throw. */
  private RuntimeException failed(Throwable failure) {
    handle.exit();
    return rethrown(failure);
  }

  private RuntimeException rethrown(Throwable failure) {
    return switch (failure) {
      case InternalError fault -> cells.entry.core().truncated(fault);
      case Error error -> throw error;
      case RuntimeException exception -> exception;
      default -> throw new AssertionError(failure);
    };
  }

  /** Where the message in the own slot is. */
  private long message() {
    return cells.slot(exchanger.slot()) + SLOT_HEADER_BYTES;
  }

  private boolean send(int length, int newType, int reason, long origin) {
    if (exchanger.nextSent() >= probeAt) {
      probe();
    }
    long slot = cells.slot(exchanger.slot());
    region.setLong(slot + SLOT_LENGTH, Integer.toUnsignedLong(length) | (long) newType << Integer.SIZE);
    region.setLongOpaque(slot + SLOT_DELIVERIES, (long) reason << Integer.SIZE);
    region.setLong(slot + SLOT_ORIGIN, origin);
    boolean sent = exchanger.send(true);
    if (!sent) {
      blocked();
    } else if (length <= OWN_MAX_BYTES) {
      region.prefetchForWrite(message(), length); // or the next message would have to wait for its cache lines
    }
    return sent;
  }

  private void wake(boolean sent) {
    if (sent) {
      staged = false;
      waitingForData.signalOne();
    }
  }

  /** Called when there is no room; it may never come. */
  private void blocked() {
    EngineEvents.writerBlocked(cells.entry.core().path(), cells.entry.name(), handle.index());
    probe();
  }

  /** One that never waits must also learn that the entry was removed, or the file. */
  private void probe() {
    probeAt = exchanger.nextSent() + SENDS_A_PROBE;
    cells.entry.probe();
    handle.checkUsable();
  }

  @Override
  public boolean tryCommit(long timeoutNanos) {
    checkOpen();
    boolean sent = owner.commit(timeoutNanos);
    if (sent) {
      endSent();
    }
    Reference.reachabilityFence(owner); // or the cleaner could give the role back before the last store
    return sent;
  }

  @Override
  public void commit() {
    checkOpen();
    if (!sendClaim()) {
      throw full();
    }
    endSent();
    Reference.reachabilityFence(owner);
  }

  @Override
  public void stage() {
    checkOpen();
    if (!sendClaim()) {
      throw full();
    }
    end();
    staged = true;
    handle.exit();
    Reference.reachabilityFence(owner);
  }

  private void checkOpen() {
    if (length() == 0) { // also while a record is written
      throw new IllegalStateException("there is nothing to commit: the claim was committed, staged or aborted before");
    }
  }

  private IllegalStateException full() {
    return new IllegalStateException("entry \"" + cells.entry.name() + "\" has become full since the claim, which is"
        + " still open. Use tryCommit where there are several producers.");
  }

  /** Sends the claim's message; false when the queue is full. A failure ends the claim and the operation. */
  boolean sendClaim() {
    try {
      handle.checkUsable();
      return send(length(), type, NO_DEAD_LETTER, 0);
    } catch (Throwable failure) {
      end();
      throw failed(failure);
    }
  }

  private void endSent() {
    end();
    try {
      wake(true);
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
  }

  /** Wakes a consumer that waits for staged messages. An open claim stays open. */
  void publish() {
    if (isOpen()) {
      handle.checkUsable();
      wake(staged);
      return;
    }
    handle.enter();
    try {
      wake(staged);
    } catch (Throwable failure) {
      throw failed(failure);
    }
    handle.exit();
  }

  /** Whether a message may just be being sent, though the role is no longer usable. Any thread may call this. */
  boolean isSending() {
    return exchanger.isSending();
  }

  /** Called when the role ends, and nobody is inside an operation. */
  void finish() {
    wake(staged);
  }

  @Override
  public void abort() {
    if (isWritingRecord()) {
      spoilEmpty();
    } else if (end() > 0) {
      handle.exit();
    }
  }

  /** Whether there is room for a message now. */
  boolean hasRoom() {
    return cells.hasRoom(exchanger.nextSent());
  }
}
