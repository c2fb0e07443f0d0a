package io.bywash.osgi.internal.queue;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Entry;
import io.bywash.engine.EvictedException;
import io.bywash.engine.OverrunException;
import io.bywash.engine.Segment;
import io.bywash.engine.TableFullException;
import io.bywash.osgi.runtime.RuntimeDTO;
import java.util.Optional;
import org.osgi.framework.Bundle;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceReference;

/**
 * A {@link io.bywash.osgi.QueueListener}, or a consumer of another kind of queue: what it asks for, and what it gets or
 * why not. The service is fetched, and its role taken, on the registry's thread, when its queue is there and its
 * properties are right.
 *
 * <p>Guarded by the environment's lock.
 */
public final class WhiteboardListener {
  /** What the listing shows; the reasons are documented at {@link io.bywash.osgi.QueueListener}. */
  private enum State {
    FEEDING, JOINING, NO_QUEUE, WRONG_KIND, WRONG_RECORDS, TABLE_FULL, SUBSCRIPTION_TAKEN, REFUSED, OVERRUN, DAMAGED,
    BAD_PROPERTIES
  }

  /** A listener that was refused is tried again after so long, since each try costs an attachment. */
  private static final long RETRY_NANOS = 1_000_000_000L;

  private final ServiceReference<?> reference;
  private final long serviceId;
  private final ListenerProperties properties;
  private final Environment environment;
  private final Log log;
  private final Feeding.Counts counts = new Feeding.Counts();
  private final Join join = new Join();
  private final Places places;

  private State state = State.NO_QUEUE;
  private String reason = "";
  /** What was counted as a change last, and logged if it was a refusal: each retry would tell the same again. */
  private State toldState = State.NO_QUEUE;
  private String toldReason = "";
  private long refusedNanos = System.nanoTime() - RETRY_NANOS;
  /** The queue that it is joining, or is fed from. */
  private DiscoveredQueue queue;
  /** The last feeding. */
  private Feeding feeding;
  /** That of the same service with other properties; null when there was none. */
  private final Feeding before;
  /** That of a feeding that ended and is to go on: without an attachment it might go, and its messages with it. */
  private WatchedSegment kept;
  private Subscriptions.Key place;
  private long evictedCount;
  private volatile boolean gone;

  /**
   * A listener that is not fed yet.
   *
   * @param before the last feeding of the same service; null when there was none
   */
  public WhiteboardListener(ServiceReference<?> reference, Feeding before, Environment environment) {
    this.reference = reference;
    this.before = before;
    this.serviceId = (Long) reference.getProperty(Constants.SERVICE_ID);
    this.properties = ListenerProperties.of(reference);
    this.environment = environment;
    this.log = environment.log();
    this.places = new Places(environment.subscriptions());
    this.properties.fault().ifPresent(fault -> refuse(State.BAD_PROPERTIES, fault));
  }

  /** Whether its service's properties have not changed in a way that makes a difference here. */
  public boolean isUnchanged() {
    return properties.equals(ListenerProperties.of(reference));
  }

  /** Identifies it in the framework. */
  public long serviceId() {
    return serviceId;
  }

  /** What it asks for. */
  public ListenerProperties properties() {
    return properties;
  }

  /** Whether its service is none any more. */
  public boolean hasGone() {
    return reference.getBundle() == null;
  }

  /** The name of its subscription; empty when it has none. */
  public String subscription() {
    return properties.choice(SUBSCRIPTION, "");
  }

  /** Whether it is to get what its queue holds, and has not got all of it yet. */
  boolean isBehind() {
    return state == State.JOINING || state == State.FEEDING
        && (feeding.isActive() ? !feeding.isDry() : feeding.failure() instanceof EvictedException);
  }

  /** Whether a call of it, or of the bundle that provides it, has not returned. */
  boolean isBusy() {
    return state == State.JOINING || state == State.FEEDING && feeding.isRunning();
  }

  /** Where it goes on; 0 before it is fed. */
  long nextSequence() {
    return feeding == null ? 0 : feeding.nextSequence();
  }

  // ---- joining

  /** Keeps it being fed, or joins {@code found}; that is null when there is no such queue, for the reason given. */
  public void tend(DiscoveredQueue found, String none) {
    if (state == State.FEEDING) {
      tendFeeding();
    }
    if (gone || state == State.FEEDING || isFinal()) {
      return;
    }
    if (found == null || found.state() == DiscoveredQueue.State.NO_OWNER && found.needsOwner()) {
      choose(null); // a join that is under way is given up
      leaveKept();
      refuse(State.NO_QUEUE, found == null ? none : "it has no living owner");
    } else if (state == State.JOINING) {
      choose(found); // another one may have come meanwhile
      environment.calls().submit(join); // its thread may have failed
    } else {
      check(found);
    }
  }

