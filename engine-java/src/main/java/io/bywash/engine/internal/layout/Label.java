package io.bywash.engine.internal.layout;

import static io.bywash.engine.internal.layout.SegmentLayout.LABEL_MAX_BYTES;

import io.bywash.engine.internal.memory.Region;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Labels that programs give to their participants and roles, for people who inspect them. They are information only: no
 * ordering depends on them.
 */
public final class Label {
  private static final int MAX_READS = 5;
  private static final byte[] EMPTY = new byte[LABEL_MAX_BYTES];

  private Label() {}

  /** Checks a label: up to 32 bytes of UTF-8 without control characters. */
  public static String check(String label) {
    boolean hasControls = label.chars().anyMatch(Character::isISOControl);
    int lengthBytes = label.getBytes(StandardCharsets.UTF_8).length;
    if (hasControls || lengthBytes > LABEL_MAX_BYTES) {
      throw new IllegalArgumentException("label=\"" + label + "\" has " + lengthBytes + " bytes in UTF-8"
          + (hasControls ? " with control characters" : "") + "; it may have " + LABEL_MAX_BYTES + ", without any");
    }
    return label;
  }

  /** Writes a label, padded with zeros. */
  public static void write(Region region, long offset, String label) {
    byte[] bytes = Arrays.copyOf(label.getBytes(StandardCharsets.UTF_8), LABEL_MAX_BYTES);
    region.copyFrom(offset, bytes, 0, bytes.length);
  }

  /** Writes the empty label; it takes no heap. */
  public static void clear(Region region, long offset) {
    region.copyFrom(offset, EMPTY, 0, EMPTY.length);
  }

  /** Reads a label until two reads agree. If it changes all the time, the result is a mixture of old and new bytes. */
  public static String read(Region region, long offset) {
    byte[] bytes = new byte[LABEL_MAX_BYTES];
    byte[] before;
    int reads = 0;
    do {
      before = bytes.clone();
      region.copyTo(offset, bytes, 0, bytes.length);
    } while (!Arrays.equals(before, bytes) && ++reads < MAX_READS);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
