package io.bywash.osgi.internal;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Participant;
import io.bywash.engine.broadcast.BroadcastStatus;
import io.bywash.osgi.BroadcastService;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceRegistration;

/**
 * One queue of a watched segment, and its service.
 *
 * <pre>
 *               a living owner                  no living owner
 *  NO_OWNER ---------------------&gt; AVAILABLE ---------------------&gt; DRAINING
 *     ^                              ^   |                          |     |
 *     |                              +---|--------------------------+     |
 *     +----------------------------------+--------------------------------+
 *                  when every listener here has what was committed
 * </pre>
 * It is a service in AVAILABLE and DRAINING.
 *
 * <p>Guarded by the watcher's lock; the registration belongs to the watcher's thread, which calls the framework without
 * the lock.
 */
final class DiscoveredQueue implements ServiceFactory<BroadcastService> {
  /** What the listing shows. */
  enum State { AVAILABLE, DRAINING, NO_OWNER }

  /** A listener that takes nothing for so long does not hold the service any more. */
  private static final long PATIENCE_NANOS = 5_000_000_000L;

  private final WatchedSegment segment;
  private final String name;
  private final Executor executor;
  private final Log log;
  private volatile Entry entry;
  private State state = State.NO_OWNER;
  private long undelivered;
  private long progressNanos;

  /** The properties that the service shall have; null when there shall be none. */
  private volatile Map<String, Object> wanted;
  private Map<String, Object> registered;
  private ServiceRegistration<BroadcastService> registration;

  DiscoveredQueue(WatchedSegment segment, String name, Executor executor, Log log) {
    this.segment = segment;
    this.name = name;
    this.executor = executor;
    this.log = log;
  }

  String name() {
    return name;
  }

  WatchedSegment segment() {
    return segment;
  }

  /** The queue as the last look found it, read-only. */
  Entry entry() {
    return entry;
  }

  State state() {
    return state;
  }

  /** Looks who owns it, and whether {@code feedings}, the listeners here, lack anything. */
  void look(Entry current, Collection<Feeding> feedings) {
    entry = current;
    Optional<Participant> owner = current.kind() == Kind.BROADCAST
        ? current.owner().filter(Participant::alive)
        : Optional.empty();
    if (owner.isPresent()) {
      state = State.AVAILABLE;
      wanted = properties(owner.get());
    } else if (wanted != null && isDraining(feedings)) {
      state = State.DRAINING;
    } else {
      gone();
    }
  }

  void gone() {
    state = State.NO_OWNER;
    wanted = null;
  }

  /** Without an owner nothing more is committed; so what is there now is all that there is. */
  private boolean isDraining(Collection<Feeding> feedings) {
    long committed = BroadcastStatus.of(entry).messageCount();
    long left = feedings.stream().mapToLong(feeding -> Math.max(0, committed - feeding.nextSequence())).sum();
    if (left == 0) {
      return false;
    }
    long now = System.nanoTime();
    if (state != State.DRAINING || left < undelivered) {
      undelivered = left;
      progressNanos = now;
    }
    if (now - progressNanos > PATIENCE_NANOS) {
      log.warn("Queue {} of {} has no owner any more and is withdrawn, though its listeners have not taken {} messages"
          + " yet: one of them hangs.", name, segment.path(), left);
      return false;
    }
    return true;
  }

  private Map<String, Object> properties(Participant owner) {
    return Map.of(
        SEGMENT, segment.name(),
        QUEUE, name,
        KIND, entry.kind().displayName(),
        CAPACITY, entry.capacity(),
        ELEMENT_SIZE, entry.elementSizeBytes(),
        OWNER_PID, owner.pid(),
        LOCAL, owner.pid() == ProcessHandle.current().pid(),
        PATH, segment.path().toString(),
        Constants.SERVICE_DESCRIPTION, "Bywash queue " + name + " of segment " + segment.name());
  }

  /** Brings the service registry up to date. */
  void publish(BundleContext context) {
    Map<String, Object> properties = wanted;
    if (properties == null && registration != null) {
      ServiceRegistration<BroadcastService> withdrawn = registration;
      registration = null; // whatever happens, this cannot be tried twice
      withdrawn.unregister();
    } else if (properties != null && registration == null) {
      registration = context.registerService(BroadcastService.class, this, FrameworkUtil.asDictionary(properties));
    } else if (properties != null && !properties.equals(registered)) {
      registration.setProperties(FrameworkUtil.asDictionary(properties));
    }
    registered = properties;
  }

  /** Whether it is a service, as far as the watcher's thread has come. */
  boolean isPublished() {
    return registration != null;
  }

  @Override
  public BroadcastService getService(Bundle bundle, ServiceRegistration<BroadcastService> service) {
    return new BundleQueue(this, executor, log);
  }

  @Override
  public void ungetService(Bundle bundle, ServiceRegistration<BroadcastService> service, BroadcastService queue) {
    ((BundleQueue) queue).close();
  }
}
