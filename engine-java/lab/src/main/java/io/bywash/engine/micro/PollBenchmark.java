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

/**
 * What one message of 64 bytes costs a subscriber that reads all of it. Batches were published before the clock
 * starts.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class PollBenchmark {
  private static final int BATCH = 4_096;

  private final byte[] message = new byte[64];
  private long sum;
  private MicroBus bus;
  private Publisher publisher;
  private Subscriber inPlace;
  private Subscriber copying;

  /** A queue with a subscriber of each sort; both have read everything. */
  @Setup
  public void open() throws IOException {
    bus = new MicroBus();
    publisher = Publisher.open(bus.queue);
    inPlace = Subscriber.open(bus.queue, SubscriberOptions.block());
    copying = Subscriber.open(bus.queue, SubscriberOptions.skip());
  }

  @TearDown
  public void close() throws IOException {
    inPlace.close();
    copying.close();
    publisher.close();
    bus.close();
  }

  /** A batch to be read; both subscribers begin at its first message. */
  @State(Scope.Thread)
  public static class Batch {
    /** Takes microseconds, a hundredth of what the benchmark then measures with one reading of the clock. */
    @Setup(Level.Invocation)
    public void publish(PollBenchmark benchmark) {
      benchmark.drain(benchmark.inPlace);
      benchmark.drain(benchmark.copying);
      for (int i = 0; i < BATCH; i++) {
        benchmark.publisher.offer(benchmark.message);
      }
    }
  }

  private void drain(Subscriber subscriber) {
    int count;
    do {
      count = subscriber.poll(this::read, BATCH);
    } while (count > 0);
  }

  private void read(Message received) {
    for (int i = 0; i < 64; i += Long.BYTES) {
      sum += received.getLong(i);
    }
  }

  /** One poll for each message, in place. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long onePollInPlace(Batch batch) {
    return pollSingly(inPlace);
  }

  /** One poll for each message, of a copy. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long onePollCopy(Batch batch) {
    return pollSingly(copying);
  }

  private long pollSingly(Subscriber subscriber) {
    for (int i = 0; i < BATCH; i++) {
      subscriber.poll(this::read, 1);
    }
    return sum;
  }

  /** One poll for all messages, in place. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long batchInPlace(Batch batch) {
    inPlace.poll(this::read, BATCH);
    return sum;
  }

  /** One poll for all messages, of copies. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long batchCopy(Batch batch) {
    copying.poll(this::read, BATCH);
    return sum;
  }

  /** A poll that finds nothing. */
  @Benchmark
  public int empty() {
    return inPlace.poll(this::read, 1);
  }
}
