package io.bywash.samples.circularbuffer;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.broadcast.*;
import java.util.Scanner;

/** Reads and checks messages until it is told that the writer ended. Who was overtaken says so and ends with 1. */
final class Reader implements MessageHandler {
  private static volatile boolean writerEnded;

  private final byte[] bytes = new byte[65_535];
  private Counts seen = Counts.NONE;

  public static void main(String[] arguments) {
    SubscriberOptions options = arguments[1].equals("fail") ? SubscriberOptions.fail() : SubscriberOptions.block();
    Reader reader = new Reader();
    try (Segment segment = Segment.attach(arguments[0], SECONDS.toNanos(60));
        Subscriber subscriber = Subscriber.open(segment.directory().find("messages", Kind.BROADCAST), options)) {
      Thread.ofPlatform().daemon().start(() -> writerEnded = !new Scanner(System.in).hasNext()); // at its end
      boolean last;
      do {
        last = writerEnded; // asked first: then what it published is there
      } while (subscriber.poll(reader, 1000, MILLISECONDS.toNanos(100)) > 0 || !last);
      System.out.println(reader.seen.toLine(0));
    } catch (OverrunException overtaken) {
      System.err.println(overtaken.getMessage());
      System.out.println(reader.seen.toLine(overtaken.lostCount()));
      System.exit(1);
    }
  }

  @Override
  public void onMessage(Message message) {
    message.getBytes(0, bytes, 0, message.length());
    seen = seen.plus(message.length(), Counts.checksum(bytes, message.length()), message.type());
  }
}
