package io.bywash.engine.cell;

import static io.bywash.engine.cell.LatestLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;

/**
 * The word and the buffers of one latest value: where they are, and what they hold. Geometry is validated once, here;
 * words that change are validated whenever they are read. Any thread may use it.
 */
final class LatestBuffers {
  final SegmentEntry entry;
  final Region region;
  final int maxValueBytes;
  final int writers;
  final long dataOffset;
  final long dataBytes;
  private final long bufferBytes;
  private final long latestOffset;

  /** Those of an entry that is a sound latest value; its segment may be closing. */
  LatestBuffers(SegmentEntry entry) {
    this.entry = entry;
    this.region = entry.region();
    this.maxValueBytes = (int) entry.elementSizeBytes();
    this.writers = (int) entry.parameters()[PARAMETER_WRITERS];
    this.bufferBytes = bufferBytes(maxValueBytes);
    this.dataOffset = entry.offset() + SegmentLayout.structureDataOffset(entry.roleCount());
    this.dataBytes = writers * BUFFERS_A_WRITER * bufferBytes;
    this.latestOffset = entry.offset() + LATEST;
  }

  /** Those of an entry, which must be a sound latest value in a segment that is open. */
  static LatestBuffers of(Entry entry) {
    return new LatestBuffers(LatestType.INSTANCE.requireSound(entry, "is no latest value"));
  }

  // ---- the word

  /** The word that says where the latest value is. */
  long latest() {
    return region.getLongAcquire(latestOffset); // [latest] makes the buffer that it names visible
  }

  /** Names another buffer; false when the word was another one. */
  boolean change(long found, long version, int role, int buffer) {
    long next = version << VERSION_SHIFT | (long) role << ROLE_SHIFT | buffer;
    return region.compareAndSetLong(latestOffset, found, next); // [latest]
  }

  /** How many values there were up to this one; 0 when there is none yet. */
  static long version(long latest) {
    return latest >>> VERSION_SHIFT;
  }

  int roleIn(long latest) {
    int role = (int) (latest >>> ROLE_SHIFT) & (1 << VERSION_SHIFT - ROLE_SHIFT) - 1;
    if (role >= writers) {
      throw entry.damaged("the latest value is said to be of writer " + role + " of " + writers);
    }
    return role;
  }

  static int bufferIn(long latest) {
    return (int) latest & BUFFERS_A_WRITER - 1;
  }

  // ---- the buffers

  /** Where a buffer of a writer is in the region. */
  long buffer(int role, int buffer) {
    return dataOffset + ((long) role * BUFFERS_A_WRITER + buffer) * bufferBytes;
  }

  /** Where the buffer is that a word names. */
  long bufferOf(long latest) {
    return buffer(roleIn(latest), bufferIn(latest));
  }

  /**
   * Whether a buffer still has that version, called behind an acquire fence after it was read: if any of what was read
   * is newer, then so is the stamp.
   */
  boolean isStill(long buffer, long version) {
    return region.getLongOpaque(buffer + BUFFER_STAMP) == version; // [stamp]
  }
}
