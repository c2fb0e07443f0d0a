package io.bywash.samples.nativepeer;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Responder;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.Delivery;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A Java process that is killed, or that has no native access. */
public final class JavaPeer {
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  private JavaPeer() {}

  /** Takes a role, a segment's path, and the name of an entry. */
  public static void main(String[] arguments) throws Exception {
    try (Segment segment = Segment.attach(Path.of(arguments[1]), PATIENCE_NANOS)) {
      switch (arguments[0]) {
        case "publish" -> publish(segment, arguments[2], Long.parseLong(arguments[3]));
        case "stand" -> stand(segment, arguments[2]);
        case "hold" -> hold(segment, arguments[2]);
        case "lease" -> lease(segment, arguments[2], Integer.parseInt(arguments[3]));
        case "serve-hold" -> serveAndHold(segment, arguments[2]);
        case "call-leave" -> callAndLeave(segment, arguments[2]);
        default -> throw new IllegalArgumentException("role=" + arguments[0]);
      }
    }
  }

  /** Publishes messages without end, or so many. */
  private static void publish(Segment segment, String entry, long count) {
    try (Publisher publisher = Publisher.open(segment.directory().find(entry, Kind.BROADCAST))) {
      System.out.println("ready");
      for (long i = 0; i < count; i++) {
        long next = publisher.nextSequence();
        byte[] message = Numbered.message(next);
        publisher.offer(message, 0, message.length, (int) next, PATIENCE_NANOS);
      }
    }
  }

  private static void stand(Segment segment, String entry) throws Exception {
    SubscriberOptions options = SubscriberOptions.block(); // from the next message on, so that there is some room
    try (Subscriber subscriber = Subscriber.open(segment.directory().find(entry, Kind.BROADCAST), options)) {
      System.out.println("ready");
      System.in.read();
      System.out.println(subscriber.nextSequence());
    }
  }

  /** Takes so many objects of a pool, and waits to be killed. */
  private static void lease(Segment segment, String entry, int count) throws Exception {
    try (PoolUser user = PoolUser.open(segment.directory().find(entry, Kind.POOL))) {
      int taken = 0;
      while (taken < count && user.acquire() != 0) {
        taken++;
      }
      System.out.println(taken + " objects");
      System.in.read();
    }
  }

  /** Takes a request, and waits to be killed. */
  private static void serveAndHold(Segment segment, String entry) throws Exception {
    try (Responder responder = CallsInJava.responder(segment, entry, WaitPolicy.BACKOFF)) {
      System.out.println("holding " + CallsInJava.asked(responder.receive(PATIENCE_NANOS)));
      System.in.read();
    }
  }

  /** Sends a request, and waits to be killed. */
  private static void callAndLeave(Segment segment, String entry) throws Exception {
    try (Caller caller = CallsInJava.caller(segment, entry, WaitPolicy.BACKOFF)) {
      CallsInJava.send(caller, 0);
      System.in.read();
    }
  }

  private static void hold(Segment segment, String entry) throws Exception {
    try (Consumer consumer = Consumer.open(segment.directory().find(entry, Kind.WORK_QUEUE))) {
      Delivery held = consumer.take(PATIENCE_NANOS);
      System.out.println("holding " + Numbered.check(held.toBytes()));
      System.in.read();
    }
  }
}
