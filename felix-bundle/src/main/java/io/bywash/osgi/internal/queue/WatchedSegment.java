package io.bywash.osgi.internal.queue;

import io.bywash.engine.BusException;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * One file of the bus directory: its read-only attachment with the queues seen there, or the reason why there is none;
 * and the attachment that the listeners of this container share. A file that replaces it is another object of this
 * class.
 *
 * <p>Guarded by the environment's lock, except for attachments: to attach may take its time.
 */
public final class WatchedSegment {
  private final Path path;
  private final Environment environment;
  private final Map<String, DiscoveredQueue> queues = new TreeMap<>();

  /** Device and inode. The open attachment keeps the inode from being used again. */
  private final Map<String, Object> identity;
  private Segment observed;
  private String failure;
  /** What the file looked like when it was refused; null if it is worth another try without a change. */
  private Map<String, Object> refused;

  /** Held by the one that attaches for the listeners. */
  private final Object attaching = new Object();
  /** Guards the next four. */
  private final Object joining = new Object();
  private Leaving joined;
  private int joinedCount;
  private boolean closed;
  /** How many attachments are still to be closed. */
  private int leavingCount;

  private WatchedSegment(Path path, Map<String, Object> identity, Environment environment) {
    this.path = path;
    this.identity = identity;
    this.environment = environment;
  }

  /** The file that is there now, not inspected yet. */
  public static WatchedSegment of(Path path, Environment environment) throws IOException {
    return new WatchedSegment(path, attributes(path, "unix:dev,ino"), environment);
  }

  private static Map<String, Object> attributes(Path path, String names) throws IOException {
    return Map.copyOf(Files.readAttributes(path, names, LinkOption.NOFOLLOW_LINKS));
  }

  /** The segment's name. */
  public String name() {
    return path.getFileName().toString();
  }

  /** Its file. */
  public Path path() {
    return path;
  }

  /** All that was seen in it, as far as it was not removed. */
  public Collection<DiscoveredQueue> queues() {
    return queues.values();
  }

  /** The queue of that name; null when none was seen. */
  public DiscoveredQueue queue(String name) {
    return queues.get(name);
  }

  /** Why the file is not usable; null when it is. */
  public String failure() {
    return failure;
  }

  /** Whether the file is still the same one. */
  public boolean isCurrent() {
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

  /** Inspects all queues. Damage is confined: of a queue to that queue's segment, of a segment to that segment. */
  public void inspect() {
    try {
      if (observed == null && !observe()) {
        return;
      }
      Set<String> seen = new HashSet<>();
      observed.directory().owners().forEach((entry, owner) -> {
        if (inspect(entry, owner)) {
          seen.add(entry.name());
        }
      });
      Set.copyOf(queues.keySet()).stream().filter(name -> !seen.contains(name)).forEach(this::forget);
    } catch (SegmentNotFoundException gone) {
      return; // removed just now: the next sweep does not find its name any more
    } catch (RuntimeException | InternalError damaged) { // an InternalError is the JVM's word for a truncated file
      refuse(damaged);
    }
  }

  /** False when the entry has just been removed. */
  private boolean inspect(Entry entry, Optional<Participant> owner) {
    DiscoveredQueue known = queues.get(entry.name());
    if (known != null && known.entry().id() != entry.id()) {
      forget(entry.name());
    }
    try {
      queues.computeIfAbsent(entry.name(), name -> new DiscoveredQueue(this, entry, environment))
          .inspect(entry, owner);
      return true;
    } catch (EntryRemovedException | DamagedSegmentException failed) { // its bytes may belong to another one by now
      if (observed.directory().entries().stream().anyMatch(each -> each.id() == entry.id())) {
        throw failed;
      }
      return false;
    }
  }

  /** The entry was removed: nobody is fed from it any more. */
  private void forget(String name) {
    environment.changed();
    queues.get(name).close(); // first, since damage may show at any time
    queues.remove(name);
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
      environment.changed();
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
      environment.changed();
      environment.log().warn("The queues of {} cannot be discovered; the rest of the bus is not affected. {}", path,
          failure);
    }
    refused = reason instanceof SegmentAccessException ? null : stamp();
    queues.values().forEach(DiscoveredQueue::withdraw);
    if (observed != null) {
      close(observed);
      observed = null;
    }
  }

  /** A new attachment, which the caller has to close. */
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

  /** The attachment that listeners share. Each call is to be followed by one of {@link #leave}. */
  Segment join() {
    synchronized (attaching) {
      synchronized (joining) {
        if (joined != null) {
          joinedCount++;
          return joined.attachment;
        }
      }
      Segment attached = attach();
      boolean kept = false;
      try {
        Leaving next = new Leaving(attached);
        synchronized (joining) {
          kept = !closed;
          if (kept) {
            joined = next;
            joinedCount = 1;
          }
        }
      } finally {
        if (!kept) {
          close(attached);
        }
      }
      if (!kept) {
        throw new BusException("Segment " + path + " has gone.");
      }
      return attached;
    }
  }

  /**
   * One of those who joined leaves; the last one has the attachment closed, of which used roles keep what they need. To
   * close it may take its time, so that is left to another thread.
   */
  void leave() {
    Leaving unused = null;
    synchronized (joining) {
      joinedCount--;
      if (joinedCount == 0) {
        unused = joined;
        joined = null;
        leavingCount++;
      }
    }
    if (unused != null) {
      environment.submit(unused);
    }
  }

  /** The end of an attachment; made with it, so that it needs no heap then. */
  private final class Leaving extends RegistryCalls.Call {
    private final Segment attachment;

    Leaving(Segment attachment) {
      this.attachment = attachment;
    }

    @Override
    protected void run() {
      close(attachment);
      synchronized (joining) {
        leavingCount--;
        joining.notifyAll();
      }
    }

    @Override
    public String toString() {
      return "The end of the attachment to " + path;
    }
  }

  /** Waits until what was left is closed, but not for long. */
  public void awaitLeft(long timeoutNanos) throws InterruptedException {
    long start = System.nanoTime();
    synchronized (joining) {
      long left = timeoutNanos;
      while (leavingCount > 0 && left > 0) {
        joining.wait(left / 1_000_000 + 1);
        left = timeoutNanos - (System.nanoTime() - start);
      }
    }
  }

  /** Has the service registry brought up to date. */
  public void publish() {
    queues.values().forEach(DiscoveredQueue::publish);
  }

  /** The file has gone, or discovery ends: nobody is fed from it any more. */
  public void close() {
    environment.changed();
    synchronized (joining) {
      closed = true;
    }
    queues.values().forEach(DiscoveredQueue::close);
    if (observed != null) {
      close(observed);
      observed = null;
    }
  }

  private void close(AutoCloseable attachment) {
    Closing.close(attachment, environment.log());
  }
}