  /** Whether only other properties help, or a new queue. */
  private boolean isFinal() {
    return state == State.BAD_PROPERTIES || (state == State.OVERRUN || state == State.DAMAGED) && queue != null;
  }

  private void check(DiscoveredQueue found) {
    Optional<Feeder> feeder = found.feeder(reference);
    Optional<String> fault = feeder.flatMap(known -> known.fault(properties));
    if (feeder.isEmpty()) {
      refuse(State.WRONG_KIND, "it is " + found.describeKind());
    } else if (!properties.choice(FINGERPRINT, found.fingerprint()).equals(found.fingerprint())) {
      refuse(State.WRONG_RECORDS, "its fingerprint is " + found.fingerprint());
    } else if (fault.isPresent()) {
      refuse(State.BAD_PROPERTIES, fault.get());
    } else if (state == State.NO_QUEUE || System.nanoTime() - refusedNanos > RETRY_NANOS) {
      choose(found);
      become(State.JOINING, "");
      environment.calls().submit(join);
    }
  }

  /** The queue knows who wants to be fed from it. */
  private void choose(DiscoveredQueue chosen) {
    if (queue != chosen) {
      if (queue != null) {
        queue.remove(this);
      }
      if (chosen != null) {
        chosen.add(this);
      }
      queue = chosen;
    }
  }

  /** The one whose call has to return before the next one, since there is only one at a time. */
  private Feeding last() {
    return feeding != null ? feeding : before;
  }

  private final class Join extends RegistryCalls.Call {
    private Object consumer; // used by the registry's thread

    @Override
    protected void run() {
      DiscoveredQueue target; // null until the next sweep tries again
      boolean local;
      synchronized (environment.lock()) {
        target = state == State.JOINING && !gone && (last() == null || last().hasReturned()) ? queue : null;
        local = target != null && target.isLocal();
      }
      if (gone && consumer != null) {
        consumer = null;
        environment.context().ungetService(reference);
      }
      if (target == null) {
        return;
      }
      try {
        if (consumer == null) {
          consumer = environment.context().getService(reference);
        }
        if (consumer == null) {
          throw new IllegalStateException("its bundle did not provide the service");
        }
        join(target, local, consumer);
      } catch (TableFullException full) {
        refuse(target, State.TABLE_FULL, full.getMessage());
      } catch (DamagedSegmentException damaged) {
        refuse(target, State.DAMAGED, damaged.getMessage());
      } catch (RuntimeException | Error other) {
        refuse(target, State.REFUSED, other.toString());
      }
    }

    @Override
    public String toString() {
      return WhiteboardListener.this.toString();
    }
  }

  private void refuse(DiscoveredQueue target, State why, String detail) {
    synchronized (environment.lock()) {
      if (state == State.JOINING && queue == target) {
        choose(null);
        refuse(why, detail);
      }
    }
  }

  /** Takes the role, without the lock, since that may take its time. */
  private void join(DiscoveredQueue target, boolean local, Object consumer) {
    Segment segment = target.segment().join();
    Feeding begun = null;
    Subscriptions.Key key;
    try {
      Entry entry = target.find(segment);
      key = new Subscriptions.Key(subscription(), segment.id(), target.name() + "/" + Long.toHexString(entry.id()));
      if (!subscription().isEmpty() && !environment.subscriptions().take(key)) {
        refuse(target, State.SUBSCRIPTION_TAKEN, "another listener has the subscription " + subscription());
        return;
      }
      begun = feeding(target, entry, local, key, consumer);
    } finally {
      if (begun == null) {
        target.segment().leave();
      }
    }
    install(target, begun, key);
  }

  private Feeding feeding(DiscoveredQueue target, Entry entry, boolean local, Subscriptions.Key key,
      Object consumer) {
    FeedingRole role = null;
    try {
      role = target.feeder(reference).orElseThrow().join(entry, properties, local, places.next(key), consumer);
      return new Feeding(role, consumer, toString(), counts, next -> places.end(key, next), environment);
    } catch (Throwable failed) { // or the role would hold others back until the garbage collector came
      if (role != null) {
        Closing.close(role.revocable(), log);
      }
      environment.subscriptions().giveBack(key);
      throw failed;
    }
  }

