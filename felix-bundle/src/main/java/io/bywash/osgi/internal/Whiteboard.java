package io.bywash.osgi.internal;

import io.bywash.engine.Entry;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.DiscoveredQueue;
import io.bywash.osgi.internal.queue.Environment;
import io.bywash.osgi.internal.queue.Feeding;
import io.bywash.osgi.internal.queue.Log;
import io.bywash.osgi.internal.queue.QueueKind;
import io.bywash.osgi.internal.queue.RegistryCalls;
import io.bywash.osgi.internal.queue.ServiceWatch;
import io.bywash.osgi.internal.queue.Subscriptions;
import io.bywash.osgi.internal.queue.Threads;
import io.bywash.osgi.internal.queue.WatchedSegment;
import io.bywash.osgi.internal.queue.WhiteboardListener;
import io.bywash.osgi.runtime.BywashRuntime;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.log.Logger;
import org.osgi.service.log.LoggerFactory;

/**
 * Brings listeners and queues together, and knows everything that can be listed: the watched directories, listeners and
 * configurations. It is there as long as the bundle is active, whatever becomes of discovery.
 */
@Component(service = Whiteboard.class, immediate = true)
public final class Whiteboard {
  private final ExecutorService executor =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("bywash-listener-", 0)
          .inheritInheritableThreadLocals(false).factory());
  private final ExecutorService threads =
      Executors.newThreadPerTaskExecutor(task -> Threads.unstarted("bywash-listener-aside", task));
  private final Object lock = new Object();
  private final RegistryCalls calls;
  private final Subscriptions subscriptions;
  private final Environment environment;
  private final RuntimePublication publication;
  private final ServiceWatch consumers;
  private final Deployments deployments;
  private final Map<Long, WhiteboardListener> listeners = new TreeMap<>();
  private final List<BusWatcher> watchers = new ArrayList<>();
  private final List<ConfiguredQueue> configured = new CopyOnWriteArrayList<>();
  private final OptionalServices optional;
  /** What was last seen of what nobody counts when it changes. */
  private Object digest = List.of();
  private boolean stopped;

  @Reference(service = LoggerFactory.class, cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC)
  private volatile Logger logger;

  /** Called by Declarative Services. */
  @Activate
  public Whiteboard(BundleContext context) {
    Log log = new Log(() -> logger);
    File file = context.getDataFile("subscriptions");
    calls = new RegistryCalls(context, log);
    subscriptions = new Subscriptions(file == null ? null : file.toPath(), log);
    environment = new Environment(context, QueueKinds.ALL, executor, threads, calls, subscriptions, log, lock,
        new AtomicLong());
    optional = new OptionalServices(context);
    publication = new RuntimePublication(this, environment);
    deployments = new Deployments(environment, this::isWatched);
    String types = QueueKinds.ALL.values().stream().map(QueueKind::feeder).flatMap(Optional::stream)
        .flatMap(each -> each.consumerTypes().stream())
        .map(each -> "(" + Constants.OBJECTCLASS + "=" + each.getName() + ")")
        .collect(Collectors.joining("", "(|", ")"));
    consumers = new ServiceWatch(context, types, log, this::bind, this::update, this::unbind);
  }

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
  void addConfigured(ConfiguredQueue queue) {
    configured.add(queue);
    queue.tend(environment, this::isWatched);
  }

  void removeConfigured(ConfiguredQueue queue) {
    configured.remove(queue);
  }

  @Activate
  void start() {
    publication.tend();
    consumers.open();
    deployments.open();
  }

  @Deactivate
  void stop() {
    List<Feeding> ended;
    publication.close();
    consumers.close();
    deployments.close();
    synchronized (lock) {
      stopped = true;
      ended = listeners.values().stream().map(WhiteboardListener::leave).filter(feeding -> feeding != null).toList();
      listeners.clear();
    }
    try {
      calls.close();
      for (Feeding feeding : ended) {
        feeding.awaitLeft(Feeding.LAST_CALL_NANOS);
      }
      executor.shutdown();
      threads.shutdown(); // the tasks that end feedings, and the roles of other bundles, have been started by now
      executor.awaitTermination(Feeding.LAST_CALL_NANOS, TimeUnit.NANOSECONDS);
      threads.awaitTermination(Feeding.LAST_CALL_NANOS, TimeUnit.NANOSECONDS);
      environment.log().await(Feeding.LAST_CALL_NANOS);
    } catch (InterruptedException impatient) {
      executor.shutdown();
      threads.shutdown();
      Thread.currentThread().interrupt(); // the tasks end by themselves
    }
    subscriptions.save();
  }

  // ---- discovery

  /** A watcher of that directory, not started. */
  BusWatcher add(String configuration, String directory) {
    BusWatcher watcher = new BusWatcher(configuration, directory, this, environment);
    synchronized (lock) {
      watchers.add(watcher);
    }
    return watcher;
  }

  /** Starts it; false when there is no thread to be had. */
  boolean start(BusWatcher watcher) {
    try {
      watcher.start();
      return true;
    } catch (OutOfMemoryError noThread) {
      environment.log().error("The bus directory {} is not watched yet. It is tried again.", watcher.path(), noThread);
      return false;
    }
  }

  /** Stops it. */
  void remove(BusWatcher watcher) {
    watcher.stop();
    synchronized (lock) {
      watchers.remove(watcher);
    }
  }

  /** Called by each watcher again and again: does all that is not to be done by the caller of an event. */
  void tend(Consumer<Runnable> attempt) {
    synchronized (lock) {
      for (WhiteboardListener listener : List.copyOf(listeners.values())) {
        attempt.accept(() -> {
          if (listener.hasGone()) { // and was added while it went
            remove(listener.serviceId());
          } else {
            tend(listener);
          }
        });
      }
    }
    attempt.accept(calls::tend);
    attempt.accept(subscriptions::tend);
    Predicate<Path> watched = this::isWatched;
    configured.forEach(queue -> attempt.accept(() -> queue.tend(environment, watched)));
    deployments.tend(attempt);
    attempt.accept(this::countChanges);
    attempt.accept(publication::tend);
  }

  /** Those of what is shown that nobody has counted. */
  private void countChanges() {
    Object now = List.of(configured.stream().map(ConfiguredQueue::digest).toList(), deployments.digest(),
        calls.digest());
    environment.submit(optional); // and counted at the next sweep
    synchronized (lock) {
      Object all = List.of(now, optional.missing(), watchers.stream().map(BusWatcher::failure).toList());
      if (!all.equals(digest)) {
        digest = all;
        environment.changes().incrementAndGet();
      }
    }
  }

  private boolean isWatched(Path directory) {
    synchronized (lock) {
      return watchers.stream().anyMatch(watcher -> watcher.watches(directory));
    }
  }

  // ---- listeners: nothing here fetches their services

  private void bind(ServiceReference<?> reference) {
    bind(reference, null);
  }

  private void bind(ServiceReference<?> reference, Feeding before) {
    synchronized (lock) {
      if (!stopped && !listeners.containsKey(idOf(reference))) {
        WhiteboardListener added = new WhiteboardListener(reference, before, environment);
        listeners.put(added.serviceId(), added);
        environment.changes().incrementAndGet();
        tend(added);
      }
    }
  }

  /** A listener that was removed: its last feeding, null when there was none, and what it may still be attached to. */
  private record Ended(Feeding feeding, List<WatchedSegment> left) {
    /** Waits until it holds nobody back any more. */
    void await() {
      try {
        if (feeding != null) {
          feeding.awaitLeft(Feeding.LAST_CALL_NANOS);
        }
        for (WatchedSegment segment : left) {
          segment.awaitLeft(Feeding.LAST_CALL_NANOS);
        }
      } catch (InterruptedException impatient) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static Long idOf(ServiceReference<?> reference) {
    return (Long) reference.getProperty(Constants.SERVICE_ID);
  }

  /** One listener takes over from another at once, so that no third one comes between, which knows of no call. */
  private void update(ServiceReference<?> reference) {
    WhiteboardListener known;
    Ended ended;
    synchronized (lock) {
      known = listeners.get(idOf(reference));
      if (known == null || known.isUnchanged()) { // it has gone, or another thread was faster
        return;
      }
      ended = end(known);
      bind(reference, ended.feeding());
    }
    ended.await();
    synchronized (lock) {
      WhiteboardListener next = listeners.get(idOf(reference));
      if (next != null) {
        tend(next); // it may join now
      }
    }
    known.release();
  }

  private void unbind(ServiceReference<?> reference) {
    Ended ended = null;
    synchronized (lock) {
      WhiteboardListener known = listeners.get(idOf(reference));
      if (known != null) {
        ended = end(known);
      }
    }
    if (ended != null) {
      ended.await();
    }
  }

  /** With the lock held. */
  private Ended end(WhiteboardListener known) {
    List<WatchedSegment> left = watchers.stream().map(watcher -> watcher.segment(known.properties().segment()))
        .filter(Objects::nonNull).toList();
    return new Ended(remove(known.serviceId()), left);
  }

  /** Its last feeding; null when there was none. */
  private Feeding remove(Long serviceId) {
    environment.changes().incrementAndGet();
    WhiteboardListener removed = listeners.remove(serviceId);
    return removed == null ? null : removed.leave();
  }

  /** Looks for the listener's queue in all directories that it allows: one with an owner before one without. */
  private void tend(WhiteboardListener listener) {
    String name = listener.properties().segment();
    String queueName = listener.properties().queue();
    Path directory = listener.properties().directory();
    DiscoveredQueue found = null;
    WatchedSegment last = null;
    List<String> searched = new ArrayList<>();
    for (BusWatcher watcher : watchers) {
      if (directory == null || watcher.watches(directory)) {
        searched.add(watcher.path());
        WatchedSegment segment = watcher.segment(name);
        DiscoveredQueue queue = segment == null || segment.failure() != null ? null : segment.queue(queueName);
        last = segment != null ? segment : last;
        found = queue != null && (found == null || found.state() != DiscoveredQueue.State.AVAILABLE) ? queue : found;
      }
    }
    listener.tend(found, last != null
        ? last.failure() != null ? "segment " + unusable(last) : "segment " + name + " has no queue " + queueName
        : searched.isEmpty() ? "no discovery watches " + (directory == null ? "a directory"
            : "directory " + directory)
        : "there is no segment " + name + " in " + String.join(", ", searched));
  }

  private static String unusable(WatchedSegment segment) {
    return segment.name() + " cannot be used: " + segment.failure();
  }

  // ---- what is known

  BywashRuntime runtime() {
    return publication;
  }

  /** The last messages of a queue. */
  List<RuntimeDTO.MessageDTO> tail(String segment, String queue, int count) {
    DiscoveredQueue found;
    synchronized (lock) {
      found = usable(segment).stream().map(each -> each.queue(queue)).filter(Objects::nonNull).findFirst()
          .orElseThrow(() -> new IllegalArgumentException("There is no queue " + queue + " in a segment " + segment
              + ". See bywash:ls."));
    }
    return found.kind().flatMap(kind -> kind.tail(found.entry(), count)).orElseThrow(() ->
        new IllegalArgumentException("Queue " + queue + " is of kind " + found.entry().kind().displayName()
            + ", whose messages cannot be shown."));
  }

  /** The segments of that name, of which there is at least one. */
  private List<WatchedSegment> usable(String name) {
    List<WatchedSegment> all = watchers.stream().map(watcher -> watcher.segment(name)).filter(Objects::nonNull)
        .toList();
    List<WatchedSegment> usable = all.stream().filter(segment -> segment.failure() == null).toList();
    if (usable.isEmpty()) {
      throw new IllegalArgumentException((all.isEmpty() ? "There is no segment " + name
          : "Segment " + unusable(all.getFirst())) + ". See bywash:ls.");
    }
    return usable;
  }

  /** Throws with the reason when there is no segment of that name that can be used. */
  void checkUsable(String segment) {
    synchronized (lock) {
      usable(segment);
    }
  }

  /** A queue as it was last inspected. */
  record Seen(WatchedSegment segment, Entry entry, DiscoveredQueue.State state) {}

  /** All queues. */
  List<Seen> queues() {
    synchronized (lock) {
      return watchers.stream().flatMap(watcher -> watcher.segments().stream())
          .filter(segment -> segment.failure() == null)
          .flatMap(segment -> segment.queues().stream().map(queue -> new Seen(segment, queue.entry(), queue.state())))
          .toList();
    }
  }

  /** Everything but the queues. */
  RuntimeDTO describe() {
    RuntimeDTO dto = new RuntimeDTO();
    dto.changeCount = environment.changes().get();
    dto.calls = calls.describe();
    dto.configurations = Stream.concat(configured.stream().map(ConfiguredQueue::describe),
        deployments.describe().stream()).toList();
    dto.missing = optional.findMissing();
    dto.directories = new ArrayList<>();
    dto.segments = new ArrayList<>();
    dto.files = new ArrayList<>();
    synchronized (lock) {
      watchers.forEach(watcher -> watcher.describe(dto));
      dto.listeners = listeners.values().stream().map(WhiteboardListener::describe).toList();
    }
    return dto;
  }
}
