package io.bywash.engine.micro;

import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.waiting.WaitRoom;
import io.bywash.engine.internal.waiting.Waiters;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What the parts of a publication cost, and what they would cost with a fence. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class OrderingBenchmark {
  private static final int WORD = 0;

  private final Region region = Region.allocate(128);
  private MicroBus bus;
  private Waiters waiters;
  private long value;

  @Setup
  public void open() throws IOException {
    bus = new MicroBus();
    waiters = ((SegmentEntry) bus.queue).waitingForData();
  }

  @TearDown
  public void close() {
    bus.close();
  }

  /** Reference: a release store. */
  @Benchmark
  public void storeRelease() {
    region.setLongRelease(WORD, ++value);
  }

  /** A release store and the look for sleepers, as each commit has it; nobody sleeps. */
  @Benchmark
  public void storeReleaseSignal() {
    region.setLongRelease(WORD, ++value);
    waiters.signal();
  }

  /** The same with the full fence that the sleepers' membarrier saves. */
  @Benchmark
  public void storeReleaseFenceSignal() {
    region.setLongRelease(WORD, ++value);
    VarHandle.fullFence();
    waiters.signal();
  }

  /** Reference: a full fence. */
  @Benchmark
  public void fullFence() {
    VarHandle.fullFence();
  }

  /** What a sleeper pays instead: its own fence, and a membarrier. */
  @Benchmark
  public boolean sleepersFence() {
    return WaitRoom.fence();
  }
}
