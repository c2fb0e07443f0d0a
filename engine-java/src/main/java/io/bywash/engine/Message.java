package io.bywash.engine;

import java.lang.foreign.MemorySegment;

/**
 * One received message, for the duration of the handler's call and in its thread only; copy out what shall live longer.
 * An index is a byte of the message, from 0; numbers are little-endian and need no alignment. Every access is checked:
 * outside of the message, or after the call, it is an {@link IndexOutOfBoundsException}.
 */
public interface Message {
  /** Length in bytes, at least 1. */
  int length();

  /** The type that the sender gave it; 0 unless it chose one. */
  int type();

  /**
   * Its number: 0 for the queue's first message ever, then counting without gaps, also across a change of publisher.
   */
  long sequence();

  /** One byte. */
  byte getByte(int index);

  /** Two bytes. */
  short getShort(int index);

  /** Four bytes. */
  int getInt(int index);

  /** Eight bytes. */
  long getLong(int index);

  /** Eight bytes as a floating point number. */
  double getDouble(int index);

  /** Copies {@code length} bytes from {@code index} on into an array. */
  void getBytes(int index, byte[] target, int targetIndex, int length);

  /** Copies {@code length} bytes from {@code index} on into a segment. */
  void getBytes(int index, MemorySegment target, long targetOffset, int length);

  /**
   * The bytes of the message as a read-only segment, aligned to 16 bytes, for whoever reads through layouts and their
   * {@code VarHandle}s. To be used during the call only; later it shows other bytes of this queue, or zeros, or is an
   * {@link IllegalStateException}.
   */
  MemorySegment asSegment();

  /** A copy of the whole message. */
  byte[] toBytes();
}
