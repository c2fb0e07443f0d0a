package io.bywash.engine.micro;

import io.bywash.engine.Claim;
import io.bywash.engine.broadcast.Publisher;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What one message costs its publisher, with no subscriber. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class PublishBenchmark {
  private static final int BATCH = 16;

  private final byte[] message = new byte[64];
  private MicroBus bus;
  private Publisher publisher;

  @Setup
  public void open() throws IOException {
    bus = new MicroBus();
    publisher = Publisher.open(bus.queue);
  }

  @TearDown
  public void close() {
    publisher.close();
    bus.close();
  }

  /** Claim, one word, commit. */
  @Benchmark
  public void claimCommit8() {
    publisher.tryClaim(8).putLong(0, 42).commit();
  }

  /** Claim, eight words, commit. */
  @Benchmark
  public void claimCommit64() {
    fill(publisher.tryClaim(64)).commit();
  }

  private static Claim fill(Claim claim) {
    for (int i = 0; i < 64; i += Long.BYTES) {
      claim.putLong(i, i);
    }
    return claim;
  }

  /** Eight words a message, sixteen messages a publish. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void staged64() {
    for (int i = 0; i < BATCH; i++) {
      fill(publisher.tryClaim(64)).stage();
    }
    publisher.publish();
  }

  /** Claim and abort: what a claim costs without its publication. */
  @Benchmark
  public void claimAbort() {
    publisher.tryClaim(64).abort();
  }

  /** A copy of 64 bytes. */
  @Benchmark
  public boolean offer64() {
    return publisher.offer(message);
  }
}
