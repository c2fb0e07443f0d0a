package io.bywash.osgi.internal.queue;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;

/**
 * One structure of a watched segment: its service, and the consumers that are fed from it.
 *
 * <pre>
 *               a living owner                  no living owner
 *  NO_OWNER ---------------------&gt; AVAILABLE ---------------------&gt; DRAINING
 *     ^                              ^   |                          |     |
 *     |                              +---|--------------------------+     |
 *     +----------------------------------+--------------------------------+
 *                  when every listener here has received what is there
 * </pre>
 * It is a service in AVAILABLE and DRAINING, and listeners join in both.
 *
 * <p>Guarded by the environment's lock. Only the registry's thread uses the registration, and calls the framework
 * without the lock.
 */
public final class DiscoveredQueue {
  /** What the listing shows. */
  public enum State { AVAILABLE, DRAINING, NO_OWNER }

  /** Listeners that hang in a call for so long do not keep the service alive any more. */
  private static final long PATIENCE_NANOS = 5_000_000_000L;
  /** What one inspection adds to that at most: a process that was paused, and has lost time, is not one that hangs. */
  private static final long STEP_NANOS = 250_000_000;

  /** The line of a layout that begins the fields of a record; parts of records have no number. */
  private static final Pattern DECLARATION = Pattern.compile("^[0-9]");

  private final WatchedSegment segment;
  private final String name;
  private final Environment environment;
  private final List<WhiteboardListener> listeners = new ArrayList<>();
  private volatile Entry entry;
  private State state = State.NO_OWNER;
  /** Where the listeners were altogether at the last inspection, and since when they hang. */
  private long progress;
  private long inspectedNanos;
  private long hangingNanos;
  private boolean local;
  private boolean closed;

  /** What the service should be; null when there should be none. */
  private volatile Service wanted;
  private volatile Service registered;
  private ServiceRegistration<?> registration;
  private final Publication publication = new Publication();

  private record Service(QueueKind kind, Owner owner, Map<String, Object> properties) {}

  /** Whoever owns it: a foreign participant, or this process, whichever participants that has. */
  private record Owner(int id, int epoch, long pid, boolean isLocal) {
    private static final Owner THIS_PROCESS = new Owner(0, 0, ProcessHandle.current().pid(), true);

    static Owner of(Participant holder) {
      return holder.local() ? THIS_PROCESS : new Owner(holder.id(), holder.epoch(), holder.pid(), false);
    }
  }

  /** What its kind says of it; asked once, since it may cost more than a look. */
  private Map<String, Object> own = Map.of();

