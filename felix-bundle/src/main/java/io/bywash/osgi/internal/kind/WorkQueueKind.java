package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.queue.Consumer;
import io.bywash.engine.queue.DeliveryPolicy;
import io.bywash.engine.queue.Producer;
import io.bywash.engine.queue.QueueStatus;
import io.bywash.osgi.RecordConsumer;
import io.bywash.osgi.WorkQueueConsumer;
import io.bywash.osgi.WorkQueueService;
import io.bywash.osgi.internal.queue.BundleRoles;
import io.bywash.osgi.internal.queue.BundleService;
import io.bywash.osgi.internal.queue.Feeder;
import io.bywash.osgi.internal.queue.FeedingRole;
import io.bywash.osgi.internal.queue.ListenerProperties;
import io.bywash.osgi.internal.queue.QueueKind;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Work queues: each is a {@link WorkQueueService}, and each {@link WorkQueueConsumer} has a role. */
public final class WorkQueueKind implements QueueKind, Feeder {
  @Override
  public Kind kind() {
    return Kind.WORK_QUEUE;
  }

  @Override
  public Class<WorkQueueService> serviceType() {
    return WorkQueueService.class;
  }

  @Override
  public WorkQueueService service(BundleRoles roles) {
    return new Service(roles);
  }

  @Override
  public Map<String, Object> properties(Entry entry) {
    DeliveryPolicy policy = QueueStatus.of(entry).policy();
    Map<String, Object> properties = new HashMap<>();
    properties.put(DELIVERY, policy.redelivers() ? DELIVERY_REDELIVER : DELIVERY_DROP);
    if (policy.redelivers() && policy.limit() > 0) {
      properties.put(DELIVERIES, policy.limit());
    }
    if (!policy.deadLetters().isEmpty()) {
      properties.put(DEAD_LETTERS, policy.deadLetters());
    }
    return properties;
  }

  @Override
  public Optional<Feeder> feeder() {
    return Optional.of(this);
  }

  @Override
  public List<Class<?>> consumerTypes() {
    return List.of(WorkQueueConsumer.class, RecordConsumer.class);
  }

  @Override
  public Optional<String> fault(ListenerProperties properties) {
    return properties.without(POLICY, START, SUBSCRIPTION, EVICT_AFTER_MILLIS);
  }

  @Override
  public FeedingRole join(Entry entry, ListenerProperties properties, boolean local, OptionalLong next,
      Object consumer) {
    if (consumer instanceof RecordConsumer<?> typed) {
      typed.records().check(entry);
    }
    return new WorkQueueFeeding(Consumer.open(entry), (WorkQueueConsumer) consumer);
  }

  /** What was sent and not acknowledged is theirs, whoever sent it; who consumes is an owner then. */
  @Override
  public boolean needsOwner() {
    return false;
  }

  private static final class Service extends BundleService implements WorkQueueService {
    Service(BundleRoles roles) {
      super(roles);
    }

    @Override
    public QueueStatus status() {
      return QueueStatus.of(entry());
    }

    @Override
    public Producer producer() {
      return roles.take(Producer::open);
    }

    @Override
    public Consumer consumer() {
      return roles.take(Consumer::open);
    }
  }
}
