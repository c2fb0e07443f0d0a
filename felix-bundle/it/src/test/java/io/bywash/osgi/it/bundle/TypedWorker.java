package io.bywash.osgi.it.bundle;

import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;
import io.bywash.osgi.RecordConsumer;
import io.bywash.osgi.RecordListener;
import io.bywash.osgi.RecordResponder;
import java.lang.invoke.MethodHandles;
import java.util.Queue;
import java.util.function.LongSupplier;

/** Gets records of a class of its own, notes their numbers, and answers with twice the number. */
public final class TypedWorker implements RecordListener<TypedWorker.Ticket>, RecordConsumer<TypedWorker.Ticket>,
    RecordResponder<TypedWorker.Ticket, TypedWorker.Ticket>, LongSupplier {
  /** The same as the test has in a class of its own. */
  public record Ticket(long number, @Length(8) String text) {}

  private static final Records<Ticket> TICKETS = Records.of(MethodHandles.lookup(), Ticket.class);

  private final Queue<Long> numbers;

  public TypedWorker(Queue<Long> numbers) {
    this.numbers = numbers;
  }

  @Override
  public Records<Ticket> records() {
    return TICKETS;
  }

  @Override
  public Records<Ticket> requests() {
    return TICKETS;
  }

  @Override
  public Records<Ticket> replies() {
    return TICKETS;
  }

  @Override
  public void onRecord(Ticket ticket) {
    numbers.add(ticket.number());
  }

  @Override
  public Ticket answer(Ticket ticket) {
    return new Ticket(2 * ticket.number(), ticket.text());
  }

  /** The fingerprint of its records. */
  @Override
  public long getAsLong() {
    return TICKETS.fingerprint();
  }
}
