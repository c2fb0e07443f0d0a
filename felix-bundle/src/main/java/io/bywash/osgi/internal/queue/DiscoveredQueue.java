package io.bywash.osgi.internal.queue;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceRegistration;

/**
 * One queue of a watched segment: its service, and the listeners that are fed from it.
 *
 * <pre>
 *               a living owner                  no living owner
 *  NO_OWNER ---------------------&gt; AVAILABLE ---------------------&gt; DRAINING
 *     ^                              ^   |                          |     |
 *     |                              +---|--------------------------+     |
 *     +----------------------------------+--------------------------------+
 *                  when every listener here has received what is there
 * </pre>
 * It is a service in AVAILABLE and DRAINING.
 *
 * <p>Guarded by the watcher's lock. Only the watcher's thread uses the registration, and calls the framework without
 * the lock.
 */
public final class DiscoveredQueue {
  /** What the listing shows. */
  public enum State { AVAILABLE, DRAINING, NO_OWNER }

  /** A listener that receives nothing for so long does not keep the service alive any more. */
  private static final long PATIENCE_NANOS = 5_000_000_000L;

  private final WatchedSegment segment;
  private final String name;
  private final Environment environment;
  private final List<WhiteboardListener> listeners = new ArrayList<>();
  private volatile Entry entry;
  private State state = State.NO_OWNER;
  private long undelivered;
  private long progressNanos;

  /** What the service should be; null when there should be none. */
  private volatile Service wanted;
  private Service registered;
  private ServiceRegistration<?> registration;

  private record Service(QueueKind kind, Map<String, Object> properties) {}

  DiscoveredQueue(WatchedSegment segment, String name, Environment environment) {
    this.segment = segment;
    this.name = name;
    this.environment = environment;
  }

  String name() {
    return name;
  }

  WatchedSegment segment() {
    return segment;
  }

  /** The queue as it was last inspected, read-only. */
  public Entry entry() {
    return entry;
  }

  /** How it stands with its owner. */
  public State state() {
    return state;
  }

  // ---- its listeners

  /** How to serve queues of this kind; empty when this bundle does not know. */
  Optional<QueueKind> kind() {
    return Optional.ofNullable(environment.kinds().get(entry.kind()));
  }

  void add(WhiteboardListener listener) {
    listeners.add(listener);
  }

  void remove(WhiteboardListener listener) {
    listeners.remove(listener);
  }

  /** Whether some listener is being fed. */
  boolean isFeeding() {
    return listeners.stream().anyMatch(WhiteboardListener::isFed);
  }

  /** The segment has gone: nobody is fed any more. */
  void close() {
    withdraw();
    List.copyOf(listeners).forEach(WhiteboardListener::leave);
  }

  // ---- its service

  /** Finds out who owns it, and whether the listeners here lack anything. */
  void inspect(Entry current) {
    entry = current;
    Optional<QueueKind> kind = kind();
    Optional<Participant> owner = kind.isEmpty() ? Optional.empty() : current.owner().filter(Participant::alive);
    if (owner.isPresent()) {
      state = State.AVAILABLE;
      wanted = new Service(kind.get(), properties(owner.get()));
    } else if (wanted != null && kind.isPresent() && isDraining(kind.get())) {
      state = State.DRAINING;
    } else {
      withdraw();
    }
  }

  void withdraw() {
    state = State.NO_OWNER;
    wanted = null;
  }

  /** Without an owner nothing more is sent, so what is there now is all there is. */
  private boolean isDraining(QueueKind kind) {
    StructureStatus status = StructureStatus.of(entry).orElseThrow();
    long left = listeners.stream().filter(WhiteboardListener::isFed)
        .mapToLong(listener -> kind.undelivered(status, listener.feeding().nextSequence())).sum();
    if (left == 0) {
      return false;
    }
    long now = System.nanoTime();
    if (state != State.DRAINING || left < undelivered) {
      undelivered = left;
      progressNanos = now;
    }
    if (now - progressNanos > PATIENCE_NANOS) {
      environment.log().warn("Queue {} of {} has no owner any more and is withdrawn, although its listeners have not"
          + " received {} messages yet: one of them hangs.", name, segment.path(), left);
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
  public void publish(BundleContext context) {
    Service service = wanted;
    if (registration != null && (service == null || service.kind() != registered.kind())) {
      ServiceRegistration<?> withdrawn = registration;
      registration = null; // whatever happens, this is not tried twice
      withdrawn.unregister();
    }
    if (service != null && registration == null) {
      registration = context.registerService(service.kind().serviceType().getName(), new Factory(service.kind()),
          FrameworkUtil.asDictionary(service.properties()));
    } else if (service != null && !service.equals(registered)) {
      registration.setProperties(FrameworkUtil.asDictionary(service.properties()));
    }
    registered = service;
  }

  /** Whether it is a service, as far as the watcher's thread knows. */
  public boolean isPublished() {
    return registration != null;
  }

  private final class Factory implements ServiceFactory<Object> {
    private final QueueKind kind;
    private final Map<Object, BundleRoles> rolesByService = new ConcurrentHashMap<>();

    Factory(QueueKind kind) {
      this.kind = kind;
    }

    @Override
    public Object getService(Bundle bundle, ServiceRegistration<Object> itself) {
      BundleRoles roles = new BundleRoles(DiscoveredQueue.this, kind.kind(), environment);
      Object service = kind.service(roles);
      rolesByService.put(service, roles);
      return service;
    }

    @Override
    public void ungetService(Bundle bundle, ServiceRegistration<Object> itself, Object service) {
      rolesByService.remove(service).close();
    }
  }
}
