package io.bywash.osgi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which package of the bundle uses which, and who knows the kinds of queues: read from the constant pools. */
class ArchitectureTest {
  private static final String BUNDLE = "io.bywash.osgi";
  /** The packages by their names behind {@code io.bywash.osgi}; "" is the API. */
  private static final Map<String, Set<String>> ALLOWED = Map.of(
      "", Set.of(),
      "runtime", Set.of(),
      "internal.queue", Set.of("", "runtime"),
      "internal.broadcast", Set.of("", "runtime", "internal.queue"),
      "internal", Set.of("", "runtime", "internal.queue", "internal.broadcast"));
  private static final Pattern TYPE = Pattern.compile("io/bywash/[\\w/$]+");
  private static final Pattern OF_A_KIND =
      Pattern.compile("io\\.bywash\\.(engine\\.broadcast|osgi\\.internal\\.broadcast|osgi\\.BroadcastService).*");

  @Test
  void noPackageUsesOneThatIsNotBelowIt() throws IOException {
    Map<String, Set<String>> used = new TreeMap<>();
    types().forEach((type, others) -> others.stream().filter(other -> other.startsWith(BUNDLE)).forEach(other ->
        used.computeIfAbsent(packageOf(type), key -> new TreeSet<>()).add(packageOf(other))));
    assertEquals(new TreeSet<>(ALLOWED.keySet()), used.keySet(), "a new package needs its arrows here");
    used.forEach((from, to) -> {
      to.remove(from);
      to.removeAll(ALLOWED.get(from));
      assertTrue(to.isEmpty(), () -> "package \"" + from + "\" uses " + to);
    });
  }

  @Test
  void aKindIsKnownToItsPackageItsServiceAndTheListOfKindsOnly() throws IOException {
    Set<String> knowing = new TreeSet<>();
    types().forEach((type, others) -> {
      if (others.stream().anyMatch(other -> OF_A_KIND.matcher(other).matches())
          && !OF_A_KIND.matcher(type).matches()) {
        knowing.add(type);
      }
    });
    assertEquals(Set.of("io.bywash.osgi.internal.QueueKinds"), knowing);
  }

  /** Each type of the bundle with the types of this project that it refers to. */
  private static Map<String, Set<String>> types() throws IOException {
    Map<String, Set<String>> types = new TreeMap<>();
    try (Stream<Path> files = Files.walk(Path.of("target/classes"))) {
      for (Path file : files.filter(ArchitectureTest::isType).toList()) {
        ClassModel type = ClassFile.of().parse(file);
        types.put(type.thisClass().asInternalName().replace('/', '.'), references(type));
      }
    }
    return types;
  }

  private static boolean isType(Path file) {
    String name = file.getFileName().toString();
    return name.endsWith(".class") && !name.endsWith("-info.class");
  }

  private static Set<String> references(ClassModel type) {
    Set<String> references = new TreeSet<>();
    for (PoolEntry entry : type.constantPool()) {
      if (entry instanceof Utf8Entry text) {
        Matcher names = TYPE.matcher(text.stringValue());
        while (names.find()) {
          references.add(names.group().replace('/', '.'));
        }
      }
    }
    return references;
  }

  private static String packageOf(String type) {
    String name = type.substring(0, type.lastIndexOf('.'));
    return name.length() > BUNDLE.length() ? name.substring(BUNDLE.length() + 1) : "";
  }
}
