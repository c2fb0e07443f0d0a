package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.TempBus;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.subject.Subjects;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.constantpool.MethodHandleEntry;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LineNumber;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** No write and no system call of the engine is forgotten by these tests. */
@Timeout(300)
class RewriterTest {
  private static final String PROBE = Probe.class.getName().replace('.', '/');

  @RegisterExtension final TempBus bus = new TempBus();

  private final Map<String, byte[]> engine;

  RewriterTest() throws IOException {
    engine = Rewriter.engineClasses();
    assertTrue(engine.size() > 50, "where is the engine? " + engine.keySet());
  }

  private static List<MethodModel> methods(byte[] bytes) {
    return ClassFile.of().parse(bytes).methods().stream().filter(method -> method.code().isPresent()).toList();
  }

  private static List<Instruction> instructions(byte[] bytes) {
    List<Instruction> all = new ArrayList<>();
    for (MethodModel method : methods(bytes)) {
      method.code().orElseThrow().forEach(element -> {
        if (element instanceof Instruction instruction) {
          all.add(instruction);
        }
      });
    }
    return all;
  }

  @Test
  void eachCallThatReachesMemoryOrTheSystemIsKnownToBeAStepOrHarmless() {
    Set<String> unknown = new TreeSet<>();
    engine.forEach((name, bytes) -> {
      for (Instruction each : instructions(bytes)) {
        if (each instanceof InvokeInstruction call && Steps.kind(call) == Steps.Kind.UNKNOWN) {
          unknown.add(name + " calls " + call.owner().asInternalName() + "." + call.name());
        }
        if (each instanceof InvokeDynamicInstruction dynamic) {
          hidden(dynamic).forEach(method -> unknown.add(name + " hides a step in a method reference: " + method));
        }
      }
    });
    assertEquals(Set.of(), unknown, "to be listed in Steps, or written as a lambda");
  }

  /** Steps that a method reference stands for: the rewriter does not see them. */
  private static List<String> hidden(InvokeDynamicInstruction dynamic) {
    return dynamic.invokedynamic().bootstrap().arguments().stream()
        .filter(MethodHandleEntry.class::isInstance).map(argument -> ((MethodHandleEntry) argument).reference())
        .filter(method -> Steps.kind(method.owner().asInternalName(), method.name().stringValue(),
            method.type().stringValue()) != Steps.Kind.HARMLESS)
        .map(method -> method.owner().asInternalName() + "." + method.name()).toList();
  }

  @Test
  void aProbeStandsBehindEachStepAndAnotherOneWithinEachBulkWrite() {
    int steps = 0;
    for (Map.Entry<String, byte[]> each : engine.entrySet()) {
      List<Instruction> before = instructions(each.getValue());
      List<Instruction> after = instructions(new Rewriter().rewrite(each.getValue()));
      long expected = before.stream().filter(Steps::isStep).count();
      long bulk = before.stream().filter(one -> one instanceof InvokeInstruction call && Steps.isBulk(call)).count();
      assertEquals(expected, after.stream().filter(one -> isProbe(one, "step")).count(), each.getKey());
      assertEquals(bulk, after.stream().filter(one -> isProbe(one, "copy") || isProbe(one, "fill")).count(),
          each.getKey());
      for (int i = 0; i < after.size(); i++) {
        boolean isStep = Steps.isStep(after.get(i)) || isProbe(after.get(i), "copy") || isProbe(after.get(i), "fill");
        assertTrue(!isStep || isProbe(after.get(i + 1), "step"), each.getKey() + " goes on after " + after.get(i));
      }
      steps += (int) expected;
    }
    System.out.println("death at every store: " + steps + " places of the engine's code are steps");
    assertTrue(steps > 40, steps + " steps");
  }

  private static boolean isProbe(Instruction instruction, String name) {
    return instruction instanceof InvokeInstruction call && call.owner().asInternalName().equals(PROBE)
        && call.name().equalsString(name);
  }

