/**
 * The components behind {@link io.bywash.osgi}. {@link io.bywash.osgi.internal.BusWatcher} is the way in, and
 * {@link io.bywash.osgi.internal.QueueKinds} the only class that names the kinds of queues.
 */
package io.bywash.osgi.internal;
