package io.bywash.engine.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.queue.JobScene.Marks;
import io.bywash.engine.subject.DeathSubject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The living look at a work queue in which somebody died. */
final class JobAutopsy implements DeathSubject.Examination {
  /** Their numbers begin here; those of the dead are smaller. */
  private static final int NEW = 1_000;

  private final Marks marks;
  /** What those marks say about a segment that was not there. */
  private Marks found = new Marks(0, 0, 0, 0);

  JobAutopsy(Marks marks) {
    this.marks = marks;
  }

  @Override
  public void observe(Entry entry) {
    found = marks;
    QueueStatus status = QueueStatus.of(entry);
    int there = status.readyCount() + status.heldCount() + status.leftCount();
    int least = Long.bitCount(marks.sent() & ~marks.maybeDone());
    assertTrue(status.readyCount() + status.roles().size() + status.leftCount() >= least - 1,
        there + " messages are there, and " + least + " should be: " + status);
  }

  @Override
  public void use(Entry entry) {
    try (Consumer consumer = Consumer.open(entry); Producer producer = Producer.open(entry)) {
      Seen seen = new Seen(found);
      seen.drain(consumer);
      seen.assertAllCame(consumer);
      work(consumer, producer);
    }
    allRoles(entry);
  }

  /** Whether anything is as new, after what the dead left was dealt with. */
  private static void work(Consumer consumer, Producer producer) {
    Seen seen = new Seen(new Marks(0, 0, 0, 0));
    int next = NEW;
    for (int round = 0; round < 5; round++) {
      for (int i = 0; i < JobScene.CAPACITY; i++) {
        assertTrue(offer(producer, next++), "there is no room, though the queue is empty");
      }
      assertTrue(!offer(producer, next), "there is room beyond the capacity");
      seen.drain(consumer);
    }
    assertEquals(next - NEW, seen.numbers.size());
  }

  /** As many roles can be taken as there are, by those that exchange something. */
  private static void allRoles(Entry entry) {
    List<Producer> producers = new ArrayList<>();
    try {
      for (int i = 0; i < JobScene.ROLES; i++) {
        producers.add(Producer.open(entry));
      }
    } finally {
      producers.forEach(Producer::close);
    }
  }

  private static boolean offer(Producer producer, int number) {
    byte[] content = Jobs.content(number);
    return producer.offer(content, 0, content.length, number, 0);
  }

  @Override
  public void useAdded(Entry added) {
    drainAdded(added);
    try (Producer producer = Producer.open(added); Consumer consumer = Consumer.open(added)) {
      assertTrue(offer(producer, NEW));
      new Seen(new Marks(0, 0, 0, 0)).drain(consumer);
    }
  }

  /** Dead letters, whole ones, each of them once or, since somebody died in bringing it, twice. */
  private static void drainAdded(Entry added) {
    try (Consumer consumer = Consumer.open(added)) {
      consumer.poll(message -> assertNull(Jobs.fault(message)), 10);
    }
  }

  /** Nobody is held up by what those hold that are being buried. */
  static void useWhileOthersAreBuried(Entry entry) {
    try (Producer producer = Producer.open(entry); Consumer consumer = Consumer.open(entry)) {
      for (int i = 0; i < 20; i++) {
        consumer.poll(message -> assertNull(Jobs.fault(message)), 10);
        assertTrue(offer(producer, NEW + i), "no room");
      }
      consumer.poll(message -> assertNull(Jobs.fault(message)), 10);
    }
  }

  /** What a consumer got. */
  private static final class Seen {
    private final Marks marks;
    private final Map<Integer, Integer> numbers = new HashMap<>();

    Seen(Marks marks) {
      this.marks = marks;
    }

    void drain(Consumer consumer) {
      int count;
      do {
        count = consumer.poll(this::note, 3);
      } while (count > 0);
    }

    private void note(Delivery message) {
      assertNull(Jobs.fault(message));
      int number = message.type();
      assertTrue(message.deliveries() >= 1 && message.deliveries() <= JobScene.LIMIT, "delivery "
          + message.deliveries());
      assertEquals(null, numbers.put(number, message.deliveries()), "message " + number + " came twice");
      if (number < NEW) {
        long bit = 1L << number;
        assertTrue((marks.begun() & bit) != 0, "message " + number + " was never sent");
        assertTrue((marks.done() & bit) == 0, "message " + number + " was acknowledged before");
      }
    }

    /** Each message that was sent, and that nobody had begun to acknowledge. */
    void assertAllCame(Consumer consumer) {
      for (int number = 0; number < Long.SIZE; number++) {
        boolean due = (marks.sent() & ~marks.maybeDone() & 1L << number) != 0;
        assertTrue(!due || numbers.containsKey(number), "message " + number + " is lost");
      }
      assertNull(consumer.take());
    }
  }

  /** A living consumer beside those who die. */
  static final class Companion implements DeathSubject.Companion {
    private final Entry entry;
    private final Consumer consumer;
    private final Producer producer;

    Companion(Entry entry) {
      this.entry = entry;
      this.consumer = Consumer.open(entry);
      this.producer = Producer.open(entry);
    }

    /** It takes part only at the end: what the other one sends, it also needs. */
    @Override
    public void live() {
      QueueStatus.of(entry);
      QueueClaim claim = producer.tryClaim(1);
      if (claim != null) {
        claim.abort();
      }
    }

    @Override
    public void takeOver(List<Long> left) {
      Seen seen = new Seen(Marks.of(left));
      seen.drain(consumer);
      seen.assertAllCame(consumer);
      work(consumer, producer);
      takeDeadLetters();
    }

    /** A segment stays for them as well, and has to go with its last user here. */
    private void takeDeadLetters() {
      Optional<Entry> letters = ((SegmentEntry) entry).directory().find(WorkSubject.deadLetters().name());
      if (letters.isPresent()) {
        try (Consumer reader = Consumer.open(letters.get())) {
          reader.poll(message -> assertNull(Jobs.fault(message)), JobScene.CAPACITY);
          assertNull(reader.take());
        }
      }
    }

    @Override
    public void close() {
      consumer.close();
      producer.close();
    }
  }
}
