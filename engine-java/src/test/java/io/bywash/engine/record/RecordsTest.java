package io.bywash.engine.record;

import static java.lang.invoke.MethodHandles.lookup;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.bywash.engine.Claim;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.broadcast.Broadcast;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
@Tag("optimised")
class RecordsTest {
  private static final int CALLS = 100_000;

  private enum Side { BUY, SELL }

  private record Price(long units, byte scale) {}

  private record Order(byte flag, Price limit, boolean live, short venue, char letter, int count, float weight,
      double score, Side side, @Length(6) String symbol, @Length(3) int[] parts, @Length(2) Price[] levels) {}

  private sealed interface Event {}

  private record Trade(long time, double price) implements Event {}

  private record Note(long time, @Length(8) String text) implements Event {}

  private static final Records<Order> ORDERS = Records.of(lookup(), Order.class);
  private static final RecordType<Order> ORDER = ORDERS.type(Order.class);
  private static final int SIZE = 104;
  private static final Order SAMPLE = sample("aé€", new int[] {4, 5, 6}, new Price(8, (byte) 0),
      new Price(9, (byte) 1));
  private static final Records<Event> EVENTS = Records.of(lookup(), Event.class, Trade.class, Note.class);

  private static Order sample(String symbol, int[] parts, Price... levels) {
    return new Order((byte) 7, new Price(-3, (byte) 2), true, (short) -9, 'é', 1 << 20, 1.5f, Math.PI, Side.SELL,
        symbol, parts, levels);
  }

  private static Bytes written(Order order) {
    Bytes bytes = new Bytes(SIZE);
    bytes.fill((byte) -1);
    ORDER.write(bytes.claim(), order);
    assertTrue(bytes.isTight());
    return bytes;
  }

  /** The record comes back, with {@code change} made to its bytes. */
  private static Order changed(Consumer<ByteBuffer> change) {
    Bytes bytes = written(SAMPLE);
    ByteBuffer content = ByteBuffer.wrap(bytes.content()).order(ByteOrder.LITTLE_ENDIAN);
    change.accept(content);
    bytes.content(content.array());
    return ORDERS.read(bytes.message(0));
  }

  private static void refuses(Class<? extends RuntimeException> type, Runnable call, String... parts) {
    String message = assertThrows(type, call::run).getMessage();
    for (String part : parts) {
      assertTrue(message.contains(part), "\"" + part + "\" is missing in: " + message);
    }
  }

  @Test
  void eachComponentStandsWhereACompilerWouldPutItAndTheRestIsZero() {
    ByteBuffer expected = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
    expected.put(0, (byte) 7).putLong(8, -3).put(16, (byte) 2).put(24, (byte) 1).putShort(26, (short) -9)
        .putChar(28, 'é').putInt(32, 1 << 20).putFloat(36, 1.5f).putDouble(40, Math.PI).putInt(48, 1)
        .put(52, "aé€".getBytes(StandardCharsets.UTF_8)).putInt(60, 4).putInt(64, 5).putInt(68, 6)
        .putLong(72, 8).putLong(88, 9).put(96, (byte) 1);
    assertArrayEquals(expected.array(), written(SAMPLE).content());
    assertEquals("""
        0 104 Order
         0 byte flag
         8 (Price) limit
         24 boolean live
         26 short venue
         28 char letter
         32 int count
         36 float weight
         40 double score
         48 enum(BUY,SELL) side
         52 string[6] symbol
         60 int[3] parts
         72 (Price)[2] levels
        - 16 Price
         0 long units
         8 byte scale
        """, ORDERS.text());
  }

  @Test
  void whatWasWrittenIsReadAndWhatIsShorterComesBackWithZeros() throws Exception {
    assertEquals(RandomRecords.content(SAMPLE), RandomRecords.content(ORDERS.read(written(SAMPLE).message(0))));
    Order shorter = ORDERS.read(written(sample("", new int[] {4}, new Price[0])).message(0));
    assertEquals("", shorter.symbol());
    assertArrayEquals(new int[] {4, 0, 0}, shorter.parts());
    assertArrayEquals(new Price[] {new Price(0, (byte) 0), new Price(0, (byte) 0)}, shorter.levels());
  }

