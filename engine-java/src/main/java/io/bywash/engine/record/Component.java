package io.bywash.engine.record;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.RecordComponent;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * One component of a record class: its type, and its place in the record.
 *
 * @param component as the class declares it
 * @param form what the component is, or what its elements are if it is an array
 * @param type the class of the component, or of its elements
 * @param shape the shape of a record; null for all other forms
 * @param length the size of a string in bytes; 1 for all other forms
 * @param count how many elements an array has; 0 for what is not an array
 * @param offset the offset in the record
 */
record Component(RecordComponent component, Form form, Class<?> type, Shape shape, int length, int count, int offset) {
  /** What a component can be. The primitives come first, under their names in docs/SPEC.md. */
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

    /** Null for forms that are not primitives. */
    final Class<?> primitive;
    /** Null for records. */
    final ValueLayout layout;

    Form(Class<?> primitive, ValueLayout layout) {
      this.primitive = primitive;
      this.layout = layout == null ? null : layout.withOrder(ByteOrder.LITTLE_ENDIAN);
    }

    /** The form of a class; null when it has none. */
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

  /** The size of one element in bytes. */
  int elementBytes() {
    return shape != null ? shape.sizeBytes() : Math.multiplyExact((int) form.layout.byteSize(), length);
  }

  int alignment() {
    return shape != null ? shape.alignment() : (int) form.layout.byteAlignment();
  }

  /** The size of the whole component in bytes; may be more than any record can have. */
  long bytes() {
    return (long) elementBytes() * Math.max(count, 1);
  }

  Component at(int newOffset) {
    return new Component(component, form, type, shape, length, count, newOffset);
  }

  String name() {
    return component.getName();
  }

  /** A description for people. */
  @Override
  public String toString() {
    return describe(component);
  }

  static String describe(RecordComponent component) {
    return "component \"" + component.getName() + "\" of record " + component.getDeclaringRecord().getSimpleName();
  }

  /** The component's type as it is written in a layout's text. */
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
