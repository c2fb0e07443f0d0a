package io.bywash.engine.process;

import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.process.DamageImages.Image;
import io.bywash.engine.subject.DamageSubject.Place;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;

/**
 * One way to damage a segment. All of it follows from a random generator, so that a seed repeats it.
 *
 * @param bytes what the file holds now; of another length when it was cut or extended
 * @param structure the index of the only structure whose bytes were touched; -1 when anything else was
 * @param how in words
 */
record Damage(byte[] bytes, int structure, String how) {
  /** Damages words here and there: the length stays. */
  static Damage ofWords(Image image, Random random) {
    Writer writer = new Writer(image, random);
    int structure = -1;
    int hits = 1 + random.nextInt(random.nextInt(4) == 0 ? 20 : 3);
    if (random.nextInt(5) < 3) {
      structure = random.nextInt(image.structures().size());
      Place place = image.structures().get(structure);
      writer.stayIn(place);
      for (int i = 0; i < hits; i++) {
        writer.hit(place.offset() + image.subject().word(place, writer.words, random));
      }
    } else {
      for (int i = 0; i < hits; i++) {
        writer.hit(writer.inTables());
      }
      if (random.nextInt(10) < 7) {
        writer.seal();
      }
    }
    return new Damage(writer.bytes, structure, writer.how.toString());
  }

  /** Damages the file in any way, most often words of it. */
  static Damage ofFile(Image image, Random random) {
    byte[] sound = image.bytes();
    return switch (random.nextInt(24)) {
      case 0 -> {
        int length = random.nextBoolean() ? random.nextInt(sound.length) : random.nextInt(sound.length / 4096) * 4096;
        yield new Damage(Arrays.copyOf(sound, length), -1, "cut to " + length);
      }
      case 1 -> {
        int length = sound.length + (random.nextBoolean() ? 1 + random.nextInt(9000) : 4096);
        Damage longer = new Damage(Arrays.copyOf(sound, length), -1, "extended to " + length);
        if (random.nextBoolean()) {
          longer.words().putLong(SIZE_OFFSET, length);
          longer.seal();
        }
        yield longer;
      }
      case 2 -> foreign(sound.length, random);
      case 3 -> zeroedPages(image, random);
      default -> ofWords(image, random);
    };
  }

