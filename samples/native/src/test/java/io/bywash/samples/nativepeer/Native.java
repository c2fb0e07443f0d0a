package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The C programs of these tests, built by the C compiler that is there. */
final class Native {
  static final Path HERE = Path.of("").toAbsolutePath();

  private static final List<String> STRICT = List.of("-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-pedantic",
      "-Werror", "-pthread", "-Iinclude");
  private static final Path BUILD = HERE.resolve("target/native");
  private static final Map<Variant, Path> BUILT = new EnumMap<>(Variant.class);
  private static boolean isMade;

  private Native() {}

  /** How the library and a program are built. */
  enum Variant {
    /** As users build it. */
    FAST(List.of("peer", "calls", "queues"), "-O2"),
    /** With AddressSanitizer and UndefinedBehaviorSanitizer: whatever they find ends the program with an error. */
    SANITIZED(List.of("peer", "calls", "example", "damage", "faults", "queues", "moves"), "-O0", "-g",
        "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    /** With a step before each store, which the program counts. */
    STEPS(List.of("steps"), "-O0", "-DBYWASH_STEPS");

    private final List<String> programs;
    private final List<String> flags;

    Variant(List<String> programs, String... flags) {
      this.programs = programs;
      this.flags = List.of(flags);
    }
  }

  /** The compiler in {@code CC}, or else {@code cc}, {@code gcc} or {@code clang} of the path. */
  static Optional<String> compiler(String variable, String... names) {
    List<String> wanted = new ArrayList<>();
    Optional.ofNullable(System.getenv(variable)).filter(given -> !given.isBlank()).ifPresent(wanted::add);
    wanted.addAll(List.of(names));
    return wanted.stream().filter(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder).resolve(name)))).findFirst();
  }

  /** Skips the test aloud if there is no C compiler. */
  static String requireCompiler() {
    Optional<String> compiler = compiler("CC", "cc", "gcc", "clang");
    if (compiler.isEmpty()) {
      System.out.println("SKIPPED: there is no C compiler (cc, gcc or clang), so nothing of samples/native is tested");
    }
    assumeTrue(compiler.isPresent(), "there is no C compiler");
    return compiler.get();
  }

  /** A program of a variant, which is built when it is first asked for. */
  static Path program(Variant variant, String name) throws IOException {
    String compiler = requireCompiler();
    synchronized (BUILT) {
      if (!BUILT.containsKey(variant)) {
        BUILT.put(variant, build(compiler, variant));
      }
      return BUILT.get(variant).resolve(name);
    }
  }

  private static Path build(String compiler, Variant variant) throws IOException {
    Path target = Files.createDirectories(BUILD.resolve(variant.name().toLowerCase()));
    List<String> command = new ArrayList<>(List.of(compiler));
    command.addAll(STRICT);
    command.addAll(variant.flags);
    List<String> objects = new ArrayList<>();
    try (Stream<Path> sources = Files.list(HERE.resolve("src"))) {
      for (Path source : sources.filter(each -> each.toString().endsWith(".c")).sorted().toList()) {
        Path object = target.resolve(source.getFileName() + ".o");
        run(command, "-c", "-o", object.toString(), source.toString());
        objects.add(object.toString());
      }
    }
    for (String program : variant.programs) {
      List<String> arguments = new ArrayList<>(List.of("-o", target.resolve(program).toString(),
          HERE.resolve("src/test/c/" + program + ".c").toString()));
      arguments.addAll(objects);
      run(command, arguments.toArray(String[]::new));
    }
    return target;
  }

  /** Compiles a program in C++ against the header, and links it with the library of a variant. */
  static Path cplusplus(Variant variant, String name) throws IOException {
    Path target = program(variant, name);
    Optional<String> compiler = compiler("CXX", "c++", "g++", "clang++");
    if (compiler.isEmpty()) {
      System.out.println("SKIPPED: there is no C++ compiler, so bywash.hpp is not tested");
    }
    assumeTrue(compiler.isPresent(), "there is no C++ compiler");
    List<String> command = new ArrayList<>(List.of(compiler.get(), "-std=c++17", "-Wall", "-Wextra", "-pedantic",
        "-Werror", "-pthread", "-Iinclude"));
    command.addAll(variant.flags);
    List<String> arguments = new ArrayList<>(List.of("-o", target.toString(), "src/test/c/" + name + ".cpp"));
    try (Stream<Path> objects = Files.list(target.getParent())) {
      objects.map(Path::toString).filter(each -> each.endsWith(".o")).forEach(arguments::add);
    }
    run(command, arguments.toArray(String[]::new));
    return target;
  }

  /** Where what users have was copied to, and built by {@code make} when it was first asked for. */
  static Path made() throws IOException {
    requireCompiler();
    assumeTrue(compiler("CXX", "c++", "g++", "clang++").isPresent() && compiler("MAKE", "make").isPresent(),
        "there is no C++ compiler, or no make");
    Path target = BUILD.resolve("made");
    synchronized (BUILT) {
      if (!isMade) {
        for (String folder : List.of("src", "include", "programs", "pair", "pair/guest")) {
          Files.createDirectories(target.resolve(folder));
          try (Stream<Path> files = Files.list(HERE.resolve(folder))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
              Files.copy(file, target.resolve(folder).resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
          }
        }
        Files.copy(HERE.resolve("Makefile"), target.resolve("Makefile"), StandardCopyOption.REPLACE_EXISTING);
        run(target, List.of("make", "-s", "OPTIMISED=-O0", "clean", "all", "host"));
        isMade = true;
      }
    }
    return target;
  }

  private static void run(List<String> command, String... arguments) throws IOException {
    List<String> all = new ArrayList<>(command);
    all.addAll(List.of(arguments));
    run(HERE, all);
  }

  /** Runs a command to its end; it has to succeed. Returns what it printed. */
  static String run(Path folder, List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes());
    try {
      assertEquals(0, process.waitFor(), () -> command + "\n" + said);
    } catch (InterruptedException interrupted) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", interrupted);
    }
    return said;
  }
}
