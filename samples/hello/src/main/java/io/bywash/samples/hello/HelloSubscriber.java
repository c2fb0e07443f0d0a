package io.bywash.samples.hello;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.broadcast.*;

/** Waits for the segment, subscribes, and prints the first message. */
final class HelloSubscriber {
  public static void main(String[] arguments) {
    try (Segment segment = Segment.attach("hello", SECONDS.toNanos(60));
        Subscriber subscriber = Subscriber.open(segment.directory().find("greetings", Kind.BROADCAST))) {
      MessageHandler print = message -> System.out.println(new String(message.toBytes(), UTF_8));
      if (subscriber.poll(print, 1, SECONDS.toNanos(60)) == 0) {
        throw new IllegalStateException("no message came for 60 s; start HelloPublisher in another terminal");
      }
    }
  }
}
