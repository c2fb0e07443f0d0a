package io.bywash.osgi.internal;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Kind;
import io.bywash.engine.TableFullException;
import io.bywash.engine.broadcast.Subscriber;
import io.bywash.engine.broadcast.SubscriberOptions;
import io.bywash.osgi.QueueListener;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.osgi.framework.Constants;

/** One {@link QueueListener} service: what it asks for, and what it gets or why not. Guarded by the watcher's lock. */
final class WhiteboardListener {
  /** What the listing shows; the reasons are documented at {@link QueueListener}. */
  enum State { FEEDING, NO_QUEUE, WRONG_KIND, TABLE_FULL, REFUSED, DAMAGED, BAD_PROPERTIES }

  /** A listener that was refused is tried again after so long: each try costs an attachment. */
  private static final long RETRY_NANOS = 1_000_000_000L;

  private final QueueListener listener;
  private final long serviceId;
  private final Wish wish;
  private final Executor executor;
  private final Log log;

  private State state;
  private String reason;
  private WatchedSegment segment;
  private Feeding feeding;
  private long refusedNanos;

  /** What the service properties ask for. */
  private record Wish(String segment, String queue, String policy, String start) {
    static Wish of(Map<String, Object> properties) {
      return new Wish(text(properties, SEGMENT, ""), text(properties, QUEUE, ""),
          text(properties, POLICY, POLICY_BLOCK), text(properties, START, START_OLDEST));
    }

    private static String text(Map<String, Object> properties, String key, String otherwise) {
      Object value = properties.get(key);
      return value == null ? otherwise : value.toString();
    }

    /** What is wrong with it; null when nothing is. */
    String fault() {
      if (segment.isEmpty() || queue.isEmpty()) {
        return SEGMENT + " or " + QUEUE + " is missing";
      }
      if (!List.of(POLICY_BLOCK, POLICY_SKIP).contains(policy)) {
        return POLICY + "=" + policy + " is neither " + POLICY_BLOCK + " nor " + POLICY_SKIP;
      }
      return List.of(START_OLDEST, START_NEWEST).contains(start) ? null
          : START + "=" + start + " is neither " + START_OLDEST + " nor " + START_NEWEST;
    }
  }

  WhiteboardListener(QueueListener listener, Map<String, Object> properties, Executor executor, Log log) {
    this.listener = listener;
    this.serviceId = (Long) properties.get(Constants.SERVICE_ID);
    this.wish = Wish.of(properties);
    this.executor = executor;
    this.log = log;
    if (wish.fault() != null) {
      refuse(State.BAD_PROPERTIES, wish.fault());
    }
  }

  /** Whether changed properties make no difference. */
  boolean wants(Map<String, Object> properties) {
    return wish.equals(Wish.of(properties));
  }

  long serviceId() {
    return serviceId;
  }

  String segmentName() {
    return wish.segment;
  }

  boolean isFedFrom(WatchedSegment file) {
    return segment == file;
  }

  /** Whether it is fed from there at the moment, and has not been told the end. */
  boolean isActiveIn(WatchedSegment file) {
    return segment == file && feeding.isActive();
  }

  boolean isActiveIn(WatchedSegment file, String queue) {
    return isActiveIn(file) && wish.queue.equals(queue);
  }

  Feeding feeding() {
    return feeding;
  }

  /** Joins the queue if it is there now; {@code file} is null when the segment is not. */
  void join(WatchedSegment file) {
    if (segment != null) {
      tend();
    }
    if (segment != null || state == State.BAD_PROPERTIES) {
      return;
    }
    DiscoveredQueue queue = file == null ? null : file.queue(wish.queue);
    if (queue == null) {
      refuse(State.NO_QUEUE, file == null ? "there is no segment " + wish.segment
          : "segment " + wish.segment + " has no queue " + wish.queue);
    } else if (queue.entry().kind() != Kind.BROADCAST) {
      refuse(State.WRONG_KIND, "it is of kind " + queue.entry().kind().displayName());
    } else if (queue.state() != DiscoveredQueue.State.AVAILABLE) {
      refuse(State.NO_QUEUE, "its owner does not live");
    } else if (state == null || state == State.NO_QUEUE || System.nanoTime() - refusedNanos > RETRY_NANOS) {
      feed(file);
    }
  }

  private void feed(WatchedSegment file) {
    SubscriberOptions options = wish.policy.equals(POLICY_BLOCK) ? SubscriberOptions.block() : SubscriberOptions.skip();
    try {
      feeding = feeding(Subscriber.open(file.join().directory().find(wish.queue, Kind.BROADCAST),
          wish.start.equals(START_OLDEST) ? options.startingAtOldest() : options));
      segment = file;
      state = State.FEEDING;
      reason = null;
    } catch (TableFullException full) {
      refuse(State.TABLE_FULL, full.getMessage());
    } catch (DamagedSegmentException damaged) {
      refuse(State.DAMAGED, damaged.getMessage());
    } catch (RuntimeException | Error other) {
      refuse(State.REFUSED, other.toString());
    }
    if (segment != null) {
      tend();
    }
  }

  private Feeding feeding(Subscriber subscriber) {
    try {
      return new Feeding(subscriber, listener, toString(), executor, log);
    } catch (Throwable failed) { // or it would hold the publisher back until the collector came
      WatchedSegment.close(subscriber, log);
      throw failed;
    }
  }

  /** Keeps the feeding going; one that has ended by itself is told of, and not begun again. */
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

  /** The segment or the listener has gone. Returns what was fed, to be waited for; null when nothing was. */
  Feeding leave() {
    Feeding ended = feeding;
    if (segment != null) {
      ended.leave();
      segment = null;
      state = State.NO_QUEUE;
      reason = "segment " + wish.segment + " has gone";
    }
    feeding = null;
    return ended;
  }

  /** Its row in the listing. */
  List<String> row() {
    return List.of(Long.toString(serviceId), wish.segment, wish.queue, wish.policy,
        feeding == null ? "" : Long.toString(feeding.receivedCount()),
        feeding == null ? "" : Long.toString(feeding.lostCount()),
        feeding == null ? "" : Long.toString(feeding.throwCount()),
        state.toString(), reason != null ? reason : feeding != null && feeding.shortage() != null
            ? "fed on after " + feeding.shortage() : "");
  }

  @Override
  public String toString() {
    return "Listener service " + serviceId + " for queue " + wish.queue + " of segment " + wish.segment;
  }
}
