package io.bywash.engine.cell;

import io.bywash.engine.internal.layout.SegmentLayout;

/**
 * The bytes of an entry of cells. It has no roles, and so no part that all structures have. Normative text:
 * docs/SPEC.md.
 *
 * <pre>
 *  ATOMICS   a long every 64 bytes, any participant, atomic; which one has which name and type: the layout's text
 *  NUMBERS   elements of 4 or 8 bytes, one behind the other, any participant, atomic
 *  RECORDS   elements, a multiple of 128 bytes each:
 *              0  long lock       an owner word; compare-and-set
 *              8  long version    how often the element was set          holder of the lock, compare-and-set
 *             16  two copies, each rounded up to a multiple of 16; the version's lowest bit says which one is valid
 * </pre>
 */
final class CellsLayout {
  /** Parameter of the row. */
  static final int PARAMETER_FORM = 0;

  /** Its values. */
  static final int ATOMICS = 1;
  static final int NUMBERS = 2;
  static final int RECORDS = 3;

  static final int CELL_BYTES = 64;
  static final int MAX_ATOMICS = 1024;
  static final int CELL_NAME_MAX_BYTES = 40;

  static final int ELEMENT_LOCK = 0;
  static final int ELEMENT_VERSION = 8;
  static final int ELEMENT_COPIES = 16;
  static final int COPY_ALIGNMENT = 16;
  static final int ELEMENT_ALIGNMENT = 128;

  /** States of an element's lock. */
  static final int UNLOCKED = 0;
  static final int LOCKED = 1;

  /** The longest element of an array of records, in bytes. */
  static final int MAX_ELEMENT_BYTES = 1 << 30;

  private CellsLayout() {}

  /** The size of one of the two copies of an element. */
  static long copyBytes(long elementSizeBytes) {
    return SegmentLayout.align(elementSizeBytes, COPY_ALIGNMENT);
  }

  /** The bytes from one element of an array of records to the next. */
  static long elementBytes(long elementSizeBytes) {
    return SegmentLayout.align(ELEMENT_COPIES + 2 * copyBytes(elementSizeBytes), ELEMENT_ALIGNMENT);
  }
}
