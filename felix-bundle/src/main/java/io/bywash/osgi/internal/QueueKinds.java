package io.bywash.osgi.internal;

import io.bywash.engine.Kind;
import io.bywash.osgi.internal.kind.BroadcastKind;
import io.bywash.osgi.internal.kind.CellsKind;
import io.bywash.osgi.internal.kind.EndpointKind;
import io.bywash.osgi.internal.kind.LatestKind;
import io.bywash.osgi.internal.kind.PoolKind;
import io.bywash.osgi.internal.kind.RingKind;
import io.bywash.osgi.internal.kind.WorkQueueKind;
import io.bywash.osgi.internal.queue.QueueKind;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The kinds of structures that this bundle serves. Nothing else names them. */
final class QueueKinds {
  static final Map<Kind, QueueKind> ALL = Stream.<QueueKind>of(
          new BroadcastKind(), new WorkQueueKind(), new EndpointKind(), new RingKind(), new LatestKind(),
          new CellsKind(), new PoolKind())
      .collect(Collectors.toUnmodifiableMap(QueueKind::kind, Function.identity()));

  private QueueKinds() {}
}