  @Test
  void theLayoutHasTheSameOffsetsAndItsHandlesReadAndWriteInPlace() {
    assertEquals(SIZE, ORDER.layout().byteSize());
    assertEquals("Order", ORDER.layout().name().orElseThrow());
    VarHandle score = ORDER.layout().varHandle(PathElement.groupElement("score"));
    VarHandle level = ORDER.layout().varHandle(PathElement.groupElement("levels"), PathElement.sequenceElement(),
        PathElement.groupElement("units"));
    Bytes bytes = written(SAMPLE);
    MemorySegment view = bytes.message(0).asSegment();
    assertEquals(Math.PI, (double) score.get(view, 0L));
    assertEquals(9, (long) level.get(view, 0L, 1L));
    assertThrows(IllegalArgumentException.class, () -> view.set(ValueLayout.JAVA_BYTE, 0, (byte) 1));
    assertThrows(IndexOutOfBoundsException.class, () -> view.get(ValueLayout.JAVA_BYTE, SIZE));
    Claim claim = bytes.claim();
    MemorySegment room = claim.asSegment();
    score.set(room, 0L, 2.5);
    assertThrows(IndexOutOfBoundsException.class, () -> room.set(ValueLayout.JAVA_BYTE, SIZE, (byte) 1));
    claim.commit();
    assertThrows(IndexOutOfBoundsException.class, claim::asSegment);
    assertEquals(2.5, ORDERS.read(bytes.message(0)).score());
  }

  @Test
  void fieldsReadAndWriteOneNumberInPlace() {
    Bytes bytes = written(SAMPLE);
    Claim claim = bytes.claim();
    for (String name : List.of("flag", "venue", "letter", "count", "limit.units", "limit.scale", "live", "side")) {
      Field field = ORDER.field(name);
      field.putLong(claim, 1);
      assertEquals(1, field.getLong(bytes.message(0)), name);
      refuses(IllegalStateException.class, () -> field.getDouble(bytes.message(0)), name, "float");
      if (!name.equals("limit.units")) {
        refuses(IllegalArgumentException.class, () -> field.putLong(claim, 1L << 40), name, "1099511627776");
      }
    }
    for (String name : List.of("weight", "score")) {
      Field field = ORDER.field(name);
      field.putDouble(claim, -0.25);
      assertEquals(-0.25, field.getDouble(bytes.message(0)), name);
      refuses(IllegalStateException.class, () -> field.putLong(claim, 1), name, "integral");
    }
    refuses(IllegalArgumentException.class, () -> ORDER.field("size"), "name=size", "flag, limit, live");
    refuses(IllegalArgumentException.class, () -> ORDER.field("symbol"), "string[6]", "not one number");
    refuses(IllegalArgumentException.class, () -> ORDER.field("limit"), "(Price)");
    refuses(IllegalArgumentException.class, () -> ORDER.field("count.x"), "int", "no components");
    assertEquals(SAMPLE.symbol(), ORDERS.read(bytes.message(0)).symbol());
  }

  @Test
  void recordsOfSeveralClassesAreToldApartByTheTypeOfTheirMessages() {
    List<Event> all = List.of(new Trade(1, 2.5), new Note(2, "hello"));
    for (Event event : all) {
      RecordType<Event> type = EVENTS.typeOf(event);
      Bytes bytes = new Bytes(type.sizeBytes());
      type.write(bytes.claim(), event);
      assertEquals(event, EVENTS.read(bytes.message(type.number())));
    }
    assertEquals(List.of(1, 2), EVENTS.types().stream().map(RecordType::number).toList());
    Bytes bytes = new Bytes(16);
    for (int number : new int[] {0, 3, -1, Integer.MIN_VALUE}) {
      refuses(RecordFormatException.class, () -> EVENTS.read(bytes.message(number)), "message 17", "type " + number,
          "1 16 Trade, 2 16 Note");
    }
    refuses(RecordFormatException.class, () -> ORDERS.read(bytes.message(0)), "message 17", "16 bytes", "104");
    refuses(RecordFormatException.class, () -> ORDERS.read(bytes.message(1)), "message 17", "type 1", "0 104 Order");
  }

