package io.bywash.engine.call;

import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.record.MessageView;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Has records become bytes, and bytes records, in the threads of users, since their code may be called. */
final class RecordBytes {
  private static final int SCRATCH_BYTES = 256;

  private final Queue<Region> scratch = new ConcurrentLinkedQueue<>();

  <Q> byte[] of(RecordType<Q> type, Q record) {
    byte[] bytes = new byte[type.sizeBytes()];
    Region region = borrow(bytes.length);
    type.write(region, 0, record);
    region.copyTo(0, bytes, 0, bytes.length);
    scratch.add(region);
    return bytes;
  }

  <R> R read(Records<R> replies, Submission.Reply reply) {
    Region region = borrow(reply.bytes().length);
    region.copyFrom(0, reply.bytes(), 0, reply.bytes().length);
    MessageView view = new MessageView(region, 0, region.sizeBytes());
    view.set(0, reply.bytes().length, reply.type(), reply.number());
    R read = replies.read(view);
    scratch.add(region);
    return read;
  }

  private Region borrow(int length) {
    Region region = scratch.poll();
    return region != null && region.sizeBytes() >= length ? region : Region.allocate(Math.max(length, SCRATCH_BYTES));
  }
}
