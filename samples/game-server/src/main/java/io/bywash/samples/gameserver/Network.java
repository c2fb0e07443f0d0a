package io.bywash.samples.gameserver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.queue.Producer;
import io.bywash.samples.gameserver.World.Deed;
import io.bywash.samples.gameserver.World.Input;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/** The players, far away: they send what they do, whether a server is there or not. */
final class Network {
  private static final long PERIOD_NANOS = MILLISECONDS.toNanos(10);
  private static final int INPUTS_PER_PERIOD = 4;
  /** One of so many inputs is that a player leaves; with the next one it comes again. */
  private static final int LOYALTY = 100;

  private final Segment segment;
  private final Thread thread = Thread.ofPlatform().name("network").unstarted(this::send);
  private volatile boolean isOver;
  private long sent;
  private long dropped;

  Network(Segment segment) {
    this.segment = segment;
    thread.start();
  }

  private void send() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    try (Producer inputs = Producer.open(segment.directory().find("network_queue", Kind.WORK_QUEUE))) {
      for (int player = 1; player <= World.PLAYERS; player++) {
        send(inputs, new Input(player, Deed.SHOOT));
      }
      while (!isOver) {
        for (int i = 0; i < INPUTS_PER_PERIOD; i++) {
          send(inputs, new Input(random.nextInt(World.PLAYERS) + 1,
              random.nextInt(LOYALTY) == 0 ? Deed.LEAVE : Deed.SHOOT));
        }
        LockSupport.parkNanos(PERIOD_NANOS);
      }
    }
  }

  private void send(Producer inputs, Input input) {
    if (inputs.offer(Input.RECORDS, input)) {
      sent++;
    } else {
      dropped++; // as a network does
    }
  }

  /** How many inputs were sent, once this has ended. */
  long sent() {
    return sent;
  }

  /** How many found the queue full, once this has ended. */
  long dropped() {
    return dropped;
  }

  /** The players do nothing any more. */
  void end() throws InterruptedException {
    isOver = true;
    thread.join();
  }
}
