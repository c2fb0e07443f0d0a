package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Revocable;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.call.Responder;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.engine.cell.NumberArray;
import io.bywash.engine.pool.Pool;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.pool.PoolView;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueView;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.ring.Ring;
import io.bywash.engine.ring.RingPopper;
import io.bywash.engine.ring.RingView;
import io.bywash.engine.ring.RingWriter;
import io.bywash.engine.wait.WaitPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * Every call of every role, after the role's file was cut, and before or after the role was retired: it ends with a
 * typed exception, if it does not end well. Only what is read or written in place may meet the virtual machine's error.
 */
@Timeout(180)
class CutRoleTest {
  private static final int LEFT_BYTES = 4096;
  private static final int OFTEN = 1024;
  private static final long SOON_NANOS = 1_000_000;

  @RegisterExtension final TempBus bus = new TempBus();

  @Test
  void eachCallOfARoleWhoseFileWasCutEndsWithATypedException() {
    try (ChildProcess child = ChildProcess.start(UseCutRoles.class, bus.path("cut"))) {
      assertEquals("", child.await("untyped"));
      assertTrue(child.awaitLong("typed") > 500);
      child.finish();
    }
  }

  /** When a role is retired. */
  private enum Retired { NEVER, BEFORE_THE_CUT, AFTER_THE_CUT }

  @FunctionalInterface
  private interface Use {
    void run() throws Exception;
  }

  /** A role, and what can be done with it. */
  private record Subject(AutoCloseable role, Map<String, Use> uses) {
    Subject(AutoCloseable role) {
      this(role, new LinkedHashMap<>());
    }

    Subject with(String name, Use use) {
      uses.put(name, use);
      return this;
    }
  }

  /** Says "untyped" with the uses that ended with any other exception, and "typed" with the number of typed ones. */
  static final class UseCutRoles implements ChildProgram {
    private static final Map<String, Function<Entry, Subject>> ROLES = new LinkedHashMap<>();

