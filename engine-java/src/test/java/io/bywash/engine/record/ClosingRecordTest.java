package io.bywash.engine.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Revocable;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Endpoint;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueClaim;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.ring.Ring;
import io.bywash.engine.ring.RingStatus;
import io.bywash.engine.ring.RingWriter;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A record whose own code, while it is being written, closes the role that writes it. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ClosingRecordTest {
  private static final Records<Sly> SLY = Records.of(MethodHandles.lookup(), Sly.class);

  @RegisterExtension final TempBus bus = new TempBus();

  private Segment segment;

  /** Does something between its components. */
  record Sly(long first, long second, long third) {
    private static Runnable trick = () -> {};

    @Override
    public long second() {
      trick.run();
      return second;
    }
  }

  private Entry only(EntrySpec spec) {
    segment = Segment.create(bus.path("seg"), SegmentSpec.of(spec));
    return segment.directory().find(spec.name()).orElseThrow();
  }

  @AfterEach
  void close() throws IOException {
    Sly.trick = () -> {};
    assertEquals(List.of(), Verification.of(segment));
    segment.close();
    Files.deleteIfExists(bus.path("seg")); // it stays while there are messages in it
  }

  private static Sly sly(Runnable trick) {
    Sly.trick = trick;
    return new Sly(1, 2, 3);
  }

  /** The record closes the role, and tries to use it again; nobody else has it before the record was written. */
  private static <R extends Revocable & AutoCloseable> void assertEnds(R role, Runnable use, Runnable writesSly) {
    Sly.trick = () -> {
      try {
        role.close();
      } catch (Exception failure) {
        throw new AssertionError(failure);
      }
      assertThrows(SegmentClosedException.class, use::run);
      assertFalse(role.isGivenBack());
    };
    assertThrows(SegmentClosedException.class, writesSly::run);
    assertTrue(role.isGivenBack());
    assertThrows(SegmentClosedException.class, use::run);
  }

  private static Sly again() {
    return new Sly(1, 2, 3);
  }

  @Test
  void aLatestValueIsNotSet() {
    Entry entry = only(SLY.declare(Latest.spec("value", SLY.types().getFirst().sizeBytes())));
    LatestWriter writer = LatestWriter.open(entry);
    assertEnds(writer, () -> writer.set(SLY, again()), () -> writer.set(SLY, again()));
    try (LatestReader reader = LatestReader.open(entry)) {
      assertNull(reader.get(SLY));
    }
  }

  @Test
  void nothingIsPushed() {
    Entry entry = only(Ring.spec("ring", 16, SLY));
    RingWriter writer = RingWriter.open(entry);
    assertEnds(writer, () -> writer.push(SLY, again()), () -> writer.push(SLY, again()));
    assertEquals(0, RingStatus.of(entry).pushedCount());
  }

  @Test
  void nothingIsPublished() {
    Entry entry = only(SLY.declare(Broadcast.spec("queue", 4096)));
    Publisher publisher = Publisher.open(entry);
    assertEnds(publisher, () -> publisher.offer(new byte[8]), () -> publisher.offer(SLY, again()));
    assertEquals(0, BroadcastStatus.of(entry).messageCount());
  }

  @Test
  void nothingIsSent() {
    Entry entry = only(SLY.declare(WorkQueue.spec("jobs", 4, 100)));
    Producer producer = Producer.open(entry);
    assertEnds(producer, () -> producer.offer(new byte[8]), () -> producer.offer(SLY, again()));
    assertEquals(0, QueueStatus.of(entry).sentCount());
  }

  @Test
  void nothingIsRequested() {
    Entry entry = only(Endpoint.of("calls", 100, 100).spec());
    Caller caller = Caller.open(entry);
    assertEnds(caller, () -> caller.send(new byte[8], 1_000_000), () -> caller.send(SLY, again(), 1_000_000));
  }

  @Test
  void anElementIsNotSetNorReadMeanwhile() {
    Entry entry = only(RecordArray.spec("array", 4, SLY));
    RecordArray<Sly> array = RecordArray.open(entry, SLY);
    Sly nested = sly(() -> assertThrows(IllegalStateException.class, () -> array.get(0)));
    assertTrue(array.set(0, nested));
    Sly closes = sly(array::close);
    assertThrows(SegmentClosedException.class, () -> array.set(1, closes));
    Sly.trick = () -> {};
    try (RecordArray<Sly> other = RecordArray.open(entry, SLY)) {
      assertEquals(0, other.version(1));
      assertEquals(1, other.version(0));
    }
  }

  /** The claim is one object, so a record can get hold of it. */
  @Test
  void aRecordCannotSendTheClaimThatIsOpenForIt() {
    Entry entry = only(WorkQueue.spec("jobs", 4, 100));
    try (Producer producer = Producer.open(entry)) {
      QueueClaim claim = producer.tryClaim(8);
      claim.abort();
      Sly commits = sly(() -> assertThrows(IllegalStateException.class, claim::commit));
      assertTrue(producer.offer(SLY, commits));
      Sly aborts = sly(() -> {
        claim.abort();
        assertThrows(IllegalStateException.class, () -> producer.offer(new byte[8]));
      });
      assertThrows(IllegalStateException.class, () -> producer.offer(SLY, aborts));
      assertEquals(1, QueueStatus.of(entry).sentCount());
      Sly.trick = () -> {};
      assertTrue(producer.offer(SLY, again()));
    }
  }
}
