package io.bywash.samples.hello;

import static io.bywash.samples.hello.Greeting.GREETINGS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.broadcast.*;

/** Waits for the segment, subscribes, and prints the first message. */
final class HelloSubscriber {
  public static void main(String[] arguments) {
    try (Segment segment = Segment.attach("hello", SECONDS.toNanos(60));
        Subscriber subscriber = Subscriber.open(segment.directory().find("greetings", Kind.BROADCAST))) {
      Greeting greeting = subscriber.poll(GREETINGS, SECONDS.toNanos(60));
      if (greeting == null) {
        throw new IllegalStateException("no message came for 60 s; start HelloPublisher in another terminal");
      }
      System.out.println(greeting.text() + " from process " + greeting.process());
    }
  }
}
