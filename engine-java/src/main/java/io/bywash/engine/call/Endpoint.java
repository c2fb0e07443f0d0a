package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import java.util.List;

/**
 * Describes an endpoint: a name that callers call, and that responders answer for. Immutable; each method returns a
 * copy. The roles are {@link Caller} and {@link Responder}.
 *
 * {@snippet :
 * SegmentSpec spec = SegmentSpec.of(
 *     Endpoint.of("prices", 256, 1024).spec(),
 *     Endpoint.of("orders", 512, 64).callers(64).slots(8).responders(4).redelivers().spec());
 * }
 */
public final class Endpoint {
  /** How many callers an endpoint has room for by default. */
  public static final int DEFAULT_CALLERS = 16;

  /** How many requests a caller can have in flight by default. */
  public static final int DEFAULT_SLOTS = 32;

  /** How many responders an endpoint has room for by default. */
  public static final int DEFAULT_RESPONDERS = 16;

  /** The most memory that one endpoint's slots can take, in bytes: 128 GiB. */
  public static final long MAX_BYTES = 1L << 37;

  private final String name;
  private final int maxRequestBytes;
  private final int maxReplyBytes;
  private final int callers;
  private final int slots;
  private final int responders;
  private final boolean redelivers;

  private Endpoint(String name, int maxRequestBytes, int maxReplyBytes, int callers, int slots, int responders,
      boolean redelivers) {
    this.name = name;
    this.maxRequestBytes = maxRequestBytes;
    this.maxReplyBytes = maxReplyBytes;
    this.callers = callers;
    this.slots = slots;
    this.responders = responders;
    this.redelivers = redelivers;
  }

  /**
   * An endpoint with room for {@value #DEFAULT_CALLERS} callers with {@value #DEFAULT_SLOTS} requests in flight each,
   * and for {@value #DEFAULT_RESPONDERS} responders.
   *
   * @param name of the entry
   * @param maxRequestBytes the size of the largest request in bytes, 1 to 2^30
   * @param maxReplyBytes the size of the largest reply in bytes, 1 to 2^30
   * @throws IllegalArgumentException when a size is out of range
   */
  public static Endpoint of(String name, int maxRequestBytes, int maxReplyBytes) {
    checkRange("maxRequestBytes", maxRequestBytes, 1, 1 << 30);
    checkRange("maxReplyBytes", maxReplyBytes, 1, 1 << 30);
    return new Endpoint(name, maxRequestBytes, maxReplyBytes, DEFAULT_CALLERS, DEFAULT_SLOTS, DEFAULT_RESPONDERS,
        false);
  }

  private static void checkRange(String argument, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(argument + "=" + value + " is not between " + least + " and " + most);
    }
  }

  /**
   * With room for that many callers at one time, in all processes.
   *
   * @param newCallers 1 to 1023
   */
  public Endpoint callers(int newCallers) {
    checkRange("callers", newCallers, 1, EntrySpec.MAX_ROLES - 1);
    return new Endpoint(name, maxRequestBytes, maxReplyBytes, newCallers, slots, responders, redelivers);
  }

  /**
   * With that many slots for each caller, so that it can have as many requests in flight.
   *
   * @param newSlots a power of two from 1 to 1024
   */
  public Endpoint slots(int newSlots) {
    if (newSlots < 1 || newSlots > MAX_SLOTS || Integer.bitCount(newSlots) != 1) {
      throw new IllegalArgumentException("slots=" + newSlots + " is not a power of two from 1 to " + MAX_SLOTS);
    }
    return new Endpoint(name, maxRequestBytes, maxReplyBytes, callers, newSlots, responders, redelivers);
  }

  /**
   * With room for that many responders at one time, in all processes. They share the work: each request goes to one.
   *
   * @param newResponders 1 to 1023
   */
  public Endpoint responders(int newResponders) {
    checkRange("responders", newResponders, 1, EntrySpec.MAX_ROLES - 1);
    return new Endpoint(name, maxRequestBytes, maxReplyBytes, callers, slots, newResponders, redelivers);
  }

  /**
   * At least once: a request whose responder died or was closed before it replied goes to another one, if its caller
   * still waits. So handlers may see a request twice. Otherwise such a call fails with
   * {@link CallFailedException.Reason#RESPONDER_GONE}, and its request was handled at most once.
   */
  public Endpoint redelivers() {
    return new Endpoint(name, maxRequestBytes, maxReplyBytes, callers, slots, responders, true);
  }

  /**
   * How many bytes all slots take: callers x slots x (largest request + largest reply), where 32 bytes are added to
   * each of the two, the sums are rounded up to multiples of 128, and each slot takes another 128.
   */
  public long dataBytes() {
    return CallLayout.dataBytes(callers, slots, maxRequestBytes, maxReplyBytes);
  }

  /**
   * The specification of the entry.
   *
   * @throws IllegalArgumentException when the name is not a valid one, when there are more than 1024 callers and
   *     responders together, or when the slots would take more than {@link #MAX_BYTES}; the message names the product
   */
  public EntrySpec spec() {
    if (callers + responders > EntrySpec.MAX_ROLES) {
      throw new IllegalArgumentException("callers=" + callers + " and responders=" + responders + " are more than "
          + EntrySpec.MAX_ROLES + " together");
    }
    if (dataBytes() > MAX_BYTES) {
      throw new IllegalArgumentException("callers=" + callers + " x slots=" + slots + " x (maxRequestBytes="
          + maxRequestBytes + " + maxReplyBytes=" + maxReplyBytes + ") take " + dataBytes() + " bytes; " + MAX_BYTES
          + " are possible");
    }
    return new EntrySpec(name, Kind.ENDPOINT, (long) callers * slots, Math.max(maxRequestBytes, maxReplyBytes), "",
        responders + callers, dataBytes(), List.of((long) callers, (long) slots, (long) maxRequestBytes,
        (long) maxReplyBytes, (long) (redelivers ? REDELIVER : FAIL)));
  }

  @Override
  public String toString() {
    return "Endpoint[" + name + ", requests of up to " + maxRequestBytes + " bytes, replies of up to " + maxReplyBytes
        + ", " + callers + " callers with " + slots + " slots, " + responders + " responders"
        + (redelivers ? ", redelivers]" : "]");
  }
}
