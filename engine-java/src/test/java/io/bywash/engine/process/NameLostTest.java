package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentGoneException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.wait.WaitHub;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The name of a segment in use is taken away, by rm or a tool that tidies up; and names that the dead have left. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NameLostTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("queue", 4096));
  private static final SegmentSpec LARGER = SegmentSpec.of(Broadcast.spec("queue", 8192));

  @RegisterExtension final TempBus bus = new TempBus();

  private static Entry queue(Segment segment) {
    return segment.directory().find("queue", Kind.BROADCAST);
  }

  @Test
  void whoPublishesIsTold() throws IOException {
    try (Segment segment = Segment.open(bus.path("gone"), SPEC); Publisher publisher = Publisher.open(queue(segment))) {
      assertTrue(publisher.offer(new byte[100]));
      Files.delete(segment.path());
      var told = assertThrows(SegmentGoneException.class, () -> {
        while (true) {
          publisher.offer(new byte[100]);
          Thread.onSpinWait();
        }
      });
      assertTrue(told.getMessage().contains("open it again"), told.getMessage());
      assertThrows(SegmentGoneException.class, () -> publisher.offer(new byte[1]), "and it stays so");
      assertThrows(SegmentGoneException.class, publisher::subscriberCount);
      assertThrows(SegmentGoneException.class, () -> Subscriber.open(queue(segment)));
    }
  }

  @Test
  void whoWaitsIsToldThoughAnotherSegmentHasTakenTheName() throws Exception {
    try (Segment segment = Segment.open(bus.path("gone"), SPEC);
        Publisher publisher = Publisher.open(queue(segment));
        Subscriber subscriber = Subscriber.open(queue(segment));
        Subscriber inHub = Subscriber.open(queue(segment), SubscriberOptions.skip())) {
      Files.delete(segment.path());
      try (Segment next = Segment.open(bus.path("gone"), SPEC); Publisher other = Publisher.open(queue(next))) {
        var ready = WaitHub.shared().whenReady(inHub);
        assertThrows(SegmentGoneException.class,
            () -> subscriber.poll(message -> {}, 1, TimeUnit.SECONDS.toNanos(100)));
        ready.get(100, TimeUnit.SECONDS);
        assertThrows(SegmentGoneException.class, () -> inHub.poll(message -> {}, 1));
        assertThrows(SegmentGoneException.class, () -> publisher.awaitSubscribers(1, TimeUnit.SECONDS.toNanos(100)));
        assertTrue(other.offer(new byte[1]), "the new one is not concerned");
      }
    }
  }

  @Test
  void theCloseOfTheOldOneLeavesTheNewOneAlone() throws IOException {
    Segment old = Segment.open(bus.path("gone"), SPEC);
    Files.delete(old.path());
    try (Segment next = Segment.open(bus.path("gone"), SPEC)) {
      old.close();
      assertTrue(Files.exists(next.path()));
    }
    assertFalse(Files.exists(bus.path("gone")));
  }

  /** Opens a segment of that lifetime, and is killed. */
  static final class Killed implements ChildProgram {
    @Override
    @SuppressWarnings("resource") // on purpose
    public void run(String... arguments) throws Exception {
      Segment.open(Path.of(arguments[0]), SPEC.withLifetime(Lifetime.valueOf(arguments[1])));
      ChildProgram.say("open");
      ChildProgram.hear();
    }
  }

  @ParameterizedTest
  @EnumSource(Lifetime.class)
  void whatTheDeadLeftIsReplacedByAnotherSpecificationUnlessItIsToBeKept(Lifetime lifetime) throws IOException {
    try (ChildProcess child = ChildProcess.start(Killed.class, bus.path("left"), lifetime)) {
      child.await("open");
      assertThrows(SpecMismatchException.class, () -> Segment.open(bus.path("left"), LARGER), "somebody lives");
      child.kill();
    }
    if (lifetime == Lifetime.KEPT) {
      assertThrows(SpecMismatchException.class, () -> Segment.open(bus.path("left"), LARGER));
      Files.delete(bus.path("left"));
      return;
    }
    try (Segment segment = Segment.open(bus.path("left"), LARGER)) {
      assertEquals(8192, queue(segment).capacity());
      assertEquals(1, segment.participants().size());
    }
  }
}
