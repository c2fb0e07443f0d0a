package io.bywash.samples.circularbuffer;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.broadcast.*;
import java.io.IOException;
import java.util.SplittableRandom;

/** Writes messages of 1 to 65,535 random bytes, some times round the ring. The type of each is its checksum. */
final class Writer {
  private static final SplittableRandom RANDOM = new SplittableRandom();
  private static final byte[] BYTES = new byte[65_535];
  private static Counts sent = Counts.NONE;

  public static void main(String[] arguments) throws IOException {
    EntrySpec ring = Broadcast.spec("messages", Long.parseLong(arguments[1]));
    try (Segment segment = Segment.open(arguments[0], SegmentSpec.of(ring));
        Publisher publisher = Publisher.open(segment.directory().find("messages", Kind.BROADCAST))) {
      if (!publisher.awaitSubscribers(3, SECONDS.toNanos(60))) {
        throw new IllegalStateException("there are not three readers after 60 s");
      }
      long start = ring.capacity() / 4; // nobody can be overtaken yet
      send(publisher, start, "none");
      System.out.println("one of the readers may be stopped now");
      System.in.read();
      send(publisher, start + Long.parseLong(arguments[2]) * ring.capacity(), arguments[3]);
      System.out.println(sent.toLine(0));
    }
  }

  /** Until so many bytes were sent; sabotages the first message. */
  private static void send(Publisher publisher, long bytesInAll, String sabotage) {
    for (String trick = sabotage; sent.bytes() < bytesInAll; trick = "none") {
      int length = RANDOM.nextInt(1, BYTES.length + 1);
      RANDOM.nextBytes(BYTES);
      int checksum = Counts.checksum(BYTES, length);
      BYTES[0] ^= (byte) (trick.equals("corrupt") ? 1 : 0);
      if (!trick.equals("drop") && !publisher.offer(BYTES, 0, length, checksum, SECONDS.toNanos(60))) {
        throw new IllegalStateException("the readers held the writer back for 60 s");
      }
      sent = sent.plus(length, checksum, checksum);
    }
  }
}
