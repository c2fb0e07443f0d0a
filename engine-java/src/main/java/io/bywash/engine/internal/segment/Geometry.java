package io.bywash.engine.internal.segment;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Lifetime;
import io.bywash.engine.SegmentFormatException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.ProcessIdentity;
import io.bywash.engine.internal.memory.Region;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The shape of a segment. Its creator writes it once; each attacher reads and validates it once, and does not read it
 * from shared memory again.
 */
public record Geometry(long sizeBytes, long segmentId, int slotCount, int rowCount, long rowsOffset, long dataOffset,
    Lifetime lifetime, boolean hugePages, long createdMillis) {

  public static Geometry of(SegmentSpec spec, long segmentId) {
    return new Geometry(spec.sizeBytes(), segmentId, spec.participantCapacity(), spec.entryCapacity(),
        SegmentLayout.rowsOffset(spec.participantCapacity()),
        SegmentLayout.dataOffset(spec.participantCapacity(), spec.entryCapacity()),
        spec.lifetime(), spec.hugePages(), System.currentTimeMillis());
  }

  /** Writes the header, except for the ready word. Nobody else sees the file yet; {@code inode} is its number. */
  public void write(Region region, long inode) {
    ProcessIdentity self = ProcessIdentity.self();
    region.setLong(MAGIC_OFFSET, MAGIC);
    region.setInt(VERSION_OFFSET, VERSION);
    region.setInt(HEADER_BYTES_OFFSET, HEADER_BYTES);
    region.setLong(SIZE_OFFSET, sizeBytes);
    region.setLong(ID_OFFSET, segmentId);
    region.setInt(SLOT_COUNT_OFFSET, slotCount);
    region.setInt(ROW_COUNT_OFFSET, rowCount);
    region.setLong(SLOTS_OFFSET_OFFSET, HEADER_BYTES);
    region.setLong(ROWS_OFFSET_OFFSET, rowsOffset);
    region.setLong(DATA_OFFSET_OFFSET, dataOffset);
    region.setInt(LIFETIME_OFFSET, lifetime == Lifetime.KEPT ? KEPT : WHILE_USED);
    region.setInt(PAGES_OFFSET, hugePages ? HUGE_PAGES : ORDINARY_PAGES);
    region.setLong(CREATED_OFFSET, createdMillis);
    region.setLong(BOOT_HIGH_OFFSET, self.bootHigh());
    region.setLong(BOOT_LOW_OFFSET, self.bootLow());
    region.setLong(INODE_OFFSET, inode);
    region.setInt(CHECKSUM_OFFSET, checksum(region));
    region.setLongOpaque(NEXT_FREE_OFFSET, dataOffset);
    region.setLongOpaque(STATE_OFFSET, OPEN);
  }

  private static int checksum(Region region) {
    byte[] bytes = new byte[CHECKSUM_OFFSET];
    region.copyTo(0, bytes, 0, bytes.length);
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  /** Reads the header of a file, mapped as {@code region}. Rejects what is not a sound segment of this version. */
  public static Geometry read(Region region, Path path) {
    long magic = region.getLong(MAGIC_OFFSET);
    if (magic != MAGIC) {
      throw new SegmentFormatException(String.format("File %s is not a Bywash segment: it begins with 0x%016X, a"
          + " segment with 0x%016X. Choose another name, or remove the file.", path, magic, MAGIC));
    }
    int version = region.getInt(VERSION_OFFSET);
    if (version != VERSION) {
      throw new SegmentFormatException("Segment " + path + " has layout version " + version + ", this program uses"
          + " version " + VERSION + ". Use the same Bywash version in all processes, or remove the segment when nobody"
          + " uses it.");
    }
    if (region.getIntAcquire(READY_OFFSET) != 1) { // [ready] makes the whole header and all tables visible
      throw damaged(path, "it was never made ready");
    }
    if (region.getInt(CHECKSUM_OFFSET) != checksum(region)) {
      throw damaged(path, "the checksum of its header is wrong");
    }
    long features = region.getLong(REQUIRED_FEATURES_OFFSET);
    if (features != 0) {
      throw new SegmentFormatException(String.format("Segment %s needs features 0x%x, which this program does not know."
          + " Use a newer Bywash version here.", path, features));
    }
    Geometry geometry = new Geometry(region.getLong(SIZE_OFFSET), region.getLong(ID_OFFSET),
        region.getInt(SLOT_COUNT_OFFSET), region.getInt(ROW_COUNT_OFFSET), region.getLong(ROWS_OFFSET_OFFSET),
        region.getLong(DATA_OFFSET_OFFSET),
        region.getInt(LIFETIME_OFFSET) == KEPT ? Lifetime.KEPT : Lifetime.WHILE_USED,
        region.getInt(PAGES_OFFSET) == HUGE_PAGES, region.getLong(CREATED_OFFSET));
    geometry.validate(region, path);
    return geometry;
  }

  private void validate(Region region, Path path) {
    if (sizeBytes != region.sizeBytes()) {
      throw damaged(path, "its header says " + sizeBytes + " bytes, the file has " + region.sizeBytes());
    }
    if (slotCount < 1 || slotCount > Owner.MAX_SLOTS || rowCount < 1 || rowCount > MAX_ROWS) {
      throw damaged(path, "it claims " + slotCount + " participant slots and " + rowCount + " directory rows");
    }
    if (region.getLong(SLOTS_OFFSET_OFFSET) != HEADER_BYTES || rowsOffset != SegmentLayout.rowsOffset(slotCount)
        || dataOffset != SegmentLayout.dataOffset(slotCount, rowCount) || dataOffset > sizeBytes) {
      throw damaged(path, "its tables are not where the layout puts them");
    }
  }

  public static SegmentFormatException tooSmall(Path path, long sizeBytes) {
    return new SegmentFormatException("File " + path + " is not a Bywash segment: it has " + sizeBytes
        + " bytes, a segment has at least " + HEADER_BYTES + ". Choose another name, or remove the file.");
  }

  public static DamagedSegmentException damaged(Path path, String how) {
    return new DamagedSegmentException("Segment " + path + " is damaged: " + how
        + ". Nothing in it can be used; remove the file when no process needs it.");
  }

  public long slot(int id) {
    return HEADER_BYTES + (long) id * SLOT_BYTES;
  }

  public long row(int index) {
    return rowsOffset + (long) index * ROW_BYTES;
  }
}
