package io.bywash.engine.internal.layout;

import static io.bywash.engine.internal.layout.SegmentLayout.LABEL_MAX_BYTES;

import io.bywash.engine.internal.memory.Region;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Names that programs give to their participants and roles, for people who inspect them. They have no part in any
 * ordering.
 */
public final class Label {
  private static final int MAX_LOOKS = 4;

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

  public static void write(Region region, long offset, String label) {
    byte[] bytes = Arrays.copyOf(label.getBytes(StandardCharsets.UTF_8), LABEL_MAX_BYTES);
    region.copyFrom(offset, bytes, 0, bytes.length);
  }

  /** Reads a label that may change meanwhile; if it changes at every try, the result is a mixture. */
  public static String read(Region region, long offset) {
    byte[] bytes = new byte[LABEL_MAX_BYTES];
    byte[] before;
    int looks = 0;
    do {
      before = bytes.clone();
      region.copyTo(offset, bytes, 0, bytes.length);
    } while (!Arrays.equals(before, bytes) && looks++ < MAX_LOOKS);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
