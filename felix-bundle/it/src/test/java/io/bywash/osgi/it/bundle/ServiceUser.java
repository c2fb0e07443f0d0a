package io.bywash.osgi.it.bundle;

import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.osgi.BroadcastService;
import java.nio.ByteBuffer;
import java.util.function.LongUnaryOperator;

/** Takes both roles from the service of one queue. Publishes the number given, and returns the one that came back. */
public final class ServiceUser implements LongUnaryOperator, AutoCloseable {
  private final Subscriber subscriber;
  private final Publisher publisher;

  public ServiceUser(Object service) {
    BroadcastService queue = (BroadcastService) service;
    subscriber = queue.subscribe(SubscriberOptions.block());
    publisher = queue.publish();
    if (queue.status().subscribers().isEmpty()) {
      throw new AssertionError(queue + " has the subscribers " + queue.status().subscribers());
    }
  }

  @Override
  public long applyAsLong(long number) {
    publisher.offer(ByteBuffer.allocate(Long.BYTES).putLong(number).array());
    long[] received = new long[1];
    subscriber.poll(message -> received[0] = ByteBuffer.wrap(message.toBytes()).getLong(), 1, 10_000_000_000L);
    return received[0];
  }

  @Override
  public void close() {
    publisher.close();
    subscriber.close();
  }
}
