package io.bywash.engine.process;

import static io.bywash.engine.process.ChildProgram.PATIENCE_NANOS;
import static io.bywash.engine.process.ChildProgram.hear;
import static io.bywash.engine.process.ChildProgram.say;

import io.bywash.engine.Claim;
import io.bywash.engine.Kind;
import io.bywash.engine.Message;
import io.bywash.engine.MessageHandler;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What most children do. The broadcast's name is {@link #QUEUE}. */
public final class Programs {
  static final String QUEUE = "queue";

  private Programs() {}

  static Publisher publisher(Segment segment) {
    return Publisher.open(segment.directory().find(QUEUE, Kind.BROADCAST));
  }

  static Subscriber subscriber(Segment segment, SubscriberOptions options) {
    return Subscriber.open(segment.directory().find(QUEUE, Kind.BROADCAST), options);
  }

  /** By its name: "block", "skip", "fail", or "evict" with the time in nanoseconds behind it. */
  static SubscriberOptions options(String name) {
    return switch (name) {
      case "block" -> SubscriberOptions.block();
      case "skip" -> SubscriberOptions.skip();
      case "fail" -> SubscriberOptions.fail();
      default -> SubscriberOptions.evictAfter(Long.parseLong(name.substring("evict".length())));
    };
  }

  /** Publishes the next self-checking message; its part of the checksum. */
  static long publishNext(Publisher publisher, int maxBytes) {
    long sequence = publisher.nextSequence();
    Claim claim = publisher.claim(Payload.length(sequence, maxBytes), 0, PATIENCE_NANOS);
    if (claim == null) {
      throw new AssertionError("no room for message " + sequence);
    }
    long part = Payload.fill(claim, sequence);
    claim.commit();
    return part;
  }

  /**
   * Arguments: file, longest message, subscribers to wait for, sequence to publish up to. Says "opened" with its first
   * sequence, "half" on the way, and "published" with its last sequence + 1 and the checksum; leaves when told to.
   */
  static final class Publish implements ChildProgram.Optimised {
    @Override
    public void run(String... arguments) throws Exception {
      int maxBytes = Integer.parseInt(arguments[1]);
      long until = Long.parseLong(arguments[3]);
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
          Publisher publisher = publisher(segment)) {
        say("opened " + publisher.nextSequence());
        if (!publisher.awaitSubscribers(Integer.parseInt(arguments[2]), PATIENCE_NANOS)) {
          throw new AssertionError("only " + publisher.subscriberCount() + " subscribers came");
        }
        long half = (publisher.nextSequence() + until) / 2;
        long checksum = 0;
        while (publisher.nextSequence() < until) {
          checksum += publishNext(publisher, maxBytes);
          if (publisher.nextSequence() == half) {
            say("half");
          }
        }
        say("published " + publisher.nextSequence() + " " + checksum);
        hear();
      }
      say("left");
    }
  }

  /** Arguments: file, longest message. Says "opened" with its first sequence, and publishes until it is killed. */
  static final class PublishForEver implements ChildProgram.Optimised {
    @Override
    public void run(String... arguments) {
      Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
      Publisher publisher = publisher(segment);
      say("opened " + publisher.nextSequence());
      while (true) {
        publishNext(publisher, Integer.parseInt(arguments[1]));
      }
    }
  }

  /** Checks and counts what a subscriber receives. */
  public static final class Checker implements MessageHandler {
    private final int maxBytes;
    private long nextSequence;
    long received;
    long lost;
    long checksum;

    public Checker(int maxBytes, long firstSequence) {
      this.maxBytes = maxBytes;
      this.nextSequence = firstSequence;
    }

    @Override
    public void onMessage(Message message) {
      if (message.sequence() != nextSequence) {
        throw new AssertionError("message " + message.sequence() + " came instead of " + nextSequence);
      }
      nextSequence++;
      received++;
      checksum += Payload.check(message, maxBytes);
    }

    @Override
    public void onLost(long messageCount) {
      if (messageCount < 1) {
        throw new AssertionError("lost " + messageCount);
      }
      nextSequence += messageCount;
      lost += messageCount;
    }

    /** A poll that takes being overtaken for a loss like any other; false when there was nothing in that time. */
    boolean poll(Subscriber subscriber, int limit, long timeoutNanos) {
      try {
        return subscriber.poll(this, limit, timeoutNanos) > 0;
      } catch (OverrunException overrun) {
        onLost(overrun.lostCount());
        return true;
      }
    }

    /** Reads on until the sequence {@code until} is next. */
    public void readUntil(Subscriber subscriber, long until) {
      while (subscriber.nextSequence() < until) {
        if (!poll(subscriber, 1_000, PATIENCE_NANOS)) {
          throw new AssertionError("message " + subscriber.nextSequence() + " did not come");
        }
      }
      if (nextSequence != until || subscriber.nextSequence() != until || subscriber.lostCount() != lost) {
        throw new AssertionError("counted up to " + nextSequence + ", the subscriber to " + subscriber.nextSequence());
      }
    }
  }

  /**
   * Arguments: file, longest message, policy. Says "joined" with its first sequence. Told "until N", reads
   * until N is next and says "read" with the numbers of received and lost messages and the checksum; told anything
   * else, leaves.
   */
  static final class Subscribe implements ChildProgram.Optimised {
    @Override
    public void run(String... arguments) throws Exception {
      try (Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
          Subscriber subscriber = subscriber(segment, options(arguments[2]))) {
        Checker checker = new Checker(Integer.parseInt(arguments[1]), subscriber.nextSequence());
        say("joined " + subscriber.nextSequence());
        for (String order = hear(); order.startsWith("until "); order = hear()) {
          checker.readUntil(subscriber, Long.parseLong(order.substring("until ".length())));
          say("read " + checker.received + " " + checker.lost + " " + checker.checksum);
        }
      }
      say("left");
    }
  }

  /**
   * Arguments: file, number of attachments, roles: "p" for a publisher, "b" for a blocking, "s" for a skipping
   * and "e" for an easily evicted subscriber of each attachment. Says "ready"; leaves when told to.
   */
  static final class Hold implements ChildProgram {
    @Override
    public void run(String... arguments) throws Exception {
      List<AutoCloseable> held = new ArrayList<>();
      for (int i = 0; i < Integer.parseInt(arguments[1]); i++) {
        Segment segment = Segment.attach(Path.of(arguments[0]), PATIENCE_NANOS);
        held.addFirst(segment);
        for (char role : (arguments.length > 2 ? arguments[2] : "").toCharArray()) {
          held.addFirst(switch (role) {
            case 'p' -> publisher(segment);
            case 'b' -> subscriber(segment, SubscriberOptions.block());
            case 'e' -> subscriber(segment, SubscriberOptions.evictAfter(1));
            default -> subscriber(segment, SubscriberOptions.skip());
          });
        }
      }
      say("ready");
      hear();
      for (AutoCloseable each : held) {
        each.close();
      }
      say("left");
    }
  }
}
