package io.bywash.engine.pool;

import io.bywash.engine.record.Records;
import java.lang.invoke.MethodHandles;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Objects that show whether they are whole: each follows from its number. */
final class Things {
  static final int BYTES = 24;
  private static final long MIX = 0x9E37_79B9_7F4A_7C15L;

  private Things() {}

  /** An object as a record: all of it follows from its number. */
  record Thing(long number, long mixed, long inverse) {
    static Thing of(long number) {
      return new Thing(number, number * MIX, ~number);
    }

    /** Itself, if it is whole. */
    Thing whole() {
      if (!equals(of(number))) {
        throw new AssertionError(this + " is torn");
      }
      return this;
    }
  }

  /** Made when records are first used, since not every test may define classes. */
  static final class Typed {
    static final Records<Thing> THINGS = Records.of(MethodHandles.lookup(), Thing.class);

    private Typed() {}
  }

  /** The bytes of an object with that number. */
  static byte[] bytes(long number) {
    return ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(number).putLong(number * MIX)
        .putLong(~number).array();
  }

  /** The number in bytes that are whole. */
  static long number(byte[] bytes) {
    ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    return new Thing(words.getLong(), words.getLong(), words.getLong()).whole().number();
  }
}
