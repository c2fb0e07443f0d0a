package io.bywash.osgi.it;

import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A publisher in a process of its own: arguments are the segment's file, the queue, its ring's bytes and subscribers;
 * no bytes are for a segment that exists. It says its next sequence, and then obeys: {@code publish N} publishes so
 * many and says the next sequence, {@code stream} publishes until it is killed, the end of the input closes
 * everything. Each message holds its sequence.
 */
final class PublisherProgram {
  private PublisherProgram() {}

  public static void main(String[] arguments) throws IOException {
    try (Segment segment = open(Path.of(arguments[0]), arguments[1], Long.parseLong(arguments[2]),
            Integer.parseInt(arguments[3]));
        Publisher publisher = Publisher.open(segment.directory().find(arguments[1], Kind.BROADCAST));
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.out.println(publisher.nextSequence());
      for (String order = orders.readLine(); order != null; order = orders.readLine()) {
        long count = order.equals("stream") ? Long.MAX_VALUE : Long.parseLong(order.substring("publish ".length()));
        while (count-- > 0) {
          publishSequence(publisher);
        }
        System.out.println(publisher.nextSequence());
      }
    }
  }

  private static Segment open(Path file, String queue, long ringBytes, int subscribers) {
    return ringBytes == 0 ? Segment.attach(file, 0)
        : Segment.open(file, SegmentSpec.of(Broadcast.spec(queue, ringBytes, subscribers)));
  }

  private static void publishSequence(Publisher publisher) {
    byte[] message = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN)
        .putLong(publisher.nextSequence()).array();
    while (!publisher.offer(message, 0, message.length, 0, 1_000_000_000)) {
      Thread.onSpinWait(); // a listener is slow
    }
  }
}
