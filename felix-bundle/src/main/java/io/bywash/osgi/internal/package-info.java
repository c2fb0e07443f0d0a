/** The components behind {@link io.bywash.osgi}. {@link io.bywash.osgi.internal.BusWatcher} is the way in. */
package io.bywash.osgi.internal;
