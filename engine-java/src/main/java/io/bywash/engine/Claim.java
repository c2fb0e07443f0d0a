package io.bywash.engine;

import java.lang.foreign.MemorySegment;

/**
 * Room for one message in shared memory. Fill it in place, then {@link #commit}, {@link #stage} or {@link #abort} it,
 * in the thread that claimed it. Nobody else sees the message before it is committed.
 *
 * {@snippet :
 * try (Claim claim = publisher.claim(16, 0, 1_000_000_000)) {
 *   if (claim == null) {
 *     return false; // there was no room within a second
 *   }
 *   claim.putLong(0, id).putDouble(8, price).commit();
 *   return true;
 * } // a claim that was not committed is aborted here
 * }
 *
 * <p>An index is an offset into the message in bytes, from 0. Numbers are little-endian and need no alignment. The room
 * still holds bytes of earlier messages, so write every byte of it. Each access is checked: one outside the message, or
 * after the claim has ended, throws {@link IndexOutOfBoundsException}.
 */
public interface Claim extends AutoCloseable {
  /** The length of the message in bytes, as claimed. */
  int length();

  /** Writes one byte. */
  Claim putByte(int index, byte value);

  /** Writes two bytes. */
  Claim putShort(int index, short value);

  /** Writes four bytes. */
  Claim putInt(int index, int value);

  /** Writes eight bytes. */
  Claim putLong(int index, long value);

  /** Writes a floating-point number in eight bytes. */
  Claim putDouble(int index, double value);

  /** Copies {@code length} bytes of an array, from {@code sourceIndex} on, to {@code index}. */
  Claim putBytes(int index, byte[] source, int sourceIndex, int length);

  /** Copies {@code length} bytes of a memory segment, from {@code sourceOffset} on, to {@code index}. */
  Claim putBytes(int index, MemorySegment source, long sourceOffset, int length);

  /**
   * The bytes of the claim as a memory segment of exactly its length, aligned to 16 bytes, for writing through layouts
   * and their {@code VarHandle}s. Use it only until commit, stage or abort. What is written through it later lands in
   * other messages of this queue, whose subscribers may then find the queue damaged; it can reach nothing else.
   */
  MemorySegment asSegment();

  /**
   * Publishes the message, together with all messages that were staged before it, and ends the claim.
   *
   * @throws IllegalStateException when the claim has already been committed, staged or aborted
   * @throws SegmentClosedException when the role was revoked, or it or its segment was closed, since the claim was
   *     made; the message is not published
   */
  void commit();

  /**
   * Ends the claim like {@link #commit}, but leaves the message invisible until the next commit, or until the role is
   * asked to publish. Publishing a batch at once costs less than publishing each message. Staged messages are also
   * published when a claim finds no room, when one would overwrite some of them, and when the role is closed. If the
   * process dies first, they are lost.
   *
   * @throws IllegalStateException when the claim has already been committed, staged or aborted
   * @throws SegmentClosedException as for {@link #commit}
   */
  void stage();

  /**
   * Drops the message and ends the claim; no sequence is used up. Does nothing when the claim has already been
   * committed, staged or aborted.
   */
  void abort();

  /** Same as {@link #abort}. */
  @Override
  default void close() {
    abort();
  }
}
