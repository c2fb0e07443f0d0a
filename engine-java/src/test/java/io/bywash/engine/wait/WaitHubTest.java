package io.bywash.engine.wait;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TempBus;
import io.bywash.engine.Threads;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WaitHubTest {
  @RegisterExtension final TempBus bus = new TempBus();

  private final WaitHub hub = WaitHub.shared();
  private Segment writing;
  private Segment reading;
  private Publisher publisher;
  private Subscriber subscriber;

  @BeforeEach
  void open() {
    writing = Segment.create(bus.path("hub"), SegmentSpec.of(Broadcast.spec("queue", 4096)));
    reading = Segment.attach(bus.path("hub"), 0);
    publisher = Publisher.open(writing.directory().find("queue", Kind.BROADCAST));
    subscriber = Subscriber.open(reading.directory().find("queue", Kind.BROADCAST));
  }

  @AfterEach
  void close() {
    publisher.close();
    subscriber.close();
    writing.close();
    reading.close();
  }

  private static void join(CompletableFuture<Void> future) throws Exception {
    future.get(50, TimeUnit.SECONDS);
  }

  /** The hub has taken in all arrivals up to now, because it has completed one that came after them. */
  private void afterAnotherWait() throws Exception {
    try (Segment other = Segment.create(bus.path("other"), SegmentSpec.of(Broadcast.spec("queue", 4096)));
        Publisher otherPublisher = Publisher.open(other.directory().find("queue", Kind.BROADCAST));
        Subscriber waiting = Subscriber.open(other.directory().find("queue", Kind.BROADCAST))) {
      CompletableFuture<Void> future = hub.whenReady(waiting);
      assertTrue(otherPublisher.offer(new byte[1]));
      join(future);
    }
  }

  @Test
  void aRoleWithSomethingToDoIsReadyAtOnce() {
    assertTrue(hub.whenReady(publisher).isDone(), "a publisher that was never refused");
    publisher.offer(new byte[1]);
    assertTrue(hub.whenReady(subscriber).isDone());
  }

  @Test
  void aFutureCompletesOnDataAndTakesNothingFromTheQueue() throws Exception {
    for (int i = 0; i < 300; i++) {
      CompletableFuture<Void> first = hub.whenReady(subscriber);
      CompletableFuture<Void> second = hub.whenReady(subscriber);
      assertFalse(first.isDone());
      assertTrue(publisher.offer(new byte[] {(byte) i}));
      join(first);
      join(second);
      byte wanted = (byte) i;
      assertEquals(1, subscriber.poll(message -> assertEquals(wanted, message.getByte(0)), 10));
    }
  }

  @Test
  void aFutureOfAPublisherCompletesWhenThereIsRoomAgain() throws Exception {
    int waited = 0;
    for (int i = 0; i < 300; i++) {
      while (publisher.offer(new byte[48])) {
        // until the ring is full
      }
      CompletableFuture<Void> future = hub.whenReady(publisher);
      waited += future.isDone() ? 0 : 1; // a publisher looks again after 50 ms, which may be over by now
      assertEquals(1, subscriber.poll(message -> {}, 1));
      join(future);
      assertTrue(publisher.offer(new byte[48]));
    }
    assertTrue(waited > 0);
  }

  @Test
  void aConditionOfASubscriberHoldsWhenThePublisherHasGone() throws Exception {
    Waitable gone = subscriber.publisherGone();
    assertFalse(gone.isReady());
    CompletableFuture<Void> future = hub.whenReady(gone);
    CompletableFuture<Void> data = hub.whenReady(subscriber);
    assertTrue(publisher.offer(new byte[1]));
    join(data);
    assertFalse(future.isDone());
    assertTrue(publisher.offer(new byte[1]));
    publisher.close();
    join(future);
    assertTrue(gone.isReady());
    assertEquals(2, subscriber.poll(message -> {}, 10));
    try (Publisher _ = Publisher.open(writing.directory().find("queue", Kind.BROADCAST))) {
      assertFalse(gone.isReady());
      CompletableFuture<Void> closed = hub.whenReady(gone);
      subscriber.close();
      join(closed);
    }
  }

  @Test
  void aPublisherThatNeverCameHasNotGone() throws Exception {
    publisher.close();
    Entry entry = reading.directory().find("queue", Kind.BROADCAST);
    try (Subscriber first = Subscriber.open(entry)) {
      assertFalse(first.publisherGone().isReady());
      CompletableFuture<Void> future = hub.whenReady(first.publisherGone());
      Publisher.open(writing.directory().find("queue", Kind.BROADCAST)).close();
      join(future);
    }
    try (Publisher again = Publisher.open(writing.directory().find("queue", Kind.BROADCAST))) {
      assertTrue(again.offer(new byte[1]));
    }
    try (Subscriber late = Subscriber.open(entry, SubscriberOptions.block().startingAtOldest())) {
      assertFalse(late.publisherGone().isReady(), "it may be another one's message that it waits for");
      assertEquals(1, late.poll(message -> {}, 10));
      assertTrue(late.publisherGone().isReady());
    }
  }

  @Test
  void aConditionOfAPublisherHoldsWhenThereAreSubscribersEnough() throws Exception {
    Waitable present = publisher.subscribersPresent(3);
    CompletableFuture<Void> future = hub.whenReady(present);
    Entry entry = reading.directory().find("queue", Kind.BROADCAST);
    try (Subscriber _ = Subscriber.open(entry)) {
      afterAnotherWait();
      assertFalse(future.isDone());
      try (Subscriber _ = Subscriber.open(entry, SubscriberOptions.skip())) {
        join(future);
      }
    }
    assertFalse(present.isReady());
    assertTrue(hub.whenReady(publisher.subscribersPresent(0)).isDone());
    assertThrows(IllegalArgumentException.class, () -> publisher.subscribersPresent(65));
  }

  @Test
  void aFutureCompletesWhenItsSegmentIsClosed() throws Exception {
    CompletableFuture<Void> future = hub.whenReady(subscriber);
    afterAnotherWait();
    assertFalse(future.isDone());
    reading.close();
    join(future);
    assertThrows(SegmentClosedException.class, () -> subscriber.poll(message -> {}, 1));
    assertTrue(hub.whenReady(subscriber).isDone());
  }

  @Test
  void aFutureCompletesWhenItsRoleIsClosed() throws Exception {
    CompletableFuture<Void> future = hub.whenReady(subscriber);
    afterAnotherWait();
    assertFalse(future.isDone());
    subscriber.close();
    join(future);
    assertThrows(SegmentClosedException.class, () -> subscriber.poll(message -> {}, 1));
  }

  @Test
  void aCancelledWaitLosesNothingAndDisturbsNobody() throws Exception {
    for (int i = 0; i < 100; i++) {
      CompletableFuture<Void> cancelled = hub.whenReady(subscriber);
      CompletableFuture<Void> waiting = hub.whenReady(subscriber);
      assertTrue(cancelled.cancel(true));
      assertTrue(publisher.offer(new byte[1]));
      join(waiting);
      assertThrows(CancellationException.class, cancelled::join);
      assertEquals(1, subscriber.poll(message -> {}, 10));
    }
  }

  @Test
  void whatDependsOnAFutureMayFailWithoutHarmToOthers() throws Exception {
    CompletableFuture<Void> failing = hub.whenReady(subscriber).thenRun(() -> {
      throw new IllegalStateException("on purpose");
    });
    CompletableFuture<Void> waiting = hub.whenReady(subscriber);
    assertTrue(publisher.offer(new byte[1]));
    join(waiting);
    Threads.await(failing::isCompletedExceptionally, "the failure");
    afterAnotherWait();
  }

  private static final class Lane implements AutoCloseable {
    final Segment segment;
    final List<Publisher> publishers = new ArrayList<>();
    final List<Subscriber> subscribers = new ArrayList<>();
    final List<CompletableFuture<Void>> futures = new ArrayList<>();

    Lane(TempBus bus, int number, int queues) {
      List<EntrySpec> specs = new ArrayList<>();
      for (int i = 0; i < queues; i++) {
        specs.add(Broadcast.spec("queue-" + i, 4096, 2));
      }
      segment = Segment.create(bus.path("lane-" + number), SegmentSpec.of(specs).withParticipantCapacity(2));
      segment.directory().entries().forEach(entry -> {
        publishers.add(Publisher.open(entry));
        subscribers.add(Subscriber.open(entry, SubscriberOptions.skip()));
      });
    }

    @Override
    public void close() {
      publishers.forEach(Publisher::close);
      subscribers.forEach(Subscriber::close);
      segment.close();
    }
  }

  private void waitForManyRoles(int lanes, int queues) throws Exception {
    List<Lane> all = new ArrayList<>();
    try {
      for (int i = 0; i < lanes; i++) {
        all.add(new Lane(bus, i, queues));
      }
      for (int round = 0; round < 3; round++) {
        for (Lane lane : all) {
          lane.futures.clear();
          lane.subscribers.forEach(role -> lane.futures.add(hub.whenReady(role)));
        }
        int left = lanes * queues;
        for (Lane lane : all) {
          for (int i = 0; i < queues; i++) {
            assertEquals(left--, all.stream().flatMap(each -> each.futures.stream()).filter(f -> !f.isDone()).count());
            assertTrue(lane.publishers.get(i).offer(new byte[1]));
            join(lane.futures.get(i));
            assertEquals(1, lane.subscribers.get(i).poll(message -> {}, 10));
          }
        }
      }
    } finally {
      all.forEach(Lane::close);
    }
  }

  @Test
  void oneHubWaitsForManyRolesInSeveralSegmentsAndCompletesOnlyThoseThatAreReady() throws Exception {
    waitForManyRoles(12, 5);
  }

  @Test
  void oneHubWaitsForMoreSegmentsThanTheKernelTakesAtOnce() throws Exception {
    waitForManyRoles(130, 1);
  }

  @Test
  void theHubsThreadEndsWhenNobodyWaitsAndComesBackForTheNext() throws Exception {
    for (int round = 0; round < 2; round++) {
      CompletableFuture<Void> future = hub.whenReady(subscriber);
      Threads.await(() -> hubThreads() == 1, "the hub's thread, while somebody waits");
      assertTrue(publisher.offer(new byte[1]));
      join(future);
      assertEquals(1, subscriber.poll(message -> {}, 10));
      Threads.await(() -> hubThreads() == 0, "the hub's thread to end");
    }
  }

  private static long hubThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("bywash-wait-hub")).count();
  }

  @Test
  void manyThreadsMayWaitThroughTheHubAtOnce() throws Exception {
    try (Threads threads = new Threads()) {
      for (int i = 0; i < 4; i++) {
        int number = i;
        threads.start("lane " + i, () -> {
          try (Lane lane = new Lane(bus, number, 1)) {
            for (int round = 0; round < 200; round++) {
              CompletableFuture<Void> future = hub.whenReady(lane.subscribers.get(0));
              assertTrue(lane.publishers.get(0).offer(new byte[1]));
              join(future);
              assertEquals(1, lane.subscribers.get(0).poll(message -> {}, 1));
            }
          }
        });
      }
      threads.join();
    }
  }

  /** Which thread what depends on a future runs in. */
  private Thread threadOf(CompletableFuture<Void> future) throws Exception {
    CompletableFuture<Thread> thread = future.thenApply(nothing -> Thread.currentThread());
    assertTrue(publisher.offer(new byte[1]));
    Thread found = thread.get(50, TimeUnit.SECONDS);
    assertEquals(1, subscriber.poll(message -> {}, 10));
    return found;
  }

  @Test
  void whatDependsOnAFutureNeverRunsInTheHubsThread() throws Exception {
    assertTrue(threadOf(hub.whenReady(subscriber)).isVirtual());
    Thread own = threadOf(hub.whenReady(subscriber, task -> new Thread(task, "own").start()));
    assertEquals("own", own.getName());
    assertTrue(threadOf(hub.whenReady(subscriber, Runnable::run)).isVirtual(),
        "the executor ran it in the hub's thread");
  }

  @Test
  void whatDependsOnAFutureMayBlockForAnotherRole() throws Exception {
    CompletableFuture<Integer> nested = hub.whenReady(subscriber).thenApply(nothing -> {
      int count = subscriber.poll(message -> {}, 1); // the other one may be there as well, if this comes late
      return count + subscriber.poll(message -> {}, 1, TimeUnit.SECONDS.toNanos(50));
    });
    assertTrue(publisher.offer(new byte[1]));
    afterAnotherWait();
    assertTrue(publisher.offer(new byte[1]));
    assertEquals(2, nested.get(50, TimeUnit.SECONDS));
  }

  @Test
  void anExecutorThatRefusesOrFailsEndsNoOtherWait() throws Exception {
    CompletableFuture<Void> refused = hub.whenReady(subscriber, task -> {
      throw new java.util.concurrent.RejectedExecutionException("on purpose");
    });
    int[] tries = {0};
    CompletableFuture<Void> late = hub.whenReady(subscriber, task -> {
      if (tries[0]++ < 3) {
        throw new OutOfMemoryError("on purpose");
      }
      Thread.ofVirtual().start(task);
    });
    CompletableFuture<Void> waiting = hub.whenReady(subscriber);
    assertTrue(publisher.offer(new byte[1]));
    join(waiting);
    join(late);
    assertTrue(assertThrows(java.util.concurrent.ExecutionException.class, () -> join(refused)).getCause().getMessage()
        .equals("on purpose"));
    afterAnotherWait();
  }

  @Test
  void theHubsThreadKeepsNothingOfWhoWaitsFirst() throws Exception {
    Threads.await(() -> hubThreads() == 0, "the hub's thread to end");
    InheritableThreadLocal<Object> inherited = new InheritableThreadLocal<>();
    var user = new java.lang.ref.WeakReference<>(firstWait(inherited));
    CompletableFuture<Void> keepsTheThread = hub.whenReady(subscriber);
    Threads.await(() -> {
      System.gc();
      return user.get() == null;
    }, "what the first waiter had to be collected");
    Thread thread = Thread.getAllStackTraces().keySet().stream()
        .filter(each -> each.getName().equals("bywash-wait-hub")).findFirst().orElseThrow();
    assertEquals(null, thread.getContextClassLoader());
    assertEquals(null, thread.getThreadGroup().getParent());
    keepsTheThread.cancel(false);
  }

  private ClassLoader firstWait(InheritableThreadLocal<Object> inherited) throws InterruptedException {
    ClassLoader loader = new java.net.URLClassLoader(new java.net.URL[0]);
    Thread first = new Thread(new ThreadGroup("first"), () -> {
      inherited.set(loader);
      hub.whenReady(subscriber).cancel(false);
    });
    first.setContextClassLoader(loader);
    first.start();
    first.join();
    return loader;
  }

  @Test
  void whatIsNoRoleOfThisEngineIsRefused() {
    var refused = assertThrows(IllegalArgumentException.class, () -> hub.whenReady(() -> true));
    assertTrue(refused.getMessage().startsWith("role="), refused.getMessage());
    assertThrows(IllegalArgumentException.class, () -> hub.whenReady(null));
  }

  /** The hub has looked for all files that somebody waits for up to now. */
  private void afterALookForFiles() throws Exception {
    join(hub.whenExists(bus.path("hub"), Runnable::run));
  }

  @Test
  void aFutureCompletesWhenTheFileOfASegmentExists() throws Exception {
    CompletableFuture<Void> coming = hub.whenExists(bus.path("coming"), Runnable::run);
    CompletableFuture<Void> cancelled = hub.whenExists(bus.path("coming"), Runnable::run);
    CompletableFuture<Void> without = hub.whenExists(bus.path("none").resolve("none"), Runnable::run);
    cancelled.cancel(false);
    afterALookForFiles();
    assertFalse(coming.isDone());
    try (Segment created = Segment.create(bus.path("coming"), SegmentSpec.of(Broadcast.spec("queue", 4096)))) {
      join(coming);
      Segment.attach(created.path(), 0).close();
    }
    afterALookForFiles();
    assertFalse(without.isDone());
    without.cancel(false);
  }

  @Test
  void aThousandWaitsForOneFileTakeOneThread() throws Exception {
    List<CompletableFuture<Void>> waits = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      waits.add(hub.whenExists(bus.path("coming"), Runnable::run));
    }
    afterALookForFiles();
    assertTrue(waits.stream().noneMatch(CompletableFuture::isDone));
    Threads.await(() -> hubThreads() == 1, "one thread; another one may be about to end");
    try (Segment created = Segment.create(bus.path("coming"), SegmentSpec.of(Broadcast.spec("queue", 4096)))) {
      for (CompletableFuture<Void> wait : waits) {
        join(wait);
      }
      Segment.attach(created.path(), 0).close();
    }
  }
}
