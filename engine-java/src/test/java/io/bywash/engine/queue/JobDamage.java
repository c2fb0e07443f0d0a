package io.bywash.engine.queue;

import static io.bywash.engine.internal.layout.SegmentLayout.OWN_WORDS;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLES;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_BYTES;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.subject.DamageSubject;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** Work queues to be damaged. */
final class JobDamage implements DamageSubject {
  /** docs/SPEC.md 7.1 and 7.2 */
  private static final int TAIL = 384;
  private static final int HEAD = 512;
  private static final int MINE = 128;
  private static final int AT = 152;
  private static final int ROLE_WORDS = 8;
  private static final int SLOT_BYTES = 128;
  private static final int CAPACITY = 8;
  private static final int MAX_BYTES = 70;
  private static final int UNDER_WAY = 3;

  /** More than usual: most of its words are changed by all, and lead from one to another. */
  @Override
  public int imagesInVerify() {
    return 2_000;
  }

  @Override
  public List<EntrySpec> structures() {
    return List.of(
        WorkQueue.spec("first", CAPACITY, MAX_BYTES, DeliveryPolicy.redeliver().atMost(2), 6),
        WorkQueue.spec("second", 1, MAX_BYTES, DeliveryPolicy.drop(), 6),
        WorkQueue.spec("third", 16, MAX_BYTES, DeliveryPolicy.redeliver(), 20));
  }

  @Override
  public EntrySpec added(String name) {
    return WorkQueue.spec(name, 4, MAX_BYTES, DeliveryPolicy.redeliver(), 4);
  }

  @Override
  public void fill(Entry entry, int amount) {
    try (Producer producer = Producer.open(entry);
        io.bywash.engine.queue.Consumer consumer = io.bywash.engine.queue.Consumer.open(entry)) {
      for (int i = 0; i < amount; i++) {
        send(producer, i, 1);
        consumer.poll(message -> {}, 2);
      }
      send(producer, amount, (int) entry.capacity() / 2);
    }
  }

  /** Sends self-checking messages, cut where a damaged row says that less fits; how many found room. */
  private static int send(Producer producer, int from, int count) {
    for (int i = 0; i < count; i++) {
      byte[] content = Jobs.content(from + i);
      int lengthBytes = Math.min(content.length, producer.maxMessageBytes());
      if (!producer.offer(content, 0, lengthBytes, from + i, 0)) {
        return i;
      }
    }
    return count;
  }

  /** Messages that wait, one that is held, and a claim. */
  @Override
  public List<AutoCloseable> hold(Entry entry) {
    Producer producer = Producer.open(entry);
    send(producer, 0, 2);
    io.bywash.engine.queue.Consumer consumer = io.bywash.engine.queue.Consumer.open(entry);
    consumer.take();
    send(producer, 2, 2);
    producer.tryClaim(10);
    return List.of(consumer, producer);
  }

  @Override
  public int word(Place queue, ByteBuffer segment, Random random) {
    int cells = (int) SegmentLayout.align(8L * capacity(queue), 128);
    return switch (random.nextInt(8)) {
      case 0 -> random.nextBoolean() ? TAIL : HEAD;
      case 1 -> ROLES + ROLE_BYTES * random.nextInt(queue.roles());
      case 2, 3 -> ROLES + ROLE_BYTES * random.nextInt(queue.roles()) + MINE + 8 * random.nextInt(ROLE_WORDS);
      case 4, 5 -> queue.data() + 8 * random.nextInt(capacity(queue));
      case 6 -> queue.data() + cells + SLOT_BYTES * random.nextInt(capacity(queue) + queue.roles())
          + 8 * random.nextInt(6);
      default -> random.nextBoolean() ? 8 * random.nextInt(OWN_WORDS / 8) : 8 * random.nextInt(queue.sizeBytes() / 8);
    };
  }

  /** That of the structure with so many bytes and roles. */
  private static int capacity(Place queue) {
    int slots = (queue.sizeBytes() - queue.data()) / SLOT_BYTES;
    return queue.roles() == 20 ? 16 : slots > 32 ? CAPACITY : 1;
  }

  @Override
  public List<Long> tempting(Place queue, ByteBuffer words) {
    long tail = words.getLong(queue.offset() + TAIL);
    long cell = words.getLong(queue.offset() + queue.data());
    long mine = words.getLong(queue.offset() + ROLES + MINE);
    return List.of(tail, tail + 1, tail - 1, tail + 8, cell, cell + (1L << 4), cell + (1L << 5), cell ^ 1, mine,
        mine ^ 1, mine + (1L << 8), mine + (1L << 32), 2L, 3L, 4L, 5L, 17L);
  }

