package io.bywash.osgi.internal;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.inspect.StatusText;
import io.bywash.osgi.BywashConstants;
import io.bywash.osgi.QueueListener;
import io.bywash.osgi.internal.queue.Closing;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.DiscoveredQueue;
import io.bywash.osgi.internal.queue.Environment;
import io.bywash.osgi.internal.queue.Feeding;
import io.bywash.osgi.internal.queue.Log;
import io.bywash.osgi.internal.queue.WatchedSegment;
import io.bywash.osgi.internal.queue.WhiteboardListener;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.log.Logger;
import org.osgi.service.log.LoggerFactory;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.Designate;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * Discovery: makes services of the queues in the bus directory, and feeds the listeners. Its one thread sweeps the
 * directory when something changes there, and every 250 ms, because the death of a process changes no directory.
 *
 * <p>One lock guards what is known about segments, queues and listeners. Only the thread calls the service registry,
 * and without the lock, since that runs foreign code.
 */
@Component(service = BusWatcher.class, immediate = true, configurationPid = BywashConstants.DISCOVERY_PID)
@Designate(ocd = BusWatcher.Config.class)
public final class BusWatcher {
  private static final long SWEEP_MILLIS = 250;
  private static final long DRAINING_SWEEP_MILLIS = 10;
  /** Lets all files of one change arrive before the sweep. */
  private static final long SETTLE_MILLIS = 5;
  /** How long to wait for the thread to come back from foreign code. */
  private static final long PATIENCE_MILLIS = 5_000;

