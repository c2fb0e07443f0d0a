package io.bywash.engine.process;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.engine.process.DamageImages.Image;
import io.bywash.engine.process.DamageImages.Place;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A segment with two living participants that hold roles in every queue, to be damaged while they do, and made whole again by
 * writing its sound bytes back.
 */
final class LivingSegment implements AutoCloseable {
  static final int UNDER_WAY = 3;

  private final Path file;
  private Segment writing;
  private Segment reading;
  private byte[] sound;
  private MappedByteBuffer memory;
  private final List<Publisher> publishers = new ArrayList<>();
  private final List<List<Subscriber>> subscribers = new ArrayList<>();

  LivingSegment(Path file) throws IOException {
    this.file = file;
    create();
  }

  private void create() throws IOException {
    writing = Segment.create(file, DamageImages.SPEC);
    reading = Segment.attach(file, 0);
    DamageImages.fill(writing, 150);
    sound = Files.readAllBytes(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, sound.length);
    }
  }

  Path file() {
    return file;
  }

  /** Roles of all policies are taken in the sound segment, and some messages are under way. */
  Image begin() throws IOException {
    for (EntrySpec queue : DamageImages.QUEUES) {
      Entry entry = writing.directory().find(queue.name(), Kind.BROADCAST);
      Publisher publisher = Publisher.open(entry);
      publishers.add(publisher);
      Entry seen = reading.directory().find(queue.name(), Kind.BROADCAST);
      List<Subscriber> readers = new ArrayList<>();
      for (SubscriberOptions options : List.of(SubscriberOptions.block(), SubscriberOptions.skip(), SubscriberOptions.fail(),
          SubscriberOptions.evictAfter(10_000_000_000L))) {
        readers.add(Subscriber.open(seen, options));
      }
      subscribers.add(readers);
      DamageUses.sendAndReceive(publisher, readers);
      DamageImages.publish(publisher, UNDER_WAY);
    }
    byte[] bytes = Files.readAllBytes(file);
    return new Image("living", bytes, reading.directory().entries().stream().map(Place::of).toList());
  }

  void write(byte[] bytes) {
    memory.put(0, bytes);
  }

  /**
   * The living go on in the damaged segment; in queues other than {@code damagedQueue} as if nothing had happened, beginning
   * with the messages that are under way there.
   */
  void use(DamageUses uses, int damagedQueue, int underWay) throws Exception {
    for (int queue = 0; queue < publishers.size(); queue++) {
      Publisher publisher = publishers.get(queue);
      if (damagedQueue >= 0 && queue != damagedQueue) {
        uses.stepName = "neighbour " + queue;
        for (Subscriber each : subscribers.get(queue)) {
          if (each.poll(message -> {}, 10) != underWay) {
            throw new AssertionError("messages of an untouched queue are missing");
          }
        }
        DamageUses.sendAndReceive(publisher, subscribers.get(queue));
        continue;
      }
      uses.step("living publish", () -> DamageImages.publish(publisher, 10));
      for (Subscriber each : subscribers.get(queue)) {
        uses.poll(each);
      }
      uses.step("living publish", () -> DamageImages.publish(publisher, 10));
      uses.step("living wait", () -> publisher.awaitSubscribers(4, 1));
    }
  }

  /** Everybody leaves the queues, and what was damaged is made whole. */
  void end() throws IOException {
    subscribers.forEach(readers -> readers.forEach(LivingSegment::close));
    publishers.forEach(LivingSegment::close);
    subscribers.clear();
    publishers.clear();
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