  @Override
  public String status(Entry entry) {
    return QueueStatus.of(entry).toString();
  }

  @Override
  public void observe(Entry entry, Uses uses) {
    // nobody reads without a role
  }

  @Override
  public List<AutoCloseable> use(Entry entry, Uses uses) throws Exception {
    Random random = uses.random();
    List<AutoCloseable> roles = new ArrayList<>();
    Producer producer = uses.step("producer", () -> Producer.open(entry));
    if (producer != null) {
      roles.add(producer);
    }
    List<io.bywash.engine.queue.Consumer> consumers = new ArrayList<>();
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      io.bywash.engine.queue.Consumer consumer =
          uses.step("consumer", () -> io.bywash.engine.queue.Consumer.open(entry));
      if (consumer != null) {
        consumers.add(consumer);
      }
    }
    for (int round = 0; round < 3; round++) {
      if (producer != null) {
        uses.step("send", () -> send(producer, random.nextInt(1_000), 1 + random.nextInt(10)));
      }
      for (io.bywash.engine.queue.Consumer consumer : consumers) {
        receive(consumer, uses);
      }
    }
    if (random.nextInt(16) == 0 && producer != null) {
      uses.step("send in time", () -> producer.offer(new byte[1], 0, 1, 0, 1_000_000));
    }
    roles.addAll(consumers);
    return roles;
  }

  private static void receive(io.bywash.engine.queue.Consumer consumer, Uses uses) throws Exception {
    Random random = uses.random();
    switch (random.nextInt(3)) {
      case 0 -> uses.step("take", () -> {
        Delivery taken = consumer.take();
        if (taken != null) {
          taken.toBytes();
          end(taken, random);
        }
        return taken;
      });
      case 1 -> uses.step("poll", () -> consumer.poll(message -> message.toBytes(), 1 + random.nextInt(20),
          random.nextInt(64) == 0 ? 1_000_000 : 0));
      default -> uses.step("poll", () -> consumer.poll(message -> end(message, random), 1 + random.nextInt(20)));
    }
  }

  private static void end(Delivery message, Random random) {
    if (random.nextInt(3) == 0) {
      message.giveBack();
    } else {
      message.ack();
    }
  }

  /** It delivers what is there, and then what is sent. */
  @Override
  public void useSound(Entry entry) {
    try (Producer producer = Producer.open(entry);
        io.bywash.engine.queue.Consumer consumer = io.bywash.engine.queue.Consumer.open(entry)) {
      drain(consumer);
      for (int round = 0; round < 3; round++) {
        sendAndReceive(producer, consumer, (int) entry.capacity());
      }
    }
  }

  private static int drain(io.bywash.engine.queue.Consumer consumer) {
    int all = 0;
    int count;
    do {
      count = consumer.poll(JobDamage::check, 10);
      all += count;
    } while (count > 0);
    return all;
  }

  private static void check(Delivery message) {
    String fault = Jobs.fault(message);
    if (fault != null) {
      throw new AssertionError(fault);
    }
  }

  private static int sendAndReceive(Producer producer, io.bywash.engine.queue.Consumer consumer, int count) {
    int sent = send(producer, 100, count);
    int received = drain(consumer);
    if (sent != count || received != count) {
      throw new AssertionError("of " + count + " messages " + sent + " were sent, and " + received + " came");
    }
    return count;
  }

  @Override
  public List<String> expectedOutcomes() {
    return List.of("producer: DamagedSegmentException", "producer: success", "consumer: DamagedSegmentException",
        "send: DamagedSegmentException", "send: success", "poll: DamagedSegmentException", "poll: success",
        "living send: success", "status: DamagedSegmentException");
  }

  @Override
  public Living live(Entry one, Entry other) {
    return new Members(one, other);
  }

  /** A producer and consumers, with some messages under way. */
  private static final class Members implements Living {
    private final Producer producer;
    private final io.bywash.engine.queue.Consumer consumer;
    private final io.bywash.engine.queue.Consumer second;

    Members(Entry sending, Entry receiving) {
      producer = Producer.open(sending);
      consumer = io.bywash.engine.queue.Consumer.open(receiving);
      drain(consumer);
      second = io.bywash.engine.queue.Consumer.open(receiving);
      send(producer, 0, UNDER_WAY);
    }

    @Override
    public void use(Uses uses) throws Exception {
      uses.step("living send", () -> send(producer, 0, 10));
      receive(consumer, uses);
      receive(second, uses);
      uses.step("living send", () -> send(producer, 0, 10));
    }

    @Override
    public int useSound() {
      drain(consumer); // what was under way, and what newcomers have sent and taken meanwhile
      return sendAndReceive(producer, second, 1);
    }

    @Override
    public List<AutoCloseable> roles() {
      return List.of(consumer, second, producer);
    }
  }

  @Override
  public EntrySpec busy(String name) {
    return WorkQueue.spec(name, CAPACITY, MAX_BYTES, DeliveryPolicy.redeliver().atMost(3), 8);
  }

  @Override
  public int busyWord(Place place, Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> random.nextBoolean() ? TAIL : HEAD;
      case 1 -> ROLES + ROLE_BYTES * random.nextInt(8) + (random.nextBoolean() ? 0 : MINE + 8 * random.nextInt(4));
      case 2 -> place.data() + 8 * random.nextInt(CAPACITY);
      default -> place.data() + 8 * random.nextInt((place.sizeBytes() - place.data()) / 8);
    };
  }

  @Override
  public Map<String, BusyUse> busyUses() {
    Map<String, BusyUse> uses = new LinkedHashMap<>();
    uses.put("producer", (entry, turn) -> {
      try (Producer producer = Producer.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          byte[] message = new byte[1 + turn.random().nextInt(MAX_BYTES)];
          if (!producer.offer(message, 0, message.length, 0, turn.random().nextInt(200_000))) {
            turn.note("full");
          }
        }
      }
    });
    uses.put("taker", (entry, turn) -> {
      try (var consumer = io.bywash.engine.queue.Consumer.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          Delivery taken = consumer.take(turn.random().nextInt(100_000));
          if (taken != null) {
            taken.toBytes();
            end(taken, turn.random());
          }
        }
      }
    });
    uses.put("poller", (entry, turn) -> {
      try (var consumer = io.bywash.engine.queue.Consumer.open(entry)) {
        for (int i = turn.random().nextInt(300); i > 0 && !turn.isOver(); i--) {
          consumer.poll(message -> message.toBytes(), 1 + turn.random().nextInt(10), turn.random().nextInt(100_000));
        }
      }
    });
    uses.put("status", (entry, turn) -> {
      QueueStatus.of(entry);
      LockSupport.parkNanos(100_000);
    });
    return uses;
  }

  @Override
  public void fillBusy(Entry entry) {
    try (Producer producer = Producer.open(entry)) {
      if (send(producer, 0, CAPACITY / 2) < CAPACITY / 2) {
        throw new AssertionError("no room");
      }
    }
  }

  @Override
  public List<Change> changes() {
    return List.of(
        new Change("hints", (entry, there) -> set(entry, there ? TAIL : HEAD, there ? 1L << 40 : 0)),
        new Change("cells", (entry, there) -> {
          long cells = SegmentLayout.structureDataOffset(entry.roleCount());
          for (int i = 0; i < CAPACITY; i++) {
            set(entry, cells + 8 * i, there ? 1L << 40 : 1L << 50 | i << 2);
          }
        }),
        new Change("one cell", (entry, there) ->
            set(entry, SegmentLayout.structureDataOffset(entry.roleCount()), there ? 0 : 1L << 5)),
        new Change("what roles own", (entry, there) -> {
          for (int role = 0; role < entry.roleCount(); role++) {
            set(entry, ROLES + role * ROLE_BYTES + MINE, there ? 3L << 32 : 3L << 32 | 5 << 8 | 1);
          }
        }),
        new Change("exchanges", (entry, there) -> {
          for (int role = 0; role < entry.roleCount(); role++) {
            set(entry, ROLES + role * ROLE_BYTES + AT, there ? 0 : 5);
          }
        }));
  }

  private static void set(SegmentEntry entry, long offset, long value) {
    entry.region().setLongRelease(entry.offset() + offset, value);
  }

  @Override
  public List<Consumer<Entry>> usesOfChanged() {
    return List.of(
        entry -> {
          try (Producer producer = Producer.open(entry)) {
            send(producer, 0, 10);
          }
        },
        entry -> {
          try (var consumer = io.bywash.engine.queue.Consumer.open(entry)) {
            consumer.poll(message -> message.toBytes(), 10);
            Delivery taken = consumer.take();
            if (taken != null) {
              taken.giveBack();
            }
          }
        },
        QueueStatus::of);
  }
}
