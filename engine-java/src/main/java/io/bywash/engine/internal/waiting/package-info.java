/** Sleeping and waking: who waits for what, how a thread waits, and the hub's one thread that waits for many roles. */
package io.bywash.engine.internal.waiting;
