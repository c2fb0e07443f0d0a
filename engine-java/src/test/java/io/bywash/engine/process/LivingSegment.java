package io.bywash.engine.process;

import io.bywash.engine.BusException;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Segment;
import io.bywash.engine.process.DamageImages.Image;
import io.bywash.engine.subject.DamageSubject;
import io.bywash.engine.subject.DamageSubject.Place;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A segment with two living participants that hold roles in every structure, to be damaged while they do, and made
 * whole again by writing its sound bytes back.
 */
final class LivingSegment implements AutoCloseable {
  private final DamageSubject subject;
  private final Path file;
  private Segment writing;
  private Segment reading;
  private byte[] sound;
  private MappedByteBuffer memory;
  private final List<DamageSubject.Living> members = new ArrayList<>();

  LivingSegment(DamageSubject subject, Path file) throws IOException {
    this.subject = subject;
    this.file = file;
    create();
  }

  private void create() throws IOException {
    writing = Segment.create(file, DamageImages.spec(subject));
    reading = Segment.attach(file, 0);
    DamageImages.fill(subject, writing, 150);
    sound = Files.readAllBytes(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, sound.length);
    }
  }

  Path file() {
    return file;
  }

  /** Roles are taken in each structure of the sound segment, and something is under way. */
  Image begin() throws IOException {
    for (EntrySpec structure : subject.structures()) {
      members.add(subject.live(DamageImages.find(writing, structure), DamageImages.find(reading, structure)));
    }
    byte[] bytes = Files.readAllBytes(file);
    return new Image(subject, "living", bytes, reading.directory().entries().stream().map(Place::of).toList());
  }

  void write(byte[] bytes) {
    memory.put(0, bytes);
  }

  /** The living go on in the damaged segment; in structures other than {@code damaged} as if nothing had happened. */
  void use(DamageUses uses, int damaged) throws Exception {
    for (int structure = 0; structure < members.size(); structure++) {
      if (damaged >= 0 && structure != damaged) {
        uses.stepName = "neighbour " + structure;
        members.get(structure).useSound();
      } else {
        members.get(structure).use(uses);
      }
    }
  }

  /** Everybody leaves the structures, and what was damaged is made whole. */
  void end() throws IOException {
    members.forEach(living -> living.roles().forEach(LivingSegment::close));
    members.clear();
    if (Files.exists(file)) {
      write(sound);
    } else { // a damaged lifetime has removed it
      write(sound);
      closeBoth();
      create();
    }
  }

  private static void close(AutoCloseable role) {
    try {
      role.close();
    } catch (BusException refused) {
      // its memory is damaged
    } catch (Exception wrong) {
      throw new AssertionError("a role could not be closed", wrong);
    }
  }

  private void closeBoth() throws IOException {
    reading.close();
    writing.close();
    Files.deleteIfExists(file);
  }

  @Override
  public void close() throws IOException {
    closeBoth();
  }
}
