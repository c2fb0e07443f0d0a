package io.bywash.engine.process;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Arguments: file, seed, milliseconds. One thread scribbles over the words of one queue while others publish and read there,
 * and in the queue beside it. Says "survived" with the numbers of scribbles and of messages of the sound queue, and how
 * operations on the damaged one ended.
 */
final class LiveDamageProgram implements ChildProgram.Optimised {
  static final List<String> ROLES = List.of("block", "skip", "fail", "evict", "status", "publisher");
  private static final SegmentSpec SPEC = SegmentSpec
      .of(Broadcast.spec("damaged", 16_384, 7), Broadcast.spec("sound", 16_384, 7))
      .withParticipantCapacity(4).withEntryCapacity(4);
  private static final int MAX_BYTES = 600;
  private static final long HANGING_NANOS = 30_000_000_000L;

  private final Map<String, Integer> outcomes = new ConcurrentSkipListMap<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicLong soundCount = new AtomicLong();
  private volatile Throwable failure;
  private volatile boolean over;
  private long seed;

  private interface Work {
    void run(Random random) throws Exception;
  }

  @Override
  public void run(String... arguments) throws Exception {
    Path file = Path.of(arguments[0]);
    seed = Long.parseLong(arguments[1]);
    long end = System.nanoTime() + Long.parseLong(arguments[2]) * 1_000_000;
    AtomicLong scribbles = new AtomicLong();
    try (Segment segment = Segment.create(file, SPEC); Segment other = Segment.attach(file, 0)) {
      Entry damaged = segment.directory().find("damaged", Kind.BROADCAST);
      Entry sound = other.directory().find("sound", Kind.BROADCAST);
      MappedByteBuffer words = map(file, DamageImages.Place.of(damaged));
      start("scribbler", random -> scribble(words, random, scribbles));
      start("publisher", random -> publish(damaged, random));
      start("block", random -> read(damaged, SubscriberOptions.block(), random));
      start("skip", random -> read(damaged, SubscriberOptions.skip(), random));
      start("fail", random -> read(damaged, SubscriberOptions.fail(), random));
      start("evict", random -> read(damaged, SubscriberOptions.evictAfter(1_000_000), random));
      start("status", random -> {
        BroadcastStatus.of(damaged);
        segment.participants();
        LockSupport.parkNanos(100_000);
      });
      try (Publisher publisher = Publisher.open(sound); Subscriber block = Subscriber.open(sound);
          Subscriber skip = Subscriber.open(sound, SubscriberOptions.skip())) {
        start("neighbour", random -> useSound(publisher, List.of(block, skip)));
        while (failure == null && (System.nanoTime() < end || !haveAllMetBoth() && System.nanoTime() - end < PATIENCE_NANOS)) {
          LockSupport.parkNanos(10_000_000);
        }
        over = true;
        awaitThreads();
      }
    }
    if (failure != null) {
      throw new AssertionError("while words were damaged", failure);
    }
    ChildProgram.say("survived " + scribbles + " " + soundCount + " " + outcomes);
  }

  private static MappedByteBuffer map(Path file, DamageImages.Place place) throws Exception {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      MappedByteBuffer words = channel.map(FileChannel.MapMode.READ_WRITE, place.offset(), place.sizeBytes());
      words.order(ByteOrder.LITTLE_ENDIAN);
      return words;
    }
  }

  /** Does it again and again; an exception that the engine's users are to expect ends one turn only. */
  private void start(String name, Work work) {
    Thread thread = new Thread(() -> {
      Random random = new Random(seed + name.hashCode());
      while (!over && failure == null) {
        String outcome = "success";
        try {
          work.run(random);
        } catch (BusException documented) {
          outcome = documented.getClass().getSimpleName();
        } catch (Throwable wrong) {
          failure = wrong;
        }
        outcomes.merge(name + ": " + outcome, 1, Integer::sum);
      }
    }, name);
    thread.setDaemon(true);
    threads.add(thread);
    thread.start();
  }

  /** Whether everybody has met damage, and something else: on a busy machine that takes longer. */
  private boolean haveAllMetBoth() {
    return ROLES.stream().allMatch(role ->
        outcomes.containsKey(role + ": DamagedSegmentException") && outcomes.containsKey(role + ": success"));
  }

  private void awaitThreads() throws InterruptedException {
    long start = System.nanoTime();
    for (Thread thread : threads) {
      thread.join(Math.max(1, (HANGING_NANOS - (System.nanoTime() - start)) / 1_000_000));
      if (thread.isAlive()) {
        ChildProgram.say("HANGS: " + thread.getName() + " at " + List.of(thread.getStackTrace()));
        Runtime.getRuntime().halt(4);
      }
    }
  }

  /** Zeros are an empty queue; then some words of it are damaged, again and again. */
  private static void scribble(MappedByteBuffer words, Random random, AtomicLong scribbles) {
    for (int at = 0; at < words.capacity(); at += 8) {
      words.putLong(at, 0);
    }
    LockSupport.parkNanos(random.nextInt(1_000_000));
    for (int i = random.nextInt(30); i > 0; i--) {
      int at = 8 * switch (random.nextInt(4)) {
        case 0 -> random.nextInt(1024 / 8); // roles used, waiting, published, oldest, counts
        case 1 -> random.nextInt(1024 / 8) + 4096 / 8; // roles
        case 2 -> random.nextInt(words.capacity() / 8);
        default -> random.nextBoolean() ? 384 / 8 : 512 / 8;
      };
      long old = words.getLong(at);
      words.putLong(at, switch (random.nextInt(5)) {
        case 0 -> random.nextLong();
        case 1 -> old ^ 1L << random.nextInt(64);
        case 2 -> words.getLong(8 * random.nextInt(words.capacity() / 8));
        case 3 -> old + 16L * (random.nextInt(600) - 300);
        default -> random.nextInt(3) - 1;
      });
      scribbles.incrementAndGet();
      if (random.nextInt(3) == 0) {
        LockSupport.parkNanos(random.nextInt(100_000));
      }
    }
  }

  private void publish(Entry entry, Random random) {
    try (Publisher publisher = Publisher.open(entry)) {
      for (int i = random.nextInt(3_000); i > 0 && !over; i--) {
        byte[] message = new byte[1 + random.nextInt(MAX_BYTES)];
        if (!publisher.offer(message, 0, message.length, 0, random.nextInt(1_000_000))) {
          outcomes.merge("publisher: full", 1, Integer::sum);
        }
      }
    }
  }

  private void read(Entry entry, SubscriberOptions options, Random random) {
    try (Subscriber subscriber =
        Subscriber.open(entry, random.nextBoolean() ? options : options.startingAtOldest())) {
      for (int i = random.nextInt(300); i > 0 && !over; i--) {
        subscriber.poll(message -> message.toBytes(), 1 + random.nextInt(100), random.nextInt(200_000));
      }
    }
  }

  private void useSound(Publisher publisher, List<Subscriber> readers) {
    long first = publisher.nextSequence();
    for (int i = 0; i < 10; i++) {
      Programs.publishNext(publisher, MAX_BYTES);
    }
    for (Subscriber reader : readers) {
      new Programs.Checker(MAX_BYTES, first).readUntil(reader, first + 10);
    }
    soundCount.addAndGet(10);
    LockSupport.parkNanos(50_000);
  }
}
