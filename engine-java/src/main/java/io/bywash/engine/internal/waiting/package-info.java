/** Sleeping and waking: who waits for what, how a thread waits, and the one that waits for many. */
package io.bywash.engine.internal.waiting;
