package io.bywash.engine.micro;

import io.bywash.engine.Message;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a message of 64 bytes costs a subscriber that reads all of it. Batches are published before the clock runs. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class PollBenchmark {
  private static final int BATCH = 4_096;

  /** A queue with a subscriber that reads in place, and one that reads copies. */
  @State(Scope.Thread)
  public static class Queue {
    final byte[] message = new byte[64];
    MicroBus bus;
    Publisher publisher;
    Subscriber inPlace;
    Subscriber copying;
    long sum;

    @Setup
    public void open() throws IOException {
      bus = new MicroBus();
      publisher = Publisher.open(bus.queue);
      inPlace = Subscriber.open(bus.queue, SubscriberOptions.block());
      copying = Subscriber.open(bus.queue, SubscriberOptions.skip());
    }

    @TearDown
    public void close() {
      inPlace.close();
      copying.close();
      publisher.close();
      bus.close();
    }

    void read(Message received) {
      for (int i = 0; i < 64; i += Long.BYTES) {
        sum += received.getLong(i);
      }
    }

    void drain(Subscriber subscriber) {
      int count;
      do {
        count = subscriber.poll(this::read, BATCH);
      } while (count > 0);
    }

    long pollAtOnce(Subscriber subscriber) {
      return sumOf(subscriber.poll(this::read, BATCH));
    }

    long pollSingly(Subscriber subscriber) {
      int count = 0;
      for (int i = 0; i < BATCH; i++) {
        count += subscriber.poll(this::read, 1);
      }
      return sumOf(count);
    }

    long sumOf(int count) {
      if (count != BATCH) {
        throw new IllegalStateException(count + " messages came of " + BATCH);
      }
      return sum;
    }
  }

  /** The same with a batch to be read. */
  public static class Batch extends Queue {
    /** Takes microseconds, and what is measured then with one look at the clock takes many more. */
    @Setup(Level.Invocation)
    public void publish() {
      drain(inPlace);
      drain(copying);
      for (int i = 0; i < BATCH; i++) {
        publisher.offer(message);
      }
    }
  }

  /** One poll for each message, in place. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long onePollInPlace(Batch queue) {
    return queue.pollSingly(queue.inPlace);
  }

  /** One poll for each message, of a copy. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long onePollCopy(Batch queue) {
    return queue.pollSingly(queue.copying);
  }

  /** One poll for all messages, in place. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long batchInPlace(Batch queue) {
    return queue.pollAtOnce(queue.inPlace);
  }

  /** One poll for all messages, of copies. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long batchCopy(Batch queue) {
    return queue.pollAtOnce(queue.copying);
  }

  /** A poll that finds nothing. */
  @Benchmark
  public int empty(Queue queue) {
    return queue.inPlace.poll(queue::read, 1);
  }
}
