package io.bywash.osgi.internal;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.osgi.internal.queue.Closing;
import io.bywash.osgi.internal.queue.ConfiguredQueue;
import io.bywash.osgi.internal.queue.DiscoveredQueue;
import io.bywash.osgi.internal.queue.Environment;
import io.bywash.osgi.internal.queue.Log;
import io.bywash.osgi.internal.queue.Threads;
import io.bywash.osgi.internal.queue.WatchedSegment;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Makes services of the queues in one bus directory. Its one thread sweeps the directory when something changes there,
 * and every 250 ms, because the death of a process changes no directory. It runs no foreign code and waits for none.
 *
 * <p>Nothing can keep it from starting: what fails is shown, and tried again.
 */
final class BusWatcher {
  private static final long SWEEP_MILLIS = 250;
  private static final long DRAINING_SWEEP_MILLIS = 10;
  /** Lets all files of one change arrive before the sweep. */
  private static final long SETTLE_MILLIS = 5;
  /** How long to wait for the thread. */
  private static final long PATIENCE_MILLIS = 5_000;

  private final String configuration;
  private final String configured;
  private final Whiteboard whiteboard;
  private final Environment environment;
  private final Log log;
  private final Map<String, WatchedSegment> segments = new TreeMap<>();
  private Thread thread;
  private volatile boolean stopping;

  /** Null as long as it cannot be found out. */
  private volatile BusDirectory directory;
  private volatile WatchService watch;
  private WatchKey watchKey;
  /** Why the directory cannot be listed; null when it can. Guarded by the environment's lock. */
  private String directoryFailure;
  /** The first failure of a part of the current sweep. Used by the thread. */
  private Throwable partFailure;
  /** Why the last sweep failed; null when it did not. */
  private volatile Throwable failure;
  private boolean failureLogged;

  /**
   * A watcher that has not been started.
   *
   * @param configuration its PID
   * @param configured the directory; blank for the standard one
   */
  BusWatcher(String configuration, String configured, Whiteboard whiteboard, Environment environment) {
    this.configuration = configuration;
    this.configured = configured;
    this.whiteboard = whiteboard;
    this.environment = environment;
    this.log = environment.log();
  }

  /** Starts its thread. */
  void start() {
    thread = Threads.unstarted("bywash-discovery", this::run);
    thread.start();
  }

  /** Ends it: no queue of it is a service any more, or fed from. Waits for neither consumers nor listeners. */
  void stop() {
    stopping = true;
    synchronized (environment.lock()) {
      environment.lock().notifyAll();
    }
    closeWatch();
    if (thread != null) {
      join();
    }
    synchronized (environment.lock()) {
      segments.values().forEach(WatchedSegment::close);
      segments.clear();
    }
    closeWatch();
  }

  private void closeWatch() {
    WatchService opened = watch;
    if (opened != null) {
      Closing.close(opened, log);
    }
  }

  private void join() {
    try {
      thread.join(PATIENCE_MILLIS);
    } catch (InterruptedException impatient) {
      Thread.currentThread().interrupt();
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
        // A mistake of ours, an interrupt, no heap: discovery goes on.
        failed = thrown; // nothing else is done here, since that might fail as well
      }
    }
  }

  /** Lists the failure, and logs the first of several in a row. */
  private void report(Throwable failed) {
    failure = failed;
    if (!failureLogged) {
      failureLogged = log.error("A sweep of the bus directory {} failed. It is tried again.", path(), failed);
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
    watch();
    if (watchKey == null) {
      synchronized (environment.lock()) {
        if (!stopping) {
          environment.lock().wait(timeoutMillis);
        }
      }
      return;
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

  private void watch() {
    BusDirectory known = directory;
    if (watchKey == null && known != null && Files.isDirectory(known.path())) {
      try {
        watch = watch != null ? watch : FileSystems.getDefault().newWatchService();
        watchKey = known.path().register(watch, StandardWatchEventKinds.ENTRY_CREATE,
            StandardWatchEventKinds.ENTRY_DELETE);
      } catch (IOException refused) {
        log.debug("The bus directory cannot be watched. It is swept all the same.", refused);
      }
    }
  }

  /** Inspects everything once; true while a queue waits for its listeners before it goes. */
  private boolean sweep() {
    boolean draining = false;
    attempt(this::findDirectory);
    synchronized (environment.lock()) {
      if (stopping) {
        return false;
      }
      Set<String> names = names();
      for (WatchedSegment segment : List.copyOf(segments.values())) {
        if (!names.contains(segment.name()) || !segment.isCurrent()) {
          segment.close(); // before a new file of that name is inspected
          segments.remove(segment.name());
        }
      }
      names.forEach(name -> attempt(() -> inspect(name)));
      for (WatchedSegment segment : segments.values()) {
        attempt(segment::publish);
        draining |= segment.queues().stream().anyMatch(queue -> queue.state() == DiscoveredQueue.State.DRAINING);
      }
    }
    whiteboard.tend(this::attempt);
    return draining;
  }

  private void findDirectory() {
    if (directory == null) {
      directory = ConfiguredQueue.directory(configured);
    }
  }

  /** The names in the directory; those that are known while it cannot be listed, for want of descriptors perhaps. */
  private Set<String> names() {
    if (directory == null) {
      return Set.of();
    }
    try {
      Set<String> names = new TreeSet<>(directory.names());
      directoryFailure = null;
      return names;
    } catch (BusException refused) {
      if (!refused.getMessage().equals(directoryFailure)) {
        directoryFailure = refused.getMessage();
        log.error("{}", directoryFailure);
      }
      return Set.copyOf(segments.keySet());
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

  // ---- what is known; under the environment's lock

  /** Its directory, as far as that is known. */
  String path() {
    BusDirectory known = directory;
    return known != null ? known.path().toString() : configured.isBlank() ? "of this user" : configured;
  }

  /** Whether it watches this directory. */
  boolean watches(Path path) {
    BusDirectory known = directory;
    return known != null && known.path().normalize().equals(path.normalize());
  }

  /** The segment of that name; null when there is none. */
  WatchedSegment segment(String name) {
    return segments.get(name);
  }

  /** All files of its directory. */
  Collection<WatchedSegment> segments() {
    return segments.values();
  }

  /** Why its directory cannot be watched; empty when it can. */
  String failure() {
    Throwable last = failure;
    return directoryFailure != null ? directoryFailure : last != null ? last.toString() : "";
  }

  /** Adds itself, its segments, and the files that are not usable. */
  void describe(RuntimeDTO dto) {
    RuntimeDTO.DirectoryDTO own = new RuntimeDTO.DirectoryDTO();
    own.path = path();
    own.pid = configuration;
    own.failure = failure();
    dto.directories.add(own);
    for (WatchedSegment segment : segments.values()) {
      if (segment.failure() == null) {
        RuntimeDTO.SegmentDTO usable = new RuntimeDTO.SegmentDTO();
        usable.name = segment.name();
        usable.path = segment.path().toString();
        usable.queueCount = segment.queues().size();
        dto.segments.add(usable);
      } else {
        RuntimeDTO.FileDTO refused = new RuntimeDTO.FileDTO();
        refused.path = segment.path().toString();
        refused.reason = segment.failure();
        dto.files.add(refused);
      }
    }
  }
}
