package io.bywash.samples.hello;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.broadcast.*;

/** Creates the segment, waits for a subscriber, and greets it. */
final class HelloPublisher {
  public static void main(String[] arguments) {
    SegmentSpec spec = SegmentSpec.of(Broadcast.spec("greetings", 64 * 1024));
    try (Segment segment = Segment.open("hello", spec);
        Publisher publisher = Publisher.open(segment.directory().find("greetings", Kind.BROADCAST))) {
      if (!publisher.awaitSubscribers(1, SECONDS.toNanos(60))) {
        throw new IllegalStateException("nobody subscribed for 60 s; start HelloSubscriber in another terminal");
      }
      publisher.offer(("Hello from process " + ProcessHandle.current().pid()).getBytes(UTF_8));
      System.out.println("greeted " + publisher.subscriberCount() + " subscriber");
    }
  }
}
