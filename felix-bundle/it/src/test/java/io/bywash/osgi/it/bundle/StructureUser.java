package io.bywash.osgi.it.bundle;

import io.bywash.engine.Message;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.call.CallClient;
import io.bywash.engine.call.Caller;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import io.bywash.engine.ring.RingPopper;
import io.bywash.engine.ring.RingWriter;
import io.bywash.osgi.BroadcastService;
import io.bywash.osgi.CellsService;
import io.bywash.osgi.EndpointService;
import io.bywash.osgi.LatestService;
import io.bywash.osgi.PoolService;
import io.bywash.osgi.RingService;
import io.bywash.osgi.StructureService;
import io.bywash.osgi.WorkQueueService;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.LongUnaryOperator;

/** Passes the number given through the service of one structure, whatever its kind, and returns what came out. */
public final class StructureUser implements LongUnaryOperator {
  private record Ticket(long number, @Length(8) String text) {}

  private static final Records<Ticket> TICKETS = Records.of(MethodHandles.lookup(), Ticket.class);
  private static final long TIMEOUT_NANOS = 10_000_000_000L;

  private final StructureService service;

  public StructureUser(Object service) {
    this.service = (StructureService) service;
  }

  @Override
  public long applyAsLong(long number) {
    if (service.status().counters() == null || service.queue().isEmpty()) {
      throw new AssertionError(service + " has no status");
    }
    return switch (service) {
      case BroadcastService queue -> broadcast(queue, number);
      case WorkQueueService queue -> work(queue, number);
      case EndpointService endpoint -> call(endpoint, number);
      case RingService ring -> ring(ring, number);
      case LatestService latest -> latest(latest, number);
      case CellsService cells -> cells(cells, number);
      case PoolService pool -> pool(pool, number);
      default -> throw new AssertionError("unknown service " + service);
    };
  }

  private static long broadcast(BroadcastService queue, long number) {
    try (Subscriber subscriber = queue.subscribe(SubscriberOptions.block()); Publisher publisher = queue.publish()) {
      publisher.offer(TICKETS, new Ticket(number, "no"));
      return subscriber.poll(TICKETS, TIMEOUT_NANOS).number();
    }
  }

  private static long work(WorkQueueService queue, long number) {
    try (Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      producer.offer(bytes(number));
      Delivery delivery = consumer.take(TIMEOUT_NANOS);
      long received = delivery.getLong(0);
      delivery.ack();
      return received;
    }
  }

  /** The responder doubles the number, each time. */
  private static long call(EndpointService endpoint, long number) {
    try (Caller caller = endpoint.caller(); CallClient client = endpoint.client()) {
      Message reply = caller.call(bytes(number), TIMEOUT_NANOS);
      long twice = reply.getLong(0);
      return ByteBuffer.wrap(client.call(bytes(twice), TIMEOUT_NANOS)).order(ByteOrder.LITTLE_ENDIAN).getLong() / 4;
    }
  }

  private static long ring(RingService ring, long number) {
    byte[] popped = new byte[Long.BYTES];
    try (RingWriter writer = ring.writer(); RingPopper popper = ring.popper()) {
      writer.push(bytes(number));
      if (ring.view() == null || !popper.pop(popped, TIMEOUT_NANOS)) {
        return -1;
      }
    }
    return ByteBuffer.wrap(popped).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private static long latest(LatestService latest, long number) {
    try (LatestWriter writer = latest.writer(); LatestReader reader = latest.reader()) {
      writer.set(bytes(number));
      return reader.get().getLong(0);
    }
  }

  private static long cells(CellsService cells, long number) {
    try (Atomics atomics = cells.atomics()) {
      atomics.longCell("count").set(number);
      return atomics.longCell("count").get();
    }
  }

  private static long pool(PoolService pool, long number) {
    try (PoolUser user = pool.user(); var view = pool.view()) {
      long handle = user.acquire();
      user.set(handle, bytes(number));
      return view == null ? -1 : ByteBuffer.wrap(user.get(handle)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    }
  }

  private static byte[] bytes(long number) {
    return ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).array();
  }
}
