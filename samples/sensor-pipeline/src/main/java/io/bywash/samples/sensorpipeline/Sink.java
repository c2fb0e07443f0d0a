package io.bywash.samples.sensorpipeline;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.ring.*;
import io.bywash.samples.kit.Vitals;
import io.bywash.samples.sensorpipeline.Signals.Spectrum;
import java.util.stream.IntStream;

/** Compares each spectrum with the sines that were generated. */
final class Sink {
  /** Argument: segment. */
  public static void main(String[] arguments) {
    try (Segment segment = Segment.attach(arguments[0], SECONDS.toNanos(10));
        Vitals vitals = Vitals.begin(segment, 2, "sink");
        RingPopper spectra = RingPopper.open(segment.directory().find("spectra", Kind.RING))) {
      spectra.label("sink");
      Entry ring = segment.directory().find("spectra", Kind.RING);
      long right = 0;
      boolean more = true;
      while (more) {
        more = RingStatus.of(ring).isUntouched() || Processor.hasWriter(ring);
        Spectrum spectrum = spectra.pop(Signals.SPECTRA, MILLISECONDS.toNanos(100));
        if (spectrum != null) {
          long begin = System.nanoTime();
          right += isRight(spectrum) ? 1 : 0;
          more = true;
          vitals.processed(System.nanoTime() - begin);
        }
      }
      System.out.println(spectra.poppedCount() + " " + right);
    }
  }

  private static boolean isRight(Spectrum spectrum) {
    return IntStream.range(0, Signals.CHANNELS).allMatch(i -> spectrum.peaks()[i] == Signals.frequency(i));
  }
}
