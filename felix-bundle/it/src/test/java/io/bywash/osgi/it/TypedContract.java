package io.bywash.osgi.it;

import static io.bywash.osgi.BywashConstants.*;
import static io.bywash.osgi.it.Container.awaitUntil;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.record.Records;
import io.bywash.osgi.it.StructureProgram.Ticket;
import java.lang.invoke.MethodHandles;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceRegistration;

/** Consumers of records: the class of the bundle that consumes is another one than that of whoever sends. */
abstract class TypedContract extends ConsumerContract {
  private record Other(int number) {}

  private static final Records<Ticket> TICKETS = StructureProgram.TICKETS;
  private static final Records<Other> OTHERS = Records.of(MethodHandles.lookup(), Other.class);

  private Segment segment(String name) {
    return ended(Segment.create(bus.resolve(name), SegmentSpec.of(TICKETS.declare(Broadcast.spec("ticks", 4096)),
        TICKETS.declare(WorkQueue.spec("jobs", 16, 64)), Endpoint.of("double", 64, 64).spec(),
        OTHERS.declare(Broadcast.spec("others", 4096)), OTHERS.declare(Endpoint.of("quotes", 64, 64).spec()))));
  }

  private void consume(Bundle bundle, Object worker, String type, String segment, String queue, Object fingerprint) {
    ServiceRegistration<?> registration = Container.register(bundle, "io.bywash.osgi." + type, worker,
        Map.of(SEGMENT, segment, QUEUE, queue, FINGERPRINT, fingerprint));
    ended(() -> unregister(registration));
  }

  private static Entry find(Segment segment, String name, Kind kind) {
    return segment.directory().find(name, kind);
  }

  @Test
  void recordsReachListenersConsumersAndRespondersByTheirFingerprint() throws Exception {
    Segment segment = segment("typed");
    Bundle bundle = container.testContext().getBundle();
    Queue<Long> got = new ConcurrentLinkedQueue<>();
    Object worker = container.create("TypedWorker", got);
    long fingerprint = ((LongSupplier) worker).getAsLong();
    assertEquals(TICKETS.fingerprint(), fingerprint);
    consume(bundle, worker, "RecordListener", "typed", "ticks", fingerprint);
    consume(bundle, worker, "WorkQueueConsumer", "typed", "jobs", Long.toString(fingerprint));
    consume(bundle, worker, "RecordResponder", "typed", "double", 0);
    try (Publisher publisher = Publisher.open(find(segment, "ticks", Kind.BROADCAST));
        Producer producer = Producer.open(find(segment, "jobs", Kind.WORK_QUEUE));
        Caller caller = Caller.open(find(segment, "double", Kind.ENDPOINT))) {
      publisher.offer(TICKETS, new Ticket(1, "one"));
      producer.offer(TICKETS, new Ticket(2, "two"));
      assertEquals(new Ticket(6, "three"), TICKETS.read(caller.call(TICKETS, new Ticket(3, "three"),
          Container.DEADLINE.toNanos())));
      awaitUntil("both records", () -> got.size() == 2);
    }
    assertEquals(List.of(1L, 2L), got.stream().sorted().toList());
  }

  @Test
  void aConsumerOfOtherRecordsIsListedWithTheDifferences() throws Exception {
    segment("untyped");
    Bundle bundle = container.testContext().getBundle();
    Object worker = container.create("TypedWorker", new ConcurrentLinkedQueue<>());
    consume(bundle, worker, "RecordListener", "untyped", "others", TICKETS.fingerprint());
    awaitListed("untyped", "others", "WRONG_RECORDS", "" + OTHERS.fingerprint());
    consume(bundle, worker, "RecordListener", "untyped", "others", OTHERS.fingerprint());
    awaitListed("untyped", "others", "REFUSED", "field number");
    consume(bundle, worker, "RecordResponder", "untyped", "quotes", OTHERS.fingerprint());
    awaitListed("untyped", "quotes", "REFUSED", "field number");
  }

  @Test
  void theRecordClassOfAConsumerIsLetGoWhenItsBundleIsRefreshed() throws Exception {
    Segment segment = segment("loaded");
    WeakReference<ClassLoader> loader = consumed(segment);
    awaitUntil("the bundle's class loader to be collected", () -> {
      System.gc();
      return loader.get() == null;
    });
  }

  private WeakReference<ClassLoader> consumed(Segment segment) throws Exception {
    Bundle bundle = container.installAnother("io.bywash.osgi.it.typed");
    Queue<Long> got = new ConcurrentLinkedQueue<>();
    Object worker = Container.create(bundle, "TypedWorker", got);
    Container.register(bundle, "io.bywash.osgi.RecordListener", worker, Map.of(SEGMENT, "loaded", QUEUE, "ticks"));
    Container.register(bundle, "io.bywash.osgi.RecordConsumer", worker, Map.of(SEGMENT, "loaded", QUEUE, "jobs"));
    try (Publisher publisher = Publisher.open(find(segment, "ticks", Kind.BROADCAST));
        Producer producer = Producer.open(find(segment, "jobs", Kind.WORK_QUEUE))) {
      publisher.offer(TICKETS, new Ticket(1, ""));
      producer.offer(TICKETS, new Ticket(2, ""));
      awaitUntil("both records", () -> got.size() == 2);
    }
    bundle.uninstall();
    container.refresh();
    return new WeakReference<>(worker.getClass().getClassLoader());
  }
}
