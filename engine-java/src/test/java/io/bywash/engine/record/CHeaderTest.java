package io.bywash.engine.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.inspect.LayoutStatus;
import io.bywash.engine.inspect.StatusText;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The layouts of a segment as a C header. */
@Tag("once")
@Timeout(120)
class CHeaderTest {
  private enum Side { BUY, SELL }

  private record Price(long units, byte scale) {}

  private record Order(byte flag, Price limit, boolean union, short venue, char letter, int count, float weight,
      double score, Side side, @Length(6) String symbol, @Length(3) int[] parts, @Length(2) Price[] levels) {}

  private record Halt(int reason, @Length(2) Side[] sides) {}

  private static final String FILL = """
      #include <stdio.h>
      #include <string.h>
      #include "header.h"
      int main(void) {
        struct _0_queue_0_Order order = {.flag = -1, .limit = {-3, 2}, .union_ = true, .venue = -9, .letter = 0xE9,
          .count = 1 << 20, .weight = 1.5f, .score = 0.125, .side = _0_queue_0_Order_side_SELL, .parts = {4, 5, 6},
          .levels = {{8, 0}, {9, 1}}};
        strncpy(order.symbol, "abc", sizeof order.symbol);
        fwrite(&order, sizeof order, 1, stdout);
        return _1_queue_1_Halt_TYPE == 2 ? 0 : 1;
      }
      """;

  @RegisterExtension final TempBus bus = new TempBus();

  private String header(String... layouts) {
    List<EntrySpec> specs = new ArrayList<>();
    for (int i = 0; i < layouts.length; i++) {
      specs.add(Broadcast.spec(i + "-queue." + i, 4096, 1).withLayout(layouts[i]));
    }
    try (Segment segment = Segment.create(bus.path("header"), SegmentSpec.of(specs))) {
      return new StatusText().cHeader(LayoutStatus.of(segment)).toString();
    }
  }

  @Test
  void aProgramInCWritesAJavaRecordByIt(@TempDir Path folder) throws Exception {
    assumeTrue(CLayoutTest.hasCompiler(), CLayoutTest.NO_COMPILER);
    Records<Order> orders = Records.of(MethodHandles.lookup(), Order.class);
    Records<Record> both = Records.of(MethodHandles.lookup(), Record.class, Price.class, Halt.class);
    Files.writeString(folder.resolve("header.h"), header(orders.text(), both.text()));
    Files.writeString(folder.resolve("fill.c"), FILL);
    CLayoutTest.run(List.of("cc", "-Wall", "-Werror", "-o", folder + "/fill", folder + "/fill.c"));
    Process process = new ProcessBuilder(folder + "/fill").start();
    byte[] content = process.getInputStream().readAllBytes();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue());
    Bytes bytes = new Bytes(content.length);
    bytes.content(content);
    Order expected = new Order((byte) -1, new Price(-3, (byte) 2), true, (short) -9, 'é', 1 << 20, 1.5f, 0.125,
        Side.SELL, "abc", new int[] {4, 5, 6}, new Price[] {new Price(8, (byte) 0), new Price(9, (byte) 1)});
    assertEquals(RandomRecords.content(expected), RandomRecords.content(orders.read(bytes.message(0))));
  }

  @Test
  void atomicsAreAsFarApartInCAsInTheSegment(@TempDir Path folder) throws Exception {
    assumeTrue(CLayoutTest.hasCompiler(), CLayoutTest.NO_COMPILER);
    String header = header(Atomics.spec("any", "int ready", "boolean over", "double mean", "long count").layout(),
        Atomics.spec("any", "boolean alone").layout());
    Files.writeString(folder.resolve("header.h"), header);
    Files.writeString(folder.resolve("use.c"), """
        #include "header.h"
        int main(void) { return sizeof(struct _0_queue_0_Atomics) == 256 ? 0 : 1; }
        """);
    CLayoutTest.run(List.of("cc", "-Wall", "-Werror", "-o", folder + "/use", folder + "/use.c")); // with its assertions
    CLayoutTest.run(List.of(folder + "/use"));
  }

  @Test
  void aLayoutThatIsNoneIsLeftOutAndNothingOfItGetsIntoTheHeader() {
    List<String> bad = List.of("0 8 A\n 0 long x; int evil\n", "0 8 A\n 0 evil*[2] x\n", "evil\n", " 0 long evil\n",
        "0 8 A\n 0 (Evil) x\n", "0 8 A\n 0 (A) evil\n", "0 8 A\n 0 enum(evil;) x\n", "0 evil A\n 0 long x\n",
        "0 99999999999999999999 evil\n");
    String header = header(bad.toArray(String[]::new));
    assertFalse(header.contains("evil") || header.contains("Evil"), header);
    for (int i = 0; i < bad.size(); i++) {
      assertTrue(header.contains("entry " + i + "-queue." + i + " has a layout of another form"), header);
    }
    assertFalse(header.contains("struct"), header);
  }
}
