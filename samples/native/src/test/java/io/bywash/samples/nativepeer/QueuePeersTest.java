package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Removal;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.engine.queue.WorkQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Work queues with C processes on one side, on the other one, or on both, and Java. */
@Timeout(300)
final class QueuePeersTest {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private static SegmentSpec spec() {
    return SegmentSpec.of(
        WorkQueue.spec("jobs", 64, Numbered.MAX_LENGTH, DeliveryPolicy.redeliver().atMost(3).deadLetters("letters")),
        WorkQueue.spec("letters", 16, Numbered.MAX_LENGTH),
        WorkQueue.spec("results", 64, Numbered.MAX_LENGTH));
  }

  private static Entry entry(Segment segment, String name) {
    return segment.directory().find(name, Kind.WORK_QUEUE);
  }

  private static void send(Producer producer, long first, long count) {
    for (long i = first; i < first + count; i++) {
      byte[] message = Numbered.message(i);
      assertTrue(producer.offer(message, 0, message.length, (int) i, PATIENCE_NANOS), "no room for " + i);
    }
  }

  private static long sum(long count) {
    return count * (count - 1) / 2;
  }

  private static long takeAll(Consumer consumer, long count) {
    long sum = 0;
    for (long i = 0; i < count; i++) {
      Delivery taken = consumer.take(PATIENCE_NANOS);
      assertNotNull(taken, "no message came");
      sum += Numbered.check(taken.toBytes());
      taken.ack();
    }
    return sum;
  }

