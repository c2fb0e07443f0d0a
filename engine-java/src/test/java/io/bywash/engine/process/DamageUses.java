package io.bywash.engine.process;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.subject.DamageSubject;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Uses a damaged segment in every way that the public interface has, and judges each step: it ends in success, or in an
 * exception that its documentation names, and it allocates no more than a sound segment of that size would need.
 */
final class DamageUses implements DamageSubject.Uses {
  /** Of the heap, for one step: many times what a step needs. */
  private static final long MAX_STEP_BYTES = 1 << 20;
  /** A verification looks three times at every record, and has a sentence for each of up to 200 findings. */
  private static final long MAX_VERIFY_BYTES = 8 << 20;
  /** A step that waits for somebody else looks again once a millisecond. */
  private static final long MAX_LOOK_BYTES = 32 << 10;
  /** Outside of the heap, for one step: private copies of messages, or zeros to fill a new file with. */
  private final long maxStepOffHeapBytes;
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final BufferPoolMXBean DIRECT = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
      .filter(pool -> pool.getName().equals("direct")).findFirst().orElseThrow();

  private final DamageSubject subject;
  private final Path file;
  private final Random random;
  /** How each step ended, over all segments. */
  private final Map<String, Integer> outcomes;
  /** False while classes are loaded by the first uses. */
  private final boolean measuring;
  volatile String stepName = "";

  DamageUses(DamageSubject subject, Path file, Random random, Map<String, Integer> outcomes, boolean measuring) {
    this.subject = subject;
    this.maxStepOffHeapBytes = (16 << 10) + DamageImages.spec(subject).sizeBytes();
    this.file = file;
    this.random = random;
    this.outcomes = outcomes;
    this.measuring = measuring;
  }

  @Override
  public Random random() {
    return random;
  }

  @Override
  public <T> T step(String name, DamageSubject.Step<T> step) throws Exception {
    stepName = name;
    long heap = THREADS.getCurrentThreadAllocatedBytes();
    long offHeap = DIRECT.getMemoryUsed();
    long start = System.nanoTime();
    String outcome = "success";
    try {
      return step.run();
    } catch (BusException documented) {
      outcome = documented.getClass().getSimpleName();
      if (documented.getMessage().isBlank()) {
        throw new AssertionError(name + " does not say what happened", documented);
      }
      return null;
    } catch (DamageSubject.Documented documented) {
      outcome = documented.getMessage();
      return null;
    } finally {
      outcomes.merge(name + ": " + outcome, 1, Integer::sum);
      requireAtMost(name, "heap", THREADS.getCurrentThreadAllocatedBytes() - heap,
          (name.equals("verify") ? MAX_VERIFY_BYTES : MAX_STEP_BYTES)
          + (System.nanoTime() - start) / 1_000_000 * MAX_LOOK_BYTES);
      requireAtMost(name, "off-heap", DIRECT.getMemoryUsed() - offHeap, maxStepOffHeapBytes);
    }
  }

  private void requireAtMost(String name, String memory, long bytes, long most) {
    if (measuring && bytes > most) {
      throw new AssertionError(name + " allocated " + bytes + " bytes of " + memory);
    }
  }

  /**
   * Every use, in any order. {@code sound} structures were not touched, and have to work as if nothing had happened.
   */
  void all(List<EntrySpec> sound) throws Exception {
    List<DamageSubject.Step<?>> uses = new ArrayList<>(List.of(this::observe, this::attach, this::open));
    Collections.shuffle(uses, random);
    for (DamageSubject.Step<?> use : uses) {
      use.run();
    }
    if (!sound.isEmpty()) {
      try (Segment segment = Segment.attach(file, 0)) {
        for (EntrySpec structure : sound) {
          stepName = "neighbour " + structure.name();
          subject.useSound(DamageImages.find(segment, structure));
        }
      }
    }
  }

  private Void observe() throws Exception {
    Segment segment = step("observe", () -> Segment.observe(file));
    if (segment != null) {
      look(segment);
      for (Entry entry : entries(segment)) {
        subject.observe(entry, this);
      }
      step("close", () -> close(segment));
    }
    return null;
  }

  private Void attach() throws Exception {
    Segment segment = step("attach", () -> Segment.attach(file, 0));
    if (segment != null) {
      use(segment);
    }
    return null;
  }

  private Void open() throws Exception {
    Segment segment = step("open", () -> Segment.open(file, DamageImages.spec(subject)));
    if (segment != null) {
      use(segment);
    }
    return null;
  }

  private void use(Segment segment) throws Exception {
    look(segment);
    List<AutoCloseable> roles = new ArrayList<>();
    for (Entry entry : entries(segment)) {
      if (random.nextInt(4) > 0) {
        roles.addAll(subject.use(entry, this));
      }
    }
    if (random.nextBoolean()) {
      List<EntrySpec> structures = subject.structures();
      step("add", () -> segment.directory().findOrAdd(DamageImages.added(subject)));
      step("find or add", () -> segment.directory().findOrAdd(structures.get(random.nextInt(structures.size()))));
    }
    if (random.nextBoolean()) {
      step("recover", segment::recover);
    }
    if (random.nextInt(8) == 0) {
      roles.addFirst(segment); // and the roles are closed after it
    }
    for (AutoCloseable role : roles) {
      step("close role", () -> close(role));
    }
    step("close", () -> close(segment));
  }

  private static Void close(AutoCloseable closed) throws Exception {
    closed.close();
    return null;
  }

  /** All that shows a segment and takes nothing. */
  private void look(Segment segment) throws Exception {
    step("participants", segment::participants);
    step("names", () -> BusDirectory.at(file.getParent()).names());
    if (random.nextInt(40) == 0) {
      step("verify", () -> Verification.of(segment));
    }
    for (EntrySpec structure : subject.structures()) {
      step("find", () -> DamageImages.find(segment, structure));
    }
    step("find none", () -> segment.directory().find("nothing"));
    for (Entry entry : entries(segment)) {
      step("owner", () -> entry.owner());
      step("status", () -> subject.status(entry));
    }
  }

  private List<Entry> entries(Segment segment) throws Exception {
    List<Entry> entries = step("entries", () -> segment.directory().entries());
    return entries == null ? List.of() : entries;
  }
}
