/**
 * What all kinds of queues have in common: how they are discovered, made services, fed from and configured. A kind adds
 * an implementation of {@link io.bywash.osgi.internal.queue.QueueKind}.
 */
package io.bywash.osgi.internal.queue;
