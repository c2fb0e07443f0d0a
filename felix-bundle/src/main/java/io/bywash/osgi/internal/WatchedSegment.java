package io.bywash.osgi.internal;

import io.bywash.engine.BusException;
import io.bywash.engine.Entry;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/**
 * One file of the bus directory: its read-only attachment with the queues seen there, or the reason why there is none;
 * and the attachment that the listeners of this container share. A file that takes its place is another object of this
 * class.
 *
 * <p>Guarded by the watcher's lock, but for {@link #attach}.
 */
final class WatchedSegment {
  private final Path path;
  private final Log log;
  private final Map<String, DiscoveredQueue> queues = new TreeMap<>();

  /** Device and inode. The open attachment keeps the inode from being used again. */
  private final Map<String, Object> identity;
  private Segment observed;
  private String failure;
  /** What the file looked like when it was refused; null when that is worth another try without a change. */
  private Map<String, Object> refused;

  private Segment joined;

  private WatchedSegment(Path path, Map<String, Object> identity, Log log) {
    this.path = path;
    this.identity = identity;
    this.log = log;
  }

  /** The file that is there now, not looked at yet. */
  static WatchedSegment of(Path path, Log log) throws IOException {
    return new WatchedSegment(path, attributes(path, "unix:dev,ino"), log);
  }

  private static Map<String, Object> attributes(Path path, String names) throws IOException {
    return Map.copyOf(Files.readAttributes(path, names, LinkOption.NOFOLLOW_LINKS));
  }

  String name() {
    return path.getFileName().toString();
  }

  Path path() {
    return path;
  }

  Collection<DiscoveredQueue> queues() {
    return queues.values();
  }

  DiscoveredQueue queue(String name) {
    return queues.get(name);
  }

  /** Why the file is not usable; null when it is. */
  String failure() {
    return failure;
  }

  /** Whether the file is still the same one. */
  boolean isCurrent() {
    return identity(path).equals(identity);
  }

  /** Device and inode of the file that is there now; empty when there is none. */
  static Map<String, Object> identity(Path path) {
    try {
      return attributes(path, "unix:dev,ino");
    } catch (IOException gone) {
      return Map.of();
    }
  }

  /** Looks at all queues. A damaged one does not take the others with it, nor a damaged segment others. */
  void look(BusWatcher watcher) {
    try {
      if (observed == null && !observe()) {
        return;
      }
      for (Entry entry : observed.directory().entries()) {
        queues.computeIfAbsent(entry.name(), name -> new DiscoveredQueue(this, name, watcher.executor(), log))
            .look(entry, watcher.feedings(this, entry.name()));
      }
    } catch (SegmentNotFoundException gone) {
      return; // between two looks: the next one will not list it any more
    } catch (RuntimeException | InternalError damaged) { // an InternalError is the JVM's word for a truncated file
      refuse(damaged);
    }
  }

  private boolean observe() {
    if (refused != null && refused.equals(stamp())) {
      return false;
    }
    Segment segment = Segment.observe(path);
    try {
      if (!isCurrent()) {
        return false;
      }
      observed = segment;
      failure = null;
      refused = null;
      return true;
    } finally {
      if (observed == null) { // replaced meanwhile, or there was no heap to find out
        close(segment);
      }
    }
  }

  private Map<String, Object> stamp() {
    try {
      return attributes(path, "unix:size,lastModifiedTime,ctime");
    } catch (IOException gone) {
      return Map.of();
    }
  }

  private void refuse(Throwable reason) {
    if (!reason.toString().equals(failure)) {
      failure = reason.toString();
      log.warn("The queues of {} cannot be discovered; the rest of the bus is not affected. {}", path, failure);
    }
    refused = reason instanceof SegmentAccessException ? null : stamp();
    queues.values().forEach(DiscoveredQueue::gone);
    if (observed != null) {
      close(observed);
      observed = null;
    }
  }

  /** An attachment of its own for who asks. */
  Segment attach() {
    Segment segment = Segment.attach(path, 0);
    boolean current = false;
    try {
      current = isCurrent();
    } finally {
      if (!current) {
        close(segment);
      }
    }
    if (!current) {
      throw new BusException("Segment " + path + " was replaced. Wait for the service of the new one.");
    }
    return segment;
  }

  /** The attachment that listeners share. */
  Segment join() {
    if (joined == null) {
      joined = attach();
    }
    return joined;
  }

  /** Gives the listeners' attachment back; roles that are still in use keep it until they are closed. */
  void leave() {
    if (joined != null) {
      close(joined);
      joined = null;
    }
  }

  /** The file has gone, or discovery ends. */
  void close() {
    queues.values().forEach(DiscoveredQueue::gone);
    leave();
    if (observed != null) {
      close(observed);
      observed = null;
    }
  }

  /** Closes, whatever happens: the kernel takes back what could not be given back in good order. */
  void close(AutoCloseable attachment) {
    close(attachment, log);
  }

  static void close(AutoCloseable attachment, Log log) {
    try {
      attachment.close();
    } catch (Throwable failure) { // what it had was given back all the same
      try {
        log.warn("{} could not be closed properly.", attachment, failure);
      } catch (Throwable unlogged) {
        // no heap for a log line: closing goes on
      }
    }
  }
}
