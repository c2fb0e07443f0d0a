package io.bywash.osgi.internal.kind;

import io.bywash.engine.Kind;
import io.bywash.engine.cell.LatestReader;
import io.bywash.engine.cell.LatestStatus;
import io.bywash.engine.cell.LatestWriter;
import io.bywash.osgi.LatestService;
import io.bywash.osgi.internal.queue.BundleRoles;
import io.bywash.osgi.internal.queue.BundleService;
import io.bywash.osgi.internal.queue.QueueKind;

/** Latest values: each is a {@link LatestService}. */
public final class LatestKind implements QueueKind {
  @Override
  public Kind kind() {
    return Kind.LATEST;
  }

  @Override
  public Class<LatestService> serviceType() {
    return LatestService.class;
  }

  @Override
  public LatestService service(BundleRoles roles) {
    return new Service(roles);
  }

  private static final class Service extends BundleService implements LatestService {
    Service(BundleRoles roles) {
      super(roles);
    }

    @Override
    public LatestStatus status() {
      return LatestStatus.of(entry());
    }

    @Override
    public LatestWriter writer() {
      return roles.take(LatestWriter::open);
    }

    @Override
    public LatestReader reader() {
      return roles.take(LatestReader::open);
    }
  }
}
