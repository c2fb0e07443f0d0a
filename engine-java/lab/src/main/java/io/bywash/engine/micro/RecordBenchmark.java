package io.bywash.engine.micro;

import io.bywash.engine.Claim;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.internal.record.ClaimView;
import io.bywash.engine.internal.record.MessageView;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.util.List;
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

/** What a record of eight fields costs, where one call sees records of five classes in turn. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
@Fork(1)
public class RecordBenchmark {
  private static final int TYPES = 5;

  /** Five classes with the same components. */
  record Longs(long a, long b, long c, long d, long e, long f, long g, long h) {}

  record Longs2(long a, long b, long c, long d, long e, long f, long g, long h) {}

  record Mixed(long a, int b, int c, double d, short e, byte f, byte g, long h) {}

  record Doubles(double a, double b, double c, double d, double e, double f, double g, double h) {}

  record Ints(int a, int b, int c, int d, int e, int f, int g, int h) {}

  /** A claim and a message on the same memory. */
  private static final class Place extends ClaimView {
    private final MessageView message;
    private final int sizeBytes;

    Place(int sizeBytes) {
      super(Region.allocate(sizeBytes), 0);
      this.sizeBytes = sizeBytes;
      this.message = new MessageView(region, 0, sizeBytes);
      open(0, sizeBytes);
      message.set(0, sizeBytes, 0, 0);
    }

    @Override
    public void commit() {}

    @Override
    public void stage() {}

    @Override
    public void abort() {}
  }

  private record Case<T extends Record>(Records<T> records, RecordType<T> type, T record, Place place) {
    @SuppressWarnings("unchecked") // a record's class is that of the record
    static <T extends Record> Case<T> of(T record) {
      Records<T> records = Records.of(MethodHandles.lookup(), (Class<T>) record.getClass());
      RecordType<T> type = records.typeOf(record);
      return new Case<>(records, type, record, new Place(type.sizeBytes()));
    }

    T encodeAndDecode() {
      type.write(place, record);
      return records.read(place.message);
    }
  }

  private final List<Case<?>> cases = List.of(Case.of(new Longs(1, 2, 3, 4, 5, 6, 7, 8)),
      Case.of(new Longs2(1, 2, 3, 4, 5, 6, 7, 8)), Case.of(new Doubles(1, 2, 3, 4, 5, 6, 7, 8)),
      Case.of(new Mixed(1, 2, 3, 4, (short) 5, (byte) 6, (byte) 7, 8)), Case.of(new Ints(1, 2, 3, 4, 5, 6, 7, 8)));
  private final Case<?> one = cases.getFirst();
  private final Records<Record> five = Records.of(MethodHandles.lookup(), Record.class, Longs.class, Longs2.class,
      Doubles.class, Mixed.class, Ints.class);
  private final Records<Longs> longs = Records.of(MethodHandles.lookup(), Longs.class);
  private long next;

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

  /** Encode and decode, of five classes in turn. */
  @Benchmark
  @OperationsPerInvocation(TYPES)
  public long encodeDecodeFive() {
    long sum = 0;
    for (int i = 0; i < TYPES; i++) {
      sum += cases.get(i).encodeAndDecode() == null ? 0 : 1;
    }
    return sum;
  }

  /** The same of one class. */
  @Benchmark
  public Record encodeDecodeOne() {
    return one.encodeAndDecode();
  }

  /** A record of eight longs that is made for it, published. */
  @Benchmark
  public boolean offerOne() {
    long i = next++;
    return publisher.offer(longs, new Longs(i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6, i + 7));
  }

  /** Records of five classes in turn, published. */
  @Benchmark
  @OperationsPerInvocation(TYPES)
  public int offerFive() {
    int count = 0;
    for (int i = 0; i < TYPES; i++) {
      count += publisher.offer(five, cases.get(i).record) ? 1 : 0;
    }
    return count;
  }

  /** Beside them: a claim with eight checked puts. */
  @Benchmark
  public void claimWithEightPuts() {
    Claim claim = publisher.tryClaim(64);
    long first = next++;
    for (int i = 0; i < 8; i++) {
      claim.putLong(i * Long.BYTES, first + i);
    }
    claim.commit();
  }
}
