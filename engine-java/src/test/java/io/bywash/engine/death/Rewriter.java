package io.bywash.engine.death;

import io.bywash.engine.Segment;
import io.bywash.engine.process.ChildProcess;
import io.bywash.engine.subject.Subjects;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassElement;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A class loader with the engine's real classes, in which a call of {@link Probe#step} stands behind each step. The
 * classes of the tests are loaded as they are. Nothing else is visible but the JDK's core.
 */
final class Rewriter extends ClassLoader {
  private static final ClassDesc PROBE = ClassDesc.of(Probe.class.getName());
  private static final Path ENGINE = Path.of(ChildProcess.classes("engine", Segment.class));
  private static final Path TESTS = Path.of(ChildProcess.classes("tests", Rewriter.class));

  private static final Set<String> CLOCKS = Subjects.all().stream()
      .flatMap(subject -> subject.death().clocks().stream()).collect(Collectors.toSet());

  private final Breakage breakage;

  /** The engine as it is. */
  Rewriter() {
    this(null);
  }

  /** The engine, broken on purpose. */
  Rewriter(Breakage breakage) {
    super("death", null);
    this.breakage = breakage;
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    Path file = Path.of(name.replace('.', '/') + ".class");
    try {
      byte[] bytes;
      if (Files.exists(ENGINE.resolve(file))) {
        bytes = rewrite(Files.readAllBytes(ENGINE.resolve(file)));
      } else if (Files.exists(TESTS.resolve(file))) {
        bytes = Files.readAllBytes(TESTS.resolve(file));
      } else {
        throw new ClassNotFoundException(name);
      }
      return defineClass(name, bytes, 0, bytes.length);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** All classes of the engine, by name. */
  static Map<String, byte[]> engineClasses() throws IOException {
    Map<String, byte[]> classes = new TreeMap<>();
    List<Path> files;
    try (Stream<Path> all = Files.walk(ENGINE)) {
      files = all.filter(file -> file.toString().endsWith(".class") && !file.endsWith("module-info.class")).toList();
    }
    for (Path file : files) {
      String name = ENGINE.relativize(file).toString();
      classes.put(name.substring(0, name.length() - ".class".length()).replace('/', '.'), Files.readAllBytes(file));
    }
    return classes;
  }

  byte[] rewrite(byte[] original) {
    ClassFile classFile = ClassFile.of(ClassFile.ClassHierarchyResolverOption.of(
        ClassHierarchyResolver.ofResourceParsing(Rewriter::resource).orElse(ClassHierarchyResolver.defaultResolver())));
    ClassModel model = classFile.parse(original);
    return hasSteps(model) ? classFile.transformClass(model, this::rewriteMember) : original;
  }

  /** Also where a breakage may be put in: those are calls of the region, which makes steps for others. */
  private boolean hasSteps(ClassModel model) {
    return breakage != null || model.methods().stream().flatMap(method -> method.code().stream())
        .anyMatch(code -> code.elementStream()
            .anyMatch(element -> element instanceof InvokeInstruction call && (Steps.isStep(call)
                || call.name().equalsString("nanoTime"))));
  }

  private static InputStream resource(ClassDesc type) {
    String descriptor = type.descriptorString();
    Path file = ENGINE.resolve(descriptor.substring(1, descriptor.length() - 1) + ".class");
    try {
      return Files.exists(file) ? Files.newInputStream(file) : null;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private void rewriteMember(ClassBuilder builder, ClassElement member) {
    if (member instanceof MethodModel method) {
      builder.transformMethod(method,
          MethodTransform.transformingCode((code, element) -> rewrite(method, code, element)));
    } else {
      builder.with(member);
    }
  }

  private void rewrite(MethodModel method, CodeBuilder code, CodeElement element) {
    if (!(element instanceof InvokeInstruction call)) {
      code.with(element);
      return;
    }
    if (breakage != null && breakage.rewrite(method, code, call)) {
      return;
    }
    if (isClock(method, call)) {
      code.invokestatic(PROBE, "nanoTime", call.typeSymbol());
    } else if (Steps.isBulk(call)) {
      code.invokestatic(PROBE, call.name().stringValue(), ofStatic(call));
    } else {
      code.with(call);
    }
    if (Steps.isStep(call)) {
      code.invokestatic(PROBE, "step", ConstantDescs.MTD_void);
    }
  }

  /** A look at the clock by which a structure tells how fast it is used: the probes leave no time for that. */
  private static boolean isClock(MethodModel method, InvokeInstruction call) {
    String type = method.parent().orElseThrow().thisClass().asInternalName();
    return call.name().equalsString("nanoTime") && CLOCKS.contains(type.substring(type.lastIndexOf('/') + 1));
  }

  /** The type of a static method that takes the call's place. */
  static MethodTypeDesc ofStatic(InvokeInstruction call) {
    MethodTypeDesc type = call.typeSymbol();
    return call.opcode() == Opcode.INVOKESTATIC ? type : type.insertParameterTypes(0, call.owner().asSymbol());
  }
}
