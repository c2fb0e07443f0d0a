package io.bywash.osgi.internal.kind;

import io.bywash.engine.Kind;
import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.CellsStatus;
import io.bywash.engine.cell.NumberArray;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.record.Records;
import io.bywash.osgi.CellsService;
import io.bywash.osgi.internal.queue.BundleRoles;
import io.bywash.osgi.internal.queue.BundleService;
import io.bywash.osgi.internal.queue.QueueKind;

/** Cells: each is a {@link CellsService}. */
public final class CellsKind implements QueueKind {
  @Override
  public Kind kind() {
    return Kind.CELLS;
  }

  @Override
  public Class<CellsService> serviceType() {
    return CellsService.class;
  }

  @Override
  public CellsService service(BundleRoles roles) {
    return new Service(roles);
  }

  private static final class Service extends BundleService implements CellsService {
    Service(BundleRoles roles) {
      super(roles);
    }

    @Override
    public CellsStatus status() {
      return CellsStatus.of(entry());
    }

    @Override
    public Atomics atomics() {
      return roles.use(Atomics::open);
    }

    @Override
    public NumberArray numbers(Class<?> type) {
      return roles.use(entry -> NumberArray.open(entry, type));
    }

    @Override
    public <T> RecordArray<T> records(Records<T> records) {
      return roles.use(entry -> RecordArray.open(entry, records));
    }
  }
}
