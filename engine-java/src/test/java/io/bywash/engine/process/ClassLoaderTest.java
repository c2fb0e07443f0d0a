package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;

import io.bywash.engine.Participant;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.SegmentFile;
import io.bywash.engine.internal.memory.NativeAccess;
import io.bywash.engine.wait.WaitHub;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Copies of the engine in several class loaders of one process, as containers have them. Java's own file locks belong
 * to the whole process, and closing any channel of a file drops them all: that must not make a copy look dead.
 */
@Timeout(180)
class ClassLoaderTest {
  private static final int MAX_BYTES = 48;

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void closingOneCopyDoesNotMakeTheOtherOneLookDead() throws Exception {
    closeOneAfterTheOther(false, false);
  }

  @Test
  void closingACopyWithoutNativeAccessDoesNotMakeOneThatHasItLookDead() throws Exception {
    Assumptions.assumeTrue(NativeAccess.ENABLED, "this process has no native access to take away from a copy");
    closeOneAfterTheOther(false, true);
  }

  @Test
  void closingACopyWithNativeAccessDoesNotMakeOneWithoutItLookDead() throws Exception {
    Assumptions.assumeTrue(NativeAccess.ENABLED, "this process has no native access to leave to a copy");
    closeOneAfterTheOther(true, false);
  }

  private void closeOneAfterTheOther(boolean firstPortable, boolean secondPortable) throws Exception {
    try (Copy first = new Copy(firstPortable);
        Copy second = new Copy(secondPortable);
        ChildProcess witness = ChildProcess.start(LockWitness.class, bus.path("loaders"))) {
      assertNotSame(first.driver.getClass(), second.driver.getClass());
      long pid = ProcessHandle.current().pid();
      assertEquals("0", first.tell("open"));
      assertEquals("1", second.tell("open"));
      for (Copy copy : List.of(first, second)) {
        assertEquals("0 " + pid + " true, 1 " + pid + " true", copy.tell("participants"));
      }
      witness.tell("look");
      assertEquals("0 1", witness.await("locked"));

      assertEquals("opened", first.tell("publisher"));
      assertEquals("refused " + pid, second.tell("publisher"));
      assertEquals("joined", second.tell("subscriber"));
      assertEquals("published", first.tell("publish"));
      assertEquals("1", second.tell("poll"));

      second.tell("close");
      witness.tell("look");
      assertEquals("0", witness.await("locked"));
      assertEquals("published", first.tell("publish"));
      assertEquals("1", second.tell("open"));
      assertEquals("refused " + pid, second.tell("publisher"));
      first.tell("close");
      witness.tell("look");
      assertEquals("1", witness.await("locked"));
      assertEquals("opened", second.tell("publisher"));
      second.tell("close");
      assertFalse(Files.exists(bus.path("loaders")), "the last one did not remove the segment");
    }
  }

  @Test
  void lookingAtASegmentDoesNotDropTheLocksOfTheProcess() throws Exception {
    try (Copy copy = new Copy(false);
        Segment segment = Segment.create(bus.path("loaders"), spec());
        ChildProcess witness = ChildProcess.start(LockWitness.class, segment.path())) {
      assertEquals("1", copy.tell("open"));
      for (int i = 0; i < 3; i++) {
        Segment.observe(segment.path()).close();
        copy.tell("observe");
        Segment.attach(segment.path(), 0).close();
        copy.tell("attach");
        witness.tell("look");
        assertEquals("0 1", witness.await("locked"));
      }
      copy.tell("close");
    }
  }

  @Test
  void aClassLoaderWhoseEngineWasUsedByAThreadThatLivesOnIsCollectedOnceEverythingIsClosed() throws Exception {
    WeakReference<ClassLoader> loader = useAndClose();
    Threads.await(() -> {
      System.gc();
      return loader.get() == null;
    }, "the class loader to be collected");
  }

  private WeakReference<ClassLoader> useAndClose() throws Exception {
    try (Copy copy = new Copy(false)) {
      for (String order : List.of("open", "publisher", "subscriber", "publish", "poll", "wait in vain",
          "wait through the hub", "observe", "attach")) {
        copy.tell(order);
      }
      return new WeakReference<>(copy.loader);
    }
  }

