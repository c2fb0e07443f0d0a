/** The kind broadcast: its service, what feeds its listeners, its configuration. */
package io.bywash.osgi.internal.broadcast;
