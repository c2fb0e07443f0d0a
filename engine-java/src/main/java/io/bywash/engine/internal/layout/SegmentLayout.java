package io.bywash.engine.internal.layout;

import io.bywash.engine.EntrySpec;

/**
 * The bytes of a segment that all kinds of structures share. The normative text is docs/SPEC.md. All words are
 * little-endian, reserved bytes are zero, and words of different writers are at least 128 bytes apart.
 *
 * <pre>
 *  0          header            4096 bytes
 *  4096       participant table 256 bytes a slot
 *  ...        directory         256 bytes a row
 *  ...        structures        to the end of the file: with roles from a page boundary on, others from a multiple
 *                               of 128
 *
 *  header     0  magic "BYWASH\r\n"      8  int version         12 int header bytes
 *            16  long segment bytes     24  long segment id     32 int slots         36 int rows
 *            40  long slots offset      48  long rows offset    56 long data offset
 *            64  int lifetime           68  int pages           72 long created, ms since 1970
 *            80  long boot id, high     88  long boot id, low
 *            96  long required features 104 long optional features
 *           112  long inode             120 int CRC-32C of bytes 0..119
 *           124  int ready (written last, released)
 *           128  long state             written by whoever removes the segment or reverts that, by CAS
 *           256  long intent            264 long next free offset     272 long changes
 *                                      all three written under the directory lock
 * </pre>
 */
public final class SegmentLayout {
  public static final long MAGIC = 0x0A0D_4853_4157_5942L; // the bytes "BYWASH\r\n"
  public static final int VERSION = 2;
  public static final int PAGE_BYTES = 4096;
  public static final int HEADER_BYTES = PAGE_BYTES;
  /** The least distance between words of different writers. */
  public static final int LINE_BYTES = 128;
  /** Unused bytes behind the data of a structure with roles. */
  public static final int SPARE_BYTES = 128;

  public static final int MAGIC_OFFSET = 0;
  public static final int VERSION_OFFSET = 8;
  public static final int HEADER_BYTES_OFFSET = 12;
  public static final int SIZE_OFFSET = 16;
  public static final int ID_OFFSET = 24;
  public static final int SLOT_COUNT_OFFSET = 32;
  public static final int ROW_COUNT_OFFSET = 36;
  public static final int SLOTS_OFFSET_OFFSET = 40;
  public static final int ROWS_OFFSET_OFFSET = 48;
  public static final int DATA_OFFSET_OFFSET = 56;
  public static final int LIFETIME_OFFSET = 64;
  public static final int PAGES_OFFSET = 68;
  public static final int CREATED_OFFSET = 72;
  public static final int BOOT_HIGH_OFFSET = 80;
  public static final int BOOT_LOW_OFFSET = 88;
  /** One bit for each feature that a program must know to use the segment. */
  public static final int REQUIRED_FEATURES_OFFSET = 96;
  /** One bit for each feature that a program may ignore. */
  public static final int OPTIONAL_FEATURES_OFFSET = 104;
  /** The inode of the file that was created. A copy of the file has another one. */
  public static final int INODE_OFFSET = 112;
  public static final int CHECKSUM_OFFSET = 120;
  public static final int READY_OFFSET = 124;
  public static final int STATE_OFFSET = 128;
  public static final int INTENT_OFFSET = 256;
  public static final int NEXT_FREE_OFFSET = 264;
  /** Raised whenever an entry was added or removed. */
  public static final int CHANGES_OFFSET = 272;

  /** States of the intent, in its low bits; the generation is the row's index. */
  public static final int INTENT_ADD = 1;
  public static final int INTENT_REMOVE = 2;

  /** Values of the lifetime word. */
  public static final int WHILE_USED = 0;
  public static final int KEPT = 1;

  /** Values of the pages word. */
  public static final int ORDINARY_PAGES = 0;
  public static final int HUGE_PAGES = 1;

  /** States of the segment, in the low bits of the state word, which names the remover while it is CLOSING. */
  public static final int OPEN = 1;
  public static final int CLOSING = 2;
  public static final int REMOVED = 3;

  // ---- participant slot: the first line is written by the holder of the slot's lock, the doorbell by anybody
  public static final int SLOT_BYTES = 256;
  public static final int SLOT_WORD = 0;
  public static final int SLOT_PID = 8;
  public static final int SLOT_START_TICKS = 16;
  public static final int SLOT_PID_NAMESPACE = 24;
  public static final int SLOT_BOOT_HIGH = 32;
  public static final int SLOT_BOOT_LOW = 40;
  public static final int SLOT_HEARTBEAT = 48;
  public static final int SLOT_CAPABILITIES = 56;
  public static final int SLOT_HELD_ROWS = 64; // 8 longs, one bit a row
  public static final int SLOT_DOORBELL = 128;
  public static final int SLOT_LABEL = 192;
  public static final int SLOT_IMPLEMENTATION = 224;
  public static final int SLOT_IMPLEMENTATION_VERSION = 228;
  public static final int LABEL_MAX_BYTES = 32;

  /** Which implementation a participant runs; information only. */
  public static final int JAVA_ENGINE = 1;
  public static final int JAVA_ENGINE_VERSION = 1;

  /** States of a slot. */
  public static final int SLOT_FREE = 0;
  public static final int SLOT_JOINING = 1;
  public static final int SLOT_ACTIVE = 2;
  public static final int SLOT_LEAVING = 3;
  public static final int SLOT_CLOSED = 4;

  /** Capability bits. */
  public static final long CAN_WAKE = 1;
  public static final long LOCKS_BY_DESCRIPTION = 2;
  public static final long ASYMMETRIC = 4;