  private static SegmentSpec spec() {
    return SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096)).withParticipantCapacity(4);
  }

  /** Says which slots' locks are held, of whoever; /proc has no say here. */
  static final class LockWitness implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      while (true) {
        ChildProgram.hear();
        try (SegmentFile file = SegmentFile.open(Path.of(arguments[0]), true)) {
          List<String> locked = new ArrayList<>();
          for (int id = 0; id < 4; id++) {
            if (file.isLockedByOther(SegmentLayout.SLOT_LOCKS + id)) {
              locked.add(Integer.toString(id));
            }
          }
          ChildProgram.say("locked " + String.join(" ", locked));
        }
      }
    }
  }

  /** A copy of the engine in a class loader of its own, with a driver that shares only JDK types with this. */
  private final class Copy implements AutoCloseable {
    private final URLClassLoader loader;
    private final UnaryOperator<String> driver;

    @SuppressWarnings("unchecked")
    Copy(boolean portable) throws Exception {
      loader = new URLClassLoader("copy", ChildProcess.classPath().stream().map(Copy::url).toArray(URL[]::new),
          null); // the platform's loader would find the engine if that is a named module
      String before = System.getProperty("bywash.native");
      if (portable) {
        System.setProperty("bywash.native", "off");
      }
      try {
        Class<?> type = Class.forName(Driver.class.getName(), true, loader);
        assertNotEquals(Driver.class, type);
        var constructor = type.getDeclaredConstructor(String.class);
        constructor.setAccessible(true);
        driver = (UnaryOperator<String>) constructor.newInstance(bus.path("loaders").toString());
        assertEquals(Boolean.toString(NativeAccess.ENABLED && !portable), tell("native"));
      } finally {
        if (portable) {
          restore(before);
        }
      }
    }

    private static void restore(String before) {
      if (before == null) {
        System.clearProperty("bywash.native");
      } else {
        System.setProperty("bywash.native", before);
      }
    }

    private static URL url(String path) {
      try {
        return Path.of(path).toUri().toURL();
      } catch (MalformedURLException impossible) {
        throw new AssertionError(impossible);
      }
    }

    String tell(String order) {
      return driver.apply(order);
    }

    @Override
    public void close() throws IOException {
      tell("close");
      loader.close();
    }
  }

  /** One attachment, driven by words. */
  static final class Driver implements UnaryOperator<String> {
    private final Path file;
    private Segment segment;
    private Publisher publisher;
    private Subscriber subscriber;

    Driver(String file) {
      this.file = Path.of(file);
    }

    @Override
    public String apply(String order) {
      return switch (order) {
        case "native" -> Boolean.toString(NativeAccess.ENABLED);
        case "open" -> open();
        case "participants" -> segment.participants().stream()
            .map(each -> each.id() + " " + each.pid() + " " + each.alive()).collect(Collectors.joining(", "));
        case "publisher" -> publisher();
        case "subscriber" -> {
          subscriber = Programs.subscriber(segment, SubscriberOptions.block());
          yield "joined";
        }
        case "publish" -> {
          Programs.publishNext(publisher, MAX_BYTES);
          yield "published";
        }
        case "poll" ->
          Integer.toString(subscriber.poll(new Programs.Checker(MAX_BYTES, subscriber.nextSequence()), 10));
        case "wait in vain" -> Integer.toString(subscriber.poll(message -> {}, 1, 60_000_000));
        case "wait through the hub" -> {
          WaitHub.shared().whenReady(subscriber).orTimeout(60, TimeUnit.MILLISECONDS)
              .exceptionally(late -> null).join();
          yield "waited";
        }
        case "observe" -> {
          try (Segment observed = Segment.observe(file)) {
            yield Integer.toString(observed.participants().size());
          }
        }
        case "attach" -> {
          try (Segment attached = Segment.attach(file, 0)) {
            yield Integer.toString(attached.participants().size());
          }
        }
        case "close" -> close();
        default -> throw new IllegalArgumentException(order);
      };
    }

    /** The id of the new slot. */
    private String open() {
      segment = Segment.open(file, spec());
      List<Participant> all = segment.participants();
      return Integer.toString(IntStream.range(0, all.size()).filter(i -> all.get(i).alive()).map(i -> all.get(i).id())
          .max().orElseThrow());
    }

    private String publisher() {
      try {
        publisher = Programs.publisher(segment);
        return "opened";
      } catch (RoleTakenException refused) {
        return "refused " + refused.holderPid();
      }
    }

    private String close() {
      for (AutoCloseable each : new AutoCloseable[] {publisher, subscriber, segment}) {
        try {
          if (each != null) {
            each.close();
          }
        } catch (Exception failure) {
          throw new AssertionError(failure);
        }
      }
      publisher = null;
      subscriber = null;
      segment = null;
      return "closed";
    }
  }
}
