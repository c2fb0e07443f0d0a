package io.bywash.osgi.internal.kind;

import static io.bywash.osgi.BywashConstants.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.call.CallClient;
import io.bywash.engine.call.Caller;
import io.bywash.engine.call.EndpointStatus;
import io.bywash.engine.call.Responder;
import io.bywash.osgi.CallResponder;
import io.bywash.osgi.EndpointService;
import io.bywash.osgi.RecordResponder;
import io.bywash.osgi.internal.queue.BundleRoles;
import io.bywash.osgi.internal.queue.BundleService;
import io.bywash.osgi.internal.queue.Feeder;
import io.bywash.osgi.internal.queue.FeedingRole;
import io.bywash.osgi.internal.queue.ListenerProperties;
import io.bywash.osgi.internal.queue.QueueKind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Endpoints: each is an {@link EndpointService}, and each {@link CallResponder} has a role. */
public final class EndpointKind implements QueueKind, Feeder {
  @Override
  public Kind kind() {
    return Kind.ENDPOINT;
  }

  @Override
  public Class<EndpointService> serviceType() {
    return EndpointService.class;
  }

  @Override
  public EndpointService service(BundleRoles roles) {
    return new Service(roles);
  }

  @Override
  public Map<String, Object> properties(Entry entry) {
    return Map.of(DELIVERY, EndpointStatus.of(entry).redelivers() ? DELIVERY_REDELIVER : DELIVERY_FAIL);
  }

  @Override
  public Optional<Feeder> feeder() {
    return Optional.of(this);
  }

  @Override
  public List<Class<?>> consumerTypes() {
    return List.of(CallResponder.class, RecordResponder.class);
  }

  @Override
  public Optional<String> fault(ListenerProperties properties) {
    return properties.without(POLICY, START, SUBSCRIPTION, EVICT_AFTER_MILLIS);
  }

  @Override
  public FeedingRole join(Entry entry, ListenerProperties properties, boolean local, OptionalLong next,
      Object consumer) {
    if (consumer instanceof RecordResponder<?, ?> typed) {
      typed.requests().check(entry);
      typed.replies().check(entry);
    }
    return new EndpointFeeding(Responder.open(entry), (CallResponder) consumer);
  }

  private static final class Service extends BundleService implements EndpointService {
    Service(BundleRoles roles) {
      super(roles);
    }

    @Override
    public EndpointStatus status() {
      return EndpointStatus.of(entry());
    }

    @Override
    public Caller caller() {
      return roles.take(Caller::open);
    }

    @Override
    public CallClient client() {
      return roles.use(CallClient::open);
    }

    @Override
    public Responder responder() {
      return roles.take(Responder::open);
    }
  }
}
