package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The usage code in the documentation of the engine's types and in the guide, as somebody would copy it. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class SnippetTest {
  private static final Path SOURCES = Path.of("src/main/java");
  private static final String BEGIN = " * {@snippet :";

  /** What the snippets take for granted. */
  private static final String CONTEXT = """
      import io.bywash.engine.*;
      import static java.lang.invoke.MethodHandles.lookup;

      import io.bywash.engine.broadcast.*;
      import io.bywash.engine.call.*;
      import io.bywash.engine.cell.*;
      import io.bywash.engine.inspect.*;
      import io.bywash.engine.pool.*;
      import io.bywash.engine.queue.*;
      import io.bywash.engine.record.*;
      import io.bywash.engine.ring.*;
      import io.bywash.engine.wait.*;
      import java.lang.foreign.MemorySegment;
      import java.util.List;
      import java.util.concurrent.CompletableFuture;

      abstract class %s {
        record Price(long units, long time) {}

        record Stats(long messages, long errors) {}

        record Sample(long time, double value) {}

        record Frame(long number) {}

        record Player(long number, int health) {}

        static final Records<Price> PRICES = Records.of(lookup(), Price.class);
        static final Records<Stats> STATS = Records.of(lookup(), Stats.class);
        static final Records<Sample> SAMPLES = Records.of(lookup(), Sample.class);
        static final Records<Frame> FRAMES = Records.of(lookup(), Frame.class);
        static final Records<Player> PLAYERS = Records.of(lookup(), Player.class);

        Segment segment;
        Sample sample;
        List<Sample> batch;
        float[] floats;
        long units;
        long time;
        long messages;
        long errors;
        Publisher publisher;
        Subscriber subscriber;
        MessageHandler handler;
        byte[] message;
        byte[] bytes;
        boolean closed;
        long id;
        long job;
        long price;

        Caller caller;
        java.util.concurrent.Executor executor;

        abstract void run(long job);

        abstract byte[] answer(long question);

        abstract int build(java.nio.ByteBuffer room);

        %s usage() {
      %s
        }
      }
      """;

  @TempDir Path folder;

  @Test
  void theUsageCodeInTheDocumentationCompiles() throws IOException, URISyntaxException {
    List<String> arguments = new ArrayList<>(List.of("-Xlint:all", "-Werror", "-proc:none", "-d", folder.toString(),
        "-cp", Path.of(Segment.class.getProtectionDomain().getCodeSource().getLocation().toURI()).toString()));
    List<Path> documented;
    try (Stream<Path> files = Files.walk(SOURCES)) {
      documented = files.filter(file -> file.toString().endsWith(".java")).sorted().toList();
    }
    int count = 0;
    for (Path file : documented) {
      for (String snippet : snippets(Files.readAllLines(file))) {
        String name = file.getFileName().toString().replace(".java", "Usage" + count++);
        String result = snippet.contains("return ") ? "boolean" : "void";
        Path program = folder.resolve(name + ".java");
        Files.writeString(program, CONTEXT.formatted(name, result, snippet));
        arguments.add(program.toString());
      }
    }
    assertTrue(count >= 15, count + " snippets");
    String values = valuesInTheReadme();
    Files.writeString(folder.resolve("Values.java"), CONTEXT.formatted("Values", "void", values));
    arguments.add(folder.resolve("Values.java").toString());
    List<String> guide = guide();
    assertTrue(guide.size() >= 8, guide.size() + " snippets in the guide");
    for (int i = 0; i < guide.size(); i++) {
      Path program = folder.resolve("Guide" + i + ".java");
      Files.writeString(program, CONTEXT.formatted("Guide" + i, "void", guide.get(i)));
      arguments.add(program.toString());
    }
    StringWriter output = new StringWriter();
    PrintWriter writer = new PrintWriter(output, true);
    int status = ToolProvider.findFirst("javac").orElseThrow().run(writer, writer, arguments.toArray(String[]::new));
    assertEquals("", output.toString());
    assertEquals(0, status);
  }

  private static String valuesInTheReadme() throws IOException {
    String readme = Files.readString(Path.of("../README.md"));
    int begin = readme.indexOf("```java\n", readme.indexOf("Values beside queues")) + 8;
    return readme.substring(begin, readme.indexOf("```", begin));
  }

  /** The snippets of docs/JAVA.md, each behind the one that declares the records. */
  private static List<String> guide() throws IOException {
    List<String> all = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
        .matcher(Files.readString(Path.of("../docs/JAVA.md"))).results().map(block -> block.group(1)).toList();
    String records = all.stream().filter(each -> each.startsWith("record ")).findFirst().orElseThrow();
    return all.stream().filter(each -> !each.equals(records)).map(each -> records + each).toList();
  }

  /** The snippets in the comments of a class. A snippet ends with the brace that closes the one of its tag. */
  private static List<String> snippets(List<String> lines) {
    List<String> found = new ArrayList<>();
    for (int begin = 0; begin < lines.size(); begin++) {
      if (lines.get(begin).equals(BEGIN)) {
        StringBuilder code = new StringBuilder();
        int depth = 1;
        for (int i = begin + 1; depth > 0; i++) {
          String line = lines.get(i);
          depth += count(line, '{') - count(line, '}');
          code.append(depth > 0 ? line.replaceFirst("^ \\* ?", "") + "\n" : "");
        }
        found.add(code.toString());
      }
    }
    return found;
  }

  private static int count(String line, char brace) {
    return (int) line.chars().filter(each -> each == brace).count();
  }
}
