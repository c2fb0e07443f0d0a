package io.bywash.engine.record;

import static java.lang.classfile.ClassFile.ACC_FINAL;
import static java.lang.classfile.ClassFile.ACC_PROTECTED;
import static java.lang.classfile.ClassFile.ACC_STATIC;
import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_String;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import io.bywash.engine.record.Component.Form;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.Label;
import java.lang.classfile.TypeKind;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Generates the {@link RecordCodec} of one record class. The codec is a hidden nestmate of the user's lookup class: it
 * may use whatever that class may use, even private records, and it is unloaded with it. The only class of the engine
 * that it refers to is {@link RecordCodec}.
 *
 * <p>For the record and each record in it, the codec has two static methods, {@code writeN(region, at, record)} and
 * {@code readN(region, at)}, and two more that loop over these for arrays of that record.
 */
final class CodecGenerator {
  private static final ClassDesc CODEC = RecordCodec.class.describeConstable().orElseThrow();
  private static final ClassDesc ENUM = Enum.class.describeConstable().orElseThrow();
  private static final int REGION = 0;
  private static final int AT = 1; // a long takes two variables
  private static final int VALUE = 3;

  private final ClassDesc self;
  /** The number of each record. */
  private final Map<Class<?>, Integer> records = new LinkedHashMap<>();
  /** The number of each enum. */
  private final Map<Class<?>, Integer> enums = new LinkedHashMap<>();
  private final List<Shape> shapes;

  private CodecGenerator(Lookup lookup, Shape shape) {
    Map<Class<?>, Shape> parts = new LinkedHashMap<>(Map.of(shape.type(), shape));
    parts.putAll(shape.parts());
    this.shapes = List.copyOf(parts.values());
    this.self = ClassDesc.of(lookup.lookupClass().getPackageName(), shape.name() + "Codec");
    for (Shape each : shapes) {
      records.put(each.type(), records.size());
      for (Component component : each.components()) {
        if (component.form() == Form.ENUM) {
          enums.putIfAbsent(component.type(), enums.size());
        }
      }
    }
  }

  /** Generates the codec of a shape, with the access of {@code lookup}. */
  static RecordCodec generate(Lookup lookup, Shape shape) {
    if (!lookup.hasFullPrivilegeAccess()) {
      throw new IllegalArgumentException("lookup=" + lookup + " may not define classes. Pass MethodHandles.lookup(),"
          + " called in " + shape.type().getName() + " or in a class that uses it.");
    }
    CodecGenerator generator = new CodecGenerator(lookup, shape);
    generator.shapes.forEach(each -> requireConstructor(lookup, each.type()));
    generator.enums.keySet().forEach(each -> requireAccess(lookup, each));
    try {
      Lookup hidden = lookup.defineHiddenClass(generator.bytes(lookup), true, Lookup.ClassOption.NESTMATE);
      return (RecordCodec) hidden.findConstructor(hidden.lookupClass(), MethodType.methodType(void.class))
          .invokeWithArguments();
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new AssertionError("a class that was just defined can be looked up", impossible);
    }
  }

  private static void requireConstructor(Lookup lookup, Class<?> type) {
    requireAccess(lookup, type);
    try {
      lookup.findConstructor(type, MethodType.methodType(void.class, Shape.parameters(type)));
    } catch (ReflectiveOperationException inaccessible) {
      throw inaccessible(lookup, type, inaccessible);
    }
  }

  private static void requireAccess(Lookup lookup, Class<?> type) {
    try {
      if (lookup.findClass(type.getName()) != type) {
        throw new IllegalAccessException("there is another class of that name");
      }
    } catch (ReflectiveOperationException | LinkageError inaccessible) {
      throw inaccessible(lookup, type, inaccessible);
    }
  }

  private static IllegalArgumentException inaccessible(Lookup lookup, Class<?> type, Throwable cause) {
    return new IllegalArgumentException("lookup=" + lookup + " cannot use " + type.getName() + ": " + cause.getMessage()
        + ". Pass MethodHandles.lookup(), called in a class that may call its constructor: one of the same outer class"
        + " if it is private, of the same package if it is not public, of a module that it is exported to.", cause);
  }

