package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;

import io.bywash.engine.broadcast.Ring.Cursor;
import io.bywash.engine.internal.memory.Region;
import java.lang.invoke.VarHandle;

/**
 * The block index of a ring: for each block the position and sequence of a record that begins at or behind the block's
 * first byte. Blocks are counted from the queue's first byte on, as positions are; a block and the one {@link
 * BroadcastLayout#NOTED_BLOCKS} later share an entry. Only the publisher writes it.
 */
final class BlockIndex {
  private final Region region;
  private final long offset;
  private final int shift;

  /** The index that begins at {@code offset} of the region. */
  BlockIndex(Region region, long offset, long capacityBytes) {
    this.region = region;
    this.offset = offset;
    this.shift = Long.numberOfTrailingZeros(capacityBytes / BLOCK_COUNT);
  }

  /** The number of the entry that a block has. */
  static int entry(long block) {
    return (int) (block & NOTED_BLOCKS - 1);
  }

  /** The bytes of a block. */
  long blockBytes() {
    return 1L << shift;
  }

  /** The block that a position lies in. */
  long blockOf(long position) {
    return position >>> shift;
  }

  /** The first block that begins at or behind a position. */
  long blockFrom(long position) {
    return position + blockBytes() - 1 >>> shift;
  }

  /** The position of a block's first byte. */
  long start(long block) {
    return block << shift;
  }

  private long at(int entry) {
    return offset + (long) entry * BLOCK_ENTRY_BYTES;
  }

  /** The position noted for a block; another block's, or -1, when there is none. */
  long position(long block) {
    return region.getLongAcquire(at(entry(block))); // [block] makes the entry's sequence visible
  }

  /** What an entry says about a sequence, whether it is valid or not. */
  long sequence(int entry) {
    return region.getLongOpaque(at(entry) + Long.BYTES);
  }

  /** What is noted for a block; null when nothing is, or it changes just now. */
  Cursor noted(long block) {
    long position = position(block);
    long sequence = sequence(entry(block));
    VarHandle.acquireFence(); // [block] the sequence was read before the second look at the position
    return position >= start(block) && position(block) == position ? new Cursor(position, sequence) : null;
  }

  /** Voids what is noted for records from {@code position} on that were never published; the publisher only. */
  void forgetBeyond(long position) {
    for (int entry = 0; entry < NOTED_BLOCKS; entry++) {
      if (position(entry) > position) {
        region.setLongRelease(at(entry), -1); // [block]
      }
    }
  }

  /** Notes a record's position and sequence for a block; the publisher only. */
  void note(long block, long position, long sequence) {
    long at = at(entry(block));
    region.setLongOpaque(at, -1);
    VarHandle.storeStoreFence(); // [block] whoever sees the new sequence does not see the old position
    region.setLongOpaque(at + Long.BYTES, sequence);
    region.setLongRelease(at, position); // [block]
  }
}
