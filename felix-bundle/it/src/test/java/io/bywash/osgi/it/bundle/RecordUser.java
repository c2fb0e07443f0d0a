package io.bywash.osgi.it.bundle;

import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import io.bywash.osgi.BroadcastService;
import java.lang.invoke.MethodHandles;
import java.util.function.LongUnaryOperator;

/** Takes both roles from the service of one queue, and sends the number given as a record of a class of its own. */
public final class RecordUser implements LongUnaryOperator {
  private record Ticket(long number, @Length(8) String text) {}

  private static final Records<Ticket> TICKETS = Records.of(MethodHandles.lookup(), Ticket.class);

  private final BroadcastService queue;

  public RecordUser(Object service) {
    queue = (BroadcastService) service;
  }

  @Override
  public long applyAsLong(long number) {
    try (Subscriber subscriber = queue.subscribe(SubscriberOptions.block()); Publisher publisher = queue.publish()) {
      publisher.offer(TICKETS, new Ticket(number, "no " + number));
      Ticket received = subscriber.poll(TICKETS, 10_000_000_000L);
      return received.text().equals("no " + number) ? received.number() : -1;
    }
  }
}
