package io.bywash.samples.nativepeer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.SpecMismatchException;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.Request;
import io.bywash.engine.call.Responder;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.Latest;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.engine.cell.NumberArray;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.pool.Pool;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.WorkQueue;
import io.bywash.engine.ring.Ring;
import io.bywash.engine.wait.WaitPolicy;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Segments that C and Java create, share and leave. */
@Timeout(300)
final class SegmentPeersTest {
  /** What {@code describe} in {@code peer.c} describes. */
  private static List<EntrySpec> entries() {
    return new ArrayList<>(List.of(Broadcast.spec("q", 65_536, 4),
        WorkQueue.spec("jobs", 64, Numbered.MAX_LENGTH, DeliveryPolicy.redeliver().atMost(3).deadLetters("letters")),
        WorkQueue.spec("letters", 16, Numbered.MAX_LENGTH, DeliveryPolicy.redeliver(), 8),
        Atomics.spec("state", "long total", "int small", "boolean flag", "double ratio"),
        Latest.spec("price", Numbered.MAX_LENGTH, 2, 4)));
  }

  private static SegmentSpec spec() {
    return SegmentSpec.small(entries());
  }

  @Test
  void eitherSideCreatesAndBothMeetInOneSegmentAlsoWhenTheyCreateItAtOnceAndTheLastOneThatLeavesRemovesIt()
      throws Exception {
    try (Bus bus = new Bus()) {
      Path path = bus.path("s");
      for (int round = 0; round < 20; round++) {
        Peer peer = bus.fastPeer("open");
        if (round == 0) {
          assertTrue(peer.line().startsWith("opened ")); // once C creates for certain
        }
        try (Segment segment = Segment.open(path, spec())) {
          if (round > 0) {
            peer.awaits(String.format("opened %016x", segment.id()));
          }
          Bus.verify(segment);
          if (round % 2 == 0) { // Java is the last one
            peer.release().ends();
            assertTrue(Files.exists(path), "C has removed a segment that Java uses");
          }
        }
        assertEquals(round % 2 != 0, Files.exists(path), "round " + round);
        peer.release().ends();
        assertFalse(Files.exists(path), "the last one that left was C, and has not removed it");
      }
    }
  }

