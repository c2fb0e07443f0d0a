package io.bywash.engine.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/**
 * A publisher and three readers with different policies, all of them killed, paused and started again, for a minute.
 */
@Tag("stress")
@Timeout(600)
class SoakTest {
  private static final long SOAK_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final int RING_BYTES = 1 << 18;
  private static final int MAX_BYTES = 2_000;

  @RegisterExtension final TempBus bus = new TempBus();

  /** A child that is started again whenever it was killed. */
  private final class Player implements AutoCloseable {
    private final Class<? extends ChildProgram> program;
    private final String policyOrLedger;
    private final String ready;
    private ChildProcess process;
    private int lives;

    Player(Class<? extends ChildProgram> program, String policyOrLedger, String ready) {
      this.program = program;
      this.policyOrLedger = policyOrLedger;
      this.ready = ready;
      restart();
    }

    private void restart() {
      process = ChildProcess.start(program, bus.path("soak"), MAX_BYTES, policyOrLedger);
      lives++;
    }

    /** It has to be alive, and to have done something, or it failed by itself. */
    void killAndRestart() {
      process.await(ready);
      assertTrue(process.isAlive(), "a process ended by itself");
      process.kill();
      restart();
    }

    void pause(long nanos) {
      process.await(ready);
      process.pause();
      LockSupport.parkNanos(nanos);
      process.resume();
    }

    @Override
    public void close() {
      process.close();
    }
  }

  /** Reads everything, through all deaths of the publisher. */
  private static void witness(Subscriber subscriber, Programs.Checker checker, AtomicBoolean over) {
    while (!over.get()) {
      checker.poll(subscriber, 1_000, 10_000_000);
    }
  }

  @Test
  void fourProcessesThatAreKilledAndPausedAgainAndAgainLoseNothingThatWasPromised(@TempDir Path ledgers)
      throws Exception {
    Random random = io.bywash.engine.Payload.random("soak");
    AtomicBoolean over = new AtomicBoolean();
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec(Programs.QUEUE, RING_BYTES, 8));
    try (Segment segment = Segment.create(bus.path("soak"), spec);
        Subscriber everything = Programs.subscriber(segment, SubscriberOptions.block());
        Threads threads = new Threads();
        Player publisher = new Player(PolicyPrograms.PublishBatches.class, ledgers.resolve("ledger").toString(),
            "opened");
        Player blocking = new Player(PolicyPrograms.Churn.class, "block", "visit");
        Player failing = new Player(PolicyPrograms.Churn.class, "fail", "visit");
        Player evictable = new Player(PolicyPrograms.Churn.class, "evict5000000", "visit")) {
      Programs.Checker checker = new Programs.Checker(MAX_BYTES, everything.nextSequence());
      threads.start("witness", () -> witness(everything, checker, over));
      List<Player> readers = List.of(blocking, failing, evictable);
      long start = System.nanoTime();
      while (System.nanoTime() - start < SOAK_NANOS && !threads.hasFailed()) {
        switch (random.nextInt(4)) {
          case 0 -> publisher.killAndRestart();
          case 1 -> readers.get(random.nextInt(3)).pause(random.nextInt(200_000_000));
          default -> readers.get(random.nextInt(3)).killAndRestart();
        }
        LockSupport.parkNanos(random.nextInt(500_000_000));
      }
      publisher.killAndRestart();
      publisher.process.await("opened");
      publisher.process.kill();
      readers.forEach(Player::killAndRestart);
      readers.forEach(reader -> reader.process.kill());
      over.set(true);
      threads.join();
      Entry queue = segment.directory().find(Programs.QUEUE, Kind.BROADCAST);
      checker.readUntil(everything, BroadcastStatus.of(queue).messageCount());
      PolicyPrograms.Ledger ledger = PolicyPrograms.Ledger.in(ledgers.resolve("ledger"));
      assertEquals(0, checker.lost);
      assertTrue(ledger.published() <= checker.received && checker.received <= ledger.begun(),
          "received " + checker.received + ", published " + ledger.published() + ", begun " + ledger.begun());
      System.out.println("soak: " + checker.received + " messages, publisher " + publisher.lives + " lives, readers "
          + blocking.lives + ", " + failing.lives + ", " + evictable.lives + ", cut off "
          + BroadcastStatus.of(queue).evictedCount());
    }
  }
}
