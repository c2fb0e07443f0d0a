package io.bywash.osgi.internal;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Revocable;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.engine.broadcast.Publisher;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.osgi.BroadcastService;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.Executor;

/**
 * A discovered queue as one bundle uses it, with that bundle's own attachment. When the bundle releases it, that is
 * closed. Who is in the middle of using a role then has a while to come out, before the role is revoked. No thread is
 * interrupted: they are the bundle's, and what is known of them may be over by then.
 */
final class BundleQueue implements BroadcastService, AutoCloseable {
  private static final long LOOK_MILLIS = 10;

  private final DiscoveredQueue queue;
  private final Executor executor;
  private final Log log;
  /** What the bundle took, as long as it keeps it. */
  private final Set<Revocable> roles = Collections.newSetFromMap(new WeakHashMap<>());
  private Segment attachment;
  private boolean closed;

  BundleQueue(DiscoveredQueue queue, Executor executor, Log log) {
    this.queue = queue;
    this.executor = executor;
    this.log = log;
  }

  @Override
  public String segment() {
    return queue.segment().name();
  }

  @Override
  public String queue() {
    return queue.name();
  }

  @Override
  public Path path() {
    return queue.segment().path();
  }

  @Override
  public BroadcastStatus status() {
    return BroadcastStatus.of(queue.entry());
  }

  @Override
  public Subscriber subscribe(SubscriberOptions options) {
    return kept(Subscriber.open(attachedEntry(), options));
  }

  @Override
  public Publisher publish() {
    return kept(Publisher.open(attachedEntry()));
  }

  private synchronized <R extends Revocable> R kept(R role) {
    boolean kept = false;
    try {
      roles.removeIf(Revocable::isGivenBack);
      kept = roles.add(role);
      return role;
    } finally {
      if (!kept) {
        WatchedSegment.close(role, log);
      }
    }
  }

  private synchronized Entry attachedEntry() {
    if (closed) {
      throw new SegmentClosedException("The service of queue \"" + queue.name() + "\" in segment " + path()
          + " was released or withdrawn. Get it again.");
    }
    if (attachment == null) {
      attachment = queue.segment().attach();
    }
    return attachment.directory().find(queue.name(), Kind.BROADCAST);
  }

  /** The bundle released the service. */
  @Override
  public synchronized void close() {
    closed = true;
    if (attachment != null) {
      WatchedSegment.close(attachment, log);
      attachment = null;
      roles.removeIf(Revocable::isGivenBack);
      if (!roles.isEmpty()) {
        revokeLater();
      }
    }
  }

  private void revokeLater() {
    try {
      executor.execute(() -> {
        awaitGivenBack();
        revoke();
      });
    } catch (Throwable noThread) { // none would come later
      revoke();
    }
  }

  private void awaitGivenBack() {
    long start = System.nanoTime();
    try {
      while (!stillTaken().isEmpty() && System.nanoTime() - start < Feeding.GRACE_NANOS) {
        Thread.sleep(LOOK_MILLIS);
      }
    } catch (InterruptedException impatient) {
      return; // and no later
    }
  }

  private void revoke() {
    for (Revocable role : stillTaken()) {
      WatchedSegment.close(role::revoke, log);
      log.warn("{} was released, but a role that its user took is still in use: a handler does not return, or a claim"
          + " is open. It was revoked.", this);
    }
  }

  private synchronized List<Revocable> stillTaken() {
    return roles.stream().filter(role -> !role.isGivenBack()).toList();
  }

  @Override
  public String toString() {
    return "BroadcastService[" + path() + " " + queue() + "]";
  }
}
