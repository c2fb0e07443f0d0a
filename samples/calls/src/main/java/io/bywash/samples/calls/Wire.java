package io.bywash.samples.calls;

import com.google.flatbuffers.FlatBufferBuilder;
import io.bywash.engine.Claim;
import io.bywash.engine.Message;
import io.bywash.engine.call.ReplyClaim;
import io.bywash.engine.call.RequestClaim;
import io.bywash.samples.calls.wire.Answer;
import io.bywash.samples.calls.wire.Ask;
import io.bywash.samples.calls.wire.Work;
import java.nio.ByteBuffer;

/**
 * FlatBuffers in shared memory. Tables are read where they lie. A builder writes from the end of its buffer to the
 * front, and that buffer is the claimed room itself; what is left at the front is not sent. Nothing is copied.
 */
final class Wire {
  /** For builders that would need more than the claimed room. */
  private static final FlatBufferBuilder.ByteBufferFactory NO_MORE_ROOM = new FlatBufferBuilder.ByteBufferFactory() {
    @Override
    public ByteBuffer newByteBuffer(int capacity) {
      throw new IllegalArgumentException("a message of up to " + capacity + " bytes has no room in "
          + Traffic.MAX_BYTES);
    }
  };

  private Wire() {}

  /** The request in a message; valid as long as the message. */
  static Ask ask(Message request) {
    return Ask.getRootAsAsk(request.asSegment().asByteBuffer());
  }

  /** The answer in a message; valid as long as the message. */
  static Answer answer(Message reply) {
    return Answer.getRootAsAnswer(reply.asSegment().asByteBuffer());
  }

  /** Builds the request of that number, with its payload if it is to be inverted. */
  static RequestClaim ask(RequestClaim claim, long id, byte work, int together) {
    FlatBufferBuilder builder = builder(claim);
    int length = work == Work.INVERT ? Traffic.payloadLength(id) : 0;
    ByteBuffer payload = builder.createUnintializedVector(1, length, 1);
    for (int i = 0; i < length; i++) {
      payload.put(i, Traffic.payloadByte(id, i));
    }
    builder.finish(Ask.createAsk(builder, id, work, together, builder.endVector()));
    return claim.trim(start(builder), claim.length() - start(builder));
  }

  /** Builds the answer to a request. {@code flip} has the bits of each byte that become others: all, if it is right. */
  static ReplyClaim answer(ReplyClaim claim, Ask ask, int inside, int flip) {
    FlatBufferBuilder builder = builder(claim);
    ByteBuffer asked = ask.payloadAsByteBuffer();
    ByteBuffer payload = builder.createUnintializedVector(1, asked.remaining(), 1);
    while (asked.hasRemaining()) {
      payload.put((byte) (asked.get() ^ flip));
    }
    builder.finish(Answer.createAnswer(builder, ask.id(), inside, builder.endVector()));
    return claim.trim(start(builder), claim.length() - start(builder));
  }

  private static FlatBufferBuilder builder(Claim claim) {
    return new FlatBufferBuilder(claim.asSegment().asByteBuffer(), NO_MORE_ROOM);
  }

  /** Where the table begins. */
  private static int start(FlatBufferBuilder builder) {
    return builder.dataBuffer().position();
  }
}
