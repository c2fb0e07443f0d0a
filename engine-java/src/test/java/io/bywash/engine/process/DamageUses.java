package io.bywash.engine.process;

import static io.bywash.engine.process.DamageImages.publish;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.inspect.Verification;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Uses a damaged segment in every way that the public interface has, and judges each step: it ends in success, or in an
 * exception that its documentation names, and it allocates no more than a sound segment of that size would need.
 */
final class DamageUses {
  /** Of the heap, for one step: many times what a step needs. */
  private static final long MAX_STEP_BYTES = 1 << 20;
  /** A verification looks three times at every record, and has a sentence for each of up to 200 findings. */
  private static final long MAX_VERIFY_BYTES = 8 << 20;
  /** A step that waits for somebody else looks again once a millisecond. */
  private static final long MAX_LOOK_BYTES = 32 << 10;
  /** Outside of the heap, for one step: private copies of messages, or zeros to fill a new file with. */
  private static final long MAX_STEP_OFF_HEAP_BYTES = (16 << 10) + DamageImages.SPEC.sizeBytes();
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final BufferPoolMXBean DIRECT = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
      .filter(pool -> pool.getName().equals("direct")).findFirst().orElseThrow();

  private final Path file;
  private final Random random;
  /** How each step ended, over all segments. */
  private final Map<String, Integer> outcomes;
  /** False while classes are loaded by the first uses. */
  private final boolean measuring;
  volatile String stepName = "";

  DamageUses(Path file, Random random, Map<String, Integer> outcomes, boolean measuring) {
    this.file = file;
    this.random = random;
    this.outcomes = outcomes;
    this.measuring = measuring;
  }

  interface Step<T> {
    T run() throws Exception;
  }

  /** What the step returns; null when it ended in an exception that it may end in. */
  <T> T step(String name, Step<T> step) throws Exception {
    stepName = name;
    long heap = THREADS.getCurrentThreadAllocatedBytes();
    long offHeap = DIRECT.getMemoryUsed();
    long start = System.nanoTime();
    String outcome = "success";
    try {
      return step.run();
    } catch (BusException documented) {
      outcome = documented.getClass().getSimpleName();
      if (documented.getMessage().isBlank()) {
        throw new AssertionError(name + " does not say what happened", documented);
      }
      return null;
    } catch (IllegalArgumentException documented) {
      if (!documented.getMessage().startsWith("sequence=")) { // no such sequence yet
        throw documented;
      }
      outcome = "no such sequence";
      return null;
    } finally {
      outcomes.merge(name + ": " + outcome, 1, Integer::sum);
      requireAtMost(name, "heap", THREADS.getCurrentThreadAllocatedBytes() - heap,
          (name.equals("verify") ? MAX_VERIFY_BYTES : MAX_STEP_BYTES) + (System.nanoTime() - start) / 1_000_000 * MAX_LOOK_BYTES);
      requireAtMost(name, "off-heap", DIRECT.getMemoryUsed() - offHeap, MAX_STEP_OFF_HEAP_BYTES);
    }
  }

  private void requireAtMost(String name, String memory, long bytes, long most) {
    if (measuring && bytes > most) {
      throw new AssertionError(name + " allocated " + bytes + " bytes of " + memory);
    }
  }

  /** Every use, in any order. {@code soundQueues} were not touched, and have to work as if nothing had happened. */
  void all(List<EntrySpec> soundQueues) throws Exception {
    List<Step<?>> uses = new ArrayList<>(List.of(this::observe, this::attach, this::open));
    Collections.shuffle(uses, random);
    for (Step<?> use : uses) {
      use.run();
    }
    if (!soundQueues.isEmpty()) {
      try (Segment segment = Segment.attach(file, 0)) {
        for (EntrySpec queue : soundQueues) {
          stepName = "neighbour " + queue.name();
          useSound(segment.directory().find(queue.name(), Kind.BROADCAST));
        }
      }
    }
  }

  private Void observe() throws Exception {
    Segment segment = step("observe", () -> Segment.observe(file));
    if (segment != null) {
      look(segment);
      for (Entry entry : entries(segment)) {
        read(entry, starting(SubscriberOptions.skip()));
      }
      step("close", () -> close(segment));
    }
    return null;
  }

  private Void attach() throws Exception {
    Segment segment = step("attach", () -> Segment.attach(file, 0));
    if (segment != null) {
      use(segment);
    }
    return null;
  }

  private Void open() throws Exception {
    Segment segment = step("open", () -> Segment.open(file, DamageImages.SPEC));
    if (segment != null) {
      use(segment);
    }
    return null;
  }

