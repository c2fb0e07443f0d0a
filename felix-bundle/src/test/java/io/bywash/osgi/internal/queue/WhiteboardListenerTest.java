package io.bywash.osgi.internal.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Participant;
import io.bywash.engine.Revocable;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.TableFullException;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.wait.Waitable;
import io.bywash.osgi.BroadcastService;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.QueueListener;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Dictionary;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.log.Logger;

/** How a listener comes to its queue and leaves it, with a framework and a kind of queue that the test plays. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WhiteboardListenerTest {
  private static final long PATIENCE_SECONDS = 60;
  /** Of the header and of a row, see docs/SPEC.md. */
  private static final int ROWS_OFFSET = 48;
  private static final int ROW_ELEMENT_SIZE = 32;

  @TempDir Path bus;

  private final Object lock = new Object();
  private final AtomicLong changes = new AtomicLong();
  private final Queue<String> warnings = new ConcurrentLinkedQueue<>();
  private final Log log = new Log(() -> played(Logger.class,
      Map.of("warn", line -> warnings.add((String) line[0]))));
  private final ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  /** What was done while the thread that did it held the lock, by what it was. */
  private final Map<String, Boolean> underLock = new ConcurrentHashMap<>();
  private final CountDownLatch joining = new CountDownLatch(1);
  private final CountDownLatch mayJoin = new CountDownLatch(1);
  private final CountDownLatch polling = new CountDownLatch(1);
  private final CountDownLatch mayPoll = new CountDownLatch(1);
  /** The properties of the queue's service, one after the other. */
  private final Queue<Dictionary<?, ?>> services = new ConcurrentLinkedQueue<>();
  private final AtomicInteger joins = new AtomicInteger();
  /** Why no role is to be had; null when one is. */
  private volatile RuntimeException refusal;
  private volatile String policy = "";
  /** Whether the last role was taken from a queue of this process. */
  private volatile boolean joinedLocal;
  private RegistryCalls calls;
  private Segment owner;
  /** Has the role that the listener is said to have; of a queue that nobody looks at. */
  private Segment aside;
  private Subscriber role;
  private WatchedSegment segment;
  private WhiteboardListener listener;

  @BeforeEach
  void start() throws IOException {
    aside = Segment.create(bus.resolve("aside"), SegmentSpec.of(Broadcast.spec("ticks", 4096)));
    role = Subscriber.open(aside.directory().find("ticks", Kind.BROADCAST));
    owner = Segment.create(bus.resolve("watched"), SegmentSpec.of(Broadcast.spec("ticks", 4096))
        .withLifetime(Lifetime.KEPT));
    Map<String, Object> properties = Map.of(Constants.SERVICE_ID, 1L, BywashConstants.SEGMENT, "watched",
        BywashConstants.QUEUE, "ticks", Constants.OBJECTCLASS, new String[] {QueueListener.class.getName()});
    ServiceReference<?> reference = played(ServiceReference.class, Map.of(
        "getPropertyKeys", none -> properties.keySet().toArray(String[]::new),
        "getProperty", key -> properties.get((String) key[0]),
        "getBundle", none -> played(Bundle.class, Map.of())));
    ServiceRegistration<?> registration = played(ServiceRegistration.class,
        Map.of("setProperties", given -> services.add((Dictionary<?, ?>) given[0])));
    BundleContext context = played(BundleContext.class, Map.of("getService", asked -> {
      underLock.put("getService", Thread.holdsLock(lock));
      return (QueueListener) message -> {};
    }, "registerService", given -> {
      services.add((Dictionary<?, ?>) given[2]);
      return registration;
    }));
    calls = new RegistryCalls(context, log);
    Environment environment = new Environment(context, Map.of(Kind.BROADCAST, new PlayedKind()), executor, threads,
        calls, new Subscriptions(null, log), log, lock, changes);
    segment = WatchedSegment.of(bus.resolve("watched"), environment);
    listener = new WhiteboardListener(reference, null, environment);
  }

  @AfterEach
  void end() throws Exception {
    mayJoin.countDown();
    mayPoll.countDown();
    synchronized (lock) {
      listener.leave();
      segment.close();
    }
    calls.close();
    executor.close();
    threads.close();
    role.close();
    aside.close();
    owner.close();
  }

  private static <T> T played(Class<T> type, Map<String, Function<Object[], Object>> methods) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) ->
        method.getName().equals("toString") ? "a " + type.getSimpleName()
            : methods.getOrDefault(method.getName(), none -> null).apply(arguments)));
  }

  private final class PlayedKind implements QueueKind, Feeder {
    @Override
    public Kind kind() {
      return Kind.BROADCAST;
    }

    @Override
    public Class<BroadcastService> serviceType() {
      return BroadcastService.class;
    }

    @Override
    public BroadcastService service(BundleRoles roles) {
      throw new AssertionError("nobody asks for it");
    }

    @Override
    public Optional<Feeder> feeder() {
      return Optional.of(this);
    }

    @Override
    public List<Class<?>> consumerTypes() {
      return List.of(QueueListener.class);
    }

    @Override
    public Optional<String> fault(ListenerProperties properties) {
      return Optional.empty();
    }

    @Override
    public FeedingRole join(Entry entry, ListenerProperties properties, boolean local, OptionalLong next,
        Object consumer) {
      underLock.put("join", Thread.holdsLock(lock));
      joining.countDown();
      await(mayJoin);
      joins.incrementAndGet();
      joinedLocal = local;
      if (refusal != null) {
        throw refusal;
      }
      return new PlayedRole();
    }
  }

  /** One that hands over a message that takes its time. */
  private final class PlayedRole implements FeedingRole {
    @Override
    public String policy() {
      return policy;
    }

    @Override
    public Revocable revocable() {
      return role;
    }

    @Override
    public Waitable waitable() {
      return role;
    }

    @Override
    public int poll(Calls feeding, int limit) {
      polling.countDown();
      while (mayPoll.getCount() > 0) { // whoever interrupts it
        await(mayPoll);
        Thread.interrupted();
      }
      return 0;
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  /** One sweep; what was found of the queue. */
  private DiscoveredQueue sweep() {
    synchronized (lock) {
      segment.inspect();
      listener.tend(segment.queue("ticks"), "there is none");
      return segment.queue("ticks");
    }
  }

  @Test
  void aServiceIsFetchedAndItsRoleOpenedOutsideTheLock() throws Exception {
    CompletableFuture<DiscoveredQueue> swept = CompletableFuture.supplyAsync(this::sweep);
    await(joining);
    CompletableFuture<Void> others = CompletableFuture.runAsync(() -> {
      synchronized (lock) {
        assertEquals("JOINING", listener.describe().state);
      }
    });
    others.get(PATIENCE_SECONDS, TimeUnit.SECONDS); // although the role is being opened
    assertEquals(DiscoveredQueue.State.AVAILABLE, swept.get(PATIENCE_SECONDS, TimeUnit.SECONDS).state());
    assertEquals(Map.of("getService", false, "join", false), underLock);
  }

  @Test
  void aQueueThatDrainsAsksItsListenersOnly() throws Exception {
    makeStatusImpossible();
    mayJoin.countDown();
    DiscoveredQueue queue = sweep();
    assertThrows(DamagedSegmentException.class, () -> BroadcastStatus.of(queue.entry()));
    await(polling);
    owner.close();
    sweep();
    assertEquals(DiscoveredQueue.State.DRAINING, queue.state());
    assertNull(segment.failure());
    mayPoll.countDown();
    long start = System.nanoTime();
    while (queue.state() != DiscoveredQueue.State.NO_OWNER) { // its listener has got everything
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS));
      Thread.sleep(1);
      sweep();
    }
    assertNull(segment.failure());
  }

  @Test
  void theLastOneOfASegmentHasItsAttachmentClosedByTheRegistrysThread() throws Exception {
    mayJoin.countDown();
    mayPoll.countDown();
    sweep();
    awaitUntil(() -> listener.describe().state.equals("FEEDING"));
    assertEquals(2, owner.participants().size());
    CountDownLatch mayGoOn = new CountDownLatch(1);
    CountDownLatch busy = new CountDownLatch(1);
    calls.submit(new RegistryCalls.Call() {
      @Override
      protected void run() {
        busy.countDown();
        await(mayGoOn);
      }

      @Override
      public String toString() {
        return "a call that keeps the thread";
      }
    });
    await(busy);
    synchronized (lock) {
      listener.leave();
    }
    assertEquals(2, owner.participants().size(), "it is not closed under the lock");
    mayGoOn.countDown();
    segment.awaitLeft(TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS));
    assertEquals(1, owner.participants().size());
  }

  private static void awaitUntil(BooleanSupplier condition) throws InterruptedException {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS));
      Thread.sleep(1);
    }
  }

  private String state() {
    synchronized (lock) {
      return listener.describe().state;
    }
  }

  /** Sweeps until the condition holds. */
  private void sweepUntil(BooleanSupplier condition) throws InterruptedException {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() - start < TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS), this::state);
      Thread.sleep(1);
      sweep();
    }
  }

  /** Has the registry's thread do all that it was asked to. */
  private void awaitCalls() {
    CountDownLatch done = new CountDownLatch(1);
    calls.submit(new RegistryCalls.Call() {
      @Override
      protected void run() {
        done.countDown();
      }

      @Override
      public String toString() {
        return "a call of the test";
      }
    });
    await(done);
  }

  @Test
  void aListenerWhoseCallNeverReturnedIsNotCalledByASecondThreadAfterItsRoleWasRevoked() throws Exception {
    mayJoin.countDown();
    sweepUntil(() -> polling.getCount() == 0);
    synchronized (lock) {
      listener.leaveQueue();
    }
    sweepUntil(() -> warnings.stream().anyMatch(line -> line.contains("does not return")));
    for (int i = 0; i < 3; i++) {
      sweep();
      awaitCalls();
    }
    assertEquals(List.of(1, "JOINING"), List.of(joins.get(), state()));
    mayPoll.countDown();
    sweepUntil(() -> state().equals("FEEDING"));
    assertEquals(2, joins.get());
  }

  /** Has the queue's owner be that one; {@code pid} is this process's. */
  private void ownedBy(DiscoveredQueue queue, int epoch, boolean local) {
    synchronized (lock) {
      queue.inspect(queue.entry(), Optional.of(new Participant(3, epoch, ProcessHandle.current().pid(), true, true, 0,
          false, "", local)));
      queue.publish();
    }
    awaitCalls();
  }

  private List<Object> localOfServices() {
    return services.stream().<Object>map(each -> each.get(BywashConstants.LOCAL)).toList();
  }

  @Test
  void anOwnerWithThisPidIsNotTakenForThisProcessAndEachOneIsTold() {
    mayJoin.countDown();
    DiscoveredQueue queue = sweep();
    ownedBy(queue, 1, true);
    ownedBy(queue, 2, true); // this process all the same
    assertEquals(List.of(true), localOfServices());
    ownedBy(queue, 3, false);
    ownedBy(queue, 3, false);
    assertEquals(List.of(true, false), localOfServices());
    ownedBy(queue, 4, false);
    assertEquals(List.of(true, false, false), localOfServices());
    ownedBy(queue, 5, true);
    assertEquals(List.of(true, false, false, true), localOfServices());
  }

  /** Nobody may miss a message, nor be interrupted, because a queue changes hands. */
  @Test
  void aListenerKeepsTheRoleThatItTookForTheFirstOwnerWhoeverOwnsTheQueueThen() throws Exception {
    DiscoveredQueue queue = sweep();
    await(joining);
    synchronized (lock) {
      queue.inspect(queue.entry(), Optional.of(new Participant(3, 1, 77, true, true, 0, false, "", false)));
    }
    policy = "chosen for this process";
    mayJoin.countDown();
    awaitCalls();
    assertTrue(joinedLocal);
    assertEquals("FEEDING", state());
    await(polling); // it is in a call, which goes on
    ownedBy(queue, 2, true);
    assertEquals("FEEDING", state());
    ownedBy(queue, 3, false);
    assertEquals("FEEDING", state());
    sweep();
    awaitCalls();
    assertEquals(List.of(1, "FEEDING"), List.of(joins.get(), state()));
  }

  @Test
  void aRefusalIsLoggedAndCountedOnceHoweverOftenItIsTriedAgain() throws Exception {
    refusal = new TableFullException("no place");
    mayJoin.countDown();
    sweepUntil(() -> state().equals("TABLE_FULL"));
    long counted = changes.get();
    int before = joins.get();
    sweepUntil(() -> joins.get() >= before + 2 && state().equals("TABLE_FULL"));
    awaitUntil(() -> !warnings.isEmpty()); // the log has a thread of its own
    assertEquals(List.of("{} is not fed, {}: {}"), List.copyOf(warnings));
    assertEquals(counted, changes.get());
    refusal = new TableFullException("still no place"); // another reason is news
    sweepUntil(() -> {
      synchronized (lock) { // what is warned of under it is counted when it is free
        return warnings.size() == 2;
      }
    });
    assertEquals(counted + 1, changes.get());
    refusal = null;
    sweepUntil(() -> state().equals("FEEDING"));
    assertEquals(counted + 2, changes.get());
  }

  /** What is in the row is no broadcast: it has an owner, but whoever asks for its status is told of damage. */
  private void makeStatusImpossible() throws IOException {
    try (FileChannel file = FileChannel.open(bus.resolve("watched"), StandardOpenOption.READ,
        StandardOpenOption.WRITE)) {
      ByteBuffer word = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      file.read(word, ROWS_OFFSET);
      file.write(ByteBuffer.allocate(Long.BYTES), word.getLong(0) + ROW_ELEMENT_SIZE);
    }
  }
}
