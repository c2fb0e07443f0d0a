package io.bywash.engine.broadcast;

import static io.bywash.engine.internal.layout.SegmentLayout.OWN_WORDS;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLES;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_BYTES;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.process.Payload;
import io.bywash.engine.process.Programs;
import io.bywash.engine.subject.DamageSubject;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

/** Broadcasts to be damaged. */
final class BroadcastDamage implements DamageSubject {
  /** docs/SPEC.md 6.1 */
  private static final int OLDEST = 512;
  private static final int BLOCK_INDEX = 1024;
  private static final int BLOCK_INDEX_BYTES = 128 * 16;
  private static final int MAX_BYTES = 512;
  private static final int UNDER_WAY = 3;

  @Override
  public List<EntrySpec> structures() {
    return List.of(Broadcast.spec("first", 4096, 5), Broadcast.spec("second", 8192, 5),
        Broadcast.spec("third", 4096, 20));
  }

  @Override
  public EntrySpec added(String name) {
    return Broadcast.spec(name, 4096, 3);
  }

  @Override
  public void fill(Entry entry, int amount) {
    try (Publisher publisher = Publisher.open(entry)) {
      publish(publisher, amount);
    }
  }

  /** Publishes self-checking messages; how many found room. */
  private static int publish(Publisher publisher, int count) {
    for (int i = 0; i < count; i++) {
      int longest = Math.min(MAX_BYTES, publisher.maxMessageBytes());
      Claim claim = publisher.tryClaim(Payload.length(publisher.nextSequence(), longest));
      if (claim == null) {
        return i;
      }
      Payload.fill(claim, publisher.nextSequence());
      claim.commit();
    }
    return count;
  }

  private static int publishRecords(Publisher publisher, int count) {
    for (int i = 0; i < count; i++) {
      if (!publisher.offer(Letters.RECORDS, Letters.letter(publisher.nextSequence()))) {
        return i;
      }
    }
    return count;
  }

  /** A publisher with a staged and an open claim, and subscribers of all policies, some of them behind. */
  @Override
  public List<AutoCloseable> hold(Entry entry) {
    List<AutoCloseable> open = new ArrayList<>();
    for (SubscriberOptions options : allPolicies(1_000_000_000)) {
      Subscriber subscriber = Subscriber.open(entry, options.startingAtOldest());
      subscriber.poll(message -> {}, 1);
      open.add(subscriber);
    }
    Publisher publisher = Publisher.open(entry);
    open.add(publisher);
    publish(publisher, 2);
    for (int i = 0; i < 2; i++) {
      Claim claim = publisher.tryClaim(100);
      if (claim != null && i == 0) {
        claim.stage();
      }
    }
    return open;
  }

  static List<SubscriberOptions> allPolicies(long evictAfterNanos) {
    return List.of(SubscriberOptions.block(), SubscriberOptions.skip(), SubscriberOptions.fail(),
        SubscriberOptions.evictAfter(evictAfterNanos));
  }

