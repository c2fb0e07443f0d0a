package io.bywash.samples.hello;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.broadcast.*;

/** Waits for the segment, subscribes, and prints the first message; if it was overtaken, it says so and ends with 1. */
final class HelloSubscriber {
  public static void main(String[] arguments) {
    try (Segment segment = Segment.attach("hello", SECONDS.toNanos(60));
        Subscriber subscriber = Subscriber.open(
            segment.directory().find("greetings", Kind.BROADCAST), SubscriberOptions.fail())) {
      if (subscriber.poll(message -> System.out.println(new String(message.toBytes(), UTF_8)), 1, SECONDS.toNanos(60)) == 0) {
        throw new IllegalStateException("no message came for 60 s; start HelloPublisher in another terminal");
      }
    } catch (OverrunException overtaken) {
      System.err.println(overtaken.getMessage());
      System.exit(1);
    }
  }
}
