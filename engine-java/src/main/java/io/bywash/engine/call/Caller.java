package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Message;
import io.bywash.engine.Revocable;
import io.bywash.engine.call.CallFailedException.Reason;
import io.bywash.engine.internal.role.RoleHandle;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import io.bywash.engine.wait.WaitPolicy;
import io.bywash.engine.wait.Waitable;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A caller of an endpoint. It sends requests, each with a deadline, and gets each reply, or the reason why there is
 * none. A reply never reaches another call than its own, however late it is.
 *
 * {@snippet :
 * try (Caller caller = Caller.open(segment.directory().find("prices", Kind.ENDPOINT))) {
 *   Message reply = caller.call(bytes, 1_000_000_000); // waits for up to a second
 *   long price = reply.getLong(0); // read in place; valid until the next call
 *
 *   Call first = caller.send(bytes, 1_000_000_000); // several in flight; null when all slots are in use
 *   Call second = caller.send(bytes, 1_000_000_000);
 *   for (Call done; (done = caller.await(1_000_000_000)) != null; ) { // in the order in which they end
 *     price = done.reply().getLong(0); // or throws CallFailedException
 *     done.close(); // its slot can be used again
 *   }
 * }
 * }
 *
 * <p>A caller has the endpoint's number of slots. A call takes one until it is closed, or, if it was given up while a
 * responder had its request, until that responder has finished with it or is gone.
 *
 * <p>A caller is used by one thread at a time; threads that share one use a {@link CallClient}. Where a second thread
 * is noticed, it gets an {@link IllegalStateException}. After {@link #close} or {@link #revoke}, or after the segment
 * was closed in this process, every method that uses the endpoint throws
 * {@link io.bywash.engine.SegmentClosedException}. {@link Slots} has the protocol.
 */
@SuppressWarnings("exports") // neither superclass has public members but those of its interfaces
public final class Caller extends CallerRole implements Waitable, Revocable {
  private static final int SPINS = 2_000;
  private static final int POLLS_A_PROBE = 1024; // a power of two
  private static final int POLLS_A_LOOK = 64; // a power of two

  private final boolean spins;
  /** The blocking call whose reply is shown; null when there is none. */
  private Call shown;
  private int emptyPolls;
  private Records<?> checked;

  private Caller(Slots slots, RoleHandle handle, WaitPolicy waitPolicy) {
    super(slots, handle, waitPolicy);
    this.spins = waitPolicy == WaitPolicy.SPIN || waitPolicy == WaitPolicy.BACKOFF;
  }

  /** As {@link #open(Entry, WaitPolicy)} with {@link WaitPolicy#BACKOFF}. */
  public static Caller open(Entry entry) {
    return open(entry, WaitPolicy.BACKOFF);
  }

  /**
   * Takes a caller's role.
   *
   * @param waitPolicy how this caller waits for replies
   * @throws io.bywash.engine.TableFullException when living callers have all places
   * @throws io.bywash.engine.SpecMismatchException when the entry is no endpoint
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible; of a caller's
   *     place, only if that is the only one left
   * @throws IllegalStateException when the segment is attached read-only
   */
  public static Caller open(Entry entry, WaitPolicy waitPolicy) {
    Slots slots = Slots.of(entry);
    Objects.requireNonNull(waitPolicy, "waitPolicy");
    return slots.entry.core().whileMapped(() -> slots.take(slots.responders, slots.entry.roleCount(), MODE_CALLER,
        "callers", handle -> new Caller(slots, handle, waitPolicy)));
  }

  /**
   * Labels this caller for people who inspect the segment. The label may be changed at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   */
  public void label(String label) {
    setLabel(label);
  }

  /**
   * Whether calls fail at once with {@link Reason#NO_RESPONDER} while nobody answers for the endpoint. If not, which is
   * the default, they wait for a responder until their deadline.
   */
  public void failFast(boolean newFailsFast) {
    inFlight.failFast(newFailsFast);
  }

  /** The size of the largest request in bytes. */
  public int maxRequestBytes() {
    return slots.maxRequestBytes;
  }

  /** The size of the largest reply in bytes. */
  public int maxReplyBytes() {
    return slots.maxReplyBytes;
  }

  /** How many calls are neither done nor closed. */
  public int inFlight() {
    return inFlight.count();
  }

  /** Whether a living responder answers for the endpoint now. */
  public boolean hasResponder() {
    guard.checkUsable();
    return entry.core().whileMapped(slots::isAnyAlive);
  }

  // ---- blocking calls

  /** As {@link #call(byte[], int, int, int, long)}, for a whole array and type 0. */
  public Message call(byte[] request, long timeoutNanos) {
    return call(request, 0, request.length, 0, timeoutNanos);
  }

  /**
   * Sends a copy of {@code length} bytes of {@code source}, from {@code index} on, and waits for the reply. Waits for a
   * slot too, if all are in use.
   *
   * @param length 0 to {@link #maxRequestBytes}
   * @param type the request's type, any number
   * @param timeoutNanos how long to wait for the reply, at least 1
   * @return the reply, which is read in place and valid until the next blocking call of this caller, or its close
   * @throws CallFailedException when there is no reply; {@link CallFailedException#reason} says why
   * @throws io.bywash.engine.DamagedSegmentException when the reply is none that a responder writes; other calls are
   *     not affected
   * @throws IllegalArgumentException when {@code length} is out of range, or {@code timeoutNanos} is less than 1
   * @throws io.bywash.engine.InterruptedWaitException when this thread is interrupted, before the call or while it
   *     waits; the call is cancelled then
   */
  public Message call(byte[] source, int index, int length, int type, long timeoutNanos) {
    Objects.checkFromIndexSize(index, length, source.length);
    long start = beginCall(length, timeoutNanos);
    long left = enter(length, type, start, timeoutNanos);
    Call call;
    try {
      region.copyFrom(inFlight.nextSlot() + AREA_PAYLOAD, source, index, length);
      call = inFlight.send(0, length, type, left);
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      exit();
    }
    return result(call);
  }

  /**
   * Sends a record, and waits for the reply, as {@link #call(byte[], int, int, int, long)} does. Responders read it
   * with {@link Records#read}.
   *
   * @throws io.bywash.engine.SpecMismatchException when the endpoint is declared to carry other records
   * @throws IllegalArgumentException when the record is not one of {@code records}, when one of its components is null,
   *     when a string or array in it is longer than its {@link io.bywash.engine.record.Length}, or when it is longer
   *     than {@link #maxRequestBytes}
   * @throws IllegalStateException when the record's own code uses this caller
   */
  public <T> Message call(Records<T> records, T record, long timeoutNanos) {
    RecordType<T> type = checked(records).typeOf(record);
    long start = beginCall(type.sizeBytes(), timeoutNanos);
    long left = enter(type.sizeBytes(), type.number(), start, timeoutNanos);
    Call call;
    try {
      call = sendRecord(type, record, left);
    } finally {
      exit();
    }
    return result(call);
  }

  private long beginCall(int length, long timeoutNanos) {
    checkTimeout(timeoutNanos);
    checkLength(length);
    beginWait(timeoutNanos);
    if (shown != null) {
      shown.close();
      shown = null;
    }
    return System.nanoTime();
  }

  private Message result(Call call) {
    shown = call;
    try {
      for (int i = 0; spins && i < SPINS && call.isPending() && slots.replyWord(call.slot) == call.before; i++) {
        Thread.onSpinWait();
      }
      awaitEnd(call, Long.MAX_VALUE);
      return call.reply();
    } finally {
      if (call.isPending()) { // this thread was interrupted, or the role has ended
        call.close();
      }
      Reference.reachabilityFence(this);
    }
  }

  // ---- requests

  /** As {@link #send(byte[], int, int, int, long)}, for a whole array and type 0. */
  public Call send(byte[] request, long timeoutNanos) {
    return send(request, 0, request.length, 0, timeoutNanos);
  }

  /**
   * Sends a copy of {@code length} bytes of {@code source}, from {@code index} on, and does not wait. Returns null when
   * all slots are in use.
   *
   * @param length 0 to {@link #maxRequestBytes}
   * @param type the request's type, any number
   * @param timeoutNanos how long the call may take, at least 1
   * @throws IllegalArgumentException when {@code length} is out of range, or {@code timeoutNanos} is less than 1
   */
  public Call send(byte[] source, int index, int length, int type, long timeoutNanos) {
    Objects.checkFromIndexSize(index, length, source.length);
    checkTimeout(timeoutNanos);
    checkLength(length);
    if (!tryEnter()) {
      return null;
    }
    try {
      region.copyFrom(inFlight.nextSlot() + AREA_PAYLOAD, source, index, length);
      return inFlight.toBePolled(inFlight.send(0, length, type, timeoutNanos));
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      exit();
      Reference.reachabilityFence(this);
    }
  }

  /**
   * Sends a record, and does not wait. Returns null when all slots are in use. Throws what
   * {@link #call(Records, Object, long)} throws, but for that it does not wait.
   */
  public <T> Call send(Records<T> records, T record, long timeoutNanos) {
    RecordType<T> type = checked(records).typeOf(record);
    checkTimeout(timeoutNanos);
    checkLength(type.sizeBytes());
    if (!tryEnter()) {
      return null;
    }
    try {
      return inFlight.toBePolled(sendRecord(type, record, timeoutNanos));
    } finally {
      exit();
      Reference.reachabilityFence(this);
    }
  }

  /**
   * Sends a copy of a request one way: nobody replies. Returns false when all slots are in use.
   * {@link RequestClaim#commit} says what becomes of it.
   *
   * @throws IllegalArgumentException when the request is longer than {@link #maxRequestBytes}
   */
  public boolean sendOneWay(byte[] request) {
    RequestClaim claim = claim(request.length);
    if (claim == null) {
      return false;
    }
    try (claim) {
      claim.putBytes(0, request, 0, request.length);
      claim.commit();
    }
    return true;
  }

  /** As {@link #claim(int, int)}, with type 0. */
  public RequestClaim claim(int length) {
    return claim(length, 0);
  }

  /**
   * Claims room for a request of exactly {@code length} bytes, to be filled in place and then sent. Returns null when
   * all slots are in use. The result is the same object every time.
   *
   * @param length 0 to {@link #maxRequestBytes}; {@link RequestClaim#trim} makes it shorter later
   * @param type the request's type, any number
   * @throws IllegalArgumentException when {@code length} is out of range
   * @throws IllegalStateException when the last claim was neither sent nor aborted
   */
  public RequestClaim claim(int length, int type) {
    checkLength(length);
    return tryEnter() ? writer.open(inFlight.nextSlot(), length, type) : null;
  }

  private <T> Records<T> checked(Records<T> records) {
    if (records != checked) {
      records.check(entry);
      checked = records;
    }
    return records;
  }

  private <T> Call sendRecord(RecordType<T> type, T record, long timeoutNanos) {
    writer.write(inFlight.nextSlot(), type, record);
    return inFlight.send(0, type.sizeBytes(), type.number(), timeoutNanos);
  }

  // ---- replies

  /**
   * Returns a call that is done, in the order in which calls were found to be; null when there is none now. Each call
   * that was sent without waiting is returned once, unless it was closed before.
   */
  public Call poll() {
    boolean entered = enterBeside();
    try {
      inFlight.update((emptyPolls & POLLS_A_LOOK - 1) == 0);
      Call first = inFlight.nextDone();
      if (first == null && (++emptyPolls & POLLS_A_PROBE - 1) == 0) { // who never waits also has to notice deaths
        entry.probe();
        entry.core().probePeers();
      }
      return first;
    } catch (InternalError fault) {
      throw entry.core().truncated(fault);
    } finally {
      exitBeside(entered);
      Reference.reachabilityFence(this);
    }
  }

  /**
   * As {@link #poll}, but waits for a call to be done for up to {@code timeoutNanos}. Returns null when none was in
   * that time, or none is in flight.
   *
   * @param timeoutNanos 0 or less does not wait
   * @throws io.bywash.engine.InterruptedWaitException when {@code timeoutNanos} is greater than 0 and this thread is
   *     interrupted, before the call or while it waits; calls in flight stay in flight
   */
  public Call await(long timeoutNanos) {
    beginWait(timeoutNanos);
    long start = timeoutNanos > 0 ? System.nanoTime() : 0;
    while (true) {
      Call call = poll();
      long now = timeoutNanos > 0 ? System.nanoTime() : 0;
      if (call != null || inFlight.count() == 0 || timeoutNanos - (now - start) <= 0) {
        return call;
      }
      awaitChange(Math.max(Math.min(timeoutNanos - (now - start), inFlight.nextDeadline(now) - now), 1),
          false);
    }
  }

  // ---- readiness, and the end

  /** Whether a call is done or has to be looked at; also true when this caller can no longer be used. */
  @Override
  public boolean isReady() {
    return inFlight.hasDone() || isWaitOver();
  }

  /**
   * Gives the role back, and cancels all calls in flight. One-way requests that were sent stay. Calling this again does
   * nothing.
   */
  @Override
  public void close() {
    writer.abort();
    guard.close(writer.isInRecord());
  }
}
