package io.bywash.engine.process;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DamageSubject.Place;
import io.bywash.engine.subject.Subjects;
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
 * Arguments: file, subject, seed, milliseconds. One thread scribbles over the words of one structure while others use
 * that one, and the one beside it. Says "survived" with the numbers of scribbles and of messages of the sound
 * structure, and how operations on the damaged one ended.
 */
final class LiveDamageProgram implements ChildProgram.Optimised {
  private static final long HANGING_NANOS = 30_000_000_000L;

  private final Map<String, Integer> outcomes = new ConcurrentSkipListMap<>();
  private final List<Thread> threads = new ArrayList<>();
  private final AtomicLong soundCount = new AtomicLong();
  private volatile Throwable failure;
  private volatile boolean over;
  private DamageSubject subject;
  private long seed;

  private interface Work {
    void run(Random random) throws Exception;
  }

  @Override
  public void run(String... arguments) throws Exception {
    Path file = Path.of(arguments[0]);
    subject = Subjects.named(arguments[1]).damage();
    seed = Long.parseLong(arguments[2]);
    long end = System.nanoTime() + Long.parseLong(arguments[3]) * 1_000_000;
    AtomicLong scribbles = new AtomicLong();
    SegmentSpec spec = SegmentSpec.of(subject.busy("damaged"), subject.busy("sound"))
        .withParticipantCapacity(4).withEntryCapacity(4);
    try (Segment segment = Segment.create(file, spec); Segment other = Segment.attach(file, 0)) {
      Entry damaged = segment.directory().find("damaged").orElseThrow();
      Place place = Place.of(damaged);
      MappedByteBuffer words = map(file, place);
      byte[] fresh = new byte[words.capacity()];
      words.get(0, fresh);
      start("scribbler", random -> scribble(words, fresh, place, random, scribbles));
      subject.busyUses().forEach((name, use) -> start(name, random -> use.run(damaged, turn(name, random))));
      start("participants", random -> {
        segment.participants();
        LockSupport.parkNanos(100_000);
      });
      DamageSubject.Living living = subject.live(segment.directory().find("sound").orElseThrow(),
          other.directory().find("sound").orElseThrow());
      start("neighbour", random -> useSound(living));
      while (failure == null
          && (System.nanoTime() < end || !haveAllMetBoth() && System.nanoTime() - end < PATIENCE_NANOS)) {
        LockSupport.parkNanos(10_000_000);
      }
      over = true;
      awaitThreads();
      for (AutoCloseable role : living.roles()) {
        role.close();
      }
    }
    if (failure != null) {
      throw new AssertionError("while words were damaged", failure);
    }
    ChildProgram.say("survived " + scribbles + " " + soundCount + " " + outcomes);
  }

  private static MappedByteBuffer map(Path file, Place place) throws Exception {
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

  private DamageSubject.Turn turn(String name, Random random) {
    return new DamageSubject.Turn() {
      @Override
      public Random random() {
        return random;
      }

      @Override
      public boolean isOver() {
        return over;
      }

      @Override
      public void note(String outcome) {
        outcomes.merge(name + ": " + outcome, 1, Integer::sum);
      }
    };
  }

  /**
   * Whether everybody has met damage, and something else, and the neighbour has come to work: on a busy machine that
   * takes longer.
   */
  private boolean haveAllMetBoth() {
    return soundCount.get() > 0 && subject.busyUses().keySet().stream().allMatch(role ->
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

  /** The structure is as new; then some words of it are damaged, again and again. */
  private void scribble(MappedByteBuffer words, byte[] fresh, Place place, Random random, AtomicLong scribbles) {
    words.put(0, fresh);
    LockSupport.parkNanos(random.nextInt(1_000_000));
    for (int i = random.nextInt(30); i > 0; i--) {
      int at = subject.busyWord(place, random);
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

  private void useSound(DamageSubject.Living living) {
    for (int i = 0; i < 3; i++) {
      soundCount.addAndGet(living.useSound());
    }
    LockSupport.parkNanos(50_000);
  }
}
