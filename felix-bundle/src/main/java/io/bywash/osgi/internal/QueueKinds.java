package io.bywash.osgi.internal;

import io.bywash.engine.Kind;
import io.bywash.osgi.internal.broadcast.BroadcastKind;
import io.bywash.osgi.internal.queue.QueueKind;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The kinds of queues that this bundle serves: each has a package of its own, and a place in this list. */
final class QueueKinds {
  static final Map<Kind, QueueKind> ALL = List.<QueueKind>of(new BroadcastKind()).stream()
      .collect(Collectors.toUnmodifiableMap(QueueKind::kind, Function.identity()));

  private QueueKinds() {}
}