  private void use(Segment segment) throws Exception {
    look(segment);
    List<AutoCloseable> roles = new ArrayList<>();
    for (Entry entry : entries(segment)) {
      if (random.nextInt(4) > 0) {
        roles.addAll(useQueue(entry));
      }
    }
    if (random.nextBoolean()) {
      step("add", () -> segment.directory().findOrAdd(DamageImages.ADDED));
      step("find or add", () -> segment.directory().findOrAdd(DamageImages.QUEUES.get(random.nextInt(3))));
    }
    if (random.nextBoolean()) {
      step("recover", segment::recover);
    }
    if (random.nextInt(8) == 0) {
      roles.addFirst(segment); // and the roles are closed after it
    }
    for (AutoCloseable role : roles) {
      step("close role", () -> close(role));
    }
    step("close", () -> close(segment));
  }

  private static Void close(AutoCloseable closed) throws Exception {
    closed.close();
    return null;
  }

  /** All that shows a segment and takes nothing. */
  private void look(Segment segment) throws Exception {
    step("participants", segment::participants);
    step("names", () -> BusDirectory.at(file.getParent()).names());
    if (random.nextInt(40) == 0) {
      step("verify", () -> Verification.of(segment));
    }
    for (EntrySpec queue : DamageImages.QUEUES) {
      step("find", () -> segment.directory().find(queue.name(), Kind.BROADCAST));
    }
    step("find none", () -> segment.directory().find("nothing"));
    for (Entry entry : entries(segment)) {
      step("owner", () -> entry.owner());
      step("status", () -> BroadcastStatus.of(entry).toString());
    }
  }

  private List<Entry> entries(Segment segment) throws Exception {
    List<Entry> entries = step("entries", () -> segment.directory().entries());
    return entries == null ? List.of() : entries;
  }

  private SubscriberOptions starting(SubscriberOptions options) {
    return switch (random.nextInt(5)) {
      case 0 -> options;
      case 1 -> options.startingAtLast(random.nextInt(20));
      case 2 -> options.startingAt(random.nextInt(210));
      default -> options.startingAtOldest();
    };
  }

  private SubscriberOptions anyPolicy() {
    return starting(switch (random.nextInt(4)) {
      case 0 -> SubscriberOptions.block();
      case 1 -> SubscriberOptions.skip();
      case 2 -> SubscriberOptions.fail();
      default -> SubscriberOptions.evictAfter(1 + random.nextInt(1_000_000));
    });
  }

  /** Joins and publishes, in one order or the other; the roles that are open then. */
  private List<AutoCloseable> useQueue(Entry entry) throws Exception {
    List<AutoCloseable> roles = new ArrayList<>();
    List<Subscriber> subscribers = new ArrayList<>();
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      SubscriberOptions options = anyPolicy();
      Subscriber subscriber = step("subscriber", () -> Subscriber.open(entry, options));
      if (subscriber != null) {
        subscribers.add(subscriber);
      }
    }
    Publisher publisher = step("publisher", () -> Publisher.open(entry));
    if (publisher != null) {
      roles.add(publisher);
    }
    for (int round = 0; round < 3; round++) {
      if (publisher != null) {
        step("publish", () -> publish(publisher, 1 + random.nextInt(20)));
      }
      for (Subscriber subscriber : subscribers) {
        poll(subscriber);
      }
    }
    if (random.nextInt(16) == 0 && publisher != null) {
      int length = Math.min(100, publisher.maxMessageBytes());
      step("publish in time", () -> publisher.offer(new byte[length], 0, length, 0, 1_000_000));
      step("subscribers", publisher::subscriberCount);
    }
    roles.addAll(subscribers);
    return roles;
  }

  private void read(Entry entry, SubscriberOptions options) throws Exception {
    Subscriber subscriber = step("subscriber", () -> Subscriber.open(entry, options));
    if (subscriber != null) {
      poll(subscriber);
      poll(subscriber);
      step("close role", () -> close(subscriber));
    }
  }

  void poll(Subscriber subscriber) throws Exception {
    long timeoutNanos = random.nextInt(64) == 0 ? 1_000_000 : 0;
    step("poll", () -> subscriber.poll(message -> message.toBytes(), 1 + random.nextInt(60), timeoutNanos));
  }

  /** A queue that nobody touched delivers to everybody, whoever else is dead in it. */
  static void useSound(Entry entry) throws Exception {
    try (Publisher publisher = Publisher.open(entry);
        Subscriber block = Subscriber.open(entry);
        Subscriber skip = Subscriber.open(entry, SubscriberOptions.skip());
        Subscriber evict = Subscriber.open(entry, SubscriberOptions.evictAfter(10_000_000_000L))) {
      for (int round = 0; round < 3; round++) {
        sendAndReceive(publisher, List.of(block, skip, evict));
      }
    }
  }

  /** Sends some messages to subscribers that have read all that was there. */
  static void sendAndReceive(Publisher publisher, List<Subscriber> subscribers) {
    long first = publisher.nextSequence();
    int count = publish(publisher, 4);
    if (count < 4) {
      throw new AssertionError("a publisher is blocked after " + count + " messages though everybody has read");
    }
    for (Subscriber subscriber : subscribers) {
      Programs.Checker checker = new Programs.Checker(DamageImages.MAX_BYTES, first);
      checker.readUntil(subscriber, first + count);
    }
  }
}