  @Test
  void cSaysTheSameAsJavaWhenADescriptionDiffers() throws Exception {
    List<EntrySpec> other = entries();
    EntrySpec q = other.getFirst();
    other.set(0, new EntrySpec(q.name(), q.kind(), q.capacity(), 100, q.roleCount(), q.dataBytes()));
    SegmentSpec differing = SegmentSpec.small(other).withParticipantCapacity(9);
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec())) {
      SpecMismatchException expected = assertThrows(SpecMismatchException.class,
          () -> Segment.open(segment.path(), differing).close());
      bus.peer("other").awaits("-7 " + expected.getMessage()).ends();
    }
  }

  @Test
  void cReplacesASegmentThatDiffersAndThatNobodyUses() throws Exception {
    try (Bus bus = new Bus()) {
      // a copy of a segment that is in use: its slots say that somebody lives, and its locks that nobody does
      Path path = bus.path("s");
      try (Segment segment = Segment.create(bus.path("original"), SegmentSpec.of(Broadcast.spec("another", 4096)))) {
        Files.copy(segment.path(), path);
      }
      Peer peer = bus.peer("open");
      assertTrue(peer.line().startsWith("opened "));
      try (Segment segment = Segment.attach(path, 0)) {
        assertTrue(segment.directory().find("q").isPresent());
      }
      peer.release().ends();
    }
  }

  @Test
  void aCThatWaitsToRemoveTheSegmentLeavesWhatWasSentMeanwhileByOneThatHasLeft() throws Exception {
    try (Bus bus = new Bus()) {
      Path path = bus.path("s");
      Peer peer = bus.peer("open");
      assertTrue(peer.line().startsWith("opened "));
      try (FileChannel names = FileChannel.open(path.resolveSibling(".lock"), StandardOpenOption.WRITE)) {
        names.lock(0, 1, false);
        peer.release();
        try (Segment observed = Segment.observe(path)) {
          while (!observed.participants().getFirst().leaving()) { // the test's timeout is the limit
            Thread.sleep(1);
          }
        }
        try (Segment segment = Segment.attach(path, 0);
            Producer producer = Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
          assertTrue(producer.offer(Numbered.message(3)));
        }
      }
      peer.ends();
      try (Segment segment = Segment.attach(path, 0);
          Consumer consumer = Consumer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
        assertEquals(1, consumer.poll(message -> assertEquals(3, Numbered.check(message.toBytes())), 10));
      }
    }
  }

  @Test
  void theExampleOfTheSpecificationIsMadeByteForByteByC() throws Exception {
    try (Bus bus = new Bus()) {
      String said = Native.run(Native.HERE, List.of(Native.program(Native.Variant.SANITIZED, "example").toString(),
          "../../docs/SPEC.md", bus.path("q").toString()));
      assertTrue(said.matches("compared 2\\d{4} wrong 0\n"), said);
    }
  }

  @Test
  void eachOwnerInCplusplusDoesWhatItIsForAndTheLastOneRemovesTheSegment() throws Exception {
    try (Bus bus = new Bus()) {
      String program = Native.cplusplus(Native.Variant.SANITIZED, "owners").toString();
      assertEquals("owned\n", Native.run(Native.HERE, List.of(program, bus.path("s").toString())));
    }
  }

  @Test
  void wordsOfNonsenseAnywhereAreErrorsInCAndNeverACrash() throws Exception {
    damage(150, 1);
  }

  @Tag("stress")
  @Timeout(3_600)
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11})
  void wordsOfNonsenseInAThousandSegmentsAreErrorsInCAndNeverACrash(int seed) throws Exception {
    damage(1_000, seed);
  }

  private static void damage(int rounds, int seed) throws Exception {
    List<EntrySpec> all = List.of(Broadcast.spec("q", 4096, 4), WorkQueue.spec("jobs", 4, Numbered.MAX_LENGTH),
        Atomics.spec("state", "long total"), Latest.spec("price", Numbered.MAX_LENGTH, 1, 2),
        Ring.spec("ring", 16, Long.BYTES), NumberArray.spec("numbers", 3, double.class),
        RecordArray.spec("records", 3, ValuesPeersTest.Place.PLACES), Pool.spec("pool", 100, 24),
        CallsInJava.endpoint("calls").callers(2).slots(4).responders(2).redelivers().spec());
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), SegmentSpec.small(all));
        Publisher publisher = Publisher.open(segment.directory().find("q", Kind.BROADCAST));
        Producer producer = Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE));
        LatestWriter writer = LatestWriter.open(segment.directory().find("price", Kind.LATEST));
        PoolUser user = PoolUser.open(segment.directory().find("pool", Kind.POOL));
        Caller caller = CallsInJava.caller(segment, "calls", WaitPolicy.BACKOFF);
        Responder responder = CallsInJava.responder(segment, "calls", WaitPolicy.BACKOFF)) {
      for (long i = 0; i < 40; i++) {
        assertTrue(publisher.offer(Numbered.message(i)));
      }
      Peer holds = bus.fastPeer("hold", "jobs");
      for (long i = 0; i < 3; i++) {
        assertTrue(producer.offer(Numbered.message(i)));
      }
      holds.awaits("holding 0");
      writer.set(Numbered.message(1));
      user.acquire();
      for (long i = 0; i < 6; i++) { // two that are answered, two that were taken, two that wait
        CallsInJava.send(caller, i);
        if (i < 4) {
          Request request = responder.receive();
          if (i < 2) {
            CallsInJava.answer(request);
            caller.poll().close();
          }
        }
      }
      String said = Native.run(Native.HERE, List.of(Native.program(Native.Variant.SANITIZED, "damage").toString(),
          segment.path().toString(), bus.path("copy").toString(), String.valueOf(rounds), String.valueOf(seed)));
      assertTrue(said.matches("damaged [1-9]\\d*\n"), said);
      holds.release().ends();
      try (Consumer consumer = Consumer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
        assertEquals(3, consumer.poll(message -> { }, 10), "the original is as it was");
      }
    }
  }

  @Test
  void nativeParticipantsSayWhatTheyAre() throws Exception {
    try (Bus bus = new Bus(); Segment segment = Segment.create(bus.path("s"), spec())) {
      Peer peer = bus.peer("hold", "jobs");
      try (Producer producer = Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
        assertTrue(producer.offer(Numbered.message(3)));
        peer.awaits("holding 3");
        assertEquals(List.of(ProcessHandle.current().pid(), peer.pid()),
            segment.participants().stream().map(each -> each.pid()).toList());
        assertTrue(segment.participants().getLast().canWake());
      }
      peer.release().ends();
      try (Consumer consumer = Consumer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))) {
        consumer.take(1_000_000_000).ack(); // what the consumer that left had taken
      }
    }
  }
}
