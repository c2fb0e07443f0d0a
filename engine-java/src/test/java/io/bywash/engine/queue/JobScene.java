package io.bywash.engine.queue;

import io.bywash.engine.Entry;
import io.bywash.engine.death.Probe;
import io.bywash.engine.death.Scene;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.wait.WaitHub;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;

/** A segment with one work queue, roles in it, and what was promised about each message. */
final class JobScene extends Scene {
  static final int CAPACITY = 4;
  static final int ROLES = 6;
  static final int MAX_BYTES = 40;
  static final int LIMIT = 3;
  /** Messages that turn the queue more than twice. */
  static final int TURNS = 10;
  private static final long WAIT_NANOS = 40_000_000;
  private static final int HUB_STEPS = 20;

  Producer producer;
  Consumer consumer;
  Delivery taken;

  // Bits of messages, by their numbers, which are their types.
  private long sent;
  private long begun;
  private long done;
  private long maybeDone;
  /** The number of the next message. */
  private int next;

  JobScene(Path bus, DeathSubject<?> subject) {
    super(bus, subject);
  }

  /**
   * What the marks say, by bits for messages.
   *
   * @param sent were certainly sent
   * @param begun may have been
   * @param done were certainly acknowledged, or dropped
   * @param maybeDone may have been
   */
  record Marks(long sent, long begun, long done, long maybeDone) {
    static Marks of(List<Long> marks) {
      return new Marks(marks.get(0), marks.get(1), marks.get(2), marks.get(3));
    }
  }

  @Override
  protected List<Long> marks() {
    return List.of(sent, begun, done, maybeDone);
  }

  @Override
  protected void use() {
    opened(TURNS).send(3);
  }

  @Override
  protected void leave() {
    drain(); // or the queue would keep the segment
    consumer.close();
    producer.close();
  }

  /** A claim that is open, messages that are held and that wait, and consumers, one of them waiting. */
  @Override
  protected void holdEverything() {
    opened(TURNS);
    send(2);
    taken();
    producer.tryClaim(8);
    open();
    waitForMessageByAnother();
    producer();
    send(2);
    open();
    consumer();
    taken();
  }

  private void waitForMessageByAnother() {
    consumer();
    drain();
    consumerThatBlocks();
    waitForMessage(); // its bit stays
  }

  @Override
  protected void observe(Entry entry) {
    QueueStatus.of(entry);
  }

  @Override
  protected void forget() {
    producer = null;
    consumer = null;
    taken = null;
  }

  Producer producer() {
    return producer = keep(Producer.open(entry()));
  }

  Consumer consumer() {
    return consumer = keep(Consumer.open(entry()));
  }

  void consumerThatBlocks() {
    consumer = keep(Consumer.open(entry(), WaitPolicy.BLOCK));
  }

  /** Opens the segment, a producer and a consumer, and has so many messages sent and acknowledged. */
  JobScene opened(int count) {
    open();
    producer();
    consumer();
    for (int i = 0; i < count; i++) {
      send(1).drain();
    }
    return this;
  }

  private static long bit(int number) {
    return 1L << number;
  }

  /** Sends messages, all of which find room. */
  JobScene send(int count) {
    for (int i = 0; i < count; i++) {
      if (!trySend()) {
        throw new AssertionError("no room for message " + next);
      }
    }
    return this;
  }

  /** Sends a message; false when there is no room. */
  boolean trySend() {
    byte[] content = Jobs.content(next);
    begun |= bit(next);
    boolean found = producer.offer(content, 0, content.length, next, 0);
    if (found) {
      sent |= bit(next++);
    } else {
      begun &= ~bit(next);
    }
    return found;
  }

  /** Claims a message and writes it. */
  QueueClaim claimed() {
    byte[] content = Jobs.content(next);
    QueueClaim claim = producer.tryClaim(content.length, next);
    claim.putBytes(0, content, 0, content.length);
    return claim;
  }

  /** Sends a message in place. */
  void commit(QueueClaim claim) {
    begun |= bit(next);
    claim.commit();
    sent |= bit(next++);
  }