  // ---- directory row: all words are written under the directory lock
  public static final int ROW_BYTES = 256;
  public static final int ROW_WORD = 0; // generation 63..32, kind 31..16, the kind's version 15..8, state 7..0
  public static final int ROW_OFFSET = 8;
  public static final int ROW_SIZE = 16;
  public static final int ROW_CAPACITY = 24;
  public static final int ROW_ELEMENT_SIZE = 32;
  public static final int ROW_FINGERPRINT = 40;
  public static final int ROW_ROLE_COUNT = 48;
  public static final int ROW_CREATOR = 56; // participant part of an owner word
  public static final int ROW_NAME = 64;
  public static final int NAME_MAX_BYTES = 64;
  public static final int ROW_PARAMETERS = 128; // 8 longs
  public static final int PARAMETER_COUNT = 8;
  public static final int ROW_FLAGS = 192;
  public static final int ROW_TEXT_OFFSET = 200; // from the structure's first byte on
  public static final int ROW_TEXT_BYTES = 208;
  public static final int MAX_ROWS = 512;

  /** Flag of a row: whoever does not know the entry's kind must not remove the segment, even if nobody uses it. */
  public static final long RETAINS = 1;

  /** States of a row. */
  public static final int ROW_FREE = 0;
  public static final int ROW_ADDING = 1;
  public static final int ROW_LIVE = 2;
  public static final int ROW_TOMBSTONE = 3;

  // ---- common part of every structure with roles: one page, then its roles, then its own data from a page boundary on
  public static final int ROLES_USED = 0; // long: roles with this index or a higher one were never taken
  public static final int REMOVED_MARK = 8; // long: 1 when the entry was removed, so that its roles end
  public static final int LEFT = 64; // long: raised before and after a role is freed that leaves something
  public static final int WAITING_FOR_DATA = 128; // 16 longs, one bit a role
  public static final int WAITING_FOR_SPACE = 256; // 16 longs, one bit a role
  public static final int OWN_WORDS = 384; // up to the next word
  public static final int SUMMARY_FOR_DATA = 3072; // long: one bit a word of WAITING_FOR_DATA
  public static final int SUMMARY_FOR_SPACE = 3200; // long: one bit a word of WAITING_FOR_SPACE
  public static final int ROLES = PAGE_BYTES;
  public static final int ROLE_BYTES = 256;
  public static final int ROLE_WORD = 0; // the bytes up to the label, and behind it, belong to the kind
  public static final int ROLE_LABEL = 96;

  /** States of a role word. */
  public static final int ROLE_FREE = 0;
  public static final int ROLE_JOINING = 1;
  public static final int ROLE_ACTIVE = 2;
  public static final int ROLE_REVOKED = 3;

  // ---- locked bytes, far beyond any data
  public static final long SLOT_LOCKS = 1L << 61;
  public static final long DIRECTORY_LOCK = SLOT_LOCKS + Owner.MAX_SLOTS;

  static {
    assert SLOT_HELD_ROWS + MAX_ROWS / 8 <= SLOT_DOORBELL : "held rows reach into the doorbell's line";
    assert ROW_NAME + NAME_MAX_BYTES <= ROW_PARAMETERS : "names reach into the parameters";
    assert SLOT_LABEL + LABEL_MAX_BYTES <= SLOT_IMPLEMENTATION : "labels reach into the implementation";
    assert ROLE_LABEL + LABEL_MAX_BYTES <= LINE_BYTES : "labels reach into the holder's line";
    assert WAITING_FOR_DATA + EntrySpec.MAX_ROLES / 8 <= WAITING_FOR_SPACE : "bitmaps overlap";
    assert WAITING_FOR_SPACE + EntrySpec.MAX_ROLES / 8 <= OWN_WORDS : "a bitmap reaches into the words of the kind";
    assert CHECKSUM_OFFSET + 4 <= READY_OFFSET && READY_OFFSET + 4 <= STATE_OFFSET : "header words overlap";
  }

  private SegmentLayout() {}

  public static long alignToPage(long bytes) {
    return align(bytes, PAGE_BYTES);
  }

  /** The offset of the directory in a segment with this many slots. */
  public static long rowsOffset(int slotCount) {
    return HEADER_BYTES + (long) slotCount * SLOT_BYTES;
  }

  /** The offset of the first structure in a segment with this many slots and rows. */
  public static long dataOffset(int slotCount, int rowCount) {
    return alignToPage(rowsOffset(slotCount) + (long) rowCount * ROW_BYTES);
  }

  /** The offset of the data in a structure with this many roles. */
  public static long structureDataOffset(int roleCount) {
    return roleCount == 0 ? 0 : alignToPage(ROLES + (long) roleCount * ROLE_BYTES);
  }

  /** The alignment of the offset and the size of a structure with this many roles. */
  public static int structureAlignment(int roleCount) {
    return roleCount == 0 ? LINE_BYTES : PAGE_BYTES;
  }

  /** A number of bytes, rounded up to a multiple of {@code unit}, which is a power of two. */
  public static long align(long bytes, long unit) {
    return (bytes + unit - 1) & -unit;
  }

  /** The offset of the layout's text in a structure. */
  public static long textOffset(int roleCount, long dataBytes) {
    return align(structureDataOffset(roleCount) + dataBytes, LINE_BYTES) + (roleCount == 0 ? 0 : SPARE_BYTES);
  }

  /** The size in bytes of a structure with this many roles, data and text. */
  public static long structureBytes(int roleCount, long dataBytes, int textBytes) {
    return align(textOffset(roleCount, dataBytes) + textBytes, structureAlignment(roleCount));
  }
}
