package io.bywash.osgi;

import io.bywash.engine.cell.Atomics;
import io.bywash.engine.cell.CellsStatus;
import io.bywash.engine.cell.NumberArray;
import io.bywash.engine.cell.RecordArray;
import io.bywash.engine.record.Records;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Values that are read and written one by one: atomics, an array of numbers or an array of records. Their owner is
 * their creator. Nothing is taken, and so any number of bundles may use them.
 */
@ProviderType
public interface CellsService extends StructureService {
  @Override
  CellsStatus status();

  /**
   * The named atomics. The caller closes them.
   *
   * @throws io.bywash.engine.BusException as {@link Atomics#open}, or when the segment has gone
   */
  Atomics atomics();

  /**
   * The array of numbers. The caller closes it.
   *
   * @param type {@code long.class}, {@code double.class}, {@code int.class} or {@code float.class}
   * @throws io.bywash.engine.BusException as {@link NumberArray#open}, or when the segment has gone
   */
  NumberArray numbers(Class<?> type);

  /**
   * The array of records. The caller closes it.
   *
   * @throws io.bywash.engine.BusException as {@link RecordArray#open}, or when the segment has gone
   */
  <T> RecordArray<T> records(Records<T> records);
}
