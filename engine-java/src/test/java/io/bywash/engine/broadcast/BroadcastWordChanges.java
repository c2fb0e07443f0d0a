package io.bywash.engine.broadcast;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.record.RecordFormatException;
import io.bywash.engine.subject.DamageSubject.BusyUse;
import io.bywash.engine.subject.DamageSubject.Change;
import io.bywash.engine.subject.DamageSubject.Place;
import io.bywash.engine.subject.DamageSubject.Turn;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/** A broadcast whose words change while it is used. */
final class BroadcastWordChanges {
  private static final int RING = 16_384;
  private static final int MAX_BYTES = 600;
  private static final int MESSAGES = 100;
  private static final int RECORD_BYTES = 32;
  private static final long FAR = (1L << 61) + 5 * 256;
  /** docs/SPEC.md 6.1 */
  private static final int PUBLISHED = 384;
  private static final int OLDEST = 512;
  private static final int BLOCK_INDEX = 1024;

  private BroadcastWordChanges() {}

  static EntrySpec spec(String name) {
    return Broadcast.spec(name, RING, 8);
  }

  static int word(Place place, Random random) {
    return switch (random.nextInt(4)) {
      case 0 -> 8 * random.nextInt(1024 / 8); // roles used, waiting, published, oldest, counts
      case 1 -> SegmentLayout.ROLES + 8 * random.nextInt(1024 / 8);
      case 2 -> 8 * random.nextInt(place.sizeBytes() / 8);
      default -> random.nextBoolean() ? PUBLISHED : OLDEST;
    };
  }

  static Map<String, BusyUse> turns() {
    Map<String, BusyUse> turns = new LinkedHashMap<>();
    turns.put("publisher", BroadcastWordChanges::publish);
    turns.put("block", (entry, turn) -> read(entry, SubscriberOptions.block(), turn));
    turns.put("skip", (entry, turn) -> read(entry, SubscriberOptions.skip(), turn));
    turns.put("fail", (entry, turn) -> read(entry, SubscriberOptions.fail(), turn));
    turns.put("evict", (entry, turn) -> read(entry, SubscriberOptions.evictAfter(1_000_000), turn));
    turns.put("records", BroadcastWordChanges::readRecords);
    turns.put("status", (entry, turn) -> {
      BroadcastStatus.of(entry);
      LockSupport.parkNanos(100_000);
    });
    return turns;
  }

  private static void publish(Entry entry, Turn turn) {
    Random random = turn.random();
    try (Publisher publisher = Publisher.open(entry)) {
      for (int i = random.nextInt(3_000); i > 0 && !turn.isOver(); i--) {
        byte[] message = new byte[1 + random.nextInt(MAX_BYTES)];
        boolean offered = random.nextInt(4) == 0
            ? publisher.offer(Letters.RECORDS, Letters.letter(i), random.nextInt(1_000_000))
            : publisher.offer(message, 0, message.length, 0, random.nextInt(1_000_000));
        if (!offered) {
          turn.note("full");
        }
      }
    }
  }

  private static void readRecords(Entry entry, Turn turn) {
    Random random = turn.random();
    try (Subscriber subscriber = Subscriber.open(entry, SubscriberOptions.skip())) {
      for (int i = random.nextInt(300); i > 0 && !turn.isOver(); i--) {
        try {
          subscriber.poll(Letters.RECORDS, record -> turn.note("record"), 1 + random.nextInt(100),
              random.nextInt(200_000));
        } catch (RecordFormatException other) {
          turn.note("no record");
        }
      }
    }
  }

  private static void read(Entry entry, SubscriberOptions options, Turn turn) {
    Random random = turn.random();
    try (Subscriber subscriber = Subscriber.open(entry, random.nextBoolean() ? options : options.startingAtOldest())) {
      for (int i = random.nextInt(300); i > 0 && !turn.isOver(); i--) {
        subscriber.poll(message -> message.toBytes(), 1 + random.nextInt(100), random.nextInt(200_000));
      }
    }
  }

  static void fill(Entry entry) {
    try (Publisher publisher = Publisher.open(entry)) {
      for (int i = 0; i < MESSAGES; i++) {
        if (!publisher.offer(new byte[16])) {
          throw new AssertionError("no room for message " + i);
        }
      }
    }
  }

  static List<Change> changes() {
    long published = MESSAGES * RECORD_BYTES;
    return List.of(
        new Change("positions", BroadcastWordChanges::noteFarPosition, (entry, there) -> {
          set(entry, there ? PUBLISHED : OLDEST, there ? FAR : 0);
          set(entry, there ? OLDEST : PUBLISHED, there ? FAR : published);
        }, true),
        new Change("oldest", (entry, there) -> set(entry, OLDEST, there ? published : 0)),
        new Change("published", (entry, there) -> set(entry, PUBLISHED, there ? published - RECORD_BYTES : published)),
        new Change("notes", (entry, there) -> {
          for (long note = BLOCK_INDEX; note < BLOCK_INDEX + 13 * 16; note += 16) { // all blocks that have one
            set(entry, note, entry.region().getLong(entry.offset() + note) ^ 1L << 40); // to nowhere, and back
          }
        }),
        new Change("records", (entry, there) -> {
          long data = SegmentLayout.structureDataOffset(entry.roleCount());
          for (long record = 0; record < published; record += 320) {
            set(entry, data + record, there ? 16 : 48); // as it is, and as if it reached over the next one
          }
        }));
  }

  /** What makes the far position look real. */
  private static void noteFarPosition(SegmentEntry entry) {
    long note = BLOCK_INDEX + 5 * 16;
    set(entry, note + 8, 100_000);
    set(entry, note, FAR);
  }

  private static void set(SegmentEntry entry, long offset, long value) {
    entry.region().setLongRelease(entry.offset() + offset, value);
  }

  static List<Consumer<Entry>> uses() {
    List<Consumer<Entry>> uses = new ArrayList<>();
    for (SubscriberOptions policy : BroadcastDamage.allPolicies(1_000_000)) {
      for (SubscriberOptions options : List.of(policy, policy.startingAtOldest(), policy.startingAtLast(50),
          policy.startingAt(60))) {
        uses.add(entry -> {
          try (Subscriber subscriber = Subscriber.open(entry, options)) {
            subscriber.poll(message -> {}, 200);
          }
        });
      }
    }
    uses.add(entry -> {
      try (Publisher publisher = Publisher.open(entry)) {
        for (int i = 0; i < 20; i++) {
          publisher.offer(new byte[16]);
        }
      }
    });
    uses.add(BroadcastStatus::of);
    return uses;
  }
}
