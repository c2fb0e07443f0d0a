package io.bywash.engine.record;

import io.bywash.engine.internal.memory.Region;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Array;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * The superclass of the code that is generated for a record class. Apart from the record, that code calls nothing else.
 * This class is of no other use: its methods take a region, which users do not have.
 *
 * <p>An element begins at byte {@code at} of a region; {@code index} counts from there. No bounds are checked here: the
 * caller of {@link #write} or {@link #read} has checked that the whole element is in bounds. Each value is read once
 * and then checked, so a change in the meantime does no harm.
 */
public abstract class RecordCodec {
  private static final ValueLayout.OfChar CHARS = little(ValueLayout.JAVA_CHAR_UNALIGNED);
  private static final ValueLayout.OfShort SHORTS = little(ValueLayout.JAVA_SHORT_UNALIGNED);
  private static final ValueLayout.OfInt INTS = little(ValueLayout.JAVA_INT_UNALIGNED);
  private static final ValueLayout.OfLong LONGS = little(ValueLayout.JAVA_LONG_UNALIGNED);
  private static final ValueLayout.OfFloat FLOATS = little(ValueLayout.JAVA_FLOAT_UNALIGNED);
  private static final ValueLayout.OfDouble DOUBLES = little(ValueLayout.JAVA_DOUBLE_UNALIGNED);

  /** For generated classes. */
  protected RecordCodec() {}

  @SuppressWarnings("unchecked") // a layout in another byte order has the same type
  private static <L extends ValueLayout> L little(L layout) {
    return (L) layout.withOrder(ByteOrder.LITTLE_ENDIAN);
  }

  /** Writes a record. */
  protected abstract void write(Object region, long at, Object record);

  /** Reads a record. */
  protected abstract Object read(Object region, long at);

  /** Writes a byte. */
  protected static void putByte(Object region, long at, int index, byte value) {
    ((Region) region).setByte(at, index, value);
  }

  /** Writes a boolean. */
  protected static void putBoolean(Object region, long at, int index, boolean value) {
    ((Region) region).setByte(at, index, (byte) (value ? 1 : 0));
  }

  /** Writes a short. */
  protected static void putShort(Object region, long at, int index, short value) {
    ((Region) region).setShort(at, index, value);
  }

  /** Writes a char. */
  protected static void putChar(Object region, long at, int index, char value) {
    ((Region) region).setShort(at, index, (short) value);
  }

  /** Writes an int. */
  protected static void putInt(Object region, long at, int index, int value) {
    ((Region) region).setInt(at, index, value);
  }

  /** Writes a long. */
  protected static void putLong(Object region, long at, int index, long value) {
    ((Region) region).setLong(at, index, value);
  }

  /** Writes a float. */
  protected static void putFloat(Object region, long at, int index, float value) {
    putInt(region, at, index, Float.floatToRawIntBits(value));
  }

  /** Writes a double. */
  protected static void putDouble(Object region, long at, int index, double value) {
    putLong(region, at, index, Double.doubleToRawLongBits(value));
  }

  /** Writes an enum constant as its ordinal. */
  protected static void putEnum(Object region, long at, int index, Enum<?> value, String component) {
    ((Region) region).setInt(at, index, ((Enum<?>) present(value, component)).ordinal());
  }

  /** Writes a string as UTF-8, and zeros up to {@code bytes}. */
  protected static void putString(Object region, long at, int index, int bytes, String value, String component) {
    String text = (String) present(value, component);
    Region memory = (Region) region;
    int end = 0;
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (unit >= 0x80 || unit == 0 || end == bytes) {
        end = putUnicode(memory, at + index, bytes, end, text, i, component);
        break;
      }
      memory.setByte(at + index, end++, (byte) unit);
    }
    for (; end < bytes; end++) {
      memory.setByte(at + index, end, (byte) 0);
    }
  }

  /** Writes the rest of a string, from {@code begin} on. Returns the index after its last byte. */
  private static int putUnicode(Region memory, long at, int bytes, int start, String text, int begin,
      String component) {
    int end = start;
    for (int i = begin; i < text.length(); i++) {
      int code = text.codePointAt(i);
      if (code == 0 || Character.MIN_SURROGATE <= code && code <= Character.MAX_SURROGATE) {
        throw new IllegalArgumentException(component + " has " + (code == 0 ? "a zero, which would end it,"
            : "an unpaired surrogate, which UTF-8 cannot express,") + " at index " + i);
      }
      int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
      if (end + more >= bytes) {
        throw new IllegalArgumentException(component + " is a string of "
            + text.getBytes(StandardCharsets.UTF_8).length + " bytes in UTF-8, longer than its @Length(" + bytes + ")");
      }
      memory.setByte(at, end++, (byte) (more == 0 ? code : 0xF00 >> more + 1 & 0xF0 | code >> 6 * more));
      for (int shift = 6 * (more - 1); shift >= 0; shift -= 6) {
        memory.setByte(at, end++, (byte) (0x80 | code >> shift & 0x3F));
      }
      i += more == 3 ? 1 : 0;
    }
    return end;
  }

  /** Writes an array of primitives, and zeros up to {@code count} elements. */
  protected static void putArray(Object region, long at, int index, int count, Object array, String component) {
    int length = checkedLength(array, count, component);
    Region memory = (Region) region;
    if (array instanceof boolean[] booleans) {
      for (int i = 0; i < length; i++) {
        memory.setByte(at + index, i, (byte) (booleans[i] ? 1 : 0));
      }
      putZeros(region, at, index + length, count - length);
    } else {
      ValueLayout layout = elements(array);
      int bytes = (int) layout.byteSize();
      memory.copyFrom(at + index, array, layout, length);
      putZeros(region, at, index + length * bytes, (count - length) * bytes);
    }
  }

  /** Writes an array of enum constants, and zeros up to {@code count} elements. */
  protected static void putEnums(Object region, long at, int index, int count, Enum<?>[] array, String component) {
    int length = checkedLength(array, count, component);
    for (int i = 0; i < length; i++) {
      putEnum(region, at, index + i * Integer.BYTES, array[i], component);
    }
    putZeros(region, at, index + length * Integer.BYTES, (count - length) * Integer.BYTES);
  }

  /** Writes zeros. */
  protected static void putZeros(Object region, long at, int index, int bytes) {
    if (bytes > 0) {
      ((Region) region).zero(at + index, bytes);
    }
  }

  /** The length of an array, which must be at most {@code count}. */
  protected static int checkedLength(Object array, int count, String component) {
    int length = Array.getLength(present(array, component));
    if (length > count) {
      throw new IllegalArgumentException(component + " is an array of " + length + " elements, longer than its @Length("
          + count + ")");
    }
    return length;
  }

  /** The value of a component, which must not be null. */
  protected static Object present(Object value, String component) {
    if (value == null) {
      throw new IllegalArgumentException(component + " is null or has an element that is");
    }
    return value;
  }

  private static ValueLayout elements(Object array) {
    return array instanceof long[] ? LONGS : array instanceof double[] ? DOUBLES : array instanceof int[] ? INTS
        : array instanceof byte[] ? ValueLayout.JAVA_BYTE : array instanceof short[] ? SHORTS
        : array instanceof float[] ? FLOATS : CHARS;
  }

  /** Reads a byte. */
  protected static byte getByte(Object region, long at, int index) {
    return ((Region) region).getByte(at, index);
  }

  /** Reads a boolean, which is 0 or 1. */
  protected static boolean getBoolean(Object region, long at, int index, String component) {
    byte value = ((Region) region).getByte(at, index);
    if ((value & ~1) != 0) {
      throw new RecordFormatException(component + " holds " + value + " where false is 0 and true is 1");
    }
    return value != 0;
  }

  /** Reads a short. */
  protected static short getShort(Object region, long at, int index) {
    return ((Region) region).getShort(at, index);
  }

  /** Reads a char. */
  protected static char getChar(Object region, long at, int index) {
    return (char) ((Region) region).getShort(at, index);
  }

  /** Reads an int. */
  protected static int getInt(Object region, long at, int index) {
    return ((Region) region).getInt(at, index);
  }

  /** Reads a long. */
  protected static long getLong(Object region, long at, int index) {
    return ((Region) region).getLong(at, index);
  }

  /** Reads a float. */
  protected static float getFloat(Object region, long at, int index) {
    return Float.intBitsToFloat(getInt(region, at, index));
  }

  /** Reads a double. */
  protected static double getDouble(Object region, long at, int index) {
    return Double.longBitsToDouble(getLong(region, at, index));
  }

  /** Reads an enum constant. */
  protected static Object getEnum(Object region, long at, int index, Object[] constants, String component) {
    int place = ((Region) region).getInt(at, index);
    if (place < 0 || place >= constants.length) {
      throw new RecordFormatException(component + " holds " + place + " where one of " + constants.length
          + " constants is due");
    }
    return constants[place];
  }

  /** Reads a string, which ends at the first zero or after {@code bytes}. */
  protected static String getString(Object region, long at, int index, int bytes, String component) {
    byte[] utf8 = new byte[bytes];
    ((Region) region).copyTo(at + index, utf8, 0, bytes);
    int length = 0;
    while (length < bytes && utf8[length] != 0) {
      length++;
    }
    String text = new String(utf8, 0, length, StandardCharsets.UTF_8);
    if (text.indexOf('\uFFFD') >= 0) { // it replaces what is not UTF-8, unless it was sent
      try {
        StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8, 0, length));
      } catch (CharacterCodingException malformed) {
        throw new RecordFormatException(component + " holds no UTF-8");
      }
    }
    return text;
  }

  /** Fills an array of primitives, and returns it. */
  protected static Object getArray(Object region, long at, int index, Object array, String component) {
    if (array instanceof boolean[] booleans) {
      for (int i = 0; i < booleans.length; i++) {
        booleans[i] = getBoolean(region, at, index + i, component);
      }
    } else {
      ((Region) region).copyTo(at + index, elements(array), array, Array.getLength(array));
    }
    return array;
  }

  /** Fills an array with enum constants, and returns it. */
  protected static Object getEnums(Object region, long at, int index, Object[] array, Object[] constants,
      String component) {
    for (int i = 0; i < array.length; i++) {
      array[i] = getEnum(region, at, index + i * Integer.BYTES, constants, component);
    }
    return array;
  }
}
