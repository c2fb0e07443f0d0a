package io.bywash.engine.process;

import static io.bywash.engine.process.StormProgram.Names.GATED;
import static io.bywash.engine.process.StormProgram.Names.PUBLISHED;
import static io.bywash.engine.process.StormProgram.Names.SHORT_LIVED;

import io.bywash.engine.Recovery;
import io.bywash.engine.RoleTakenException;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Many participants in one process, so that one kill is many cases: in several segments it publishes, reads with every
 * policy, joins and leaves, creates, adds to, removes and recovers. Arguments: directory, directory of the ledgers.
 * Says "ready"; told "go", sets all to work and goes on until it is killed. An actor that sees what it must not see
 * ends it.
 */
final class StormProgram implements ChildProgram {
  static final int MAX_BYTES = 400;
  static final int EACH = 2;
  private static final int FAILED = 5;

  /** The segments; each kind has the numbers from 0 to {@link #EACH} - 1 behind its name. */
  static final class Names {
    /** One of the storm's processes publishes here; the test reads everything. */
    static final String PUBLISHED = "published-";
    /** The test publishes here; the storm's processes read with all policies. */
    static final String GATED = "gated-";
    /** Comes and goes. */
    static final String SHORT_LIVED = "short-lived-";

    private Names() {}
  }

  static final SegmentSpec SPEC =
      SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 1 << 16, 40)).withParticipantCapacity(40);
  static final SegmentSpec SHORT_LIVED_SPEC = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, 4096, 10))
      .withParticipantCapacity(12).withEntryCapacity(1 + EACH).withSizeBytes(60_000);
  private static final List<String> POLICIES = List.of("block", "skip", "fail", "evict3000000");

  /** How many actors each process has. */
  static final int ACTORS = EACH * (1 + POLICIES.size() + 1 + 1 + 1);

  private Path directory;
  private Path ledgers;

  private interface Actor {
    void run(Random random) throws Exception;
  }

  @Override
  public void run(String... arguments) throws Exception {
    directory = Path.of(arguments[0]);
    ledgers = Path.of(arguments[1]);
    Segment.observe(directory.resolve(PUBLISHED + 0)).close(); // loads classes
    ChildProgram.say("ready");
    ChildProgram.hear();
    for (int i = 0; i < EACH; i++) {
      int index = i;
      PolicyPrograms.Ledger ledger = PolicyPrograms.Ledger.in(ledgers.resolve(PUBLISHED + i));
      start(random -> publish(directory.resolve(PUBLISHED + index), ledger, random));
      for (String policy : POLICIES) {
        start(random -> new PolicyPrograms.Churn().run(directory.resolve(GATED + index).toString(),
            Integer.toString(MAX_BYTES), policy));
      }
      start(random -> joinAndLeave(directory.resolve((random.nextBoolean() ? PUBLISHED : GATED) + index), random));
      start(random ->
          recover(directory.resolve(List.of(PUBLISHED, GATED, SHORT_LIVED).get(random.nextInt(3)) + index)));
      start(random -> comeAndGo(directory.resolve(SHORT_LIVED + index), random));
    }
    ChildProgram.hear();
  }

  /** Does it again and again. */
  private static void start(Actor actor) {
    Thread.ofPlatform().daemon().start(() -> {
      Random random = new Random();
      try {
        while (true) {
          actor.run(random);
          LockSupport.parkNanos(random.nextInt(300_000));
        }
      } catch (Throwable wrong) {
        wrong.printStackTrace(System.out);
        ChildProgram.say("FAILED " + wrong);
        Runtime.getRuntime().halt(FAILED);
      }
    });
  }

  /** Publishes for a while, if nobody else does. */
  private static void publish(Path file, PolicyPrograms.Ledger ledger, Random random) {
    try (Segment segment = Segment.attach(file, PATIENCE_NANOS); Publisher publisher = Programs.publisher(segment)) {
      for (int i = random.nextInt(3_000); i > 0; i--) {
        PolicyPrograms.publishBatch(publisher, ledger, random, MAX_BYTES);
        LockSupport.parkNanos(random.nextInt(100_000)); // there are more actors than cores
      }
    } catch (RoleTakenException living) {
      LockSupport.parkNanos(1_000_000);
    }
  }

  private static void joinAndLeave(Path file, Random random) {
    try (Segment segment = Segment.attach(file, PATIENCE_NANOS)) {
      for (int i = random.nextInt(10); i > 0; i--) {
        try (Subscriber subscriber = Programs.subscriber(segment, random.nextBoolean()
            ? SubscriberOptions.skip().startingAtOldest() : SubscriberOptions.block())) {
          subscriber.poll(message -> Payload.check(message, MAX_BYTES), 1 + random.nextInt(10));
          if (segment.participants().stream()
              .noneMatch(each -> each.alive() && each.pid() == ProcessHandle.current().pid())) {
            throw new AssertionError("this process is not alive in " + segment.participants());
          }
        }
      }
    }
  }

  private static void recover(Path file) {
    try (Segment segment = Segment.attach(file, 0)) {
      for (int i = 0; i < 5; i++) {
        Recovery recovery = segment.recover();
        if (recovery.dead().stream().anyMatch(each -> each.pid() == ProcessHandle.current().pid())) {
          throw new AssertionError("this process was taken for dead in " + file.getFileName() + ": " + recovery);
        }
        LockSupport.parkNanos(500_000);
      }
    } catch (SegmentNotFoundException removed) {
      // a short-lived one
    }
  }

  /** Opens or attaches, adds entries, uses one, and closes: whoever is the last removes the segment. */
  private static void comeAndGo(Path file, Random random) {
    try (Segment segment = random.nextInt(4) == 0 ? Segment.attach(file, 0) : Segment.open(file, SHORT_LIVED_SPEC)) {
      for (int i = 0; i < EACH; i++) {
        if (random.nextBoolean()) {
          segment.directory().findOrAdd(Broadcast.spec("added-" + random.nextInt(EACH), 4096, 4));
        }
      }
      try (Publisher publisher = Programs.publisher(segment);
          Subscriber subscriber = Programs.subscriber(segment, SubscriberOptions.skip())) {
        Programs.publishNext(publisher, MAX_BYTES);
        subscriber.poll(message -> Payload.check(message, MAX_BYTES), 10);
      } catch (RoleTakenException living) {
        // another one is at it
      }
    } catch (SegmentNotFoundException removed) {
      // the last one out did that
    }
  }
}
