package io.bywash.engine.record;

import java.lang.annotation.RetentionPolicy;
import java.lang.classfile.Annotation;
import java.lang.classfile.AnnotationElement;
import java.lang.classfile.Attribute;
import java.lang.classfile.ClassFile;
import java.lang.classfile.TypeKind;
import java.lang.classfile.attribute.RecordAttribute;
import java.lang.classfile.attribute.RecordComponentInfo;
import java.lang.classfile.attribute.RuntimeVisibleAnnotationsAttribute;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Array;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Record classes that nobody wrote, and records of them. */
final class RandomRecords {
  private static final ClassDesc RECORD = ClassDesc.of(Record.class.getName());
  private static final ClassDesc LENGTH = ClassDesc.of(Length.class.getName());
  private static final List<Class<?>> SIMPLE = List.of(byte.class, short.class, char.class, int.class, long.class,
      float.class, double.class, boolean.class, Thread.State.class, RetentionPolicy.class);

  private final Random random;
  private final List<Class<? extends Record>> made = new ArrayList<>();

  RandomRecords(Random random) {
    this.random = random;
  }

  /** A component of a class to be made; {@code length} is 0 where it has none. */
  private record Part(String name, Class<?> type, int length) {
    ClassDesc desc() {
      return type.describeConstable().orElseThrow();
    }
  }

  private Part part(int index) {
    String name = "part" + index;
    return switch (random.nextInt(10)) {
      case 0 -> new Part(name, String.class, 1 + random.nextInt(20));
      case 1, 2 -> new Part(name, simple().arrayType(), 1 + random.nextInt(20));
      case 3 -> new Part(name, nested(), 0);
      case 4 -> {
        Class<?> type = nested();
        yield type.isRecord() ? new Part(name, type.arrayType(), 1 + random.nextInt(4)) : new Part(name, type, 0);
      }
      default -> new Part(name, simple(), 0);
    };
  }

  private Class<?> simple() {
    return SIMPLE.get(random.nextInt(SIMPLE.size()));
  }

  private Class<?> nested() {
    return made.isEmpty() ? simple() : made.get(random.nextInt(made.size()));
  }

  /** A new class, which may have records of those made before. */
  Class<? extends Record> next() throws IllegalAccessException {
    List<Part> parts = new ArrayList<>();
    for (int i = 0; i <= random.nextInt(12); i++) {
      parts.add(part(i));
    }
    String simpleName = "Random" + made.size() + "X" + Long.toHexString(random.nextLong());
    ClassDesc self = ClassDesc.of(RandomRecords.class.getPackageName(), simpleName);
    MethodTypeDesc canonical = MethodTypeDesc.of(ConstantDescs.CD_void, parts.stream().map(Part::desc).toList());
    byte[] bytes = ClassFile.of().build(self, builder -> {
      builder.withFlags(ClassFile.ACC_FINAL | ClassFile.ACC_SUPER).withSuperclass(RECORD);
      builder.with(RecordAttribute.of(parts.stream().map(RandomRecords::info).toList()));
      builder.withMethodBody(ConstantDescs.INIT_NAME, canonical, 0, code -> {
        code.aload(0).invokespecial(RECORD, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void);
        int slot = 1;
        for (Part each : parts) {
          TypeKind kind = TypeKind.from(each.desc());
          code.aload(0).loadLocal(kind, slot).putfield(self, each.name(), each.desc());
          slot += kind.slotSize();
        }
        code.return_();
      });
      for (Part each : parts) {
        builder.withField(each.name(), each.desc(), ClassFile.ACC_PRIVATE | ClassFile.ACC_FINAL);
        builder.withMethodBody(each.name(), MethodTypeDesc.of(each.desc()), ClassFile.ACC_PUBLIC,
            code -> code.aload(0).getfield(self, each.name(), each.desc()).return_(TypeKind.from(each.desc())));
      }
    });
    Class<? extends Record> type = MethodHandles.lookup().defineClass(bytes).asSubclass(Record.class);
    made.add(type);
    return type;
  }

  private static RecordComponentInfo info(Part part) {
    Attribute<?>[] attributes = part.length() == 0 ? new Attribute<?>[0]
        : new Attribute<?>[] {RuntimeVisibleAnnotationsAttribute.of(
            Annotation.of(LENGTH, AnnotationElement.ofInt("value", part.length())))};
    return RecordComponentInfo.of(part.name(), part.desc(), attributes);
  }

  /** A record of a class; its arrays are as long as they may be. */
  Record instance(Class<? extends Record> type) throws ReflectiveOperationException {
    RecordComponent[] components = type.getRecordComponents();
    Object[] values = new Object[components.length];
    for (int i = 0; i < values.length; i++) {
      Length length = components[i].getAnnotation(Length.class);
      values[i] = value(components[i].getType(), length == null ? 0 : length.value());
    }
    var constructor = type.getDeclaredConstructor(Shape.parameters(type));
    constructor.setAccessible(true);
    return constructor.newInstance(values);
  }

  private Object value(Class<?> type, int length) throws ReflectiveOperationException {
    if (type.isArray()) {
      Object array = Array.newInstance(type.getComponentType(), length);
      for (int i = 0; i < length; i++) {
        Array.set(array, i, value(type.getComponentType(), 0));
      }
      return array;
    }
    if (type.isEnum()) {
      Object[] constants = type.getEnumConstants();
      return constants[random.nextInt(constants.length)];
    }
    return type == String.class ? text(length) : type.isRecord() ? instance(type.asSubclass(Record.class))
        : number(type);
  }

  private Object number(Class<?> type) {
    long bits = random.nextInt(8) == 0 ? 0 : random.nextLong() >> random.nextInt(64);
    return switch (type.getName()) {
      case "byte" -> (byte) bits;
      case "short" -> (short) bits;
      case "char" -> (char) bits;
      case "int" -> (int) bits;
      case "long" -> bits;
      case "float" -> Float.intBitsToFloat((int) bits);
      case "double" -> Double.longBitsToDouble(bits);
      default -> (bits & 1) != 0;
    };
  }

  /** A text of up to so many bytes. */
  private String text(int bytes) {
    StringBuilder text = new StringBuilder();
    for (int left = random.nextInt(bytes + 1); left > 0; ) {
      int code = 1 + random.nextInt(switch (random.nextInt(4)) {
        case 0 -> 0x7FF;
        case 1 -> 0xFFFF;
        case 2 -> 0x10FFFF;
        default -> 0x7F;
      });
      boolean surrogate = code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE;
      String one = surrogate ? "\uFFFD" : Character.toString(code);
      int length = one.getBytes(StandardCharsets.UTF_8).length;
      if (length <= left) {
        text.append(one);
      }
      left -= length;
    }
    return text.toString();
  }

  /** Everything in a record, for comparison: lists of what is in it, and numbers by their bits. */
  static Object content(Object value) throws ReflectiveOperationException {
    if (value instanceof Record record) {
      List<Object> all = new ArrayList<>();
      for (RecordComponent each : record.getClass().getRecordComponents()) {
        each.getAccessor().setAccessible(true);
        all.add(content(each.getAccessor().invoke(record)));
      }
      return all;
    }
    if (value.getClass().isArray()) {
      List<Object> all = new ArrayList<>();
      for (int i = 0; i < Array.getLength(value); i++) {
        all.add(content(Array.get(value, i)));
      }
      return all;
    }
    return value instanceof Float number ? (Object) Float.floatToRawIntBits(number)
        : value instanceof Double number ? (Object) Double.doubleToRawLongBits(number) : value;
  }
}
