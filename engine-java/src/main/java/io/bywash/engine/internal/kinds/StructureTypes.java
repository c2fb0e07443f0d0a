package io.bywash.engine.internal.kinds;

import io.bywash.engine.broadcast.BroadcastType;
import io.bywash.engine.call.EndpointType;
import io.bywash.engine.cell.CellsType;
import io.bywash.engine.cell.LatestType;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.pool.PoolType;
import io.bywash.engine.queue.QueueType;
import io.bywash.engine.ring.RingType;
import java.util.List;

/**
 * The kinds of structures that this version knows. A new kind is added here, in {@code Kind} and in {@code
 * StructureStatus}.
 */
public final class StructureTypes {
  public static final List<StructureType> ALL = List.of(BroadcastType.INSTANCE, QueueType.INSTANCE,
      CellsType.INSTANCE, LatestType.INSTANCE, RingType.INSTANCE, PoolType.INSTANCE,
      EndpointType.INSTANCE);

  private StructureTypes() {}
}
