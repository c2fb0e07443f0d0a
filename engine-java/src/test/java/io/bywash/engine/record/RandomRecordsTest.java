package io.bywash.engine.record;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Payload;
import java.lang.invoke.MethodHandles;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("once")
@Timeout(120)
class RandomRecordsTest {
  private static final int CLASSES = 150;
  private static final int RECORDS = 20;
  private static final int MAX_BYTES = 1 << 16;

  private final Random random = Payload.random("RandomRecordsTest");
  private final RandomRecords made = new RandomRecords(random);

  @Test
  void recordsOfRandomClassesComeBackAsTheyWereAndLeaveTheSameBytesWhateverWasThere() throws Exception {
    for (int i = 0; i < CLASSES; i++) {
      roundTrip(made.next());
    }
  }

  private <R extends Record> void roundTrip(Class<R> type) throws Exception {
    Records<R> records = Records.of(MethodHandles.lookup(), type);
    RecordType<R> only = records.type(type);
    assertEquals(only.sizeBytes(), only.layout().byteSize());
    if (only.sizeBytes() > MAX_BYTES) {
      return; // records in records in records
    }
    Bytes bytes = new Bytes(only.sizeBytes());
    for (int i = 0; i < RECORDS; i++) {
      R record = type.cast(made.instance(type));
      bytes.fill((byte) -1);
      only.write(bytes.claim(), record);
      byte[] once = bytes.content();
      assertEquals(RandomRecords.content(record), RandomRecords.content(records.read(bytes.message(0))),
          records.text());
      bytes.fill((byte) 0);
      only.write(bytes.claim(), record);
      assertArrayEquals(once, bytes.content(), records.text());
      assertTrue(bytes.isTight(), records.text());
    }
  }

  @Test
  void anyBytesAreARecordOrARecordFormatException() throws Exception {
    int read = 0;
    int refused = 0;
    for (int i = 0; i < CLASSES; i++) {
      Class<? extends Record> type = made.next();
      Records<? extends Record> records = Records.of(MethodHandles.lookup(), type);
      int size = records.types().getFirst().sizeBytes();
      Bytes bytes = new Bytes(Math.min(size, MAX_BYTES));
      for (int j = 0; j < RECORDS; j++) {
        byte[] content = bytes.content();
        random.nextBytes(content);
        if (j % 2 == 0) { // of small numbers, many are an enum's constants or booleans
          for (int k = 0; k < content.length; k++) {
            content[k] &= (byte) (k % 4 == 0 ? 1 : 0);
          }
        }
        bytes.content(content);
        try {
          records.read(bytes.message(random.nextInt(8) == 0 ? 1 : 0));
          read++;
        } catch (RecordFormatException told) {
          assertTrue(told.getMessage().startsWith("message 17 ") || told.getMessage().startsWith("message 17: "),
              told.getMessage());
          refused++;
        }
      }
    }
    assertTrue(read > 100 && refused > 100, read + " were read, " + refused + " refused");
  }
}
