package io.bywash.engine.record;

import io.bywash.engine.Claim;
import io.bywash.engine.internal.record.ClaimView;
import io.bywash.engine.internal.record.MessageView;
import io.bywash.engine.internal.memory.Region;

/** One message in memory of its own, between bytes that nobody is to touch. */
final class Bytes extends ClaimView {
  private static final int MARGIN = 64;
  private static final byte UNTOUCHED = 0x5A;

  private final int size;
  private final MessageView message;

  Bytes(int size) {
    super(Region.allocate(2 * MARGIN + size), MARGIN);
    this.size = size;
    this.message = new MessageView(region, MARGIN, size);
    fill(UNTOUCHED);
  }

  /** What an earlier message might have left. */
  void fill(byte value) {
    for (int i = 0; i < 2 * MARGIN + size; i++) {
      region.setByte(0, i, i < MARGIN || i >= MARGIN + size ? UNTOUCHED : value);
    }
  }

  Claim claim() {
    open(MARGIN, size);
    return this;
  }

  MessageView message(int type) {
    message.set(0, size, type, 17);
    return message;
  }

  byte[] content() {
    byte[] content = new byte[size];
    region.copyTo(MARGIN, content, 0, size);
    return content;
  }

  void content(byte[] content) {
    region.copyFrom(MARGIN, content, 0, size);
  }

  /** Whether nothing was written beyond the message. */
  boolean isTight() {
    for (int i = 0; i < MARGIN; i++) {
      if (region.getByte(0, i) != UNTOUCHED || region.getByte(MARGIN + size, i) != UNTOUCHED) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void commit() {
    end();
  }

  @Override
  public void stage() {
    end();
  }

  @Override
  public void abort() {
    end();
  }
}
