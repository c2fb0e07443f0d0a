package io.bywash.engine.process;

import static io.bywash.engine.process.ChildProgram.PATIENCE_NANOS;
import static io.bywash.engine.process.ChildProgram.hear;
import static io.bywash.engine.process.ChildProgram.say;

import io.bywash.engine.Claim;
import io.bywash.engine.EvictedException;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/** Children that publish batches, and children with policies that cost them messages or their place. */
final class PolicyPrograms {
  private PolicyPrograms() {}

  /** Two numbers in a file, which survive a kill: messages published at least, and messages begun. */
  record Ledger(MappedByteBuffer words) {
    static Ledger in(Path file) throws IOException {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE,
          StandardOpenOption.CREATE)) {
        MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 16);
        mapped.order(ByteOrder.nativeOrder());
        return new Ledger(mapped);
      }
    }

    long published() {
      return words.getLong(0);
    }

    long begun() {
      return words.getLong(8);
    }
  }

  /**
   * Arguments: file, longest message, file of the ledger. Says "opened" with its first sequence, and publishes batches
   * of one to sixty messages, some with an aborted claim within, until it is killed.
   */
  static final class PublishBatches implements ChildProgram.Optimised {
    @Override
    public void run(String... arguments) throws Exception {
      int maxBytes = Integer.parseInt(arguments[1]);
      Ledger ledger = Ledger.in(Path.of(arguments[2]));
      Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
      Publisher publisher = Programs.publisher(segment);
      say("opened " + publisher.nextSequence());
      Random random = new Random();
      while (true) {
        publishBatch(publisher, ledger, random, maxBytes);
      }
    }
  }

  /**
   * Publishes one to sixty messages, some with an aborted claim within, and notes in the ledger what was begun and
   * done.
   */
  static void publishBatch(Publisher publisher, Ledger ledger, Random random, int maxBytes) {
    for (int left = random.nextInt(60); left > 0; left--) {
      ledger.words.putLong(8, publisher.nextSequence() + 1);
      claimNext(publisher, maxBytes).stage();
      if (random.nextInt(20) == 0) {
        claimNext(publisher, maxBytes).abort();
      }
    }
    ledger.words.putLong(8, publisher.nextSequence() + 1);
    if (random.nextBoolean()) {
      claimNext(publisher, maxBytes).commit();
    } else {
      publisher.publish();
    }
    ledger.words.putLong(0, publisher.nextSequence());
  }

  /** The claim of the next self-checking message, filled. */
  private static Claim claimNext(Publisher publisher, int maxBytes) {
    long sequence = publisher.nextSequence();
    Claim claim = publisher.claim(Payload.length(sequence, maxBytes), 0, PATIENCE_NANOS);
    if (claim == null) {
      throw new AssertionError("no room for message " + sequence);
    }
    Payload.fill(claim, sequence);
    return claim;
  }

  /**
   * Arguments: file, longest message, policy. Says "joined" with its first sequence, reads until it is cut off, says
   * "evicted" with the first sequence that it did not get, joins again, and says "joined" again; leaves when told to.
   */
  static final class ReadUntilCutOff implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS)) {
        try (Subscriber subscriber = Programs.subscriber(segment, Programs.options(arguments[2]))) {
          Programs.Checker checker = new Programs.Checker(Integer.parseInt(arguments[1]), subscriber.nextSequence());
          say("joined " + subscriber.nextSequence());
          while (true) {
            checker.poll(subscriber, 1, PATIENCE_NANOS);
          }
        } catch (EvictedException evicted) {
          say("evicted " + evicted.nextSequence());
        }
        try (Subscriber again = Programs.subscriber(segment, SubscriberOptions.block())) {
          say("joined " + again.nextSequence());
          hear();
        }
      }
      say("left");
    }
  }

  /**
   * Arguments: file, longest message, policy. Joins somewhere, reads a while, checks all that it gets, leaves, says
   * "visit" with the number of messages received and lost; again and again until it is killed.
   */
  static final class Churn implements ChildProgram.Optimised {
    private final Random random = new Random();
    private long last;

    @Override
    public void run(String... arguments) {
      Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
      SubscriberOptions policy = Programs.options(arguments[2]);
      say("ready");
      while (true) {
        SubscriberOptions options = switch (random.nextInt(4)) {
          case 0 -> policy.startingAtOldest();
          case 1 -> policy.startingAtLast(random.nextInt(1_000));
          case 2 -> policy.startingAt(last);
          default -> policy;
        };
        try (Subscriber subscriber = Programs.subscriber(segment, options)) {
          visit(subscriber, Integer.parseInt(arguments[1]), subscriber.nextSequence() - subscriber.lostCount());
        } catch (OverrunException late) { // started too late
          last = late.nextSequence();
        }
      }
    }

    private void visit(Subscriber subscriber, int maxBytes, long first) {
      Programs.Checker checker = new Programs.Checker(maxBytes, first);
      long end = System.nanoTime() + random.nextInt(100_000_000);
      try {
        while (System.nanoTime() < end) {
          checker.poll(subscriber, 1 + random.nextInt(1_000), 10_000_000);
        }
        if (checker.received + checker.lost > 0 && subscriber.lostCount() != checker.lost) {
          throw new AssertionError("told of " + checker.lost + " lost messages, counted " + subscriber.lostCount());
        }
      } catch (EvictedException evicted) {
        if (evicted.nextSequence() != first + checker.received) {
          throw new AssertionError("cut off before " + evicted.nextSequence() + ", not " + (first + checker.received),
              evicted);
        }
      }
      last = subscriber.nextSequence();
      say("visit " + checker.received + " " + checker.lost);
    }
  }
}
