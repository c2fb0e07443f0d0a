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
      "internal.kind", Set.of("", "runtime", "internal.queue"),
      "internal", Set.of("", "runtime", "internal.queue", "internal.kind"));
  private static final Pattern TYPE = Pattern.compile("io/bywash/[\\w/$]+");
  /** The names that belong to each kind: the beginning of its types here, and its package in the engine. */
  private static final Map<String, String> KINDS = Map.of("Broadcast", "broadcast", "WorkQueue", "queue", "Endpoint",
      "call", "Ring", "ring", "Latest", "cell", "Cells", "cell", "Pool", "pool");

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
  void insideAKindIsKnownToItsOwnTypesAndTheListOfKindsOnly() throws IOException {
    Set<String> knowing = new TreeSet<>();
    types().forEach((type, others) -> KINDS.forEach((kind, enginePackage) -> {
      Pattern ofKind = Pattern.compile("io\\.bywash\\.(engine\\." + enginePackage + "\\.\\w+"
          + "|osgi\\.internal\\.kind\\." + kind + "\\w+|osgi\\." + kind + "Service).*");
      boolean own = KINDS.entrySet().stream().anyMatch(each -> each.getValue().equals(enginePackage)
          && type.matches("io\\.bywash\\.osgi\\.(internal\\.kind\\.)?" + each.getKey() + ".*"));
      if (!own && others.stream().anyMatch(other -> ofKind.matcher(other).matches())) {
        knowing.add(type);
      }
    }));
    knowing.removeIf(type -> !type.contains(".internal."));
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
