package io.bywash.engine.process;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DamageSubject.Place;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The bytes of valid segments, to be damaged. Each has some structures of one kind and some space for more. */
final class DamageImages {
  private static final String ADDED = "added";
  private static final String AS_IF_ALIVE = "as if alive";

  /** A valid segment. */
  record Image(DamageSubject subject, String name, byte[] bytes, List<Place> structures) {
    /** Whether its roles are held by somebody who is not certainly dead, so that nobody else gets them. */
    boolean isHeld() {
      return name.equals(AS_IF_ALIVE);
    }
  }

  private final DamageSubject subject;
  private final Path file;
  private final List<Image> images = new ArrayList<>();

  DamageImages(DamageSubject subject, Path file) throws IOException {
    this.subject = subject;
    this.file = file;
    images.add(read("healthy", segment -> fill(subject, segment, 5)));
    images.add(read("wrapped", segment -> fill(subject, segment, 200)));
    images.add(died(read("dead", this::populate)));
    images.add(read(AS_IF_ALIVE, this::populate)); // its identities are this process's
    images.add(halfAdded(images.get(2)));
    images.add(closing(images.get(2)));
  }

  Image any(Random random) {
    return images.get(random.nextInt(images.size()));
  }

  private interface Use {
    /** Brings the segment into some state; what is returned is closed after that was read. */
    List<AutoCloseable> apply(Segment segment);
  }

  private Image read(String name, Use use) throws IOException {
    Segment segment = Segment.create(file, spec(subject));
    List<AutoCloseable> open = use.apply(segment);
    byte[] bytes = Files.readAllBytes(file);
    List<Place> places = subject.structures().stream().map(each -> Place.of(find(segment, each))).toList();
    for (AutoCloseable each : open.reversed()) {
      try {
        each.close();
      } catch (Exception failure) {
        throw new IOException(failure);
      }
    }
    segment.close();
    Files.delete(file);
    return new Image(subject, name, bytes, places);
  }

  /** Uses each structure for a while. */
  static List<AutoCloseable> fill(DamageSubject subject, Segment segment, int amount) {
    for (EntrySpec structure : subject.structures()) {
      subject.fill(find(segment, structure), amount);
    }
    return List.of();
  }

  static Entry find(Segment segment, EntrySpec structure) {
    return segment.directory().find(structure.name(), structure.kind());
  }

  static EntrySpec added(DamageSubject subject) {
    return subject.added(ADDED);
  }

  static SegmentSpec spec(DamageSubject subject) {
    SegmentSpec spec = SegmentSpec.of(subject.structures()).withLifetime(Lifetime.KEPT).withParticipantCapacity(6)
        .withEntryCapacity(8);
    return spec.withSizeBytes(spec.sizeBytes() + 3 * added(subject).sizeBytes());
  }

  /** In each structure somebody holds all sorts of roles. */
  private List<AutoCloseable> populate(Segment creator) {
    List<AutoCloseable> open = new ArrayList<>();
    Segment segment = Segment.attach(creator.path(), 0);
    open.add(segment);
    fill(subject, creator, 100);
    for (EntrySpec structure : subject.structures()) {
      open.addAll(subject.hold(find(segment, structure)));
    }
    return open;
  }

  private static ByteBuffer words(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Nobody runs with this start time. */
  private static Image died(Image image) {
    for (int slot = 0; slot < spec(image.subject).participantCapacity(); slot++) {
      words(image.bytes).putLong(HEADER_BYTES + slot * SLOT_BYTES + SLOT_START_TICKS, 1);
    }
    return image;
  }

  private static Image halfAdded(Image image) {
    byte[] bytes = image.bytes.clone();
    int row = (int) rowsOffset(spec(image.subject).participantCapacity()) + image.structures.size() * ROW_BYTES;
    EntrySpec added = added(image.subject);
    long offset = words(bytes).getLong(NEXT_FREE_OFFSET);
    words(bytes).putLong(row, 1L << 32 | added.kind().code() << 16 | ROW_ADDING).putLong(row + ROW_OFFSET, offset)
        .putLong(row + ROW_SIZE, added.sizeBytes()).putLong(NEXT_FREE_OFFSET, offset + added.sizeBytes())
        .putLong(INTENT_OFFSET, Owner.word(Owner.participant(1, 1), image.structures.size(), 0, 1));
    return new Image(image.subject, "half added", bytes, image.structures);
  }

  private static Image closing(Image image) {
    byte[] bytes = image.bytes.clone();
    words(bytes).putLong(STATE_OFFSET, Owner.word(Owner.participant(1, 1), 0, 0, CLOSING));
    return new Image(image.subject, "closing", bytes, image.structures);
  }
}
