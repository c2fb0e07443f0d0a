package io.bywash.samples.circularbuffer;

import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * What a process sent or received, and what it ended with.
 *
 * @param digest of the checksums of all messages, in their order
 * @param corrupt messages with another checksum than the sender's
 * @param lost messages that were overwritten before they were read
 */
record Counts(long messages, long bytes, long digest, long corrupt, long lost, int exitCode) {
  static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0);

  static int checksum(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  /** With one message more, that has a checksum and should have another one. */
  Counts plus(int length, int crc, int wanted) {
    return new Counts(messages + 1, bytes + length, 31 * digest + crc, corrupt + (crc == wanted ? 0 : 1), 0, 0);
  }

  /** As one process tells it to another, with what it lost. */
  String toLine(long lostCount) {
    return messages + " " + bytes + " " + digest + " " + corrupt + " " + lostCount;
  }

  static Counts of(String line, int exitCode) {
    long[] numbers = Stream.of(line.split(" ")).mapToLong(Long::parseLong).toArray();
    return new Counts(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], exitCode);
  }

  /** With a template for messages, bytes, corrupt and lost messages and exit code. */
  String format(String template) {
    return String.format(template, messages, bytes, corrupt, lost, exitCode);
  }
}