  private void install(DiscoveredQueue target, Feeding begun, Subscriptions.Key key) {
    boolean installed = false;
    try {
      synchronized (environment.lock()) {
        if (state == State.JOINING && !gone && queue == target && target.isOpen()) {
          String why = evictedCount == 0 ? "" : "evictions: " + evictedCount;
          leaveKept();
          feeding = begun;
          place = key;
          become(State.FEEDING, why);
          installed = true; // whatever fails from here on, the next sweep makes up for
          feeding.tend();
        }
      }
    } finally {
      if (!installed) { // no longer wanted, or there was no heap: nobody would poll it
        try {
          begun.leave();
        } finally {
          target.segment().leave();
        }
      }
    }
  }

  // ---- being fed

  /** Keeps the feeding going. One that was evicted goes on; the failure of another that ended by itself is logged. */
  private void tendFeeding() {
    Throwable failure = feeding.failure();
    if (failure == null) {
      feeding.tend();
      if (!subscription().isEmpty() && feeding.isActive()) {
        environment.subscriptions().remember(place, feeding.nextSequence());
      }
      return;
    }
    DiscoveredQueue last = queue;
    endFeeding();
    if (failure instanceof EvictedException) {
      evictedCount++;
      log.warn("{} held the publisher back for too long and was evicted, for the {}. time. It goes on with a loss.",
          this, evictedCount);
      become(State.NO_QUEUE, "evicted");
      return;
    }
    leaveKept();
    choose(last); // to learn when that goes
    if (failure instanceof OverrunException) {
      refuse(State.OVERRUN, failure.getMessage());
    } else {
      become(State.DAMAGED, failure.toString());
      log.error("{} is not fed any more.", this, failure);
    }
  }

  /** The role is given back without a wait. The feeding stays, to be asked, and the attachment, to go on. */
  private void endFeeding() {
    feeding.leave();
    kept = queue.segment();
    choose(null);
  }

  private void leaveKept() {
    if (kept != null) {
      kept.leave();
      kept = null;
    }
  }

  private void become(State next, String why) {
    state = next;
    reason = why;
    boolean retry = next == State.JOINING && toldState != State.NO_QUEUE;
    if (!retry && isNews(next, why)) {
      toldState = next;
      toldReason = why;
      environment.changed();
    }
  }

  private boolean isNews(State next, String why) {
    return next != toldState || !why.equals(toldReason);
  }

  private void refuse(State why, String detail) {
    if (why != State.NO_QUEUE && isNews(why, detail)) {
      log.warn("{} is not fed, {}: {}", this, why, detail);
    }
    become(why, detail);
    refusedNanos = System.nanoTime();
  }

  /** The queue was removed, or its segment has gone. */
  void leaveQueue() {
    if (state == State.FEEDING) {
      endFeeding();
    }
    choose(null);
    leaveKept();
    become(State.NO_QUEUE, "queue " + properties.queue() + " of segment " + properties.segment() + " has gone");
  }

  /** The listener's service has gone. Returns the last feeding, to be waited for; null when there was none. */
  public Feeding leave() {
    gone = true;
    leaveQueue();
    return last();
  }

  /** Has the service given back that it fetched; after {@link #leave}, and after who gets it next has asked for it. */
  public void release() {
    environment.submit(join);
  }

  /** All of it. */
  public RuntimeDTO.ListenerDTO describe() {
    RuntimeDTO.ListenerDTO dto = new RuntimeDTO.ListenerDTO();
    Bundle bundle = reference.getBundle();
    dto.serviceId = serviceId;
    dto.bundle = bundle == null ? "" : bundle.getSymbolicName();
    dto.segment = properties.segment();
    dto.queue = properties.queue();
    dto.subscription = subscription();
    dto.policy = feeding == null ? properties.choice(POLICY, "") : feeding.policy();
    dto.receivedCount = counts.received();
    dto.lostCount = counts.lost();
    dto.thrownCount = counts.thrown();
    dto.state = state.toString();
    Throwable shortage = feeding == null ? null : feeding.shortage();
    dto.reason = reason.isEmpty() && shortage != null ? "still fed after " + shortage : reason;
    return dto;
  }

  @Override
  public String toString() {
    return "Listener service " + serviceId + " for queue " + properties.queue() + " of segment "
        + properties.segment();
  }
}
