package io.bywash.samples.sensorpipeline;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;

/** What flows through the pipeline: samples of eight channels, and of each window of them the strongest frequencies. */
final class Signals {
  static final int CHANNELS = 8;
  static final int WINDOW = 1024;
  static final Records<Sample> SAMPLES = Records.of(lookup(), Sample.class);
  static final Records<Spectrum> SPECTRA = Records.of(lookup(), Spectrum.class);

  /** Of the disturbance on all channels, which is stronger than the sines, in periods per window. */
  private static final int DISTURBANCE = 400;

  private Signals() {}

  /** One value of each channel. */
  record Sample(long number, @Length(CHANNELS) float[] channels) {}

  /** The strongest frequency of each channel in a window, in periods per window. */
  record Spectrum(long firstNumber, @Length(CHANNELS) int[] peaks) {}

  /** The frequency of a channel's sine, in periods per window. */
  static int frequency(int channel) {
    return 10 + 12 * channel;
  }

  /** One window of sines with the disturbance, which goes on from its beginning. */
  static float[][] sines() {
    float[][] samples = new float[WINDOW][CHANNELS];
    for (int i = 0; i < WINDOW; i++) {
      for (int channel = 0; channel < CHANNELS; channel++) {
        samples[i][channel] = (float) (sine(i, frequency(channel)) + 1.5 * sine(i, DISTURBANCE));
      }
    }
    return samples;
  }

  private static double sine(int number, int frequency) {
    return Math.sin(2 * Math.PI * frequency * number / WINDOW);
  }

  /** The frequency with the largest amplitude but the constant part, in periods per window: radix-2 FFT, in place. */
  static int peak(float[] window) {
    int size = window.length;
    double[] real = new double[size];
    double[] imaginary = new double[size];
    for (int i = 0; i < size; i++) {
      real[Integer.reverse(i) >>> Integer.numberOfLeadingZeros(size - 1)] = window[i];
    }
    for (int half = 1; half < size; half *= 2) {
      for (int k = 0; k < half; k++) {
        double cos = Math.cos(Math.PI * k / half);
        double sin = -Math.sin(Math.PI * k / half);
        for (int i = k; i < size; i += 2 * half) {
          double re = cos * real[i + half] - sin * imaginary[i + half];
          double im = cos * imaginary[i + half] + sin * real[i + half];
          real[i + half] = real[i] - re;
          imaginary[i + half] = imaginary[i] - im;
          real[i] += re;
          imaginary[i] += im;
        }
      }
    }
    int peak = 1;
    for (int i = 2; i < size / 2; i++) {
      peak = Math.hypot(real[i], imaginary[i]) > Math.hypot(real[peak], imaginary[peak]) ? i : peak;
    }
    return peak;
  }
}