  /** Places that no operation reaches, by how they begin; subjects name their own. */
  private static final List<String> NOT_TRIED = List.of(
      "BusDirectory.createdPath:", // makes the user's own directory, by one system call
      "internal.waiting.Waiters.restoreSummary:", // if a sleeper comes between two looks of a waker, or that dies
      "internal.record.MessageView.getBytes:", // writes to the reader's own memory
      "internal.SegmentRemoval.lambda$removeDamaged$", // one unlink, of what nobody can open before it either
      "internal.linux.OpenDirectory$Stream.open:", // closes /dev/shm; these tests are in a directory of their own
      "internal.linux.SegmentFile.open:"); // closes the descriptor where /proc is missing

  /** The same for the back-end with native access, and for the one without: what only the other one has. */
  private static final List<String> NOT_NATIVE = List.of("internal.linux.ByteLocks$Channel.",
      "internal.linux.JvmFiles.open:", "internal.linux.OpenDirectory$Stream.", "internal.linux.SegmentFile.write:",
      "internal.linux.SegmentFile.lambda$allocate$");
  private static final List<String> NOT_PORTABLE = List.of("internal.linux.ByteLocks$OpenFileDescription.",
      "internal.linux.OpenDirectory$Descriptor.", "internal.linux.SegmentFile.setPermissions:",
      "internal.linux.Futex", "internal.linux.Mapping.", "internal.linux.Pages.",
      "internal.waiting.Waiters.", "internal.segment.Participants.wake:", "internal.segment.Participants.heartbeat:",
      "internal.linux.SegmentFile.allocate:",
      "internal.linux.SegmentFile.lambda$new$", "internal.linux.SegmentFile.withChannelOnce:");

  @Test
  void eachPlaceOfTheEngineThatMakesAStepIsReachedByAnOperation() {
    Set<String> missing = new TreeSet<>(places());
    int all = missing.size();
    Rewriter rewriter = new Rewriter();
    for (Operations.Operation operation : Operations.all()) {
      missing.removeAll(Trial.places(rewriter, operation, bus.directory()));
    }
    System.out.println("death at every store: " + (all - missing.size()) + " of " + all + " places were reached");
    List<String> notTried = Stream.concat(NOT_TRIED.stream(),
        Subjects.all().stream().flatMap(subject -> subject.death().unreached().stream())).toList();
    missing.removeIf(place -> notTried.stream().anyMatch(place::startsWith)
        || (NativeAccess.ENABLED ? NOT_NATIVE : NOT_PORTABLE).stream().anyMatch(place::startsWith));
    assertEquals(Set.of(), missing, "native access: " + NativeAccess.ENABLED);
  }

  private Set<String> places() {
    Set<String> tools = new HashSet<>();
    engine.forEach((name, bytes) -> {
      if (Steps.isTool(name)) {
        tools.addAll(stepping(bytes));
      }
    });
    Set<String> places = new TreeSet<>();
    engine.forEach((name, bytes) -> {
      if (!Steps.isTool(name)) {
        methods(bytes).forEach(method -> places(name, method, tools).forEach(places::add));
      }
    });
    return places;
  }

  /** The methods of a class that make steps, directly or by calling each other. */
  private static Set<String> stepping(byte[] bytes) {
    ClassModel model = ClassFile.of().parse(bytes);
    Set<String> found = new HashSet<>();
    int before;
    do {
      before = found.size();
      for (MethodModel method : model.methods()) {
        boolean steps = method.code().stream().flatMap(code -> code.elementList().stream())
            .anyMatch(element -> element instanceof InvokeInstruction call
                && (Steps.isStep(call) || found.contains(key(call))));
        if (steps) {
          found.add(model.thisClass().asInternalName() + "." + method.methodName() + method.methodType());
        }
      }
    } while (found.size() > before);
    return found;
  }

  private static String key(InvokeInstruction call) {
    return call.owner().asInternalName() + "." + call.name() + call.type();
  }

  private static Stream<String> places(String className, MethodModel method, Set<String> tools) {
    List<String> found = new ArrayList<>();
    int line = 0;
    for (CodeElement element : method.code().orElseThrow()) {
      if (element instanceof LineNumber number) {
        line = number.line();
      } else if (element instanceof InvokeInstruction call && (Steps.isStep(call) || tools.contains(key(call)))) {
        found.add(Steps.place(className, method.methodName().stringValue(), line));
      }
    }
    return found.stream();
  }
}