  private byte[] bytes(Lookup lookup) {
    ClassFile classFile = ClassFile.of(
        ClassFile.ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofClassLoading(lookup)));
    return classFile.build(self, builder -> {
      builder.withFlags(ACC_FINAL).withSuperclass(CODEC);
      builder.withMethodBody(ConstantDescs.INIT_NAME, ConstantDescs.MTD_void, 0, code ->
          code.aload(0).invokespecial(CODEC, ConstantDescs.INIT_NAME, ConstantDescs.MTD_void).return_());
      constants(builder);
      entrances(builder);
      for (Shape shape : shapes) {
        builder.withMethodBody("write" + number(shape), writeType(shape), ACC_STATIC, code -> write(code, shape, 0));
        builder.withMethodBody("read" + number(shape), readType(shape), ACC_STATIC, code -> read(code, shape, 0));
        builder.withMethodBody("writeAll" + number(shape), writeAllType(shape), ACC_STATIC,
            code -> writeAll(code, shape));
        builder.withMethodBody("readAll" + number(shape), readAllType(shape), ACC_STATIC,
            code -> readAll(code, shape));
      }
    });
  }

  private int number(Shape shape) {
    return records.get(shape.type());
  }

  private static ClassDesc desc(Class<?> type) {
    return type.describeConstable().orElseThrow();
  }

  private static ClassDesc desc(Shape shape) {
    return desc(shape.type());
  }

  private static MethodTypeDesc writeType(Shape shape) {
    return MethodTypeDesc.of(CD_void, CD_Object, CD_long, desc(shape));
  }

  private static MethodTypeDesc readType(Shape shape) {
    return MethodTypeDesc.of(desc(shape), CD_Object, CD_long);
  }

  /** Takes the array, how many elements there is room for, and the component's name. */
  private static MethodTypeDesc writeAllType(Shape shape) {
    return MethodTypeDesc.of(CD_void, CD_Object, CD_long, desc(shape).arrayType(), CD_int, CD_String);
  }

  private static MethodTypeDesc readAllType(Shape shape) {
    return MethodTypeDesc.of(desc(shape).arrayType(), CD_Object, CD_long, CD_int);
  }

  /** The constants of each enum, in a static final array. */
  private void constants(ClassBuilder builder) {
    enums.values().forEach(number -> builder.withField("enum" + number, CD_Object.arrayType(), ACC_STATIC | ACC_FINAL));
    builder.withMethodBody(ConstantDescs.CLASS_INIT_NAME, ConstantDescs.MTD_void, ACC_STATIC, code -> {
      enums.forEach((type, number) -> code
          .invokestatic(desc(type), "values", MethodTypeDesc.of(desc(type).arrayType()))
          .putstatic(self, "enum" + number, CD_Object.arrayType()));
      code.return_();
    });
  }

  /** These write and read the whole record themselves, since the JIT inlines only so many calls within each other. */
  private void entrances(ClassBuilder builder) {
    Shape whole = shapes.getFirst();
    builder.withMethodBody("write", MethodTypeDesc.of(CD_void, CD_Object, CD_long, CD_Object), ACC_PROTECTED, code -> {
      code.aload(VALUE + 1).checkcast(desc(whole)).astore(VALUE + 1);
      write(code, whole, 1);
    });
    builder.withMethodBody("read", MethodTypeDesc.of(CD_Object, CD_Object, CD_long), ACC_PROTECTED,
        code -> read(code, whole, 1));
  }

  /** @param first the number of the first parameter's variable */
  private void write(CodeBuilder code, Shape shape, int first) {
    int end = 0;
    for (Component each : shape.components()) {
      writeGap(code, end, each.offset(), first);
      end = each.offset() + (int) each.bytes();
      code.aload(first + REGION).lload(first + AT);
      if (each.form() == Form.RECORD) {
        code.loadConstant((long) each.offset()).ladd();
      } else {
        code.loadConstant(each.offset());
      }
      if (each.isArray() && each.form() != Form.RECORD) {
        code.loadConstant(each.count());
      } else if (each.form() == Form.STRING) {
        code.loadConstant(each.length());
      }
      code.aload(first + VALUE)
          .invokevirtual(desc(shape), each.name(), MethodTypeDesc.of(desc(each.component().getType())));
      writeValue(code, each);
    }
    writeGap(code, end, shape.sizeBytes(), first);
    code.return_();
  }

  /** Writes the value on top of the stack; the place to write to is below it. */
  private void writeValue(CodeBuilder code, Component each) {
    if (each.form() == Form.RECORD && each.isArray()) {
      code.loadConstant(each.count()).loadConstant(each.toString())
          .invokestatic(self, "writeAll" + number(each.shape()), writeAllType(each.shape()));
    } else if (each.form() == Form.RECORD) {
      present(code, each.toString(), desc(each.shape()));
      code.invokestatic(self, "write" + number(each.shape()), writeType(each.shape()));
    } else if (each.form() == Form.ENUM && each.isArray()) {
      code.loadConstant(each.toString());
      call(code, "putEnums", CD_void, CD_int, CD_int, ENUM.arrayType(), CD_String);
    } else if (each.isArray()) {
      code.loadConstant(each.toString());
      call(code, "putArray", CD_void, CD_int, CD_int, CD_Object, CD_String);
    } else if (each.form() == Form.ENUM) {
      code.loadConstant(each.toString());
      call(code, "putEnum", CD_void, CD_int, ENUM, CD_String);
    } else if (each.form() == Form.STRING) {
      code.loadConstant(each.toString());
      call(code, "putString", CD_void, CD_int, CD_int, CD_String, CD_String);
    } else {
      call(code, "put" + capitalized(each), CD_void, CD_int, desc(each.type()));
    }
  }

  /** Checks that the value on the stack is not null, and leaves it there. */
  private static void present(CodeBuilder code, String component, ClassDesc type) {
    code.loadConstant(component).invokestatic(CODEC, "present", MethodTypeDesc.of(CD_Object, CD_Object, CD_String))
        .checkcast(type);
  }

  /** Writes zeros between two components, fewer than eight bytes, in as few stores as alignment allows. */
  private static void writeGap(CodeBuilder code, int begin, int end, int first) {
    int bytes;
    for (int at = begin; at < end; at += bytes) {
      bytes = Math.min(Integer.lowestOneBit(at), Integer.highestOneBit(end - at));
      code.aload(first + REGION).lload(first + AT).loadConstant(at).iconst_0();
      switch (bytes) {
        case 1 -> call(code, "putByte", CD_void, CD_int, ConstantDescs.CD_byte);
        case 2 -> call(code, "putShort", CD_void, CD_int, ConstantDescs.CD_short);
        default -> call(code, "putInt", CD_void, CD_int, CD_int);
      }
    }
  }

  private static String capitalized(Component component) {
    String name = component.type().getName();
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }

  /** Calls a method of {@link RecordCodec} whose first parameters are region and place. */
  private static void call(CodeBuilder code, String method, ClassDesc result, ClassDesc... more) {
    List<ClassDesc> parameters = new ArrayList<>(List.of(CD_Object, CD_long));
    parameters.addAll(List.of(more));
    code.invokestatic(CODEC, method, MethodTypeDesc.of(result, parameters));
  }

  private void writeAll(CodeBuilder code, Shape shape) {
    int count = VALUE + 1;
    int component = VALUE + 2;
    int length = code.allocateLocal(TypeKind.INT);
    int i = code.allocateLocal(TypeKind.INT);
    code.aload(VALUE).iload(count).aload(component)
        .invokestatic(CODEC, "checkedLength", MethodTypeDesc.of(CD_int, CD_Object, CD_int, CD_String)).istore(length);
    loop(code, i, length, () -> {
      place(code, i, shape);
      code.aload(VALUE).iload(i).aaload().aload(component)
          .invokestatic(CODEC, "present", MethodTypeDesc.of(CD_Object, CD_Object, CD_String)).checkcast(desc(shape))
          .invokestatic(self, "write" + number(shape), writeType(shape));
    });
    code.aload(REGION).lload(AT).iload(length).loadConstant(shape.sizeBytes()).imul()
        .iload(count).iload(length).isub().loadConstant(shape.sizeBytes()).imul();
    call(code, "putZeros", CD_void, CD_int, CD_int);
    code.return_();
  }

  /** Pushes region and place of the element whose index is in variable {@code i}. */
  private static void place(CodeBuilder code, int i, Shape shape) {
    code.aload(REGION).lload(AT).iload(i).i2l().loadConstant((long) shape.sizeBytes()).lmul().ladd();
  }

  private static void loop(CodeBuilder code, int i, int length, Runnable body) {
    Label again = code.newLabel();
    Label end = code.newLabel();
    code.iconst_0().istore(i).labelBinding(again).iload(i).iload(length).if_icmpge(end);
    body.run();
    code.iinc(i, 1).goto_(again).labelBinding(end);
  }

  private void read(CodeBuilder code, Shape shape, int first) {
    code.new_(desc(shape)).dup();
    for (Component each : shape.components()) {
      code.aload(first + REGION).lload(first + AT);
      readValue(code, each);
    }
    code.invokespecial(desc(shape), ConstantDescs.INIT_NAME, MethodType.methodType(void.class,
        Shape.parameters(shape.type())).describeConstable().orElseThrow()).areturn();
  }

  /** Reads a value at the place on top of the stack. */
  private void readValue(CodeBuilder code, Component each) {
    if (each.form() == Form.RECORD) {
      code.loadConstant((long) each.offset()).ladd();
      if (each.isArray()) {
        code.loadConstant(each.count())
            .invokestatic(self, "readAll" + number(each.shape()), readAllType(each.shape()));
      } else {
        code.invokestatic(self, "read" + number(each.shape()), readType(each.shape()));
      }
      return;
    }
    code.loadConstant(each.offset());
    if (each.form() == Form.ENUM && each.isArray()) {
      code.loadConstant(each.count()).anewarray(desc(each.type()));
      constants(code, each).loadConstant(each.toString());
      call(code, "getEnums", CD_Object, CD_int, CD_Object.arrayType(), CD_Object.arrayType(), CD_String);
      code.checkcast(desc(each.type()).arrayType());
    } else if (each.isArray()) {
      code.loadConstant(each.count()).newarray(TypeKind.from(desc(each.type()))).loadConstant(each.toString());
      call(code, "getArray", CD_Object, CD_int, CD_Object, CD_String);
      code.checkcast(desc(each.type()).arrayType());
    } else if (each.form() == Form.ENUM) {
      constants(code, each).loadConstant(each.toString());
      call(code, "getEnum", CD_Object, CD_int, CD_Object.arrayType(), CD_String);
      code.checkcast(desc(each.type()));
    } else if (each.form() == Form.STRING) {
      code.loadConstant(each.length()).loadConstant(each.toString());
      call(code, "getString", CD_String, CD_int, CD_int, CD_String);
    } else if (each.form() == Form.BOOLEAN) {
      code.loadConstant(each.toString());
      call(code, "getBoolean", ConstantDescs.CD_boolean, CD_int, CD_String);
    } else {
      call(code, "get" + capitalized(each), desc(each.type()), CD_int);
    }
  }

  private CodeBuilder constants(CodeBuilder code, Component each) {
    return code.getstatic(self, "enum" + enums.get(each.type()), CD_Object.arrayType());
  }

  private void readAll(CodeBuilder code, Shape shape) {
    int count = VALUE;
    int array = code.allocateLocal(TypeKind.REFERENCE);
    int i = code.allocateLocal(TypeKind.INT);
    code.iload(count).anewarray(desc(shape)).astore(array);
    loop(code, i, count, () -> {
      code.aload(array).iload(i);
      place(code, i, shape);
      code.invokestatic(self, "read" + number(shape), readType(shape)).aastore();
    });
    code.aload(array).areturn();
  }
}
