package io.bywash.engine.queue;

import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.RecordFormatException;
import io.bywash.engine.record.Records;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Records through a work queue. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class JobRecordsTest {
  record Job(long number, double weight, @Length(8) String name) {}

  record Other(int number) {}

  record Wide(@Length(100) long[] words) {}

  private static final Records<Job> JOBS = Records.of(lookup(), Job.class);

  @RegisterExtension final TempBus bus = new TempBus();

  private static Job job(long number) {
    return new Job(number, number / 8.0, "J" + number % 1000);
  }

  private static Job takeRecord(Consumer consumer) {
    Delivery taken = TestJobs.take(consumer);
    Job job = JOBS.read(taken);
    taken.ack();
    return job;
  }

  private static EntrySpec spec(int capacity) {
    return WorkQueue.spec(TestJobs.NAME, capacity, TestJobs.MAX_BYTES, DeliveryPolicy.redeliver(), 8);
  }

  @Test
  void recordsComeOnceInOrderAndAsTheyWere() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), JOBS.declare(spec(4)));
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      List<Job> taken = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        assertTrue(producer.offer(JOBS, job(i)));
        if (i % 3 == 0) {
          consumer.poll(message -> taken.add(JOBS.read(message)), 10);
        }
      }
      consumer.poll(message -> taken.add(JOBS.read(message)), 10);
      assertEquals(100, taken.size());
      for (int i = 0; i < 100; i++) {
        assertEquals(job(i), taken.get(i));
      }
      queue.assertSound();
    }
  }

  @Test
  void aRecordThatFindsNoRoomIsNotSentAndOneThatWaitsIsSentWhenThereIs() throws Exception {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 1);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer(); Threads threads = new Threads()) {
      assertTrue(producer.offer(JOBS, job(1)));
      assertFalse(producer.offer(JOBS, job(2)));
      assertFalse(producer.offer(JOBS, job(2), 1_000_000));
      threads.start("producer", () -> assertTrue(producer.offer(JOBS, job(3), TestJobs.PATIENCE_NANOS)));
      Delivery first = TestJobs.take(consumer);
      assertEquals(job(1), JOBS.read(first));
      first.ack();
      Delivery next = consumer.take(TestJobs.PATIENCE_NANOS);
      assertEquals(job(3), JOBS.read(next));
      next.ack();
      threads.join();
      assertNull(consumer.take());
    }
  }

  @Test
  void aQueueThatDeclaresItsRecordsRefusesOthersAndSendsNothing() {
    Records<Other> others = Records.of(lookup(), Other.class);
    try (TestJobs queue = TestJobs.of(bus.path("seg"), JOBS.declare(spec(4)));
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      SpecMismatchException refused =
          assertThrows(SpecMismatchException.class, () -> producer.offer(others, new Other(1)));
      assertTrue(refused.getMessage().contains("weight"), refused.getMessage());
      assertNull(consumer.take());
      assertTrue(producer.offer(JOBS, job(1)));
      assertEquals(job(1), takeRecord(consumer));
    }
  }

  @Test
  void whatIsNoSuchRecordIsToldByATypedExceptionAndGivenBack() {
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      assertTrue(producer.offer(new byte[3]));
      assertThrows(RecordFormatException.class, () -> consumer.poll(message -> JOBS.read(message), 1));
      Delivery again = TestJobs.take(consumer);
      assertEquals(2, again.deliveries());
      again.ack();
      assertTrue(producer.offer(JOBS, job(1)));
      assertEquals(job(1), takeRecord(consumer));
    }
  }

  @Test
  void aRecordThatIsTooLongOrIncompleteSendsNothingAndLeavesTheProducerUsable() {
    Records<Wide> wides = Records.of(lookup(), Wide.class);
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      assertThrows(IllegalArgumentException.class, () -> producer.offer(wides, new Wide(new long[1])));
      assertThrows(IllegalArgumentException.class, () -> producer.offer(JOBS, new Job(1, 1, null)));
      assertThrows(IllegalArgumentException.class, () -> producer.offer(JOBS, new Job(1, 1, "much too long")));
      assertNull(consumer.take());
      assertTrue(producer.offer(JOBS, job(1)));
      assertEquals(job(1), takeRecord(consumer));
      queue.assertSound();
    }
  }

  /** Uses its producer while that asks it for its component. */
  private record Meddler(int number) {
    private static Producer used;

    @Override
    public int number() {
      used.offer(new byte[1]);
      return number;
    }
  }

  @Test
  void aRecordThatUsesTheProducerThatSendsItIsRefusedAndNothingIsSent() {
    Records<Meddler> meddlers = Records.of(lookup(), Meddler.class);
    try (TestJobs queue = TestJobs.of(bus.path("seg"), 4);
        Producer producer = queue.producer(); Consumer consumer = queue.consumer()) {
      Meddler.used = producer;
      assertThrows(IllegalStateException.class, () -> producer.offer(meddlers, new Meddler(1)));
      assertNull(consumer.take());
      assertTrue(producer.offer(JOBS, job(1)));
      assertEquals(job(1), takeRecord(consumer));
    }
  }
}