    static {
      for (WaitPolicy policy : WaitPolicy.values()) {
        ROLES.put("broadcast publisher " + policy, entry -> publisher(Publisher.open(entry, policy)));
        for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip())) {
          ROLES.put("broadcast " + options + " " + policy,
              entry -> subscriber(Subscriber.open(entry, options.waiting(policy))));
        }
        ROLES.put("queue producer " + policy, entry -> producer(Producer.open(entry, policy)));
        ROLES.put("queue consumer " + policy, entry -> consumer(Consumer.open(entry, policy)));
        ROLES.put("ring writer " + policy, entry -> writer(RingWriter.open(entry, policy)));
        ROLES.put("ring popper " + policy, entry -> popper(RingPopper.open(entry, policy)));
        ROLES.put("latest reader " + policy, entry -> reader(LatestReader.open(entry, policy)));
        ROLES.put("calls caller " + policy, entry -> caller(Caller.open(entry, policy)));
        ROLES.put("calls responder " + policy, entry -> responder(Responder.open(entry, policy)));
      }
      ROLES.put("latest writer", entry -> {
        LatestWriter role = LatestWriter.open(entry);
        return new Subject(role).with("set", () -> role.set(new byte[8]))
            .with("set often", () -> often(() -> role.set(new byte[8]))).with("label", () -> role.label("x"))
            .with("isReady", role::isReady);
      });
      ROLES.put("pool user", entry -> poolUser(PoolUser.open(entry)));
      ROLES.put("pool view", entry -> {
        PoolView role = PoolView.open(entry);
        return new Subject(role).with("allocated", role::allocated).with("next", () -> role.next(0));
      });
      ROLES.put("queue view", entry -> {
        QueueView role = QueueView.of(entry);
        return new Subject(() -> {}).with("sentCount", role::sentCount).with("peek", () -> role.peek(0, 10));
      });
      ROLES.put("ring view", entry -> {
        RingView role = RingView.of(entry);
        return new Subject(() -> {}).with("pushedCount", role::pushedCount)
            .with("lastN", () -> role.lastN(MemorySegment.ofArray(new byte[8]), 0, 1))
            .with("from", () -> role.from(0, MemorySegment.ofArray(new byte[8]), 0, 1));
      });
      ROLES.put("cells atomics", entry -> {
        Atomics role = Atomics.open(entry);
        var cell = role.longCell("one");
        return new Subject(role).with("get", cell::get).with("set", () -> cell.set(1))
            .with("add", () -> cell.getAndAdd(1)).with("compareAndSet", () -> cell.compareAndSet(0, 1));
      });
      ROLES.put("array numbers", entry -> {
        NumberArray role = NumberArray.open(entry, long.class);
        return new Subject(role).with("get", () -> role.getLong(0)).with("set", () -> role.setLong(0, 1));
      });
    }

    private static Subject publisher(Publisher role) {
      return new Subject(role).with("offer", () -> role.offer(new byte[8]))
          .with("offer with timeout", () -> role.offer(new byte[8], 0, 8, 0, SOON_NANOS))
          .with("tryClaim", () -> role.tryClaim(8).abort()).with("claim", () -> role.claim(8, 0, SOON_NANOS).abort())
          .with("publish", role::publish).with("subscriberCount", role::subscriberCount)
          .with("awaitSubscribers", () -> role.awaitSubscribers(1, SOON_NANOS))
          .with("subscribersPresent", () -> role.subscribersPresent(1).isReady())
          .with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject subscriber(Subscriber role) {
      return new Subject(role).with("poll", () -> role.poll(message -> {}, 1))
          .with("poll with timeout", () -> role.poll(message -> {}, 1, SOON_NANOS))
          .with("receive", () -> role.receive(message -> 1, SOON_NANOS))
          .with("publisherGone", () -> role.publisherGone().isReady())
          .with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject producer(Producer role) {
      return new Subject(role).with("offer", () -> role.offer(new byte[8]))
          .with("offer with timeout", () -> role.offer(new byte[8], 0, 8, 0, SOON_NANOS))
          .with("tryClaim", () -> role.tryClaim(8).abort()).with("claim", () -> role.claim(8, 0, SOON_NANOS).abort())
          .with("publish", role::publish).with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject consumer(Consumer role) {
      return new Subject(role).with("take", role::take).with("take with timeout", () -> role.take(SOON_NANOS))
          .with("poll", () -> role.poll(message -> {}, 1))
          .with("poll with timeout", () -> role.poll(message -> {}, 1, SOON_NANOS))
          .with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject writer(RingWriter role) {
      return new Subject(role).with("push", () -> role.push(new byte[8]))
          .with("push with timeout", () -> role.push(new byte[8], SOON_NANOS))
          .with("pushOverwrite", () -> role.pushOverwrite(new byte[8]))
          .with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject popper(RingPopper role) {
      return new Subject(role).with("pop", () -> role.pop(new byte[8]))
          .with("pop with timeout", () -> role.pop(new byte[8], SOON_NANOS))
          .with("poppedCount", role::poppedCount).with("lostCount", role::lostCount)
          .with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject reader(LatestReader role) {
      return new Subject(role).with("get", role::get).with("read", () -> role.read(message -> {}))
          .with("awaitNewer", () -> role.awaitNewer(SOON_NANOS)).with("version", role::version)
          .with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject caller(Caller role) {
      return new Subject(role).with("hasResponder", role::hasResponder).with("send", () -> role.send(new byte[8], 1))
          .with("call", () -> role.call(new byte[8], SOON_NANOS)).with("oneWay", () -> role.sendOneWay(new byte[8]))
          .with("claim", () -> role.claim(8)).with("poll", role::poll).with("await", () -> role.await(SOON_NANOS))
          .with("inFlight", role::inFlight).with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject responder(Responder role) {
      return new Subject(role).with("receive", role::receive)
          .with("receive with timeout", () -> role.receive(SOON_NANOS)).with("poll", () -> role.poll(request -> {}, 1))
          .with("poll with timeout", () -> role.poll(request -> {}, 1, SOON_NANOS))
          .with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    private static Subject poolUser(PoolUser role) {
      long handle = role.acquire();
      return new Subject(role).with("get", () -> role.get(handle)).with("holds", () -> role.holds(handle))
          .with("set", () -> role.set(handle, new byte[8])).with("acquire", role::acquire)
          .with("holds often", () -> often(() -> role.holds(1000)))
          .with("transfer", () -> role.transfer(handle, role.id() + 1)).with("release", () -> role.release(handle))
          .with("label", () -> role.label("x")).with("isReady", role::isReady);
    }

    /** Until the role looks whether others are there; throws the last typed exception. */
    private static void often(Use use) throws Exception {
      BusException last = null;
      for (int i = 0; i < OFTEN; i++) {
        try {
          use.run();
        } catch (BusException typed) {
          last = typed;
        }
      }
      if (last != null) {
        throw last;
      }
    }

    private final List<String> untyped = new ArrayList<>();
    private int typedCount;
    private Path file;

    @Override
    public void run(String... arguments) throws Exception {
      file = Path.of(arguments[0]);
      for (String role : ROLES.keySet()) {
        for (Retired retired : Retired.values()) {
          useCut(role, retired, false);
        }
        useCut(role, Retired.NEVER, true);
      }
      cutInHandlers();
      for (int round = 0; round < 100; round++) { // the error may come late, in whatever is done next
        closeInHandler();
      }
      ChildProgram.say("untyped " + String.join(" | ", untyped));
      ChildProgram.say("typed " + typedCount);
    }

    private Segment attach(boolean observed) {
      Segment.create(file, SegmentSpec.of(Broadcast.spec("broadcast", 1 << 16), WorkQueue.spec("queue", 8, 8),
          Ring.spec("ring", 8, 8), Latest.spec("latest", 8), Pool.spec("pool", 8, 8),
          Endpoint.of("calls", 8, 8).spec(), Atomics.spec("cells", "long one"),
          NumberArray.spec("array", 8, long.class)).withLifetime(Lifetime.KEPT)).close();
      return observed ? Segment.observe(file) : Segment.attach(file, 0);
    }

    private void cut() {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(LEFT_BYTES);
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }

    private void useCut(String name, Retired retired, boolean observed) throws IOException {
      Segment segment = attach(observed);
      try {
        Subject subject = ROLES.get(name).apply(segment.directory().find(name.split(" ")[0]).orElseThrow());
        use(segment, subject, name + (observed ? ", observing: " : ", retired " + retired + ": "), retired);
      } catch (IllegalStateException noObserver) {
        segment.close();
      } finally {
        Files.delete(file);
      }
    }

    private void use(Segment segment, Subject subject, String where, Retired retired) {
      if (retired == Retired.BEFORE_THE_CUT && subject.role() instanceof Revocable role) {
        role.retire();
      }
      cut();
      if (retired == Retired.AFTER_THE_CUT && subject.role() instanceof Revocable role) {
        tell(where + "retire", role::retire);
      }
      subject.uses().forEach((use, code) -> tell(where + use, code));
      tell(where + "close", subject.role()::close);
      subject.uses().forEach((use, code) -> tell(where + "closed, " + use, code));
      tell(where + "close of the segment", segment::close);
      subject.uses().forEach((use, code) -> tell(where + "segment closed, " + use, code));
    }

    /** The file is cut while a handler has a message, so that the role meets it on its way out. */
    private void cutInHandlers() throws IOException {
      cutInHandler("broadcast", entry -> {
        Subscriber role = Subscriber.open(entry);
        Publisher.open(entry).offer(new byte[8]);
        return new Subject(role).with("poll", () -> role.poll(message -> cut(), 2));
      });
      cutInHandler("queue", entry -> {
        Consumer role = Consumer.open(entry);
        Producer.open(entry).offer(new byte[8]);
        return new Subject(role).with("poll", () -> role.poll(message -> cut(), 2));
      });
      cutInHandler("queue", entry -> {
        Consumer role = Consumer.open(entry);
        Producer.open(entry).offer(new byte[8]);
        return new Subject(role).with("poll that gives back", () -> role.poll(message -> {
          cut();
          message.giveBack();
        }, 2));
      });
      cutInHandler("calls", entry -> {
        Responder role = Responder.open(entry);
        Caller.open(entry).sendOneWay(new byte[8]);
        return new Subject(role).with("poll", () -> role.poll(request -> cut(), 2));
      });
      cutInHandler("latest", entry -> {
        LatestReader role = LatestReader.open(entry);
        LatestWriter.open(entry).set(new byte[8]);
        return new Subject(role).with("read", () -> role.read(message -> cut()));
      });
    }

    /** The segment is closed as well before the handler returns, and shows that it is leaving. */
    private void closeInHandler() throws IOException {
      Segment segment = attach(false);
      Entry entry = segment.directory().find("broadcast").orElseThrow();
      Subscriber role = Subscriber.open(entry);
      Publisher.open(entry).offer(new byte[8]);
      tell("closed in a handler: poll", () -> role.poll(message -> {
        cut();
        tell("closed in a handler: close of the segment", segment::close);
      }, 2));
      Files.delete(file);
    }

    private void cutInHandler(String name, Function<Entry, Subject> role) throws IOException {
      Segment segment = attach(false);
      Subject subject = role.apply(segment.directory().find(name).orElseThrow());
      subject.uses().forEach((use, code) -> tell(name + ", cut in its handler: " + use, code));
      tell(name + ", cut in its handler: close", subject.role()::close);
      tell(name + ", cut in its handler: close of the segment", segment::close);
      Files.delete(file);
    }

    private void tell(String what, Use use) {
      try {
        use.run();
      } catch (BusException typed) {
        typedCount++;
      } catch (IllegalStateException forWriters) {
        assertTrue(forWriters.getMessage().contains("read-only"), forWriters.toString());
      } catch (Throwable other) {
        untyped.add(what + ": " + other.toString().replace('\n', ' ') + " at " + Stream.of(other.getStackTrace())
            .map(Object::toString).filter(each -> each.contains("bywash")).limit(4).toList());
      }
    }
  }
}
