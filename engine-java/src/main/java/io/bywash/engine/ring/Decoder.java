package io.bywash.engine.ring;

import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.record.RecordType;
import io.bywash.engine.record.Records;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Makes records of elements. A copy is decoded, since the writer may overwrite an element at any time. Used by one
 * thread at a time.
 */
final class Decoder {
  private final Elements elements;
  private Region copies;
  private Records<?> checked;

  Decoder(Elements elements) {
    this.elements = elements;
  }

  /** The type of the elements, which must be these records. */
  @SuppressWarnings("unchecked") // a record of a subtype is one
  <T> RecordType<T> type(Records<T> records) {
    if (records != checked) {
      elements.checkRecords(records);
      checked = records;
    }
    return (RecordType<T>) records.types().getFirst();
  }

  /** Room for copies of so many elements. */
  MemorySegment room(int count) {
    long bytes = Math.max(count, 1L) * elements.elementBytes;
    if (copies == null || copies.sizeBytes() < bytes) {
      copies = Region.allocate(bytes);
    }
    return copies.slice(0, bytes);
  }

  /**
   * Decodes the elements that were copied to {@link #room}.
   *
   * @param records gets them
   * @throws io.bywash.engine.record.RecordFormatException when one is no such record; {@code records} has those before
   *     it
   */
  <T> void decode(RecordType<T> type, Elements.Copied copied, List<? super T> records) {
    for (int i = 0; i < copied.count(); i++) {
      records.add(type.read(copies, (long) i * elements.elementBytes, copied.from() + i));
    }
  }
}