  @Test
  void whatNoRecordCanHoldIsAnExceptionThatNamesTheComponent() {
    refuses(RecordFormatException.class, () -> changed(bytes -> bytes.putInt(48, 2)), "message 17",
        "component \"side\" of record Order", "2");
    refuses(RecordFormatException.class, () -> changed(bytes -> bytes.putInt(48, -1)), "\"side\"", "-1");
    refuses(RecordFormatException.class, () -> changed(bytes -> bytes.put(24, (byte) 2)), "\"live\"", "2");
    refuses(RecordFormatException.class, () -> changed(bytes -> bytes.put(53, (byte) -1)), "\"symbol\"", "UTF-8");
    assertEquals("a", changed(bytes -> bytes.put(53, (byte) 0)).symbol()); // C may leave anything behind the end

    record Even(int number) {
      Even {
        if (number % 2 != 0) {
          throw new IllegalArgumentException(number + " is odd");
        }
      }
    }

    Records<Even> evens = Records.of(lookup(), Even.class);
    Bytes bytes = new Bytes(4);
    bytes.claim().putInt(0, 3);
    refuses(RecordFormatException.class, () -> evens.read(bytes.message(0)), "message 17", "Even", "3 is odd");
  }

  @Test
  void whatDoesNotFitIsRefusedWithTheComponentAndBothLengths() {
    String what = "of record Order";
    refuses(IllegalArgumentException.class, () -> written(sample("seven77", new int[3])), "\"symbol\" " + what, "7",
        "@Length(6)");
    refuses(IllegalArgumentException.class, () -> written(sample("€€€", new int[3])), "\"symbol\" " + what, "9",
        "@Length(6)");
    refuses(IllegalArgumentException.class, () -> written(sample("a\0b", new int[3])), "\"symbol\" " + what, "index 1");
    refuses(IllegalArgumentException.class, () -> written(sample("ab\uD83D", new int[3])), "\"symbol\" " + what,
        "index 2", "surrogate");
    refuses(IllegalArgumentException.class, () -> written(sample("", new int[4])), "\"parts\" " + what, "4",
        "@Length(3)");
    refuses(IllegalArgumentException.class, () -> written(sample("", new int[3], new Price[3])), "\"levels\" " + what,
        "3", "@Length(2)");
    refuses(IllegalArgumentException.class, () -> written(sample("", new int[3], new Price[1])), "\"levels\" " + what,
        "null");
    refuses(IllegalArgumentException.class, () -> written(sample(null, new int[3])), "\"symbol\" " + what, "null");
    refuses(IllegalArgumentException.class, () -> written(sample("", null)), "\"parts\" " + what, "null");
    refuses(IllegalArgumentException.class, () -> ORDER.write(new Bytes(SIZE + 1).claim(), SAMPLE), "105", "104");
    EntrySpec small = Broadcast.spec("small", 4096);
    record Long600(@Length(600) byte[] all) {}
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Long600.class).declare(small), "Long600", "600",
        "512", "small");
  }

  @Test
  void aTextOfAnyCharactersFitsExactly() {
    record Text(@Length(10) String text) {}

    Records<Text> texts = Records.of(lookup(), Text.class);
    Bytes bytes = new Bytes(10);
    for (String text : List.of("", "0123456789", "é€😀0", "😀😀", "\uD7FF\uE000\uFFFD", "\uFFFF\u07FF\u0080")) {
      bytes.fill((byte) -1);
      texts.type(Text.class).write(bytes.claim(), new Text(text));
      assertEquals(text, texts.read(bytes.message(0)).text());
      assertTrue(bytes.isTight());
    }
  }

  private record Tags(List<String> tags) {}

  private record Names(@Length(3) String[] names) {}

  private record Plain(String text) {}

  private record Needless(@Length(3) int number) {}

  private record Zero(@Length(0) String text) {}

  private record Nothing() {}

  private record Grid(@Length(3) int[][] grid) {}

  private record Loop(int number, Loop next) {}

  private record Größe(int meter) {}

  private record Huge(@Length(1 << 30) long[] all) {}

  private record Empty(Void none) {}

  @Test
  void whatIsNotSupportedIsRefusedWithWhatIs() {
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Tags.class), "\"tags\" of record Tags",
        "java.util.List<java.lang.String>", "Supported are byte", "@Length");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Names.class), "\"names\"", "String[]",
        "Supported are");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Grid.class), "\"grid\"", "int[][]");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Empty.class), "\"none\"", "Void");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Plain.class), "\"text\" of record Plain",
        "@Length");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Needless.class), "\"number\"", "@Length");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Zero.class), "\"text\"", "@Length(0)");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Nothing.class), "Nothing", "no components");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Loop.class), "Loop", "itself");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Größe.class), "Größe", "A-Z");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Huge.class), "\"all\"", "1073741824");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Event.class, Trade.class, Trade.class), "twice");
    refuses(IllegalArgumentException.class, () -> Records.of(lookup(), Event.class), "types=[]");
    refuses(IllegalArgumentException.class, () -> EVENTS.type(Event.class), "type=", "1 16 Trade");
  }

  @Test
  void aClassThatCannotBeLookedUpIsRefusedWithWhatToPass() {
    refuses(IllegalArgumentException.class, () -> Records.of(MethodHandles.publicLookup(), Trade.class),
        "MethodHandles.lookup()", Trade.class.getName());
    refuses(IllegalArgumentException.class, () -> Records.of(Payloads.LOOKUP, Trade.class), Payloads.class.getName(),
        Trade.class.getName(), "Pass MethodHandles.lookup()", "outer class");
  }

  @Test
  void aMessageThatIsOverAndAClaimThatIsClosedAreRefused() {
    Bytes bytes = written(SAMPLE);
    var message = bytes.message(0);
    message.clear();
    assertThrows(IndexOutOfBoundsException.class, () -> ORDERS.read(message));
    assertThrows(IndexOutOfBoundsException.class, message::asSegment);
    Claim claim = bytes.claim();
    claim.commit();
    assertThrows(IndexOutOfBoundsException.class, () -> ORDER.write(claim, SAMPLE));
  }

  @Test
  void writingRecordsAndTouchingFieldsAllocatesNothing() {
    Bytes order = new Bytes(SIZE);
    Bytes trade = new Bytes(16);
    Trade event = new Trade(3, 4.5);
    Field score = ORDER.field("score");
    Field side = ORDER.field("side");
    assertAllocatesNothing(() -> {
      ORDER.write(order.claim(), SAMPLE);
      EVENTS.typeOf(event).write(trade.claim(), event);
      score.putDouble(order, score.getDouble(order.message(0)) + 1);
      side.putLong(order, 1 - side.getLong(order.message(0)));
    });
    assertEquals(Side.BUY, assertInstanceOf(Order.class, ORDERS.read(order.message(0))).side());
    assertSame(order.message(0), order.message(0));
  }

  /** The first calls link code, and are not measured. */
  static void assertAllocatesNothing(Runnable call) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    List<Long> bytes = new ArrayList<>();
    for (int round = 0; round < 20; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < CALLS / 20; i++) {
        call.run();
      }
      bytes.add(threads.getCurrentThreadAllocatedBytes() - before);
      if (bytes.getLast() < CALLS / 20 / 10) { // less than a byte for ten calls: the measurement's own
        return;
      }
    }
    throw new AssertionError("allocated in each of 20 rounds of " + CALLS / 20 + " calls: " + bytes);
  }
}

/** A class of another nest. */
final class Payloads {
  static final MethodHandles.Lookup LOOKUP = lookup();

  private Payloads() {}
}