  @Test
  void eachMessageOfTwoProducersInBothLanguagesGoesToOneOfTwoConsumersInBothLanguages() throws Exception {
    int count = 10_000;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Producer producer = Producer.open(entry(segment, "jobs"));
        Consumer consumer = Consumer.open(entry(segment, "jobs"))) {
      Peer sends = bus.peer("send", "jobs", count, count).awaits("ready");
      Peer takes = bus.peer("take", "jobs", count, "backoff").awaits("ready");
      Thread sending = Thread.ofPlatform().start(() -> send(producer, 0, count));
      long sum = takeAll(consumer, count);
      sending.join();
      sends.awaits("sent").ends();
      String[] words = takes.line().split(" ");
      takes.ends();
      assertEquals(sum(2 * count), sum + Long.parseLong(words[1]));
      assertNull(consumer.take(), "there is one message too many");
      Bus.verify(segment);
    }
  }

  @Test
  void aConsumerInCSleepsUntilJavaSendsAndTakesEveryMessageOnce() throws Exception {
    int count = 500;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Producer producer = Producer.open(entry(segment, "results"))) {
      Peer takes = bus.peer("take", "results", count, "sleep").awaits("ready");
      send(producer, 0, count);
      String[] words = takes.line().split(" ");
      takes.ends();
      assertEquals(sum(count), Long.parseLong(words[1]));
      assertTrue(Long.parseLong(words[3]) > 0, "it gives some back, and gets them again");
    }
  }

  @Test
  void whatAKilledConsumerInCHeldIsDeliveredAgainByJava() throws Exception {
    killConsumers(3);
  }

  @Tag("stress")
  @Timeout(3_600)
  @Test
  void whatAHundredKilledConsumersInCHeldIsDeliveredAgainByJava() throws Exception {
    killConsumers(100);
  }

  private static void killConsumers(int rounds) throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Producer producer = Producer.open(entry(segment, "jobs"));
        Consumer consumer = Consumer.open(entry(segment, "jobs"))) {
      for (int round = 0; round < rounds; round++) {
        send(producer, round, 1);
        bus.fastPeer("hold", "jobs").awaits("holding " + round).kill();
        Delivery again = consumer.take(PATIENCE_NANOS);
        assertNotNull(again, "the message of a dead consumer did not come");
        assertEquals(2, again.deliveries());
        assertEquals(round, Numbered.check(again.toBytes()));
        again.ack();
      }
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void whatAKilledConsumerInJavaHeldIsDeliveredAgainByC() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Producer producer = Producer.open(entry(segment, "jobs"))) {
      send(producer, 41, 1);
      bus.javaPeer("hold", "jobs").awaits("holding 41").kill();
      bus.peer("take", "jobs", 1, "backoff").awaits("ready").awaits("taken 41 again 1 dead 0").ends();
      segment.recover();
      Bus.verify(segment);
    }
  }

  @Test
  void whatWasDeliveredTooOftenBecomesADeadLetterAlsoByAConsumerInC() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Producer producer = Producer.open(entry(segment, "jobs"));
        Consumer letters = Consumer.open(entry(segment, "letters"))) {
      send(producer, 7, 1);
      for (int delivery = 1; delivery <= 3; delivery++) {
        bus.fastPeer("hold", "jobs").awaits("holding 7").kill();
      }
      send(producer, 8, 1);
      bus.peer("take", "jobs", 1, "backoff").awaits("ready").awaits("taken 8 again 0 dead 0").ends();
      Delivery letter = letters.take(PATIENCE_NANOS);
      assertNotNull(letter, "there is no dead letter");
      assertEquals(7, Numbered.check(letter.toBytes()));
      assertTrue(letter.isDeadLetter());
      assertEquals(0, letter.originSequence());
      letter.giveBack();
      bus.peer("take", "letters", 1, "backoff").awaits("ready").awaits("taken 7 again 1 dead 1").ends();
    }
  }

  @Test
  void aConsumerInCKeepsAMessageWhoseQueueForDeadLettersWasRemoved() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Producer producer = Producer.open(entry(segment, "jobs"))) {
      Consumer owner = Consumer.open(entry(segment, "letters")); // so this process may remove it
      send(producer, 7, 1);
      Peer peer = bus.peer("give-back", "jobs").awaits("ready");
      peer.tell().awaits("7 delivered 1").tell().awaits("7 delivered 2");
      assertTrue(remove(segment));
      owner.close();
      peer.tell().awaits("7 delivered 3").tell().awaits("nothing").release().ends();
      segment.directory().findOrAdd(WorkQueue.spec("letters", 16, Numbered.MAX_LENGTH));
      try (Consumer jobs = Consumer.open(entry(segment, "jobs"));
          Consumer letters = Consumer.open(entry(segment, "letters"))) {
        assertNull(jobs.take());
        Delivery letter = letters.take(PATIENCE_NANOS);
        assertNotNull(letter, "the message is lost");
        assertEquals(7, Numbered.check(letter.toBytes()));
        letter.ack();
      }
    }
  }

  @Test
  void eachOfTwoConsumersInCIsToldOnceOfALeftMessageThatIsDamagedAndTheyTakeWhatIsInTheCells() throws Exception {
    byte[] left = Numbered.message(7);
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec());
        Producer producer = Producer.open(entry(segment, "results"));
        FileChannel file = FileChannel.open(bus.path("s"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      Peer peer = bus.peer("take-two", "results").awaits("ready");
      send(producer, 7, 1);
      try (Consumer closed = Consumer.open(entry(segment, "results"))) {
        assertNotNull(closed.take());
      }
      long lengthOffset = find(file, left) - 48 + 16; // docs/SPEC.md 9.1
      file.write(ByteBuffer.allocate(4).putInt(0, -1), lengthOffset);
      send(producer, 8, 1);
      peer.tell().awaits("told 1 and 1 taken 1");
      file.write(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, left.length), lengthOffset);
      peer.release().ends();
      try (Consumer consumer = Consumer.open(entry(segment, "results"))) {
        assertEquals(7, takeAll(consumer, 1));
      }
      Bus.verify(segment);
    }
  }

  /** Where those bytes are in a file, which has them once. */
  private static long find(FileChannel file, byte[] bytes) throws IOException {
    ByteBuffer all = ByteBuffer.allocate((int) file.size());
    file.read(all, 0);
    ByteBuffer wanted = ByteBuffer.wrap(bytes);
    int at = 0;
    while (!all.slice(at, bytes.length).equals(wanted)) {
      at += 8;
    }
    return at;
  }

  @Test
  void aProducerInCThatNeverWaitsLearnsThatItsQueueWasRemoved() throws Exception {
    SegmentSpec spec = SegmentSpec.of(WorkQueue.spec("full", 64, Numbered.MAX_LENGTH),
        WorkQueue.spec("roomy", 4096, Numbered.MAX_LENGTH));
    for (String name : List.of("full", "roomy")) {
      try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec)) {
        Producer owner = Producer.open(entry(segment, name));
        boolean fills = name.equals("full");
        Peer peer = bus.peer("offer", name, fills ? 65 : 10, 1024).awaits("ready");
        peer.tell().awaits(fills ? "full" : "sent");
        assertEquals(Removal.Outcome.REMOVED, segment.directory().remove(name).outcome());
        owner.close();
        peer.tell().awaits("removed").release().ends();
      }
    }
  }

  private static boolean remove(Segment segment) {
    return segment.directory().remove("letters").outcome() == Removal.Outcome.REMOVED;
  }

  @Test
  void aConsumerInCOpensTheQueueForDeadLettersThatItHasCheckedAndNoOtherOneOfThatName() throws Exception {
    EntrySpec large = WorkQueue.spec("letters", 16, Numbered.MAX_LENGTH);
    EntrySpec small = WorkQueue.spec("letters", 16, 16);
    int opened = 0;
    int refused = 0;
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec().withSizeBytes(1 << 20))) {
      Peer peer = bus.fastPeer("open-take", "jobs").awaits("ready");
      for (int round = 0; round < 3_000; round++) {
        long end = System.nanoTime() + round % 100 * 1_000;
        peer.tell();
        while (System.nanoTime() - end < 0) {
          Thread.onSpinWait();
        }
        boolean replaced = remove(segment); // else a role in it is held
        Entry letters = replaced ? segment.directory().findOrAdd(small) : null;
        if (peer.line().equals("0")) {
          opened++;
          assertTrue(letters == null || QueueStatus.of(letters).roles().isEmpty(), "opened what is too small");
        } else {
          refused++;
        }
        peer.tell().awaits("closed");
        if (replaced) {
          assertTrue(remove(segment));
          segment.directory().findOrAdd(large);
        }
      }
      peer.release().ends();
    }
    assertTrue(opened > 0 && refused > 0, opened + " opened, " + refused + " refused");
  }
}
