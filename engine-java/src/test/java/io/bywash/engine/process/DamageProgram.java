package io.bywash.engine.process;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.process.DamageImages.Image;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.Subjects;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Arguments: directory, subject, seed, first number, count. Damages so many segments, uses each, says "sound N" now and
 * then, and "survived" with how the steps ended. In a JVM of its own, so that a crash is a failure with a seed; a hang
 * ends it too.
 */
final class DamageProgram implements ChildProgram.Optimised {
  private static final long STEP = 0x9E37_79B9_7F4A_7C15L;
  private static final long HANGING_NANOS = 30_000_000_000L;
  static final int REPORT_EVERY = 500;

  private final Map<String, Integer> outcomes = new TreeMap<>();
  private DamageSubject subject;
  /** What is being done, for a failure that cannot be caught. */
  private volatile String current = "images";
  private volatile DamageUses uses;
  private volatile long startNanos;

  /** The generator of one damaged segment. */
  static Random random(long seed, long number) {
    return new Random((seed + number) * STEP ^ number);
  }

  @Override
  public void run(String... arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    subject = Subjects.named(arguments[1]).damage();
    long seed = Long.parseLong(arguments[2]);
    long first = Long.parseLong(arguments[3]);
    long count = Long.parseLong(arguments[4]);
    DamageImages images = new DamageImages(subject, directory.resolve("image"));
    watch();
    warmUp(directory.resolve("damaged"), images);
    try (LivingSegment living = new LivingSegment(subject, directory.resolve("living"))) {
      for (long number = first; number < first + count; number++) {
        Random random = random(seed, number);
        startNanos = System.nanoTime();
        try {
          if (random.nextInt(5) == 0) {
            useLiving(living, random, number);
          } else {
            useFile(directory.resolve("damaged"), images.any(random), random, number);
          }
        } catch (Throwable failure) {
          throw new AssertionError(describe(), failure);
        }
        if ((number - first + 1) % REPORT_EVERY == 0) {
          ChildProgram.say("sound " + (number - first + 1));
        }
      }
    }
    startNanos = 0;
    ChildProgram.say("survived " + outcomes);
  }

  /** Loads all classes, so that what is allocated later is allocated for the segment. */
  private void warmUp(Path file, DamageImages images) throws Exception {
    for (long number = 0; number < 60; number++) {
      Random random = random(1, number);
      Files.write(file, number % 2 == 0 ? images.any(random).bytes()
          : Damage.ofFile(images.any(random), random).bytes());
      new DamageUses(subject, file, random, new TreeMap<>(), false).all(List.of());
      Files.deleteIfExists(file);
    }
  }

  private String describe() {
    return current + " step " + (uses == null ? "" : uses.stepName);
  }

  private void useFile(Path file, Image image, Random random, long number) throws Exception {
    Damage damage = Damage.ofFile(image, random);
    current = "number " + number + ", " + image.name() + ": " + damage.how();
    Files.write(file, damage.bytes());
    try {
      uses = new DamageUses(subject, file, random, outcomes, true);
      uses.all(damage.structure() < 0 || image.isHeld() ? List.of() : others(damage.structure()));
    } finally {
      Files.deleteIfExists(file); // or a damaged lifetime has removed it
    }
  }

  private void useLiving(LivingSegment living, Random random, long number) throws Exception {
    Image image = living.begin();
    Damage damage = Damage.ofWords(image, random);
    current = "number " + number + ", living: " + damage.how();
    living.write(damage.bytes());
    uses = new DamageUses(subject, living.file(), random, outcomes, true);
    living.use(uses, damage.structure());
    uses.all(List.of());
    living.use(uses, damage.structure());
    living.end();
  }

  private List<EntrySpec> others(int structure) {
    List<EntrySpec> others = new ArrayList<>(subject.structures());
    others.remove(structure);
    return others;
  }

  /** A segment that takes so long hangs: others wait no longer than ten seconds for anything. */
  private void watch() {
    Thread.ofPlatform().daemon().start(() -> {
      while (true) {
        java.util.concurrent.locks.LockSupport.parkNanos(1_000_000_000);
        long start = startNanos;
        if (start != 0 && System.nanoTime() - start > HANGING_NANOS) {
          ChildProgram.say("HANGS: " + describe() + " at " + Thread.getAllStackTraces().entrySet().stream()
              .filter(thread -> thread.getKey().getName().equals("main"))
              .map(thread -> List.of(thread.getValue()).toString()).collect(Collectors.joining()));
          Runtime.getRuntime().halt(4);
        }
      }
    });
  }
}
