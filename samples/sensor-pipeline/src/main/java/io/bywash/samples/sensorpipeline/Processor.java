package io.bywash.samples.sensorpipeline;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.ring.*;
import io.bywash.samples.kit.Vitals;
import io.bywash.samples.sensorpipeline.Signals.Sample;
import io.bywash.samples.sensorpipeline.Signals.Spectrum;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Pops samples in bulks of 100, filters them, and pushes the strongest frequencies of each window. It stands still
 * once, until samples were dropped. Their numbers tell how many are missing, and the ring how many it lost.
 */
final class Processor {
  private static final int BULK = 100;
  /** Of the low-pass filter: how much of each new value it lets through. */
  private static final float SMOOTHING = 0.2f;

  private final float[] filtered = new float[Signals.CHANNELS];
  private final float[][] windows = new float[Signals.CHANNELS][Signals.WINDOW];
  private final RingWriter spectra;
  private final Vitals vitals;
  private int inWindow;
  private long next;
  private long missing;

  private Processor(RingWriter spectra, Vitals vitals) {
    this.spectra = spectra;
    this.vitals = vitals;
  }

  /** Argument: segment. */
  public static void main(String[] arguments) {
    try (Segment segment = Segment.attach(arguments[0], SECONDS.toNanos(10));
        Vitals vitals = Vitals.begin(segment, 1, "processor");
        RingPopper samples = RingPopper.open(segment.directory().find("samples", Kind.RING));
        RingWriter spectra = RingWriter.open(segment.directory().find("spectra", Kind.RING))) {
      Entry ring = segment.directory().find("samples", Kind.RING);
      samples.label("processor");
      Processor processor = new Processor(spectra, vitals);
      boolean stood = false;
      while (processor.processed(samples, ring)) {
        if (!stood && samples.poppedCount() > ring.capacity() / 10) {
          stood = true;
          standStill(ring);
        }
      }
      System.out.println(samples.poppedCount() + " " + samples.lostCount() + " " + processor.missing + " "
          + processor.next + " " + spectra.pushedCount());
    }
  }

  /** Until the ring has overflowed for a while. */
  private static void standStill(Entry ring) {
    System.err.println("the processor stands still ...");
    while (RingStatus.of(ring).lostCount() < ring.capacity() / 10 && hasWriter(ring)) {
      LockSupport.parkNanos(MILLISECONDS.toNanos(1));
    }
    System.err.println("... and goes on");
  }

  static boolean hasWriter(Entry ring) {
    return RingStatus.of(ring).roles().stream().anyMatch(role -> role.task().equals("writer"));
  }

  /** Processes a bulk; false when there are no more, and the collector is gone. */
  private boolean processed(RingPopper samples, Entry ring) {
    boolean more = RingStatus.of(ring).isUntouched() || hasWriter(ring);
    List<Sample> bulk = samples.popBulk(Signals.SAMPLES, BULK, MILLISECONDS.toNanos(100));
    long begin = System.nanoTime();
    bulk.forEach(this::process);
    if (!bulk.isEmpty()) {
      vitals.processed(System.nanoTime() - begin);
    }
    return more || !bulk.isEmpty();
  }

  private void process(Sample sample) {
    if (sample.number() != next) { // a gap: the window begins anew
      missing += sample.number() - next;
      inWindow = 0;
    }
    next = sample.number() + 1;
    for (int channel = 0; channel < Signals.CHANNELS; channel++) {
      filtered[channel] += SMOOTHING * (sample.channels()[channel] - filtered[channel]);
      windows[channel][inWindow] = filtered[channel];
    }
    if (++inWindow == Signals.WINDOW) {
      inWindow = 0;
      int[] peaks = new int[Signals.CHANNELS];
      for (int channel = 0; channel < peaks.length; channel++) {
        peaks[channel] = Signals.peak(windows[channel]);
      }
      if (!spectra.push(Signals.SPECTRA, new Spectrum(next - Signals.WINDOW, peaks), SECONDS.toNanos(60))) {
        throw new IllegalStateException("the sink has not taken a spectrum for 60 s");
      }
    }
  }
}
