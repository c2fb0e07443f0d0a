package io.bywash.osgi.it;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.call.CallServer;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.call.ReplyClaim;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.pool.Pool;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import io.bywash.engine.ring.Ring;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.file.Path;
import java.util.List;

/**
 * A segment with a structure of each kind in a process of its own, until its input ends: its argument is the segment's
 * file. Each call of the endpoint is answered with twice its number.
 */
final class StructureProgram {
  /** One that a bundle has in a class of its own. */
  record Ticket(long number, @Length(8) String text) {}

  static final Records<Ticket> TICKETS = Records.of(MethodHandles.lookup(), Ticket.class);

  static final List<EntrySpec> SPECS = List.of(
      TICKETS.declare(Broadcast.spec("ticks", 1 << 16, 8)),
      WorkQueue.spec("failed", 16, 64),
      WorkQueue.spec("jobs", 16, 64, DeliveryPolicy.redeliver().atMost(3).deadLetters("failed")),
      Endpoint.of("double", 64, 64).spec(),
      Ring.spec("samples", 100, 8),
      Latest.spec("state", 64),
      Atomics.spec("flags", "long count"),
      Pool.spec("objects", 10, 8));

  private StructureProgram() {}

  public static void main(String[] arguments) throws IOException {
    try (Segment segment = Segment.open(Path.of(arguments[0]), SegmentSpec.of(SPECS))) {
      CallServer server = CallServer.start(segment.directory().find("double", Kind.ENDPOINT), request -> {
        try (ReplyClaim reply = request.claimReply(Long.BYTES)) {
          reply.putLong(0, 2 * request.getLong(0));
          reply.send();
        }
      }, 1);
      System.out.println(0);
      System.in.read();
      server.close();
    }
  }
}
