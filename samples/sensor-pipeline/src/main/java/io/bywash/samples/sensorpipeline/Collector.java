package io.bywash.samples.sensorpipeline;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.ring.*;
import io.bywash.samples.kit.Vitals;
import io.bywash.samples.sensorpipeline.Signals.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

/** Pushes samples in batches, about a million a second. It never waits: what is not processed in time is dropped. */
final class Collector {
  private static final int BATCH = 1_000;
  private static final int NANOS_PER_SAMPLE = 1_000;

  /** Arguments: segment, number of samples, sabotage, and what is replayed, if anything. */
  public static void main(String[] arguments) throws IOException {
    float[][] signal = arguments.length > 3 ? recording(Path.of(arguments[3])) : Signals.sines();
    long count = Long.parseLong(arguments[1]);
    if (arguments[2].equals("detune")) {
      for (float[] channels : signal) {
        channels[3] = channels[4];
      }
    }
    long left = arguments[2].equals("drop") ? count / 2 : -1;
    try (Segment segment = Segment.attach(arguments[0], SECONDS.toNanos(10));
        Vitals vitals = Vitals.begin(segment, 0, "collector");
        RingWriter samples = RingWriter.open(segment.directory().find("samples", Kind.RING))) {
      samples.label("collector");
      long start = System.nanoTime();
      for (long first = 0; first < count; first += BATCH) {
        long begin = System.nanoTime();
        samples.pushBulkOverwrite(Signals.SAMPLES, LongStream.range(first, Math.min(first + BATCH, count))
            .filter(number -> number != left)
            .mapToObj(number -> new Sample(number, signal[(int) (number % signal.length)])).toList());
        vitals.processed(System.nanoTime() - begin);
        LockSupport.parkNanos(start + first * NANOS_PER_SAMPLE - System.nanoTime());
      }
    }
  }

  /** The first eight columns behind the time, line by line. */
  private static float[][] recording(Path file) throws IOException {
    return Files.readAllLines(file).stream().skip(1).map(line -> line.split(",")).map(cells -> {
      float[] channels = new float[Signals.CHANNELS];
      for (int i = 0; i < channels.length && i + 1 < cells.length; i++) {
        channels[i] = Float.parseFloat(cells[i + 1]);
      }
      return channels;
    }).toArray(float[][]::new);
  }
}