  DiscoveredQueue(WatchedSegment segment, Entry entry, Environment environment) {
    this.segment = segment;
    this.name = entry.name();
    this.entry = entry;
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
  public Optional<QueueKind> kind() {
    return Optional.ofNullable(environment.kinds().get(entry.kind()));
  }

  /** The same structure in another attachment of its segment. */
  Entry find(Segment attachment) {
    return attachment.directory().find(name, entry.kind());
  }

  /** How its kind feeds a consumer of that service's types; empty when it does not. */
  Optional<Feeder> feeder(ServiceReference<?> consumer) {
    List<String> types = List.of((String[]) consumer.getProperty(Constants.OBJECTCLASS));
    return kind().flatMap(QueueKind::feeder)
        .filter(each -> each.consumerTypes().stream().map(Class::getName).anyMatch(types::contains));
  }

  /** What it is, and what it feeds. */
  String describeKind() {
    return "of kind " + entry.kind().displayName() + kind().flatMap(QueueKind::feeder)
        .map(each -> ", fed to " + each.consumerTypes().getFirst().getSimpleName()).orElse("");
  }

  /** That of the records that it carries, as text. */
  String fingerprint() {
    return Long.toString(entry.fingerprint());
  }

  /** Whether a consumer is fed from it only as long as it has a living owner. */
  boolean needsOwner() {
    return kind().flatMap(QueueKind::feeder).map(Feeder::needsOwner).orElse(true);
  }

  /** Whether this process was its owner, when it was inspected last. */
  boolean isLocal() {
    return local;
  }

  void add(WhiteboardListener listener) {
    listeners.add(listener);
  }

  void remove(WhiteboardListener listener) {
    listeners.remove(listener);
  }

  /** Whether it is still there. */
  boolean isOpen() {
    return !closed;
  }

  /** It was removed, or its segment has gone: nobody is fed any more, and it is no service. */
  void close() {
    closed = true;
    withdraw();
    List.copyOf(listeners).forEach(WhiteboardListener::leaveQueue);
    publish();
  }

  // ---- its service

  /**
   * Finds out whether its owner lives, and whether the listeners here lack anything. Nothing is built while all is as
   * it was: there may be thousands of queues.
   *
   * @param holder the participant on which it depends, see {@link Entry#owner}
   */
  void inspect(Entry current, Optional<Participant> holder) {
    State before = state;
    Service wantedBefore = wanted;
    entry = current;
    Optional<Owner> owner = owner(holder);
    if (owner.isPresent()) {
      state = State.AVAILABLE;
      if (wanted == null || !wanted.owner().equals(owner.get())) {
        want(owner.get());
      }
    } else if (wanted != null && isDraining()) {
      state = State.DRAINING;
    } else {
      withdraw();
    }
    if (state != before || wanted != wantedBefore) {
      environment.changed();
    }
  }

  private Optional<Owner> owner(Optional<Participant> holder) {
    if (!environment.kinds().containsKey(entry.kind())) {
      return Optional.empty();
    }
    return holder.filter(Participant::alive).map(Owner::of)
        .or(() -> HeldSegments.contains(segment.path()) ? Optional.of(Owner.THIS_PROCESS) : Optional.empty());
  }

  private void want(Owner owner) {
    local = owner.isLocal();
    QueueKind kind = kind().orElseThrow();
    Service next = new Service(kind, owner, properties(kind, owner));
    wanted = next.equals(registered) ? registered : next; // it may have gone and come back before anybody noticed
  }

  void withdraw() {
    state = State.NO_OWNER;
    wanted = null;
  }

  /** Without an owner nothing more is sent, so what is there now is all there is. */
  private boolean isDraining() {
    List<WhiteboardListener> behind = listeners.stream().filter(WhiteboardListener::isBehind).toList();
    if (behind.isEmpty()) {
      return false;
    }
    long now = System.nanoTime();
    long sum = listeners.stream().mapToLong(WhiteboardListener::nextSequence).sum();
    boolean hang = state == State.DRAINING && sum == progress && behind.stream().allMatch(WhiteboardListener::isBusy);
    hangingNanos = hang ? hangingNanos + Math.min(now - inspectedNanos, STEP_NANOS) : 0;
    progress = sum;
    inspectedNanos = now;
    if (hangingNanos > PATIENCE_NANOS) {
      environment.log().warn("Queue {} of {} has no owner any more and is withdrawn, although its listeners have not"
          + " received all its messages yet: one of them hangs.", name, segment.path());
      return false;
    }
    return true;
  }

  private Map<String, Object> properties(QueueKind kind, Owner owner) {
    if (own.isEmpty()) {
      own = ownProperties(kind);
    }
    Map<String, Object> properties = new HashMap<>(own);
    properties.put(OWNER_PID, owner.pid());
    properties.put(LOCAL, local);
    return properties;
  }

  private Map<String, Object> ownProperties(QueueKind kind) {
    Map<String, Object> properties = new HashMap<>(kind.properties(entry));
    properties.put(SEGMENT, segment.name());
    properties.put(QUEUE, name);
    properties.put(KIND, kind.kind().displayName());
    properties.put(CAPACITY, entry.capacity());
    properties.put(ELEMENT_SIZE, entry.elementSizeBytes());
    properties.put(PATH, segment.path().toString());
    properties.put(Constants.SERVICE_DESCRIPTION,
        "Bywash " + kind.kind().displayName() + " " + name + " of segment " + segment.name());
    if (entry.fingerprint() != 0) {
      properties.put(FINGERPRINT, entry.fingerprint());
      properties.put(ELEMENT, entry.layout().lines().filter(DECLARATION.asPredicate())
          .map(line -> line.substring(line.lastIndexOf(' ') + 1)).toList());
    }
    return properties;
  }

  /** Has the service registry brought up to date, if it is not. */
  void publish() {
    if (wanted != registered) {
      environment.calls().submit(publication);
    }
  }

  private final class Publication extends RegistryCalls.Call {
    @Override
    protected void run() {
      Service service = wanted;
      if (registration != null && (service == null || service.kind() != registered.kind())) {
        ServiceRegistration<?> withdrawn = registration;
        registration = null; // whatever happens, this is not tried twice
        registered = null;
        withdrawn.unregister();
      }
      if (service != null && registration == null) {
        registration = environment.context().registerService(service.kind().serviceType().getName(),
            new Factory(service.kind()), FrameworkUtil.asDictionary(service.properties()));
      } else if (service != null && !service.equals(registered)) {
        registration.setProperties(FrameworkUtil.asDictionary(service.properties()));
      }
      registered = service;
      if (service != wanted) {
        publish();
      }
    }

    @Override
    public String toString() {
      return "The service of queue " + name + " of " + segment.path();
    }
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
