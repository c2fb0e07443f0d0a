package io.bywash.engine;

import java.lang.foreign.MemorySegment;

/**
 * One received message. It is valid only during the handler's call and in the handler's thread; copy out whatever has
 * to live longer.
 *
 * <p>An index is an offset into the message in bytes, from 0. Numbers are little-endian and need no alignment. Each
 * access is checked: one outside the message, or after the handler has returned, throws
 * {@link IndexOutOfBoundsException}.
 */
public interface Message {
  /** The length in bytes, at least 1. */
  int length();

  /** The type that the sender chose; 0 by default. */
  int type();

  /**
   * The message's number in its queue. The first message has 0, and there are no gaps, not even when the publisher
   * changes.
   */
  long sequence();

  /** Reads one byte. */
  byte getByte(int index);

  /** Reads two bytes. */
  short getShort(int index);

  /** Reads four bytes. */
  int getInt(int index);

  /** Reads eight bytes. */
  long getLong(int index);

  /** Reads eight bytes as a floating-point number. */
  double getDouble(int index);

  /** Copies {@code length} bytes, from {@code index} on, into an array. */
  void getBytes(int index, byte[] target, int targetIndex, int length);

  /** Copies {@code length} bytes, from {@code index} on, into a memory segment. */
  void getBytes(int index, MemorySegment target, long targetOffset, int length);

  /**
   * The bytes of the message as a read-only memory segment, aligned to 16 bytes, for reading through layouts and their
   * {@code VarHandle}s. Use it only during the handler's call. Later it shows other bytes of this queue, or zeros, or
   * throws an {@link IllegalStateException}.
   */
  MemorySegment asSegment();

  /** A copy of the whole message. */
  byte[] toBytes();
}
