package io.bywash.engine.inspect;

import static io.bywash.engine.internal.layout.SegmentLayout.HEADER_BYTES;
import static io.bywash.engine.internal.layout.SegmentLayout.SLOT_BYTES;
import static io.bywash.engine.internal.layout.SegmentLayout.structureDataOffset;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.segment.Geometry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A map of a segment: what lies where, from its first byte to its last. Damaged entries are left out.
 *
 * @param name of the segment
 * @param sizeBytes the size of its file
 * @param places all parts without gaps, in the order of their offsets
 * @param overheadBytes the bytes of the header, the tables, and the entries' common words and roles
 * @param freeBytes how many bytes belong to no entry
 */
public record LayoutStatus(String name, long sizeBytes, List<Place> places, long overheadBytes, long freeBytes) {
  /**
   * One part of a segment.
   *
   * @param offsetBytes where it begins
   * @param sizeBytes how long it is
   * @param kind the entry's kind, or {@code header}, {@code participants}, {@code directory} or {@code free}
   * @param name of the entry; empty for other parts
   * @param elementSizeBytes the size of one element, or of the largest message; 0 for other parts
   * @param layout what the entry's elements consist of, in the text form of docs/SPEC.md; empty for plain bytes
   * @param capacity how much it holds, in units of {@code capacityUnit}
   * @param capacityUnit for example {@code bytes}
   * @param fill the share of the capacity that is taken, 0 to 1; empty where that has no meaning
   * @param owner the participant on which the entry depends, see {@link io.bywash.engine.Entry#owner}
   */
  public record Place(long offsetBytes, long sizeBytes, String kind, String name, long elementSizeBytes, String layout,
      long capacity, String capacityUnit, Optional<Double> fill, Optional<Participant> owner) {
    private static Place of(String kind, long begin, long end, long capacity, String unit) {
      return new Place(begin, end - begin, kind, "", 0, "", capacity, unit, Optional.empty(), Optional.empty());
    }

    private static Place of(SegmentEntry entry) {
      Optional<Participant> owner = entry.owner();
      Optional<Double> fill;
      try {
        fill = entry.status().flatMap(StructureStatus::fill);
      } catch (DamagedSegmentException | EntryRemovedException unknown) { // verification tells, or it is left out
        fill = Optional.empty();
      }
      return new Place(entry.offset(), entry.sizeBytes(), entry.kindName(), entry.name(), entry.elementSizeBytes(),
          entry.layout().lines().map(line -> Finding.printable(line) + "\n").collect(Collectors.joining()),
          entry.capacity(), entry.kind().capacityUnit(), fill, owner);
    }
  }

  /**
   * Inspects a segment.
   *
   * @param segment any attachment, even a read-only one
   * @throws DamagedSegmentException when its file was truncated
   * @throws io.bywash.engine.SegmentClosedException when the segment is closed in this process
   */
  public static LayoutStatus of(Segment segment) {
    SegmentCore core = SegmentFace.core(segment);
    return core.whileMapped(() -> of(segment, core.geometry()));
  }

  private static LayoutStatus of(Segment segment, Geometry geometry) {
    List<Place> places = new ArrayList<>();
    long slots = HEADER_BYTES;
    long rows = geometry.rowsOffset();
    places.add(Place.of("header", 0, slots, 0, ""));
    places.add(Place.of("participants", slots, slots + (long) geometry.slotCount() * SLOT_BYTES, geometry.slotCount(),
        "participants"));
    places.add(Place.of("directory", rows, geometry.dataOffset(), geometry.rowCount(), "entries"));
    long overhead = geometry.dataOffset();
    long free = 0;
    long end = geometry.dataOffset();
    for (Entry each : segment.directory().entries().stream()
        .sorted(Comparator.comparingLong(entry -> ((SegmentEntry) entry).offset())).toList()) {
      SegmentEntry entry = (SegmentEntry) each;
      Place place = Place.of(entry);
      if (entry.isGone()) {
        continue; // what was read may belong to another entry
      }
      free += addFree(places, end, entry.offset());
      places.add(place);
      overhead += entry.roleCount() > 0 ? structureDataOffset(entry.roleCount()) : 0;
      end = entry.offset() + entry.sizeBytes();
    }
    free += addFree(places, end, geometry.sizeBytes());
    return new LayoutStatus(segment.name(), geometry.sizeBytes(), List.copyOf(places), overhead, free);
  }

  private static long addFree(List<Place> places, long begin, long end) {
    if (begin < end) {
      places.add(Place.of("free", begin, end, 0, ""));
    }
    return Math.max(end - begin, 0);
  }
}