  /** The same without waking anybody. */
  void stage(QueueClaim claim) {
    begun |= bit(next);
    claim.stage();
    sent |= bit(next++);
  }

  /** Takes a message, which is there. */
  Delivery taken() {
    taken = consumer.take();
    check(taken);
    return taken;
  }

  private static void check(Delivery message) {
    String fault = message == null ? "there is no message" : Jobs.fault(message);
    if (fault != null) {
      throw new AssertionError(fault);
    }
  }

  /** Acknowledges what was taken. */
  void ack() {
    long bit = bit(taken.type());
    maybeDone |= bit;
    taken.ack();
    done |= bit;
  }

  /** Gives back what was taken, which may be the end of it. */
  void giveBack() {
    long bit = taken.deliveries() >= LIMIT ? bit(taken.type()) : 0;
    maybeDone |= bit;
    taken.giveBack();
    done |= bit;
  }

  /** From now on messages that were delivered too often may be gone. */
  void expectEnd(int number) {
    maybeDone |= bit(number);
  }

  /** What was handled is found as it was before. */
  void expectAgain(int number) {
    done &= ~bit(number);
    maybeDone &= ~bit(number);
  }

  /** Handles all that is there. */
  JobScene drain() {
    int count;
    do {
      count = poll(2);
    } while (count > 0);
    return this;
  }

  int poll(int limit) {
    return poll(limit, 0);
  }

  private int poll(int limit, long timeoutNanos) {
    long[] handled = new long[1];
    int count = consumer.poll(message -> {
      check(message);
      handled[0] |= bit(message.type());
      maybeDone |= bit(message.type());
    }, limit, timeoutNanos);
    done |= handled[0];
    return count;
  }

  /** Polls with a handler that throws. */
  void pollInVain() {
    try {
      consumer.poll(message -> {
        check(message);
        throw new IllegalStateException("on purpose");
      }, 1);
    } catch (IllegalStateException expected) {
      if (!expected.getMessage().equals("on purpose")) {
        throw expected;
      }
    }
  }

  /** Waits in vain until the consumer has announced itself, which then stays. */
  void waitForMessage() {
    waitUntilAnnounced(consumer, () -> poll(1, WAIT_NANOS));
  }

  /** The same for the producer, in a full queue. */
  void waitForRoom() {
    while (trySend()) {
      // until it is full
    }
    waitUntilAnnounced(producer, () -> producer.claim(1, 0, WAIT_NANOS));
  }

  /** Waits in the hub's thread for a message that does not come. */
  void waitByTheHub() {
    CompletableFuture<Void> ready = WaitHub.shared().whenReady(consumer);
    long start = System.nanoTime();
    while (NativeAccess.ENABLED && (Probe.hubSteps() < HUB_STEPS || !isAnnounced(consumer))) {
      if (System.nanoTime() - start > PATIENCE_NANOS) {
        throw new AssertionError("the hub does not announce the consumer, and sleep");
      }
      LockSupport.parkNanos(100_000);
    }
    ready.cancel(false);
  }

  /** A consumer with another policy than the queue's: its dead letters go to the entry that was added. */
  void consumerWithDeadLetters() {
    segment.directory().findOrAdd(WorkSubject.deadLetters());
    DeliveryPolicy policy = DeliveryPolicy.redeliver().atMost(1).deadLetters(WorkSubject.deadLetters().name());
    consumer = keep(Consumer.open(new Cells((SegmentEntry) entry(), policy), WaitPolicy.BACKOFF));
  }

  /** What was sent is found as if it had not been. */
  void expectNothing(int number) {
    sent &= ~bit(number);
    begun &= ~bit(number);
  }

  /** Where a cell is in the file. */
  long wordOfCell(int index) {
    SegmentEntry row = (SegmentEntry) entry();
    return row.offset() + SegmentLayout.structureDataOffset(row.roleCount()) + 8L * index;
  }

  long word(long offset) {
    return ((SegmentEntry) entry()).region().getLongVolatile(offset);
  }

  /** Where a role's word of an exchange is in the file. */
  long wordOf(int role, int offset) {
    SegmentEntry row = (SegmentEntry) entry();
    return row.role(role) + offset;
  }
}