  private final BundleContext context;
  private final Log log;
  private final BusDirectory directory;
  private final ExecutorService executor =
      Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("bywash-listener-", 0)
          .inheritInheritableThreadLocals(false).factory());
  private final Environment environment;

  private final Object lock = new Object();
  private final Map<String, WatchedSegment> segments = new TreeMap<>();
  private final Map<Long, WhiteboardListener> listeners = new TreeMap<>();
  private String directoryFailure;
  /** Queues of segments that have gone but are still services. Used by the thread, and after its end. */
  private final List<DiscoveredQueue> withdrawn = new ArrayList<>();
  /** The first failure of a part of the current sweep. Used by the thread, and after its end. */
  private Throwable partFailure;

  @Reference
  private volatile List<ConfiguredQueue> configured;

  private final WatchService watch;
  private WatchKey watchKey;
  private Thread thread;
  private volatile boolean stopping;
  /** Why the last sweep failed; null when it did not. */
  private volatile Throwable failure;
  private boolean failureLogged;

  /** Where to look for queues. */
  @ObjectClassDefinition(name = "Bywash discovery", description = "Makes a service of every queue in a bus directory.")
  public @interface Config {
    /** What all keys begin with. */
    String PREFIX_ = "bywash.";

    /** See {@link BywashConstants#DIRECTORY}. */
    @AttributeDefinition(name = "Bus directory", required = false,
        description = "The directory of the segments. Empty for the standard one: $BYWASH_DIR, else below /dev/shm.")
    String directory() default "";
  }

  /** Called by Declarative Services. */
  @Activate
  public BusWatcher(BundleContext context, Config config, @Reference(service = LoggerFactory.class) Logger logger) {
    this.context = context;
    this.log = new Log(logger);
    this.environment = new Environment(QueueKinds.ALL, executor, log);
    this.directory = ConfiguredQueue.directory(config.directory());
    this.watch = newWatchService();
  }

  private WatchService newWatchService() {
    try {
      return FileSystems.getDefault().newWatchService();
    } catch (IOException none) {
      log.warn("The bus directory cannot be watched. It is swept every {} ms only.", SWEEP_MILLIS, none);
      return null;
    }
  }

  @Activate
  void start() {
    thread = Thread.ofPlatform().name("bywash-discovery").daemon().group(rootGroup())
        .inheritInheritableThreadLocals(false).unstarted(this::run);
    thread.setContextClassLoader(BusWatcher.class.getClassLoader());
    thread.start();
  }

  /** So that the thread keeps nothing of whoever started the component. */
  private static ThreadGroup rootGroup() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    while (group.getParent() != null) {
      group = group.getParent();
    }
    return group;
  }

  @Deactivate
  void stop() {
    stopping = true;
    boolean interrupted = false;
    try {
      if (watch != null) {
        Closing.close(watch, log);
      }
      synchronized (lock) {
        lock.notifyAll();
      }
      thread.join(PATIENCE_MILLIS); // it may be in foreign code that waits for this thread
    } catch (InterruptedException impatient) {
      interrupted = true;
    }
    try {
      withdrawAll();
      if (!interrupted) { // else the tasks end by themselves
        executor.awaitTermination(Feeding.LAST_CALL_NANOS, TimeUnit.NANOSECONDS);
      }
    } catch (InterruptedException impatient) {
      interrupted = true;
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void withdrawAll() {
    synchronized (lock) {
      for (WatchedSegment segment : segments.values()) {
        withdrawn.addAll(segment.queues());
        segment.close();
      }
      segments.clear();
    }
    partFailure = null;
    withdrawn.forEach(queue -> attempt(() -> queue.publish(context)));
    executor.shutdown(); // the tasks that end feedings, and the roles of other bundles, have been started by now
    if (partFailure != null) {
      log.warn("A queue could not be withdrawn properly.", partFailure);
    }
  }

  // ---- the thread

  private void run() {
    Throwable failed = null;
    while (!stopping) {
      try {
        if (failed != null) {
          Thread.sleep(SWEEP_MILLIS);
          report(failed);
          failed = null;
        }
        partFailure = null;
        boolean draining = sweep();
        failed = partFailure;
        if (failed == null) {
          failure = null;
          failureLogged = false;
          awaitChange(draining ? DRAINING_SWEEP_MILLIS : SWEEP_MILLIS);
        }
      } catch (Throwable thrown) {
        // A mistake of ours or of the container's, an interrupt by foreign code, no heap: discovery goes on.
        failed = thrown; // nothing else is done here, since that might fail as well
      }
    }
  }

  /** Lists the failure, and logs the first of several in a row. */
  private void report(Throwable failed) {
    failure = failed;
    if (!failureLogged) {
      failureLogged = log.error("A sweep of the bus directory {} failed. Discovery goes on.", directory.path(), failed);
    }
  }

  /** Does one part of a sweep; its failure does not stop the others. */
  private void attempt(Runnable part) {
    try {
      part.run();
    } catch (Throwable failed) {
      if (partFailure == null) {
        partFailure = failed;
      }
    }
  }

  private void awaitChange(long timeoutMillis) throws InterruptedException {
    if (watch == null) {
      synchronized (lock) {
        if (!stopping) {
          lock.wait(timeoutMillis);
        }
      }
      return;
    }
    if (watchKey == null && Files.isDirectory(directory.path())) {
      try {
        watchKey = directory.path().register(watch, StandardWatchEventKinds.ENTRY_CREATE,
            StandardWatchEventKinds.ENTRY_DELETE);
      } catch (IOException refused) {
        log.debug("The bus directory cannot be watched.", refused);
      }
    }
    WatchKey changed = watch.poll(timeoutMillis, TimeUnit.MILLISECONDS);
    if (changed != null) {
      Thread.sleep(SETTLE_MILLIS);
      changed.pollEvents();
      if (!changed.reset()) {
        watchKey = null; // the directory has gone
      }
    }
  }

  /** Inspects everything once; true while a queue waits for its listeners before it goes. */
  private boolean sweep() {
    List<DiscoveredQueue> queues = new ArrayList<>();
    boolean draining = false;
    synchronized (lock) {
      Set<String> names = names();
      for (WatchedSegment segment : List.copyOf(segments.values())) {
        if (!names.contains(segment.name()) || !segment.isCurrent()) {
          withdrawn.addAll(segment.queues()); // before a new file of that name is inspected
          segment.close();
          segments.remove(segment.name());
        }
      }
      names.forEach(name -> attempt(() -> inspect(name)));
      listeners.values().forEach(listener -> attempt(() -> listener.join(segments.get(listener.segmentName()))));
      for (WatchedSegment segment : segments.values()) {
        segment.leaveIfUnused();
        queues.addAll(segment.queues());
        draining |= segment.queues().stream().anyMatch(queue -> queue.state() == DiscoveredQueue.State.DRAINING);
      }
    }
    withdrawn.forEach(queue -> attempt(() -> queue.publish(context)));
    withdrawn.removeIf(queue -> !queue.isPublished());
    queues.forEach(queue -> attempt(() -> queue.publish(context)));
    configured.forEach(queue -> attempt(queue::tend));
    return draining;
  }

  private Set<String> names() {
    try {
      Set<String> names = new TreeSet<>(directory.names());
      directoryFailure = null;
      return names;
    } catch (BusException refused) {
      if (!refused.getMessage().equals(directoryFailure)) {
        directoryFailure = refused.getMessage();
        log.error("{}", directoryFailure);
      }
      return Set.of();
    }
  }

  private void inspect(String name) {
    WatchedSegment segment = segments.get(name);
    if (segment == null) {
      try {
        segment = WatchedSegment.of(directory.path(name), environment);
        segments.put(name, segment);
      } catch (IOException gone) {
        return;
      }
    }
    segment.inspect();
  }

  // ---- the whiteboard

  @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
  void bindListener(QueueListener listener, Map<String, Object> properties) {
    synchronized (lock) {
      WhiteboardListener added = new WhiteboardListener(listener, properties, environment);
      listeners.put(added.serviceId(), added);
      join(added);
    }
  }

  void updatedListener(QueueListener listener, Map<String, Object> properties) throws InterruptedException {
    synchronized (lock) {
      if (listeners.get((Long) properties.get(Constants.SERVICE_ID)).isUnchangedBy(properties)) {
        return;
      }
    }
    unbindListener(listener, properties);
    bindListener(listener, properties);
  }

  void unbindListener(QueueListener listener, Map<String, Object> properties) throws InterruptedException {
    Feeding ended;
    synchronized (lock) {
      WhiteboardListener removed = listeners.remove((Long) properties.get(Constants.SERVICE_ID));
      ended = removed.leave();
      WatchedSegment segment = segments.get(removed.segmentName());
      if (segment != null) {
        segment.leaveIfUnused();
      }
    }
    if (ended != null) {
      ended.awaitLeft(Feeding.LAST_CALL_NANOS);
    }
  }

  private void join(WhiteboardListener listener) {
    WatchedSegment segment = segments.get(listener.segmentName());
    listener.join(segment);
    if (segment != null) {
      segment.leaveIfUnused();
    }
  }

  // ---- the listing

  /** Adds what is known to {@code text}. */
  void describe(StatusText text) {
    synchronized (lock) {
      List<StatusText.Listed> entries = new ArrayList<>();
      List<List<String>> refused = new ArrayList<>();
      for (WatchedSegment segment : segments.values()) {
        if (segment.failure() == null) {
          segment.queues().forEach(queue ->
              entries.add(new StatusText.Listed(segment.name(), queue.entry(), queue.state().toString())));
        } else {
          refused.add(List.of(segment.path().toString(), segment.failure()));
        }
      }
      if (directoryFailure != null) {
        refused.add(List.of(directory.path().toString(), directoryFailure));
      }
      Throwable failed = failure;
      if (failed != null) {
        refused.add(List.of(directory.path().toString(), failed.toString()));
      }
      text.listing(entries);
      text.table(WhiteboardListener.COLUMNS, listeners.values().stream().map(WhiteboardListener::row).toList());
      text.table(List.of("FILE", "NOT USABLE BECAUSE"), refused);
    }
  }
}
