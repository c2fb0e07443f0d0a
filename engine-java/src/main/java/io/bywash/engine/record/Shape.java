package io.bywash.engine.record;

import io.bywash.engine.record.Component.Form;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Where the components of a record class are, placed as a C compiler would place them: in order, each aligned to its
 * size, and the total size rounded up to the largest alignment.
 */
record Shape(Class<?> type, List<Component> components, int sizeBytes, int alignment) {
  /** The size of the largest record, far more than the largest message of most queues. */
  private static final int MAX_BYTES = 1 << 30;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_$]+");
  private static final String SUPPORTED = "Supported are byte, short, char, int, long, float, double, boolean, enums,"
      + " other records, String with @Length(bytes), and arrays with @Length(elements) of all these but String.";

  /** The shape of {@code type}. It is added to {@code known}, after the shapes of the records in it. */
  static Shape of(Class<?> type, Map<Class<?>, Shape> known) {
    Shape shape = known.get(type);
    if (shape != null) {
      return shape;
    }
    if (known.containsKey(type)) {
      throw new IllegalArgumentException("record " + type.getSimpleName() + " contains itself, so that it would have no"
          + " size");
    }
    if (!type.isRecord() || type.isHidden()) {
      throw new IllegalArgumentException("type=" + type.getName() + " is no record class that has a name");
    }
    if (type.getRecordComponents().length == 0) {
      throw new IllegalArgumentException("record " + type.getSimpleName() + " has no components, and a message has at"
          + " least one byte");
    }
    requireName(type.getSimpleName(), "record " + type.getName());
    known.put(type, null); // marks a shape that is not complete yet
    shape = place(type, known);
    for (Shape other : known.values()) {
      if (other != null && other.name().equals(shape.name())) {
        throw new IllegalArgumentException("two records are called " + shape.name() + ": " + other.type.getName()
            + " and " + type.getName());
      }
    }
    known.put(type, shape);
    return shape;
  }

  private static void requireName(String name, String what) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException(what + ": \"" + name + "\" has other characters than A-Z a-z 0-9 _ $, which"
          + " programs in other languages could not use");
    }
  }

  private static Shape place(Class<?> type, Map<Class<?>, Shape> known) {
    List<Component> components = new ArrayList<>();
    RecordComponent[] declared = type.getRecordComponents();
    long end = 0;
    int alignment = 1;
    for (int i = 0; i < declared.length; i++) {
      Component component = component(declared[i], length(type, i), known);
      long offset = align(end, component.alignment());
      end = offset + component.bytes();
      if (end > MAX_BYTES) {
        throw new IllegalArgumentException(component + " ends at byte " + end + ", and a record has at most "
            + MAX_BYTES);
      }
      components.add(component.at((int) offset));
      alignment = Math.max(alignment, component.alignment());
    }
    return new Shape(type, List.copyOf(components), (int) align(end, alignment), alignment);
  }

  private static long align(long offset, int alignment) {
    return offset + alignment - 1 & -alignment;
  }

  private static Component component(RecordComponent component, Length length, Map<Class<?>, Shape> known) {
    String what = Component.describe(component);
    requireName(component.getName(), what);
    Class<?> type = component.getType();
    Class<?> one = type.isArray() ? type.getComponentType() : type;
    Form form = Form.of(one);
    if (form == null || form == Form.STRING && type.isArray()) {
      throw new IllegalArgumentException(what + " is a " + component.getGenericType().getTypeName() + ". " + SUPPORTED);
    }
    if ((type.isArray() || form == Form.STRING) != (length != null)) {
      throw new IllegalArgumentException(what + (length == null
          ? " is " + (type.isArray() ? "an array" : "a string") + " without a length. Write @Length("
              + (type.isArray() ? "elements" : "bytes in UTF-8") + ") before it."
          : " has a @Length, and is neither an array nor a String"));
    }
    if (length != null && length.value() < 1) {
      throw new IllegalArgumentException(what + " has @Length(" + length.value() + "), and needs at least 1");
    }
    if (form == Form.ENUM) {
      Object[] constants = one.getEnumConstants();
      if (constants.length == 0) {
        throw new IllegalArgumentException(what + " is of enum " + one.getSimpleName() + ", which has no constants");
      }
      Arrays.stream(constants).forEach(each -> requireName(((Enum<?>) each).name(), what));
    }
    return new Component(component, form, one, form == Form.RECORD ? of(one, known) : null,
        form == Form.STRING ? length.value() : 1, type.isArray() ? length.value() : 0, 0);
  }

  /** The length of a component: Java annotates the component, Kotlin the constructor's parameter. */
  private static Length length(Class<?> type, int index) {
    RecordComponent[] components = type.getRecordComponents();
    Length length = components[index].getAnnotation(Length.class);
    return length != null ? length : canonical(type).getParameters()[index].getAnnotation(Length.class);
  }

  private static Constructor<?> canonical(Class<?> type) {
    try {
      return type.getDeclaredConstructor(parameters(type));
    } catch (NoSuchMethodException impossible) {
      throw new AssertionError("each record has a canonical constructor", impossible);
    }
  }

  static Class<?>[] parameters(Class<?> type) {
    return Arrays.stream(type.getRecordComponents()).map(RecordComponent::getType).toArray(Class<?>[]::new);
  }

  String name() {
    return type.getSimpleName();
  }

  /** The shapes of all records nested in this one, at any depth, each once. */
  Map<Class<?>, Shape> parts() {
    Map<Class<?>, Shape> parts = new LinkedHashMap<>();
    for (Component component : components) {
      if (component.shape() != null) {
        parts.put(component.type(), component.shape());
        parts.putAll(component.shape().parts());
      }
    }
    return parts;
  }

  /** The lines of this record in a layout's text: one for itself, called {@code number}, and one for each component. */
  String text(String number) {
    StringBuilder text = new StringBuilder();
    text.append(number).append(' ').append(sizeBytes).append(' ').append(name()).append('\n');
    for (Component each : components) {
      text.append(' ').append(each.offset()).append(' ').append(each.text()).append(' ').append(each.name())
          .append('\n');
    }
    return text.toString();
  }

  StructLayout layout() {
    List<MemoryLayout> members = new ArrayList<>();
    long end = 0;
    for (Component each : components) {
      addPadding(members, each.offset() - end);
      members.add(each.layout());
      end = each.offset() + each.bytes();
    }
    addPadding(members, sizeBytes - end);
    return MemoryLayout.structLayout(members.toArray(MemoryLayout[]::new)).withName(name());
  }

  private static void addPadding(List<MemoryLayout> members, long bytes) {
    if (bytes > 0) {
      members.add(MemoryLayout.paddingLayout(bytes));
    }
  }
}
