package io.bywash.engine.record;

import io.bywash.engine.Claim;
import io.bywash.engine.Message;

/**
 * One number in the messages of a record class, for reading and writing in place. {@link RecordType#field} returns it.
 * In a {@code static final} field it costs no more than the access itself. Any thread may use it.
 *
 * @param name the component; {@code price.units} for a component of a record within the record
 * @param type {@code long.class} or another primitive, or the class of an enum, whose number is the constant's ordinal
 * @param offset the offset in the message in bytes
 */
public record Field(String name, Class<?> type, int offset) {
  /** How many constants an enum has, cached with the enum because asking it allocates an array. */
  private static final ClassValue<Integer> CONSTANTS = new ClassValue<>() {
    @Override
    protected Integer computeValue(Class<?> type) {
      return type.getEnumConstants().length;
    }
  };

  /**
   * Reads the number from a message; a boolean is 0 or 1.
   *
   * @throws IndexOutOfBoundsException when the message is too short
   * @throws IllegalStateException when this field is a float or double
   */
  public long getLong(Message message) {
    if (type == long.class) {
      return message.getLong(offset);
    }
    if (type == int.class || type.isEnum()) {
      return message.getInt(offset);
    }
    if (type == short.class) {
      return message.getShort(offset);
    }
    if (type == char.class) {
      return (char) message.getShort(offset);
    }
    if (type == byte.class || type == boolean.class) {
      return message.getByte(offset);
    }
    throw not("an integral number");
  }

  /**
   * Reads a float or double from a message.
   *
   * @throws IllegalStateException when this field is neither
   */
  public double getDouble(Message message) {
    if (type == double.class) {
      return message.getDouble(offset);
    }
    if (type == float.class) {
      return Float.intBitsToFloat(message.getInt(offset));
    }
    throw not("a float or double");
  }

  /**
   * Writes the number to a claim.
   *
   * @throws IllegalArgumentException when {@code value} is out of the type's range
   * @throws IndexOutOfBoundsException when the claim is too short or not open
   * @throws IllegalStateException when this field is a float or double
   */
  public void putLong(Claim claim, long value) {
    if (type == long.class) {
      claim.putLong(offset, value);
    } else if (type == int.class) {
      claim.putInt(offset, (int) inRange(value, Integer.MIN_VALUE, Integer.MAX_VALUE));
    } else if (type == short.class) {
      claim.putShort(offset, (short) inRange(value, Short.MIN_VALUE, Short.MAX_VALUE));
    } else if (type == char.class) {
      claim.putShort(offset, (short) inRange(value, 0, Character.MAX_VALUE));
    } else if (type == byte.class) {
      claim.putByte(offset, (byte) inRange(value, Byte.MIN_VALUE, Byte.MAX_VALUE));
    } else if (type == boolean.class) {
      claim.putByte(offset, (byte) inRange(value, 0, 1));
    } else if (type.isEnum()) {
      claim.putInt(offset, (int) inRange(value, 0, CONSTANTS.get(type) - 1));
    } else {
      throw not("an integral number");
    }
  }

  /**
   * Writes a float or double to a claim; for a float the value is rounded.
   *
   * @throws IllegalStateException when this field is neither
   */
  public void putDouble(Claim claim, double value) {
    if (type == double.class) {
      claim.putDouble(offset, value);
    } else if (type == float.class) {
      claim.putInt(offset, Float.floatToRawIntBits((float) value));
    } else {
      throw not("a float or double");
    }
  }

  private long inRange(long value, long least, long greatest) {
    if (value < least || value > greatest) {
      throw new IllegalArgumentException("value=" + value + " of field \"" + name + "\" is not between " + least
          + " and " + greatest);
    }
    return value;
  }

  private IllegalStateException not(String wanted) {
    return new IllegalStateException("field \"" + name + "\" is a " + type.getSimpleName() + ", not " + wanted);
  }
}
