package io.bywash.engine.process;

import io.bywash.engine.Claim;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.WorkQueue;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * What makes children start in half the time: the classes of the engine and of its tests in a jar, and a cache of those
 * that every child loads, as the JVM wants them. Made by the first test of a build that starts a child; JVMs that test
 * side by side share it.
 */
final class ChildCache {
  private static final Path TESTS = Path.of(ChildProcess.root(ChildProcess.class));
  private static final Path DIRECTORY = TESTS.resolveSibling("children");
  private static final Path JAR = DIRECTORY.resolve("children.jar");

  private static final List<String> CLASS_PATH = new ArrayList<>(ChildProcess.classPath());

  static {
    List<Path> directories = CLASS_PATH.stream().map(Path::of).filter(Files::isDirectory).toList();
    locked(() -> {
      if (!Files.exists(JAR) || isOlder(directories)) {
        pack(directories);
      }
    });
    CLASS_PATH.removeIf(element -> Files.isDirectory(Path.of(element)));
    CLASS_PATH.addFirst(JAR.toString());
  }

  private ChildCache() {}

  /** The class path of children, which begins with the jar. */
  static List<String> classPath() {
    return CLASS_PATH;
  }

  /** Has a JVM with this command, up to its class path, use the cache of its set-up. */
  static void addTo(List<String> command, String setup) {
    Path cache = DIRECTORY.resolve(setup + ".aot");
    locked(() -> {
      if (!Files.exists(cache)) {
        dump(command, cache);
      }
    });
    command.addAll(1, List.of("-XX:AOTCache=" + cache, "-Xlog:disable"));
  }

  private static boolean isOlder(List<Path> directories) throws IOException {
    long made = Files.getLastModifiedTime(JAR).toMillis();
    for (Path directory : directories) {
      try (Stream<Path> files = Files.walk(directory)) {
        if (files.anyMatch(file -> file.toFile().lastModified() > made)) {
          return true;
        }
      }
    }
    return false;
  }

  private static void pack(List<Path> directories) throws IOException {
    try (Stream<Path> old = Files.list(DIRECTORY)) {
      for (Path file : old.filter(file -> file.toString().endsWith(".aot")).toList()) {
        Files.delete(file);
      }
    }
    Path unfinished = DIRECTORY.resolve("unfinished.jar");
    try (OutputStream output = Files.newOutputStream(unfinished); ZipOutputStream jar = new ZipOutputStream(output)) {
      jar.setLevel(0);
      for (Path directory : directories) {
        try (Stream<Path> files = Files.walk(directory)) {
          for (Path file : files.filter(Files::isRegularFile).toList()) {
            String name = directory.relativize(file).toString();
            if (!name.equals("module-info.class") && !name.startsWith("META-INF/MANIFEST")) {
              jar.putNextEntry(new ZipEntry(name));
              Files.copy(file, jar);
            }
          }
        }
      }
    }
    Files.move(unfinished, JAR, StandardCopyOption.ATOMIC_MOVE);
  }

  /** A JVM that does what most children do, and writes the cache when it ends. */
  private static void dump(List<String> command, Path cache) throws IOException {
    List<String> training = new ArrayList<>(command);
    training.addAll(1, List.of("-XX:AOTCacheOutput=" + cache, "-XX:TieredStopAtLevel=1", "-Xlog:disable"));
    training.addAll(List.of(ChildProgram.Main.class.getName(), Train.class.getName()));
    Process process = new ProcessBuilder(training).redirectErrorStream(true).start();
    process.outputWriter().close();
    String said = new String(process.getInputStream().readAllBytes());
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0 || !Files.exists(cache)) {
        throw new AssertionError("the cache of the children was not made: " + said);
      }
    } catch (InterruptedException stopped) {
      throw new AssertionError("the cache of the children was not made", stopped);
    }
  }

  private interface Action {
    void run() throws IOException;
  }

  private static synchronized void locked(Action action) {
    try {
      Files.createDirectories(DIRECTORY);
      try (FileChannel channel = FileChannel.open(DIRECTORY.resolve("lock"), StandardOpenOption.CREATE,
          StandardOpenOption.WRITE)) {
        channel.lock(); // until it is closed
        action.run();
      }
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  /** Loads what children load. */
  static final class Train implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      Path directory = Files.createTempDirectory("bywash-children-");
      Path file = directory.resolve("segment");
      try (Segment segment = Segment.create(file, SegmentSpec.of(Broadcast.spec("queue", 4096),
              WorkQueue.spec("jobs", 4, 64)));
          Segment other = Segment.attach(file, 1_000_000);
          Publisher publisher = Publisher.open(segment.directory().find("queue").orElseThrow());
          Subscriber subscriber = Subscriber.open(other.directory().find("queue").orElseThrow());
          Producer producer = Producer.open(segment.directory().find("jobs").orElseThrow());
          Consumer consumer = Consumer.open(other.directory().find("jobs").orElseThrow())) {
        Claim claim = publisher.claim(8, 0, 1_000_000);
        claim.putLong(0, 1);
        claim.commit();
        subscriber.poll(message -> message.getLong(0), 1, 1_000_000);
        subscriber.poll(message -> {}, 1, 1_000_000);
        producer.offer(new byte[8]);
        Delivery delivery = consumer.take(1_000_000);
        delivery.ack();
        consumer.take(1_000_000);
        ChildProgram.say(Arrays.asList(segment.participants()));
      } finally {
        try (Stream<Path> left = Files.list(directory)) {
          left.forEach(each -> each.toFile().delete());
        }
        Files.delete(directory);
      }
    }
  }
}
