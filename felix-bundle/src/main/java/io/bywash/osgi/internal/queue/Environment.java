package io.bywash.osgi.internal.queue;

import io.bywash.engine.Kind;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.osgi.framework.BundleContext;

/**
 * What the bundle lends to everything that it finds.
 *
 * @param context this bundle's
 * @param kinds the kinds of queues that can be services
 * @param executor runs each task on a virtual thread, until the bundle stops; it may wait for listeners to begin
 * @param threads runs each task on a thread of its own, which no listener can keep from beginning, until the bundle
 *     stops
 * @param calls what may run foreign code
 * @param subscriptions where named ones go on
 * @param log where to report
 * @param lock guards what is known about segments, queues and listeners
 * @param changes counts changes of what is shown, apart from counters
 */
public record Environment(BundleContext context, Map<Kind, QueueKind> kinds, Executor executor, Executor threads,
    RegistryCalls calls, Subscriptions subscriptions, Log log, Object lock, AtomicLong changes) {
  /** Has a call made, unless it waits already. */
  public void submit(RegistryCalls.Call call) {
    calls.submit(call);
  }

  void changed() {
    changes.incrementAndGet();
  }
}
