package io.bywash.samples.calls;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.SegmentSpec;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.record.Records;
import java.nio.ByteBuffer;

/**
 * What the host and the guest agree on: three endpoints. Over two of them they call each other, with FlatBuffers. Over
 * the third one the host gives orders, as records.
 */
final class Traffic {
  /** The largest request and the largest answer, in bytes: the largest payload, and a FlatBuffers table around it. */
  static final int MAX_BYTES = 8_192 + 64;
  static final Records<Control> CONTROL = Records.of(lookup(), Control.class, Order.class, Report.class);
  static final SegmentSpec SPEC = SegmentSpec.of(
      Endpoint.of("guest", MAX_BYTES, MAX_BYTES).callers(2).responders(8).spec(),
      Endpoint.of("host", MAX_BYTES, MAX_BYTES).callers(1).responders(2).spec(),
      CONTROL.declare(Endpoint.of("orders", 64, 64).callers(1).slots(1).responders(1).spec()));

  private static final long MIXER = 0x9E37_79B9_7F4A_7C15L;

  private Traffic() {}

  /** What goes over the endpoint of orders. */
  sealed interface Control permits Order, Report {}

  /** The guest is to make so many calls, and then to report; after the last order it ends. */
  record Order(int calls, boolean isLast) implements Control {}

  /** How many requests the guest has received, of them intact, and how its own calls fared. */
  record Report(long received, long intact, Figures figures) implements Control {}

  /**
   * How some calls fared.
   *
   * @param calls how many there were
   * @param right how many got the right answer
   * @param bytes of payload, there and back
   * @param nanos how long all of them took together
   * @param p50Nanos how long a call took, from its first byte to its answer: the median
   * @param p99Nanos the same: one in a hundred took longer
   */
  record Figures(int calls, int right, long bytes, long nanos, long p50Nanos, long p99Nanos) {}

  /** How long the payload of that request is, in bytes: small ones are as frequent as large ones. */
  static int payloadLength(long id) {
    long mixed = id * MIXER;
    int most = 1 << (mixed >>> 40) % 13;
    return most - 1 + (int) (mixed >>> 50 & most - 1);
  }

  /** Byte {@code index} of the payload of that request. */
  static byte payloadByte(long id, int index) {
    return (byte) ((id + index) * MIXER >>> 56);
  }

  /** Whether this is the payload of that request, or its answer: the same with each byte inverted. */
  static boolean isPayload(ByteBuffer payload, long id, boolean inverted) {
    int flip = inverted ? -1 : 0;
    boolean isRight = payload.remaining() == payloadLength(id);
    for (int i = 0; isRight && i < payload.remaining(); i++) {
      isRight = payload.get(payload.position() + i) == (byte) (payloadByte(id, i) ^ flip);
    }
    return isRight;
  }
}
