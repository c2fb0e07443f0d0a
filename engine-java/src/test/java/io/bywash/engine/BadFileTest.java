package io.bywash.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.broadcast.Broadcast;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that are no sound segment: refused with a typed exception before they are used, and left as they are. */
@Tag("once")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BadFileTest {
  private static final SegmentSpec SPEC = SegmentSpec.of(Broadcast.spec("queue", 4096)).withLifetime(Lifetime.KEPT);

  @RegisterExtension final TempBus bus = new TempBus();

  private Path file;

  @BeforeEach
  void nameFile() {
    file = bus.path("bad");
  }

  @AfterEach
  void deleteFile() throws IOException {
    Files.deleteIfExists(file);
  }

  private byte[] segmentBytes() throws IOException {
    Segment.create(file, SPEC).close();
    byte[] bytes = Files.readAllBytes(file);
    Files.delete(file);
    return bytes;
  }

  private static <T extends BusException> void assertRefused(Class<T> wanted, Executable use, Object... named) {
    T refused = assertThrows(wanted, use);
    for (Object part : named) {
      assertTrue(refused.getMessage().contains(part.toString()), () -> "\"" + part + "\" in: " + refused.getMessage());
    }
  }

  /** Whoever touches the file in whatever way is refused, and the file stays as it is. */
  private void assertAllRefused(Class<? extends BusException> wanted, byte[] content, Object... named)
      throws IOException {
    Files.write(file, content);
    for (Executable use : List.<Executable>of(() -> Segment.attach(file, 0), () -> Segment.observe(file),
        () -> Segment.open(file, SPEC))) {
      assertRefused(wanted, use, named);
      assertRefused(wanted, use, file);
    }
    assertRefused(SegmentExistsException.class, () -> Segment.create(file, SPEC), file);
    assertArrayEquals(content, Files.readAllBytes(file), "the file was changed");
    assertEquals(List.of("bad"), bus.files());
  }

  private static ByteBuffer words(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** With a checksum that is right for the damaged header. */
  private static byte[] resealed(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, 120);
    words(bytes).putInt(120, (int) crc.getValue());
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 96, 4095})
  void aFileThatIsTooSmallForAHeaderIsNoSegment(int size) throws IOException {
    assertAllRefused(SegmentFormatException.class, new byte[size], size + " bytes", 4096, "not a Bywash segment");
  }

  @Test
  void aFileOfSomethingElseIsNoSegment() throws IOException {
    byte[] random = new byte[20_000];
    Payload.random("aFileOfSomethingElse").nextBytes(random);
    assertAllRefused(SegmentFormatException.class, random, "not a Bywash segment", "0x0A0D485341575942");
    byte[] text = "BYWASH, the text file\n".repeat(1000).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    assertAllRefused(SegmentFormatException.class, text, "not a Bywash segment", "0x202C485341575942");
    assertAllRefused(SegmentFormatException.class, new byte[65_536], "0x0000000000000000");
  }

  @Test
  void aDirectoryInPlaceOfASegmentIsRefused() throws IOException {
    Files.createDirectory(file);
    for (Executable use : List.<Executable>of(() -> Segment.attach(file, 0), () -> Segment.observe(file),
        () -> Segment.open(file, SPEC))) {
      assertRefused(SegmentFormatException.class, use, file, "not a regular file");
    }
    assertRefused(SegmentExistsException.class, () -> Segment.create(file, SPEC), file);
    assertTrue(Files.isDirectory(file));
  }

  @Test
  void aSymbolicLinkIsRefusedEvenIfItLeadsToASegment() throws IOException {
    try (Segment target = Segment.create(bus.path("target"), SPEC.withLifetime(Lifetime.WHILE_USED))) {
      for (Path leadsTo : List.of(target.path(), bus.path("nowhere"), bus.directory())) {
        Files.createSymbolicLink(file, leadsTo);
        for (Executable use : List.<Executable>of(() -> Segment.attach(file, 0), () -> Segment.observe(file),
            () -> Segment.open(file, SPEC))) {
          assertRefused(SegmentFormatException.class, use, file, "not a regular file");
        }
        assertRefused(SegmentExistsException.class, () -> Segment.create(file, SPEC), file);
        assertTrue(Files.isSymbolicLink(file) && !Files.exists(bus.path("nowhere"), LinkOption.NOFOLLOW_LINKS));
        Files.delete(file);
      }
      assertEquals(1, target.participants().size());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, -1, 0x0100_0000})
  void anotherVersionIsRefusedByItsNumber(int version) throws IOException {
    byte[] bytes = segmentBytes();
    words(bytes).putInt(8, version);
    assertAllRefused(SegmentFormatException.class, bytes, "version " + version, "version 2");
    assertAllRefused(SegmentFormatException.class, resealed(bytes), "version " + version, "version 2");
  }

  @Test
  void aWrongChecksumIsDamage() throws IOException {
    byte[] bytes = segmentBytes();
    words(bytes).putInt(120, words(bytes).getInt(120) ^ 1);
    assertAllRefused(DamagedSegmentException.class, bytes, "checksum");
  }

  @Test
  void noByteOfTheHeaderCanChangeWithoutBeingNoticed() throws IOException {
    byte[] sound = segmentBytes();
    for (int at = 0; at < 100; at++) {
      for (int bit = 0; bit < 8; bit += 3) {
        byte[] bytes = sound.clone();
        bytes[at] ^= (byte) (1 << bit);
        assertAllRefused(at < 12 ? SegmentFormatException.class : DamagedSegmentException.class, bytes);
      }
    }
  }

  @Test
  void aFileThatWasNeverMadeReadyIsRefused() throws IOException {
    byte[] bytes = segmentBytes();
    words(bytes).putInt(124, 0);
    assertAllRefused(DamagedSegmentException.class, bytes, "ready");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, -4096, -53_248, 1, 4096})
  void aFileThatIsShorterOrLongerThanItsHeaderSaysIsRefused(int difference) throws IOException {
    byte[] bytes = segmentBytes();
    byte[] changed = Arrays.copyOf(bytes, bytes.length + difference);
    assertAllRefused(DamagedSegmentException.class, changed, bytes.length + " bytes", "file has " + changed.length);
  }

  @ParameterizedTest
  @CsvSource({"32, 0", "32, -1", "32, 257", "32, 65", "36, 0", "36, 513", "36, -1", "36, 65", "40, 0", "40, 8192",
      "48, 0", "48, 20481", "56, 0", "56, 4096", "56, 32768", "16, 0", "16, 4096", "16, -1"})
  void aHeaderWithARightChecksumButImpossibleTablesIsRefused(int offset, int value) throws IOException {
    byte[] bytes = segmentBytes();
    words(bytes).putInt(offset, value);
    assertAllRefused(DamagedSegmentException.class, resealed(bytes));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 3, 4, 15, -1, 0x7FFF_FFFF_0000_0000L})
  void aSegmentInAnImpossibleStateIsRefusedByWhoeverWantsToJoin(long state) throws IOException {
    byte[] bytes = segmentBytes();
    words(bytes).putLong(128, state);
    Files.write(file, bytes);
    assertRefused(DamagedSegmentException.class, () -> Segment.attach(file, 0), file);
    assertRefused(DamagedSegmentException.class, () -> Segment.open(file, SPEC), file);
    try (Segment observed = Segment.observe(file)) {
      assertTrue(observed.participants().isEmpty(), "the slots were given back");
    }
  }

  @Test
  void randomDamageInTheFileEndsInATypedExceptionOrNotAtAll() throws IOException {
    Random random = Payload.random("randomDamageInTheFile");
    byte[] sound = segmentBytes();
    int refused = 0;
    for (int round = 0; round < 600; round++) {
      byte[] bytes = sound.clone();
      for (int hits = 1 + random.nextInt(20); hits > 0; hits--) {
        int at = random.nextInt(3) == 0 ? random.nextInt(400) : random.nextInt(bytes.length - 8);
        words(bytes).putLong(at, random.nextBoolean() ? random.nextLong() : random.nextInt(5) - 2);
      }
      Files.write(file, random.nextInt(4) == 0 ? resealed(bytes) : bytes);
      refused += useDamaged() ? 0 : 1;
      Files.deleteIfExists(file); // a damaged lifetime may have removed it
    }
    System.out.println(refused + " of 600 damaged files were refused");
    assertTrue(refused > 100);
  }

  private boolean useDamaged() {
    boolean sound = true;
    for (boolean observe : new boolean[] {true, false}) {
      try (Segment segment = observe ? Segment.observe(file) : Segment.attach(file, 0)) {
        segment.participants();
        for (Entry entry : segment.directory().entries()) {
          entry.owner();
          io.bywash.engine.broadcast.BroadcastStatus.of(entry);
        }
        segment.directory().find("queue", Kind.BROADCAST);
        segment.directory().find("other");
        if (!observe) {
          segment.directory().findOrAdd(Broadcast.spec("queue", 4096));
        }
      } catch (BusException refused) {
        sound = false;
      }
    }
    return sound;
  }

  // ---- files and directories that are not there, or there already

  @Test
  void aMissingDirectoryIsNamedAndNotMade() {
    Path missing = bus.path("missing").resolve("segment");
    for (Executable use : List.<Executable>of(() -> Segment.attach(missing, 0), () -> Segment.observe(missing),
        () -> Segment.open(missing, SPEC), () -> Segment.create(missing, SPEC))) {
      assertRefused(SegmentNotFoundException.class, use, missing, "directory " + bus.path("missing"));
    }
    assertEquals(List.of(), bus.files());
    assertEquals(List.of(), BusDirectory.at(bus.path("missing")).names());
  }

  @Test
  void aMissingSegmentIsNamed() {
    assertRefused(SegmentNotFoundException.class, () -> Segment.attach(file, 0), file);
    assertRefused(SegmentNotFoundException.class, () -> Segment.observe(file), file);
  }

  @Test
  void aSegmentThatExistsIsNotCreatedAgain() {
    try (Segment segment = Segment.create(file, SPEC)) {
      assertRefused(SegmentExistsException.class, () -> Segment.create(file, SPEC), file, "open");
      assertEquals(1, segment.participants().size());
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1L << 50, 1L << 62, Long.MAX_VALUE - 4096})
  void moreThanTheFileSystemHasIsRefusedWithWhatIsFreeAndWhatIsNeeded(long sizeBytes) {
    SegmentSpec huge = SPEC.withSizeBytes(sizeBytes);
    for (Executable use : List.<Executable>of(() -> Segment.create(file, huge), () -> Segment.open(file, huge))) {
      NoSpaceException refused = assertThrows(NoSpaceException.class, use);
      assertTrue(refused.getMessage().contains("needs " + huge.sizeBytes() + " bytes"), refused.getMessage());
      assertTrue(refused.getMessage().matches("(?s).* has \\d+ free.*"), refused.getMessage());
      assertTrue(refused.getMessage().contains(bus.directory().toString()), refused.getMessage());
    }
    assertEquals(List.of(), bus.files());
  }
}
