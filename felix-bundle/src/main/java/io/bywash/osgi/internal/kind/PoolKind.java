package io.bywash.osgi.internal.kind;

import io.bywash.engine.Kind;
import io.bywash.engine.pool.PoolStatus;
import io.bywash.engine.pool.PoolUser;
import io.bywash.engine.pool.PoolView;
import io.bywash.osgi.PoolService;
import io.bywash.osgi.internal.queue.BundleRoles;
import io.bywash.osgi.internal.queue.BundleService;
import io.bywash.osgi.internal.queue.QueueKind;

/** Pools: each is a {@link PoolService}. */
public final class PoolKind implements QueueKind {
  @Override
  public Kind kind() {
    return Kind.POOL;
  }

  @Override
  public Class<PoolService> serviceType() {
    return PoolService.class;
  }

  @Override
  public PoolService service(BundleRoles roles) {
    return new Service(roles);
  }

  private static final class Service extends BundleService implements PoolService {
    Service(BundleRoles roles) {
      super(roles);
    }

    @Override
    public PoolStatus status() {
      return PoolStatus.of(entry());
    }

    @Override
    public PoolUser user() {
      return roles.take(PoolUser::open);
    }

    @Override
    public PoolView view() {
      return roles.use(PoolView::open);
    }
  }
}
