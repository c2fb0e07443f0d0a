package io.bywash.osgi.internal.queue;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Revocable;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * The roles that one bundle takes from one queue, with an attachment of its own. Both end when the bundle releases the
 * service. A user who is inside an operation then has some time to finish it, before the role is revoked. No thread is
 * interrupted: the threads belong to the bundle, and may be busy with something else by then.
 */
public final class BundleRoles implements AutoCloseable {
  private static final long CHECK_MILLIS = 10;

  private final DiscoveredQueue queue;
  private final Kind kind;
  private final Executor threads;
  private final Log log;
  /** Those that the bundle has not dropped. */
  private final Set<Revocable> roles = Collections.newSetFromMap(new WeakHashMap<>());
  private Segment attachment;
  private boolean closed;

  BundleRoles(DiscoveredQueue queue, Kind kind, Environment environment) {
    this.queue = queue;
    this.kind = kind;
    this.threads = environment.threads();
    this.log = environment.log();
  }

  /** The segment's name. */
  public String segment() {
    return queue.segment().name();
  }

  /** The queue's name. */
  public String queue() {
    return queue.name();
  }

  /** The segment's file. */
  public Path path() {
    return queue.segment().path();
  }

  /** The queue, read-only, as discovery saw it last. */
  public Entry observed() {
    return queue.entry();
  }

  /**
   * Takes a role for the bundle, which has to close it.
   *
   * @param open takes it from the queue's entry
   * @throws SegmentClosedException when the bundle has released the service
   */
  public synchronized <R extends Revocable> R take(Function<Entry, R> open) {
    R role = open.apply(attachedEntry());
    boolean kept = false;
    try {
      roles.removeIf(Revocable::isGivenBack);
      kept = roles.add(role);
      return role;
    } finally {
      if (!kept) {
        Closing.close(role, log);
      }
    }
  }

  /**
   * Opens something that takes no role, or ends by itself when the segment is closed in this process.
   *
   * @param open opens it from the queue's entry
   * @throws SegmentClosedException when the bundle has released the service
   */
  public synchronized <V> V use(Function<Entry, V> open) {
    return open.apply(attachedEntry());
  }

  private Entry attachedEntry() {
    if (closed) {
      throw new SegmentClosedException("The service of queue \"" + queue.name() + "\" in segment " + path()
          + " was released or withdrawn. Get it again.");
    }
    if (attachment == null) {
      attachment = queue.segment().attach();
    }
    return attachment.directory().find(queue.name(), kind);
  }

  /** The bundle has released the service. */
  @Override
  public synchronized void close() {
    closed = true;
    if (attachment != null) {
      Closing.close(attachment, log);
      attachment = null;
      roles.removeIf(Revocable::isGivenBack);
      if (!roles.isEmpty()) {
        revokeLater();
      }
    }
  }

  private void revokeLater() {
    try {
      threads.execute(() -> {
        awaitGivenBack();
        revoke();
      });
    } catch (Throwable noThread) { // there would be none later either
      revoke();
    }
  }

  private void awaitGivenBack() {
    long start = System.nanoTime();
    try {
      while (!stillTaken().isEmpty() && System.nanoTime() - start < Feeding.GRACE_NANOS) {
        Thread.sleep(CHECK_MILLIS);
      }
    } catch (InterruptedException impatient) {
      return; // the roles are revoked at once
    }
  }

  private void revoke() {
    for (Revocable role : stillTaken()) {
      Closing.close(role::revoke, log);
      log.warn("{} was released while one of its roles was in use: a handler has not returned, or a claim is open."
          + " The role was revoked.", this);
    }
  }

  private synchronized List<Revocable> stillTaken() {
    return roles.stream().filter(role -> !role.isGivenBack()).toList();
  }

  @Override
  public String toString() {
    return "Service of queue " + queue() + " in " + path();
  }
}
