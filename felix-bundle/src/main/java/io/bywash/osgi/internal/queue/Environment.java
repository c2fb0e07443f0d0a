package io.bywash.osgi.internal.queue;

import io.bywash.engine.Kind;
import java.util.Map;
import java.util.concurrent.Executor;

/**
 * What discovery lends to everything that it finds.
 *
 * @param kinds the kinds of queues that can be services
 * @param executor runs each task on a virtual thread, until discovery ends
 * @param log where to report
 */
public record Environment(Map<Kind, QueueKind> kinds, Executor executor, Log log) {}
