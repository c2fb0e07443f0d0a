package io.bywash.engine.broadcast;

import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.record.Field;
import io.bywash.engine.record.Length;
import io.bywash.engine.record.RecordFormatException;
import io.bywash.engine.record.RecordHandler;
import io.bywash.engine.record.Records;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.CodeAttribute;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records through a broadcast. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@Tag("optimised")
class RecordMessagesTest {
  private static final int CALLS = 20_000;

  private sealed interface Event {}

  record Tick(long time, double price, @Length(8) String symbol) implements Event {}

  record Halt(int reason) implements Event {}

  private static final Records<Tick> TICKS = Records.of(lookup(), Tick.class);
  private static final Records<Event> EVENTS = Records.of(lookup(), Event.class, Tick.class, Halt.class);

  @RegisterExtension final TempBus bus = new TempBus();

  private TestQueue queue;
  private Publisher publisher;

  @BeforeEach
  void open() {
    queue = TestQueue.create(bus.path("records"), 4096, 4);
    publisher = queue.publisher();
  }

  @AfterEach
  void close() {
    publisher.close();
    queue.close();
  }

  private static Tick tick(long number) {
    return new Tick(number, number / 8.0, "S" + number % 1000);
  }

  private Subscriber subscriber(boolean gating) {
    return queue.subscriber(gating ? SubscriberOptions.block() : SubscriberOptions.skip());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void recordsArriveInOrderAsTheyWereRoundAndRoundTheRing(boolean gating) {
    try (Subscriber subscriber = subscriber(gating)) {
      List<Tick> received = new ArrayList<>();
      for (int i = 0; i < 1000; i++) {
        assertTrue(publisher.offer(TICKS, tick(i)));
        if (i % 3 == 0) {
          subscriber.poll(TICKS, received::add, 10);
        }
      }
      subscriber.poll(TICKS, received::add, 10);
      assertEquals(1000, received.size());
      for (int i = 0; i < 1000; i++) {
        assertEquals(tick(i), received.get(i));
      }
      assertEquals(0, subscriber.poll(TICKS, received::add, 10));
    }
  }

  @Test
  void aPollWithoutAHandlerTakesTheNextRecord() {
    try (Subscriber subscriber = subscriber(true)) {
      assertNull(subscriber.poll(TICKS));
      assertNull(subscriber.poll(TICKS, 1_000_000));
      assertTrue(publisher.offer(TICKS, tick(1)));
      assertTrue(publisher.offer(TICKS, tick(2)));
      assertEquals(tick(1), subscriber.poll(TICKS));
      assertEquals(tick(2), subscriber.poll(TICKS, TestQueue.PATIENCE_NANOS));
      assertNull(subscriber.poll(TICKS));
    }
  }

  /** Or records would be read at a quarter of the speed, see {@code RecordReader.readInPlace}. */
  @Test
  void theLoopThatReadsInPlaceIsTooLongToBeInlinedIntoItsCallers() throws IOException {
    byte[] bytes;
    try (InputStream file = RecordReader.class.getResourceAsStream("RecordReader.class")) {
      bytes = file.readAllBytes();
    }
    int length = ClassFile.of().parse(bytes).methods().stream()
        .filter(method -> method.methodName().equalsString("readInPlace"))
        .map(method -> (CodeAttribute) method.code().orElseThrow()).mapToInt(CodeAttribute::codeLength).sum();
    assertTrue(length > 325, "the JIT inlines its " + length + " bytes");
  }

  @Test
  void recordsOfSeveralClassesShareAQueueWithBytes() {
    try (Subscriber subscriber = subscriber(true)) {
      assertTrue(publisher.offer(EVENTS, tick(1)));
      assertTrue(publisher.offer(EVENTS, new Halt(3)));
      assertEquals(tick(1), subscriber.poll(EVENTS));
      assertEquals(new Halt(3), subscriber.poll(EVENTS));
      publisher.tryClaim(4, 2).putInt(0, 9).commit(); // as a program in another language does
      assertEquals(new Halt(9), subscriber.poll(EVENTS));
      assertTrue(publisher.offer(EVENTS, new Halt(3)));
      subscriber.poll(message -> assertEquals(3, message.getInt(0) + message.type() - 2), 1);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aMessageThatIsNoSuchRecordIsToldAndTheNextPollGoesOnBehindIt(boolean gating) {
    try (Subscriber subscriber = subscriber(gating)) {
      List<Tick> received = new ArrayList<>();
      assertTrue(publisher.offer(TICKS, tick(1)));
      assertTrue(publisher.offer(new byte[7]));
      assertTrue(publisher.offer(EVENTS, tick(2)));
      assertTrue(publisher.offer(TICKS, tick(3)));
      RecordHandler<Tick> handler = received::add;
      String told = assertThrows(RecordFormatException.class, () -> subscriber.poll(TICKS, handler, 10)).getMessage();
      assertTrue(told.contains("message 1 ") && told.contains("7 bytes"), told);
      told = assertThrows(RecordFormatException.class, () -> subscriber.poll(TICKS)).getMessage();
      assertTrue(told.contains("message 2 ") && told.contains("type 1"), told);
      assertEquals(1, subscriber.poll(TICKS, handler, 10));
      assertEquals(List.of(tick(1), tick(3)), received);
    }
  }

  @Test
  void aHandlerOfRecordsIsToldWhatWasLost() {
    try (Subscriber subscriber = subscriber(false)) {
      long[] lost = new long[1];
      for (int i = 0; i < 200; i++) {
        assertTrue(publisher.offer(TICKS, tick(i)));
      }
      List<Tick> received = new ArrayList<>();
      RecordHandler<Tick> handler = new RecordHandler<>() {
        @Override
        public void onRecord(Tick tick) {
          received.add(tick);
        }

        @Override
        public void onLost(long messageCount) {
          lost[0] += messageCount;
        }
      };
      while (subscriber.poll(TICKS, handler, 50) > 0) {
        // there may be more
      }
      assertEquals(200, received.size() + lost[0]);
      assertTrue(lost[0] > 0);
      assertEquals(tick(lost[0]), received.getFirst());
    }
  }

  @Test
  void whatDoesNotFitPublishesNothingAndLeavesThePublisherUsable() {
    try (Subscriber subscriber = subscriber(true)) {
      for (int i = 0; i < 300; i++) { // also where the ring turns
        assertThrows(IllegalArgumentException.class, () -> publisher.offer(TICKS, new Tick(1, 2, "ninechars")));
        assertThrows(NullPointerException.class, () -> publisher.offer(TICKS, null));
        assertTrue(publisher.offer(TICKS, tick(i)));
        assertEquals(tick(i), subscriber.poll(TICKS));
        assertNull(subscriber.poll(TICKS));
      }
      assertEquals(300, publisher.nextSequence());
    }
    record Long600(@Length(600) byte[] all) {}
    var failure = assertThrows(IllegalArgumentException.class,
        () -> publisher.offer(Records.of(lookup(), Long600.class), new Long600(new byte[1])));
    assertTrue(failure.getMessage().contains("600") && failure.getMessage().contains("512"), failure.getMessage());
  }

  @Test
  void aFullRingIsSaidAndWaitedFor() {
    try (Subscriber subscriber = subscriber(true)) {
      int count = 0;
      while (publisher.offer(TICKS, tick(count))) {
        count++;
      }
      assertFalse(publisher.offer(TICKS, tick(count), 1_000_000));
      for (int i = 0; i < count; i++) {
        assertEquals(tick(i), subscriber.poll(TICKS));
      }
      assertTrue(publisher.offer(TICKS, tick(count), TestQueue.PATIENCE_NANOS));
      assertEquals(tick(count), subscriber.poll(TICKS));
    }
  }

  /** Its own code runs while it is published. */
  record Meddler(int number) {
    static Runnable meddling = () -> {};

    @Override
    public int number() {
      meddling.run();
      return number;
    }
  }

  private static final Records<Meddler> MEDDLERS = Records.of(lookup(), Meddler.class);

  @Test
  void aRecordWhoseOwnCodeUsesThePublisherIsToldAndPublishesNothingElse() {
    try (Subscriber subscriber = subscriber(true)) {
      for (Runnable use : List.<Runnable>of(() -> publisher.offer(new byte[8]), () -> publisher.offer(TICKS, tick(1)),
          () -> publisher.tryClaim(8))) {
        Meddler.meddling = use;
        assertThrows(IllegalStateException.class, () -> publisher.offer(MEDDLERS, new Meddler(1)));
      }
      Meddler.meddling = () -> {
        throw new ArithmeticException("on purpose");
      };
      assertThrows(ArithmeticException.class, () -> publisher.offer(MEDDLERS, new Meddler(1)));
      assertNull(subscriber.poll(MEDDLERS));
      Meddler.meddling = () -> {};
      assertTrue(publisher.offer(MEDDLERS, new Meddler(5)));
      assertEquals(5, subscriber.poll(MEDDLERS).number);
      Meddler.meddling = publisher::close;
      assertThrows(SegmentClosedException.class, () -> publisher.offer(MEDDLERS, new Meddler(6)));
      Meddler.meddling = () -> {};
      assertNull(subscriber.poll(MEDDLERS));
      try (Publisher next = queue.publisher()) {
        assertTrue(next.offer(MEDDLERS, new Meddler(7)));
        assertEquals(7, subscriber.poll(MEDDLERS).number);
      }
    }
  }

  @Test
  void aClosedPublisherRefusesRecords() {
    publisher.close();
    assertThrows(SegmentClosedException.class, () -> publisher.offer(TICKS, tick(1)));
    Subscriber subscriber = subscriber(true);
    subscriber.close();
    assertThrows(SegmentClosedException.class, () -> subscriber.poll(TICKS));
  }

  @Test
  void aDeclaredQueueRefusesOtherRecordsFieldByField() {
    record Quote(long time, float price, @Length(4) String symbol) {}

    Records<Quote> quotes = Records.of(lookup(), Quote.class);
    SegmentSpec spec = SegmentSpec.of(TICKS.declare(Broadcast.spec("ticks", 4096)));
    try (Segment segment = Segment.open(bus.path("declared"), spec)) {
      Entry entry = segment.directory().find("ticks", Kind.BROADCAST);
      assertEquals(TICKS.text(), entry.layout());
      assertSame(entry, TICKS.check(entry));
      List<String> expected = List.of("type 0 is \"0 24 Tick\", wanted \"0 16 Quote\"",
          "field price of type 0 is \"8 double price\", wanted \"8 float price\"",
          "field symbol of type 0 is \"16 string[8] symbol\", wanted \"12 string[4] symbol\"");
      try (Publisher ticks = Publisher.open(entry); Subscriber subscriber = Subscriber.open(entry)) {
        for (SpecMismatchException refused : List.of(
            assertThrows(SpecMismatchException.class, () -> quotes.check(entry)),
            assertThrows(SpecMismatchException.class, () -> ticks.offer(quotes, new Quote(1, 2, ""))),
            assertThrows(SpecMismatchException.class, () -> subscriber.poll(quotes)))) {
          assertEquals(expected, refused.differences());
          assertTrue(refused.getMessage().contains("\"ticks\""), refused.getMessage());
        }
        assertThrows(SpecMismatchException.class, () -> ticks.offer(EVENTS, tick(1)));
        assertTrue(ticks.offer(TICKS, tick(1)));
        assertEquals(tick(1), subscriber.poll(TICKS));
      }
      SegmentSpec other = SegmentSpec.of(quotes.declare(Broadcast.spec("ticks", 4096)));
      SpecMismatchException refused =
          assertThrows(SpecMismatchException.class, () -> Segment.open(bus.path("declared"), other));
      assertEquals(expected.stream().map(each -> "entry \"ticks\": " + each).toList(), refused.differences());
      Segment.open(bus.path("declared"), spec).close();
    }
  }

  record Longs(long number, long other) {}

  record Mixed(byte small, long number, @Length(3) int[] more) {}

  record Nested(Halt halt, short number) {}

  private static final Records<Record> FIVE =
      Records.of(lookup(), Record.class, Tick.class, Halt.class, Longs.class, Mixed.class, Nested.class);

  @Test
  void publishingAndTouchingFieldsAllocatesNothingWhereOneCallSeesRecordsOfFiveClasses() {
    Record[] records = {tick(8), new Halt(8), new Longs(8, 1), new Mixed((byte) 1, 8, new int[3]),
        new Nested(new Halt(1), (short) 8)};
    String[] names = {"time", "reason", "number", "number", "number"};
    Field[] fields = new Field[records.length];
    for (int i = 0; i < fields.length; i++) {
      fields[i] = FIVE.types().get(i).field(names[i]);
    }
    long[] sum = new long[1];
    MessageHandler handler = message -> sum[0] += fields[message.type() - 1].getLong(message);
    int rounds = assertAllocatesNothing(handler, i -> publisher.offer(FIVE, records[i % records.length]));
    assertEquals((long) rounds * CALLS * 8, sum[0]);
  }

  @Test
  void publishingAllocatesNothingWhereOnePublisherHasRecordsOfSeveralTurnAbout() {
    Tick tick = tick(8);
    Longs longs = new Longs(8, 1);
    assertAllocatesNothing(message -> {}, i -> i % 3 == 0 ? publisher.offer(FIVE, longs)
        : i % 3 == 1 ? publisher.offer(TICKS, tick) : publisher.offer(EVENTS, tick));
  }

  /** Returns in how many rounds of {@value #CALLS} calls that was shown: the first ones link code. */
  private int assertAllocatesNothing(MessageHandler handler, IntPredicate offer) {
    try (Subscriber subscriber = subscriber(true)) {
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      List<Long> allocated = new ArrayList<>();
      for (int round = 1; round <= 20; round++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < CALLS; i++) {
          offer.test(i);
          subscriber.poll(handler, 10);
        }
        allocated.add(threads.getCurrentThreadAllocatedBytes() - before);
        if (allocated.getLast() < CALLS / 10) { // less than a byte for ten calls: the measurement's own
          return round;
        }
      }
      throw new AssertionError("allocated in each of 20 rounds of " + CALLS + " messages: " + allocated);
    }
  }
}