  @Override
  public int word(Place queue, ByteBuffer segment, Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> OWN_WORDS;
      case 1 -> OLDEST;
      case 2 -> BLOCK_INDEX + 8 * random.nextInt(BLOCK_INDEX_BYTES / 8);
      case 3 -> ROLES + ROLE_BYTES * random.nextInt(queue.roles()) + 8 * random.nextInt(2);
      case 4 -> ROLES + ROLE_BYTES * random.nextInt(queue.roles()) + BroadcastLayout.ROLE_POSITION
          + 8 * random.nextInt(3);
      case 5 -> 8 * random.nextInt(OWN_WORDS / 8); // roles used, waiting participants
      case 6 -> queue.data() + 8 * random.nextInt((queue.sizeBytes() - queue.data()) / 8);
      default -> recordHeader(queue, segment, random);
    };
  }

  /** Length and type, or the sequence, of a record that readers will come across. */
  private static int recordHeader(Place queue, ByteBuffer words, Random random) {
    int capacity = queue.sizeBytes() - queue.data();
    long position = words.getLong(queue.offset() + OLDEST);
    long published = words.getLong(queue.offset() + OWN_WORDS);
    for (int left = random.nextInt(100); left > 0 && position >= 0 && position + 16 < published; left--) {
      int length = words.getInt(queue.offset() + queue.data() + (int) (position % capacity));
      position += length < 0 ? -(long) length : (16L + length + 15) & -16;
    }
    return queue.data() + (int) (Math.abs(position) % capacity & -16) + 8 * random.nextInt(2);
  }

  @Override
  public List<Long> tempting(Place queue, ByteBuffer words) {
    long published = words.getLong(queue.offset() + OWN_WORDS);
    long oldest = words.getLong(queue.offset() + OLDEST);
    return List.of(published, published + 16, published - 16, published + 4096, published - 4096, oldest, oldest + 16,
        oldest - 4096, oldest + 64);
  }

  @Override
  public String status(Entry entry) {
    return BroadcastStatus.of(entry).toString();
  }

  @Override
  public void observe(Entry entry, Uses uses) throws Exception {
    SubscriberOptions options = starting(SubscriberOptions.skip(), uses.random());
    Subscriber subscriber = subscriber(entry, options, uses);
    if (subscriber != null) {
      poll(subscriber, uses);
      poll(subscriber, uses);
      uses.step("close role", () -> {
        subscriber.close();
        return null;
      });
    }
  }

  private static Subscriber subscriber(Entry entry, SubscriberOptions options, Uses uses) throws Exception {
    return uses.step("subscriber", () -> {
      try {
        return Subscriber.open(entry, options);
      } catch (IllegalArgumentException refused) {
        if (!refused.getMessage().startsWith("sequence=")) {
          throw refused;
        }
        throw new Documented("no such sequence", refused); // yet
      }
    });
  }

  private static SubscriberOptions starting(SubscriberOptions options, Random random) {
    return switch (random.nextInt(5)) {
      case 0 -> options;
      case 1 -> options.startingAtLast(random.nextInt(20));
      case 2 -> options.startingAt(random.nextInt(210));
      default -> options.startingAtOldest();
    };
  }

  private static SubscriberOptions anyPolicy(Random random) {
    return starting(switch (random.nextInt(4)) {
      case 0 -> SubscriberOptions.block();
      case 1 -> SubscriberOptions.skip();
      case 2 -> SubscriberOptions.fail();
      default -> SubscriberOptions.evictAfter(1 + random.nextInt(1_000_000));
    }, random);
  }

  /** Joins and publishes, in one order or the other. */
  @Override
  public List<AutoCloseable> use(Entry entry, Uses uses) throws Exception {
    Random random = uses.random();
    List<AutoCloseable> roles = new ArrayList<>();
    List<Subscriber> subscribers = new ArrayList<>();
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      Subscriber subscriber = subscriber(entry, anyPolicy(random), uses);
      if (subscriber != null) {
        subscribers.add(subscriber);
      }
    }
    Publisher publisher = uses.step("publisher", () -> Publisher.open(entry));
    if (publisher != null) {
      roles.add(publisher);
    }
    for (int round = 0; round < 3; round++) {
      if (publisher != null) {
        uses.step("publish", () -> publish(publisher, 1 + random.nextInt(20)));
        uses.step("publish records", () -> records(() -> publishRecords(publisher, random.nextInt(5))));
      }
      for (Subscriber subscriber : subscribers) {
        poll(subscriber, uses);
      }
    }
    if (random.nextInt(16) == 0 && publisher != null) {
      int length = Math.min(100, publisher.maxMessageBytes());
      uses.step("publish in time", () -> publisher.offer(new byte[length], 0, length, 0, 1_000_000));
      uses.step("subscribers", publisher::subscriberCount);
    }
    roles.addAll(subscribers);
    return roles;
  }

  private static void poll(Subscriber subscriber, Uses uses) throws Exception {
    Random random = uses.random();
    long timeoutNanos = random.nextInt(64) == 0 ? 1_000_000 : 0;
    if (random.nextInt(3) == 0) { // many messages are none
      uses.step("poll records", () -> records(() -> subscriber.poll(Letters.RECORDS, record -> {},
          1 + random.nextInt(60))));
    }
    uses.step("poll", () -> subscriber.poll(message -> message.toBytes(), 1 + random.nextInt(60), timeoutNanos));
  }

  /** Uses records, for which an entry that is not declared to carry them may have no room any more. */
  private static <T> T records(Step<T> step) throws Exception {
    try {
      return step.run();
    } catch (IllegalArgumentException refused) {
      if (!refused.getMessage().contains("carries at most")) {
        throw refused;
      }
      throw new Documented("no room for records", refused);
    }
  }

  /** It delivers to everybody. */
  @Override
  public void useSound(Entry entry) {
    try (Publisher publisher = Publisher.open(entry);
        Subscriber block = Subscriber.open(entry);
        Subscriber skip = Subscriber.open(entry, SubscriberOptions.skip());
        Subscriber evict = Subscriber.open(entry, SubscriberOptions.evictAfter(10_000_000_000L))) {
      for (int round = 0; round < 3; round++) {
        sendAndReceive(publisher, List.of(block, skip, evict));
      }
    }
  }

  /** Sends some messages to subscribers that have read all that was there; how many. */
  private static int sendAndReceive(Publisher publisher, List<Subscriber> subscribers) {
    long first = publisher.nextSequence();
    int count = publish(publisher, 4);
    if (count < 4) {
      throw new AssertionError("a publisher is blocked after " + count + " messages though everybody has read");
    }
    for (Subscriber subscriber : subscribers) {
      Programs.Checker checker = new Programs.Checker(MAX_BYTES, first);
      checker.readUntil(subscriber, first + count);
    }
    return count;
  }

  @Override
  public List<String> expectedOutcomes() {
    return List.of("poll: DamagedSegmentException", "poll: success", "poll records: success",
        "poll records: RecordFormatException", "publish records: success", "publisher: DamagedSegmentException",
        "publish: success", "living publish: success", "status: DamagedSegmentException");
  }

  @Override
  public Living live(Entry one, Entry other) {
    return new Members(one, other);
  }

  /** A publisher, and subscribers of all policies, to whom some messages are under way. */
  private static final class Members implements Living {
    private final Publisher publisher;
    private final List<Subscriber> subscribers = new ArrayList<>();
    private int underWay = UNDER_WAY;

    Members(Entry publishing, Entry reading) {
      publisher = Publisher.open(publishing);
      for (SubscriberOptions options : allPolicies(10_000_000_000L)) {
        subscribers.add(Subscriber.open(reading, options));
      }
      sendAndReceive(publisher, subscribers);
      publish(publisher, UNDER_WAY);
    }

    @Override
    public void use(Uses uses) throws Exception {
      uses.step("living publish", () -> publish(publisher, 10));
      for (Subscriber each : subscribers) {
        poll(each, uses);
      }
      uses.step("living publish", () -> publish(publisher, 10));
      uses.step("living wait", () -> publisher.awaitSubscribers(4, 1));
    }

    @Override
    public int useSound() {
      for (Subscriber each : subscribers) {
        if (each.poll(message -> {}, 10) != underWay) {
          throw new AssertionError("messages of an untouched queue are missing");
        }
      }
      underWay = 0;
      return sendAndReceive(publisher, subscribers);
    }

    @Override
    public List<AutoCloseable> roles() {
      List<AutoCloseable> roles = new ArrayList<>(subscribers);
      roles.add(publisher);
      return roles;
    }
  }

  @Override
  public EntrySpec busy(String name) {
    return BroadcastWordChanges.spec(name);
  }

  @Override
  public int busyWord(Place place, Random random) {
    return BroadcastWordChanges.word(place, random);
  }

  @Override
  public Map<String, BusyUse> busyUses() {
    return BroadcastWordChanges.turns();
  }

  @Override
  public void fillBusy(Entry entry) {
    BroadcastWordChanges.fill(entry);
  }

  @Override
  public List<Change> changes() {
    return BroadcastWordChanges.changes();
  }

  @Override
  public List<Consumer<Entry>> usesOfChanged() {
    return BroadcastWordChanges.uses();
  }
}
