package io.bywash.osgi.internal.kind;

import io.bywash.engine.Kind;
import io.bywash.engine.ring.RingPopper;
import io.bywash.engine.ring.RingStatus;
import io.bywash.engine.ring.RingView;
import io.bywash.engine.ring.RingWriter;
import io.bywash.osgi.RingService;
import io.bywash.osgi.internal.queue.BundleRoles;
import io.bywash.osgi.internal.queue.BundleService;
import io.bywash.osgi.internal.queue.QueueKind;

/** Rings: each is a {@link RingService}. */
public final class RingKind implements QueueKind {
  @Override
  public Kind kind() {
    return Kind.RING;
  }

  @Override
  public Class<RingService> serviceType() {
    return RingService.class;
  }

  @Override
  public RingService service(BundleRoles roles) {
    return new Service(roles);
  }

  private static final class Service extends BundleService implements RingService {
    Service(BundleRoles roles) {
      super(roles);
    }

    @Override
    public RingStatus status() {
      return RingStatus.of(entry());
    }

    @Override
    public RingWriter writer() {
      return roles.take(RingWriter::open);
    }

    @Override
    public RingPopper popper() {
      return roles.take(RingPopper::open);
    }

    @Override
    public RingView view() {
      return roles.use(RingView::of);
    }
  }
}
