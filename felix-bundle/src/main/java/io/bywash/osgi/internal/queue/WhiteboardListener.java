package io.bywash.osgi.internal.queue;

import static io.bywash.osgi.BywashConstants.POLICY;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.TableFullException;
import io.bywash.osgi.QueueListener;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.osgi.framework.Constants;

/** One {@link QueueListener} service: what it asks for, and what it gets or why not. Guarded by the watcher's lock. */
public final class WhiteboardListener {
  /** The listing's columns for listeners, see {@link #row}. */
  public static final List<String> COLUMNS =
      List.of("LISTENER", "SEGMENT", "QUEUE", "POLICY", "RECEIVED", "LOST", "THROWN", "STATE", "REASON");

  /** What the listing shows; the reasons are documented at {@link QueueListener}. */
  private enum State { FEEDING, NO_QUEUE, WRONG_KIND, TABLE_FULL, REFUSED, DAMAGED, BAD_PROPERTIES }

  /** A listener that was refused is tried again after so long, since each try costs an attachment. */
  private static final long RETRY_NANOS = 1_000_000_000L;

  private final QueueListener listener;
  private final long serviceId;
  private final ListenerProperties properties;
  private final Environment environment;
  private final Log log;

  private State state;
  private String reason;
  private DiscoveredQueue queue;
  private Feeding feeding;
  private String policy = "";
  private long refusedNanos;

  /** A listener that is not fed yet. */
  public WhiteboardListener(QueueListener listener, Map<String, Object> properties, Environment environment) {
    this.listener = listener;
    this.serviceId = (Long) properties.get(Constants.SERVICE_ID);
    this.properties = ListenerProperties.of(properties);
    this.environment = environment;
    this.log = environment.log();
    this.properties.fault().ifPresent(fault -> refuse(State.BAD_PROPERTIES, fault));
  }

  /** Whether changed service properties make no difference here. */
  public boolean isUnchangedBy(Map<String, Object> changed) {
    return properties.equals(ListenerProperties.of(changed));
  }

  /** Identifies it in the framework. */
  public long serviceId() {
    return serviceId;
  }

  /** The segment that it asks for. */
  public String segmentName() {
    return properties.segment();
  }

  /** Whether it is being fed: it has a role that has neither ended nor failed. */
  boolean isFed() {
    return queue != null && feeding.isActive();
  }

  Feeding feeding() {
    return feeding;
  }

  /** Joins its queue if that is there now; {@code segment} is null when its segment is not. */
  public void join(WatchedSegment segment) {
    if (queue != null) {
      tend();
    } else if (state != State.BAD_PROPERTIES) {
      joinOrRefuse(segment);
    }
  }

  private void joinOrRefuse(WatchedSegment segment) {
    DiscoveredQueue found = segment == null ? null : segment.queue(properties.queue());
    if (found == null) {
      refuse(State.NO_QUEUE, segment == null ? "there is no segment " + properties.segment()
          : "segment " + properties.segment() + " has no queue " + properties.queue());
      return;
    }
    Optional<QueueKind> kind = found.kind();
    Optional<String> fault = kind.flatMap(known -> known.fault(properties));
    if (kind.isEmpty()) {
      refuse(State.WRONG_KIND, "it is of kind " + found.entry().kind().displayName());
    } else if (fault.isPresent()) {
      refuse(State.BAD_PROPERTIES, fault.get());
    } else if (found.state() != DiscoveredQueue.State.AVAILABLE) {
      refuse(State.NO_QUEUE, "it has no living owner");
    } else if (state == null || state == State.NO_QUEUE || System.nanoTime() - refusedNanos > RETRY_NANOS) {
      feed(found, kind.get());
    }
  }

  private void feed(DiscoveredQueue found, QueueKind kind) {
    try {
      found.add(this); // what may fail comes first
      FeedingRole role = kind.join(found.segment().join().directory().find(found.name(), kind.kind()), properties);
      policy = role.policy();
      feeding = feeding(role);
      queue = found;
      state = State.FEEDING;
      reason = null;
    } catch (TableFullException full) {
      refuse(State.TABLE_FULL, full.getMessage());
    } catch (DamagedSegmentException damaged) {
      refuse(State.DAMAGED, damaged.getMessage());
    } catch (RuntimeException | Error other) {
      refuse(State.REFUSED, other.toString());
    }
    if (queue == null) {
      found.remove(this);
    } else {
      tend();
    }
  }

  private Feeding feeding(FeedingRole role) {
    try {
      return new Feeding(role, listener, toString(), environment.executor(), log);
    } catch (Throwable failed) { // or the role would hold others back until the garbage collector came
      Closing.close(role, log);
      throw failed;
    }
  }

  /** Keeps the feeding going. The failure of one that ended by itself is logged, and it is not begun again. */
  private void tend() {
    Throwable failure = feeding.failure();
    if (failure == null) {
      feeding.tend();
    } else if (state == State.FEEDING) {
      state = State.DAMAGED;
      reason = failure.toString();
      log.error("{} is not fed any more.", this, failure);
    }
  }

  private void refuse(State why, String detail) {
    if (why != State.NO_QUEUE && !(why == state && detail.equals(reason))) {
      log.warn("{} is not fed, {}: {}", this, why, detail);
    }
    state = why;
    reason = detail;
    refusedNanos = System.nanoTime();
  }

  /** The segment or the listener has gone. Returns the feeding, to be waited for; null when there was none. */
  public Feeding leave() {
    Feeding ended = feeding;
    if (queue != null) {
      ended.leave();
      queue.remove(this);
      queue = null;
      state = State.NO_QUEUE;
      reason = "segment " + properties.segment() + " has gone";
    }
    feeding = null;
    return ended;
  }

  /** Its row in the listing. */
  public List<String> row() {
    return List.of(Long.toString(serviceId), properties.segment(), properties.queue(),
        feeding == null ? properties.choice(POLICY, "") : policy,
        feeding == null ? "" : Long.toString(feeding.receivedCount()),
        feeding == null ? "" : Long.toString(feeding.lostCount()),
        feeding == null ? "" : Long.toString(feeding.throwCount()),
        state.toString(), reason != null ? reason : feeding != null && feeding.shortage() != null
            ? "still fed after " + feeding.shortage() : "");
  }

  @Override
  public String toString() {
    return "Listener service " + serviceId + " for queue " + properties.queue() + " of segment "
        + properties.segment();
  }
}
