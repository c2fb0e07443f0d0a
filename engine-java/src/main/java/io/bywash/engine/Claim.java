package io.bywash.engine;

import java.lang.foreign.MemorySegment;

/**
 * Room for one message in shared memory, to be filled in place and then committed or aborted, by the thread that
 * claimed it. Until then nobody else sees it. An index is a byte of the message, from 0; numbers are written
 * little-endian and need no alignment. Its bytes are what an earlier message left there, so write all of them. Every
 * access is checked: outside of the message, or after commit or abort, it is an {@link IndexOutOfBoundsException}.
 *
 * <p>Used in a {@code try} with resources, a claim that was not committed is aborted.
 */
public interface Claim extends AutoCloseable {
  /** Length in bytes, as claimed. */
  int length();

  /** One byte. */
  Claim putByte(int index, byte value);

  /** Two bytes. */
  Claim putShort(int index, short value);

  /** Four bytes. */
  Claim putInt(int index, int value);

  /** Eight bytes. */
  Claim putLong(int index, long value);

  /** A floating point number in eight bytes. */
  Claim putDouble(int index, double value);

  /** Copies {@code length} bytes of an array to {@code index}. */
  Claim putBytes(int index, byte[] source, int sourceIndex, int length);

  /** Copies {@code length} bytes of a segment to {@code index}. */
  Claim putBytes(int index, MemorySegment source, long sourceOffset, int length);

  /**
   * The bytes of the claim as a segment of exactly its length, aligned to 16 bytes, for whoever writes through layouts
   * and their {@code VarHandle}s. To be used until commit, stage or abort. What is written through it later lands in
   * other messages of this queue, whose readers may then find the queue damaged; it reaches nothing else.
   */
  MemorySegment asSegment();

  /**
   * Publishes the message, and with it all that was staged before, and ends the claim.
   *
   * @throws IllegalStateException when it was committed, staged or aborted before
   */
  void commit();

  /**
   * Ends the claim like {@link #commit}, but readers see the message only together with the next one that is committed,
   * or when the role is asked to publish: one publish for a batch costs less than one for each message. A role also
   * publishes what is staged when a claim finds no room, or would overwrite some of it, and when it is closed. What is
   * staged is lost if the process dies.
   *
   * @throws IllegalStateException when it was committed, staged or aborted before
   */
  void stage();

  /**
   * Gives the room back and ends the claim; no sequence is used. Nothing happens when it was committed, staged or
   * aborted.
   */
  void abort();

  /** The same as {@link #abort}. */
  @Override
  default void close() {
    abort();
  }
}
