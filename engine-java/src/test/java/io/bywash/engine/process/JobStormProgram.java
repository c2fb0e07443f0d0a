package io.bywash.engine.process;

import io.bywash.engine.Entry;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueClaim;
import io.bywash.engine.queue.WorkQueue;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Producers and consumers of one work queue, each a participant of its own, that write into ledgers what they do.
 * Arguments: file of the segment, directory of the ledgers, number of the process, seed. Says "ready"; told "go", sets
 * all to work and goes on until it is killed. An actor that sees what it must not see ends it.
 */
final class JobStormProgram implements ChildProgram {
  static final SegmentSpec SPEC = SegmentSpec.of(WorkQueue.spec("jobs", 16, 64, DeliveryPolicy.redeliver(), 48))
      .withParticipantCapacity(48);
  static final int PRODUCERS = 2;
  static final int CONSUMERS = 3;
  /** Ledgers of a process. */
  static final int ACTORS = PRODUCERS + CONSUMERS;
  private static final int FAILED = 5;
  private static final int BYTES = 64;
  private static final int PRODUCER_SHIFT = 24;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  /** What is noted about a message. */
  enum Event { BEGUN, SENT, DELIVERED, ACKNOWLEDGED, GIVEN_BACK, LEFT }

  /** A file in which one actor notes what it does; what stands there outlives a kill. */
  static final class Ledger {
    private static final int BYTES = 64 << 20;

    private final MappedByteBuffer words;
    private int count;

    Ledger(Path file) throws IOException {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
          StandardOpenOption.WRITE)) {
        words = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES);
        words.order(ByteOrder.LITTLE_ENDIAN);
      }
    }

    /** Notes; one word, which is there or not. */
    void note(Event event, long number, int deliveries) {
      words.putLong(8 * count++, number << 16 | (long) Math.min(deliveries, 0xFFF) << 4 | event.ordinal() + 1);
    }

    static List<Long> read(Path file) throws IOException {
      List<Long> notes = new ArrayList<>();
      MappedByteBuffer words = new Ledger(file).words;
      for (int i = 0; words.getLong(8 * i) != 0; i++) {
        notes.add(words.getLong(8 * i));
      }
      return notes;
    }
  }

  private Path file;

  private interface Actor {
    void run(Entry jobs, Ledger ledger, Random random) throws Exception;
  }

  @Override
  public void run(String... arguments) throws Exception {
    file = Path.of(arguments[0]);
    int process = Integer.parseInt(arguments[2]);
    long seed = Long.parseLong(arguments[3]);
    Segment.observe(file).close(); // loads classes
    ChildProgram.say("ready");
    ChildProgram.hear();
    for (int i = 0; i < ACTORS; i++) {
      int actor = process * ACTORS + i;
      Ledger ledger = new Ledger(Path.of(arguments[1]).resolve("ledger" + actor));
      Random random = new Random(seed + actor);
      start(i < PRODUCERS ? (jobs, own, any) -> produce(jobs, own, any, actor) : JobStormProgram::consume, ledger,
          random);
    }
    ChildProgram.hear();
  }

  private void start(Actor actor, Ledger ledger, Random random) {
    Thread.ofPlatform().daemon().start(() -> {
      try (Segment segment = Segment.attach(file, PATIENCE_NANOS)) {
        while (true) {
          actor.run(segment.directory().find("jobs").orElseThrow(), ledger, random);
        }
      } catch (Throwable wrong) {
        wrong.printStackTrace(System.out);
        ChildProgram.say("FAILED " + wrong);
        Runtime.getRuntime().halt(FAILED);
      }
    });
  }

  private void produce(Entry jobs, Ledger ledger, Random random, int actor) {
    long[] next = {(long) actor << PRODUCER_SHIFT | sentBy(actor)};
    try (Producer producer = Producer.open(jobs)) {
      for (int i = random.nextInt(300); i >= 0; i--) {
        QueueClaim claim = producer.claim(BYTES, 0, 20_000_000);
        if (claim == null) {
          continue;
        }
        for (int at = 0; at < BYTES; at += 8) {
          claim.putLong(at, next[0] + at * MIX);
        }
        ledger.note(Event.BEGUN, next[0], 0);
        if (claim.tryCommit(20_000_000)) {
          ledger.note(Event.SENT, next[0], 0);
        } else {
          claim.abort();
        }
        next[0]++;
        count(actor);
        LockSupport.parkNanos(random.nextInt(2_000_000));
      }
    }
  }

  private final int[] counts = new int[ACTORS];

  private int sentBy(int actor) {
    return counts[actor % ACTORS];
  }

  private void count(int actor) {
    counts[actor % ACTORS]++;
  }

  /** Who has sent the message with that number. */
  static long producer(long number) {
    return number >>> PRODUCER_SHIFT;
  }

  /** The number of a message, which is whole. */
  static long number(Message message) {
    long number = message.getLong(0);
    for (int at = 0; at < BYTES; at += 8) {
      if (message.getLong(at) != number + at * MIX) {
        throw new AssertionError("message " + number + " is torn");
      }
    }
    return number;
  }

  static void consume(Entry jobs, Ledger ledger, Random random) {
    Consumer consumer = Consumer.open(jobs);
    try {
      for (int i = random.nextInt(200); i >= 0; i--) {
        if (random.nextBoolean()) {
          takeOne(consumer, ledger, random);
        } else {
          poll(consumer, ledger, random);
        }
      }
      if (random.nextInt(3) == 0) {
        Delivery left = consumer.take();
        if (left != null) {
          long number = number(left);
          ledger.note(Event.DELIVERED, number, left.deliveries());
          consumer.close();
          ledger.note(Event.LEFT, number, 0);
        }
      }
    } finally {
      consumer.close();
    }
  }

  private static void takeOne(Consumer consumer, Ledger ledger, Random random) {
    Delivery taken = consumer.take(random.nextInt(3_000_000));
    if (taken != null) {
      long number = number(taken);
      ledger.note(Event.DELIVERED, number, taken.deliveries());
      LockSupport.parkNanos(random.nextInt(50_000));
      if (random.nextInt(8) == 0) {
        taken.giveBack();
        ledger.note(Event.GIVEN_BACK, number, 0);
      } else {
        taken.ack();
        ledger.note(Event.ACKNOWLEDGED, number, 0);
      }
    }
  }

  private static void poll(Consumer consumer, Ledger ledger, Random random) {
    List<Long> handled = new ArrayList<>();
    consumer.poll(message -> {
      handled.add(number(message));
      ledger.note(Event.DELIVERED, handled.getLast(), message.deliveries());
    }, 1 + random.nextInt(5), random.nextInt(3_000_000));
    handled.forEach(number -> ledger.note(Event.ACKNOWLEDGED, number, 0));
  }
}
