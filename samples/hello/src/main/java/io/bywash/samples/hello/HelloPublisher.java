package io.bywash.samples.hello;

import static io.bywash.samples.hello.Greeting.GREETINGS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.broadcast.*;

/** Creates the segment, waits for a subscriber, and greets it. */
final class HelloPublisher {
  public static void main(String[] arguments) {
    SegmentSpec spec = SegmentSpec.of(GREETINGS.declare(Broadcast.spec("greetings", 64 * 1024)));
    try (Segment segment = Segment.open("hello", spec);
        Publisher publisher = Publisher.open(segment.directory().find("greetings", Kind.BROADCAST))) {
      if (!publisher.awaitSubscribers(1, SECONDS.toNanos(60))) {
        throw new IllegalStateException("nobody subscribed for 60 s; start HelloSubscriber in another terminal");
      }
      int count = publisher.subscriberCount(); // before the greeting: who has read it may leave at once
      if (!publisher.offer(GREETINGS, new Greeting(ProcessHandle.current().pid(), "Hello"))) {
        throw new IllegalStateException("a subscriber holds the publisher back, and there is no room for a greeting");
      }
      System.out.println("greeted " + count + " subscriber" + (count == 1 ? "" : "s"));
    }
  }
}
