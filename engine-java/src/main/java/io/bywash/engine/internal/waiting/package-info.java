/** Sleeping and waking: who waits for what, how a thread waits, and the hub's thread, which waits for many. */
package io.bywash.engine.internal.waiting;
