package io.bywash.engine.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Message;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A segment with work queues, attached twice, as two processes would; and numbered messages. */
final class TestJobs implements AutoCloseable {
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(100);
  static final String NAME = "jobs";
  static final int MAX_BYTES = 200;

  final Segment first;
  final Segment second;
  final Entry jobs;
  final Entry elsewhere;

  private TestJobs(Path file, EntrySpec... specs) {
    first = Segment.create(file, SegmentSpec.of(specs));
    second = Segment.attach(file, 0);
    jobs = first.directory().find(specs[0].name()).orElseThrow();
    elsewhere = second.directory().find(specs[0].name()).orElseThrow();
  }

  static TestJobs of(Path file, EntrySpec... specs) {
    return new TestJobs(file, specs);
  }

  static TestJobs of(Path file, int capacity) {
    return of(file, WorkQueue.spec(NAME, capacity, MAX_BYTES, DeliveryPolicy.redeliver(), 8));
  }

  static TestJobs of(Path file, int capacity, DeliveryPolicy policy) {
    return of(file, WorkQueue.spec(NAME, capacity, MAX_BYTES, policy, 8));
  }

  Producer producer() {
    return Producer.open(jobs);
  }

  Consumer consumer() {
    return Consumer.open(elsewhere);
  }

  Consumer consumer(WaitPolicy policy) {
    return Consumer.open(elsewhere, policy);
  }

  static byte[] content(int number) {
    byte[] bytes = new byte[1 + number % MAX_BYTES];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (number * 31 + i);
    }
    return bytes;
  }

  static boolean offer(Producer producer, int number) {
    byte[] bytes = content(number);
    return producer.offer(bytes, 0, bytes.length, number, 0);
  }

  /** Sends numbers, all of which find room. */
  static void send(Producer producer, int from, int count) {
    for (int i = from; i < from + count; i++) {
      assertTrue(offer(producer, i), "no room for " + i);
    }
  }

  /** The number of a message, which is whole. */
  static int number(Message message) {
    assertArrayEquals(content(message.type()), message.toBytes(), "message " + message.type());
    return message.type();
  }

  /** Takes a message, which is there. */
  static Delivery take(Consumer consumer) {
    Delivery taken = consumer.take();
    assertNotNull(taken, "there is no message");
    return taken;
  }

  /** Takes a message, which is there, and acknowledges it; its number. */
  static int takeNumber(Consumer consumer) {
    Delivery taken = take(consumer);
    int number = number(taken);
    taken.ack();
    return number;
  }

  /** The numbers of all that is there now, acknowledged. */
  static List<Integer> drain(Consumer consumer) {
    List<Integer> numbers = new ArrayList<>();
    int count;
    do {
      count = consumer.poll(message -> numbers.add(number(message)), 3);
    } while (count > 0);
    return numbers;
  }

  QueueStatus status() {
    return QueueStatus.of(jobs);
  }

  /** What was said about the queue is true, and there is nothing wrong with it. */
  void assertSound() {
    assertEquals(List.of(), Verification.of(first));
  }

  @Override
  public void close() {
    second.close();
    first.close();
  }
}
