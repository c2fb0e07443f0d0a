package io.bywash.engine.record;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.RecordComponent;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * One component of a record: what it is, and where it stands.
 *
 * @param component as the class declares it
 * @param form what it is, or what its elements are if it is an array
 * @param type its class, or that of its elements
 * @param shape of records; null for all others
 * @param length of a string in bytes; 1 for all others
 * @param count of an array's elements; 0 if it is none
 * @param offset in the record
 */
record Component(RecordComponent component, Form form, Class<?> type, Shape shape, int length, int count, int offset) {
  /** What a component can be. The first ones have the names that docs/SPEC.md gives them. */
  enum Form {
    BYTE(byte.class, ValueLayout.JAVA_BYTE),
    SHORT(short.class, ValueLayout.JAVA_SHORT),
    CHAR(char.class, ValueLayout.JAVA_CHAR),
    INT(int.class, ValueLayout.JAVA_INT),
    LONG(long.class, ValueLayout.JAVA_LONG),
    FLOAT(float.class, ValueLayout.JAVA_FLOAT),
    DOUBLE(double.class, ValueLayout.JAVA_DOUBLE),
    BOOLEAN(boolean.class, ValueLayout.JAVA_BOOLEAN),
    ENUM(null, ValueLayout.JAVA_INT), // as in C
    STRING(null, ValueLayout.JAVA_BYTE),
    RECORD(null, null);

    /** Null for those that are no primitives. */
    final Class<?> primitive;
    /** Null for records. */
    final ValueLayout layout;

    Form(Class<?> primitive, ValueLayout layout) {
      this.primitive = primitive;
      this.layout = layout == null ? null : layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    /** The form of that class; null when there is none. */
    static Form of(Class<?> type) {
      for (Form form : values()) {
        if (form.primitive == type) {
          return form;
        }
      }
      return type.isEnum() ? ENUM : type == String.class ? STRING : type.isRecord() ? RECORD : null;
    }
  }

  boolean isArray() {
    return count > 0;
  }

  /** Bytes of one element. */
  int elementBytes() {
    return shape != null ? shape.sizeBytes() : Math.multiplyExact((int) form.layout.byteSize(), length);
  }

  int alignment() {
    return shape != null ? shape.alignment() : (int) form.layout.byteAlignment();
  }

  /** Bytes of it all; may be more than any record can have. */
  long bytes() {
    return (long) elementBytes() * Math.max(count, 1);
  }

  Component at(int newOffset) {
    return new Component(component, form, type, shape, length, count, newOffset);
  }

  String name() {
    return component.getName();
  }

  /** For people. */
  @Override
  public String toString() {
    return describe(component);
  }

  static String describe(RecordComponent component) {
    return "component \"" + component.getName() + "\" of record " + component.getDeclaringRecord().getSimpleName();
  }

  /** Its type as it stands in a layout's text. */
  String text() {
    String one = switch (form) {
      case ENUM -> Arrays.stream(type.getEnumConstants()).map(each -> ((Enum<?>) each).name())
          .collect(Collectors.joining(",", "enum(", ")"));
      case STRING -> "string[" + length + "]";
      case RECORD -> "(" + shape.name() + ")";
      default -> form.primitive.getName();
    };
    return isArray() ? one + "[" + count + "]" : one;
  }

  MemoryLayout layout() {
    MemoryLayout one = shape != null ? shape.layout()
        : form == Form.STRING ? MemoryLayout.sequenceLayout(length, form.layout) : form.layout;
    return (isArray() ? MemoryLayout.sequenceLayout(count, one) : one).withName(name());
  }
}