  private static Damage foreign(int length, Random random) {
    byte[] bytes = new byte[length];
    switch (random.nextInt(4)) {
      case 0 -> random.nextBytes(bytes);
      case 1 -> Arrays.fill(bytes, (byte) random.nextInt(256));
      case 2 -> {
        byte[] text = "BYWASH\r\nis not what begins this text, but how it goes on.\n".getBytes(
            StandardCharsets.US_ASCII);
        for (int i = 0; i < length; i++) {
          bytes[i] = text[i % text.length];
        }
      }
      default -> {
        random.nextBytes(bytes);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, MAGIC).putInt(8, VERSION)
            .putInt(READY_OFFSET, 1);
      }
    }
    Damage damage = new Damage(bytes, -1, "foreign bytes");
    if (random.nextBoolean()) {
      damage.seal();
    }
    return damage;
  }

  private static Damage zeroedPages(Image image, Random random) {
    byte[] bytes = image.bytes().clone();
    int structure = random.nextInt(image.structures().size() + 1) - 1;
    Place place = structure < 0 ? new Place(0, bytes.length, 0, 0) : image.structures().get(structure);
    StringBuilder how = new StringBuilder("zeroed");
    for (int i = 1 + random.nextInt(2); i > 0; i--) {
      int length = Math.min(PAGE_BYTES, place.sizeBytes()); // a structure without roles may be smaller
      int page = place.offset() + random.nextInt(place.sizeBytes() / length) * length;
      Arrays.fill(bytes, page, page + length, (byte) 0);
      how.append(" page ").append(page);
    }
    return new Damage(bytes, structure, how.toString());
  }

  private ByteBuffer words() {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void seal() {
    if (bytes.length >= HEADER_BYTES) {
      words().putInt(CHECKSUM_OFFSET, checksum(bytes));
    }
  }

  private static int checksum(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, CHECKSUM_OFFSET);
    return (int) crc.getValue();
  }

  /** Chooses places and values that hurt. */
  private static final class Writer {
    private final Image image;
    private final Random random;
    private final byte[] bytes;
    private final ByteBuffer words;
    private final StringBuilder how = new StringBuilder();
    private int first;
    private int end;

    Writer(Image image, Random random) {
      this.image = image;
      this.random = random;
      this.bytes = image.bytes().clone();
      this.words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      this.end = bytes.length;
    }

    /** What is damaged from now on is in a structure, which may share its page with others. */
    void stayIn(Place place) {
      first = place.offset();
      end = place.offset() + place.sizeBytes();
    }

    private int inTables() {
      int slots = words.getInt(SLOT_COUNT_OFFSET) & 0xFF;
      int rows = words.getInt(ROW_COUNT_OFFSET) & 0xFF;
      int at = switch (random.nextInt(8)) {
        case 0 -> 8 * random.nextInt(17);
        case 1 -> random.nextBoolean() ? STATE_OFFSET : INTENT_OFFSET;
        case 2 -> NEXT_FREE_OFFSET;
        case 3 -> HEADER_BYTES + SLOT_BYTES * random.nextInt(Math.max(slots, 1)) + 8 * random.nextInt(17);
        case 4, 5, 6 -> (int) rowsOffset(slots) + ROW_BYTES * random.nextInt(Math.max(rows, 1))
            + 8 * random.nextInt(ROW_BYTES / 8);
        default -> 8 * random.nextInt(bytes.length / 8);
      };
      return Math.min(at, bytes.length - 8) & -8;
    }

    private void hit(int at) {
      long old = words.getLong(at);
      switch (random.nextInt(6)) {
        case 0 -> words.putLong(at, old ^ 1L << random.nextInt(64));
        case 1 -> swap(at);
        case 2 -> words.putInt(at + 4 * random.nextInt(2), tempting32());
        case 3 -> words.putLong(at, random.nextLong());
        case 4 -> words.putLong(at, old + (random.nextBoolean() ? 1 : -1) * (1L << random.nextInt(20)));
        default -> words.putLong(at, tempting64());
      }
      how.append(String.format("[%d: %x -> %x] ", at, old, words.getLong(at)));
    }

    /** With a field nearby, so that a structure's damage stays in it. */
    private void swap(int at) {
      int from = Math.max(at & -PAGE_BYTES, first);
      int to = Math.min((at & -PAGE_BYTES) + PAGE_BYTES, end);
      int other = from + 8 * random.nextInt((to - from) / 8);
      int distance = (1 + random.nextInt(4)) * (random.nextBoolean() ? 8 : ROW_BYTES);
      if (random.nextInt(4) > 0 && at + distance < to) {
        other = at + distance;
      }
      long old = words.getLong(at);
      words.putLong(at, words.getLong(other));
      words.putLong(other, old);
    }

    private int tempting32() {
      int[] tempting = {0, -1, 1, 16, -16, 511, 512, 513, -4096, 4096,
          1 << 20, Integer.MAX_VALUE, Integer.MIN_VALUE, 0x0202};
      return tempting[random.nextInt(tempting.length)];
    }

    private long tempting64() {
      Place place = image.structures().get(random.nextInt(image.structures().size()));
      List<Long> tempting = new ArrayList<>(List.of(0L, -1L, 1L, 16L, -16L, 8L, 4095L, 4096L, 8192L,
          (long) bytes.length, bytes.length - 4096L, (long) place.offset(), (long) place.sizeBytes()));
      tempting.addAll(image.subject().tempting(place, words));
      tempting.addAll(List.of(1L << 32, 1L << 40, 1L << 62, (1L << 62) + 16, Long.MAX_VALUE, Long.MIN_VALUE,
          Long.MAX_VALUE - 15, ownerWord(), ownerWord(), ownerWord(), ownerWord()));
      return tempting.get(random.nextInt(tempting.size()));
    }

    /** Somebody's word, in any state and mode. A removal by the living is left out: others wait for that on purpose. */
    private long ownerWord() {
      int slot = random.nextInt(4) == 0 ? random.nextInt(256)
          : random.nextInt(words.getInt(SLOT_COUNT_OFFSET) & 0xFF | 1);
      int epoch = random.nextInt(3) == 0 ? random.nextInt() : random.nextInt(3);
      return Owner.word(Owner.participant(slot, epoch), random.nextInt(1 << 16), random.nextInt(6), random.nextInt(5));
    }

    private void seal() {
      words.putInt(CHECKSUM_OFFSET, checksum(bytes));
      how.append("sealed ");
    }
  }
}
