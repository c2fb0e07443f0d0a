package io.bywash.engine.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.bywash.engine.Payload;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Layouts beside those of a C compiler, from structures that are written here from the classes alone. */
@Tag("once")
@Timeout(120)
class CLayoutTest {
  static final String NO_COMPILER = "THERE IS NO C COMPILER (cc): layouts are not compared with what it makes of them";
  private static final int CLASSES = 120;

  private final StringBuilder structs = new StringBuilder("""
      #include <stdbool.h>
      #include <stddef.h>
      #include <stdint.h>
      #include <stdio.h>
      enum State { NEW, RUNNABLE, BLOCKED };
      enum RetentionPolicy { SOURCE, CLASS };
      """);
  private final StringBuilder prints = new StringBuilder("int main(void) {\n");
  private final List<String> expected = new ArrayList<>();

  @Test
  void offsetsAndSizesOfRandomRecordsAreThoseOfTheCompiler(@TempDir Path folder) throws Exception {
    assumeTrue(hasCompiler(), NO_COMPILER);
    RandomRecords made = new RandomRecords(Payload.random("CLayoutTest"));
    for (int i = 0; i < CLASSES; i++) {
      add(made.next());
    }
    Path source = Files.writeString(folder.resolve("layout.c"), structs.toString() + prints + "  return 0;\n}\n");
    run(List.of("cc", "-Wall", "-Werror", "-o", folder.resolve("layout").toString(), source.toString()));
    assertEquals(expected, run(List.of(folder.resolve("layout").toString())));
    assertTrue(expected.size() > 3 * CLASSES, expected.size() + " numbers");
  }

  private void add(Class<? extends Record> type) {
    StructLayout layout = Records.of(MethodHandles.lookup(), type).types().getFirst().layout();
    structs.append("struct ").append(type.getSimpleName()).append(" {\n");
    for (RecordComponent each : type.getRecordComponents()) {
      Length length = each.getAnnotation(Length.class);
      Class<?> one = each.getType().isArray() ? each.getType().getComponentType() : each.getType();
      structs.append("  ").append(c(one)).append(' ').append(each.getName())
          .append(length == null ? "" : "[" + length.value() + "]").append(";\n");
      String member = "struct " + type.getSimpleName() + ", " + each.getName();
      print("offsetof(" + member + ")", layout.byteOffset(PathElement.groupElement(each.getName())));
    }
    structs.append("};\n");
    print("sizeof(struct " + type.getSimpleName() + ")", layout.byteSize());
  }

  private void print(String expression, long value) {
    prints.append("  printf(\"%s %zu\\n\", \"").append(expression).append("\", ").append(expression).append(");\n");
    expected.add(expression + " " + value);
  }

  private static String c(Class<?> type) {
    return switch (type.getSimpleName()) {
      case "byte" -> "int8_t";
      case "short" -> "int16_t";
      case "char" -> "uint16_t";
      case "int" -> "int32_t";
      case "long" -> "int64_t";
      case "boolean" -> "bool";
      case "String" -> "char";
      case "float", "double" -> type.getSimpleName();
      default -> (type.isEnum() ? "enum " : "struct ") + type.getSimpleName();
    };
  }

  /** Says so aloud if there is none. */
  static boolean hasCompiler() {
    for (String path : System.getenv("PATH").split(":")) {
      if (Files.isExecutable(Path.of(path, "cc"))) {
        return true;
      }
    }
    System.out.println(NO_COMPILER);
    return false;
  }

  static List<String> run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    List<String> lines = process.inputReader().readAllLines();
    assertTrue(process.waitFor(60, TimeUnit.SECONDS), command + " does not end");
    assertEquals(0, process.exitValue(), () -> command + ": " + lines);
    return lines;
  }
}
