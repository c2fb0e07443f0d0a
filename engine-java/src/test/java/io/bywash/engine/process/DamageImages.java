package io.bywash.engine.process;

import static io.bywash.engine.internal.SegmentLayout.*;

import io.bywash.engine.Claim;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.internal.Owner;
import io.bywash.engine.internal.SegmentEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** The bytes of valid segments, to be damaged. Each has three queues and some space for more. */
final class DamageImages {
  static final List<EntrySpec> QUEUES =
      List.of(Broadcast.spec("first", 4096, 5), Broadcast.spec("second", 8192, 5), Broadcast.spec("third", 4096, 20));
  static final EntrySpec ADDED = Broadcast.spec("added", 4096, 3);
  static final SegmentSpec SPEC = SegmentSpec.of(QUEUES).withLifetime(Lifetime.KEPT).withParticipantCapacity(6)
      .withEntryCapacity(8).withSizeBytes(90_000);
  static final int MAX_BYTES = 512;

  /** Where a queue is in the file, and its ring in the queue. */
  record Place(int offset, int sizeBytes, int ring, int roles) {
    static Place of(Entry entry) {
      SegmentEntry row = (SegmentEntry) entry;
      return new Place((int) row.offset(), (int) row.sizeBytes(), (int) structureDataOffset(row.roleCount()),
          row.roleCount());
    }
  }

  static final String AS_IF_ALIVE = "as if alive";

  /** A valid segment. */
  record Image(String name, byte[] bytes, List<Place> queues) {
    /** Whether its roles are held by somebody who is not certainly dead, so that nobody else gets them. */
    boolean isHeld() {
      return name.equals(AS_IF_ALIVE);
    }
  }

  private final Path file;
  private final List<Image> images = new ArrayList<>();

  DamageImages(Path file) throws IOException {
    this.file = file;
    images.add(read("healthy", segment -> fill(segment, 5)));
    images.add(read("wrapped", segment -> fill(segment, 200)));
    images.add(died(read("dead", DamageImages::populate)));
    images.add(read(AS_IF_ALIVE, DamageImages::populate)); // its identities are this process's
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
    Segment segment = Segment.create(file, SPEC);
    List<AutoCloseable> open = use.apply(segment);
    byte[] bytes = Files.readAllBytes(file);
    List<Place> places = segment.directory().entries().stream().map(Place::of).limit(QUEUES.size()).toList();
    for (AutoCloseable each : open.reversed()) {
      try {
        each.close();
      } catch (Exception failure) {
        throw new IOException(failure);
      }
    }
    segment.close();
    Files.delete(file);
    return new Image(name, bytes, places);
  }

  static List<AutoCloseable> fill(Segment segment, int count) {
    for (EntrySpec queue : QUEUES) {
      try (Publisher publisher = Publisher.open(segment.directory().find(queue.name(), Kind.BROADCAST))) {
        publish(publisher, count);
      }
    }
    return List.of();
  }

  /** Publishes self-checking messages; how many found room. */
  static int publish(Publisher publisher, int count) {
    for (int i = 0; i < count; i++) {
      int longest = Math.min(MAX_BYTES, publisher.maxMessageBytes());
      Claim claim = publisher.tryClaim(Payload.length(publisher.nextSequence(), longest));
      if (claim == null) {
        return i;
      }
      Payload.fill(claim, publisher.nextSequence());
      claim.commit();
    }
    return count;
  }

  /** In each queue a publisher with a staged and an open claim, and subscribers of all policies, some of them behind. */
  private static List<AutoCloseable> populate(Segment creator) {
    List<AutoCloseable> open = new ArrayList<>();
    Segment segment = Segment.attach(creator.path(), 0);
    open.add(segment);
    fill(creator, 100);
    for (EntrySpec queue : QUEUES) {
      Entry entry = segment.directory().find(queue.name(), Kind.BROADCAST);
      for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip(), SubscriberOptions.fail(),
          SubscriberOptions.evictAfter(1_000_000_000))) {
        Subscriber subscriber = Subscriber.open(entry, options.startingAtOldest());
        subscriber.poll(message -> {}, 1);
        open.add(subscriber);
      }
      Publisher publisher = Publisher.open(entry);
      open.add(publisher);
      publish(publisher, 2);
      for (int i = 0; i < 2; i++) {
        Claim claim = publisher.tryClaim(100);
        if (claim != null && i == 0) {
          claim.stage();
        }
      }
    }
    return open;
  }

  private static ByteBuffer words(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Nobody runs with this start time. */
  private static Image died(Image image) {
    for (int slot = 0; slot < SPEC.participantCapacity(); slot++) {
      words(image.bytes).putLong(HEADER_BYTES + slot * SLOT_BYTES + SLOT_START_TICKS, 1);
    }
    return image;
  }

  private static Image halfAdded(Image image) {
    byte[] bytes = image.bytes.clone();
    int row = (int) rowsOffset(SPEC.participantCapacity()) + 3 * ROW_BYTES;
    long offset = words(bytes).getLong(NEXT_FREE_OFFSET);
    words(bytes).putLong(row, 1L << 32 | 1 << 16 | ROW_ADDING).putLong(row + ROW_OFFSET, offset)
        .putLong(row + ROW_SIZE, ADDED.sizeBytes()).putLong(NEXT_FREE_OFFSET, offset + ADDED.sizeBytes())
        .putLong(INTENT_OFFSET, Owner.word(Owner.participant(1, 1), 3, 0, 1));
    return new Image("half added", bytes, image.queues);
  }

  private static Image closing(Image image) {
    byte[] bytes = image.bytes.clone();
    words(bytes).putLong(STATE_OFFSET, Owner.word(Owner.participant(1, 1), 0, 0, CLOSING));
    return new Image("closing", bytes, image.queues);
  }
}
