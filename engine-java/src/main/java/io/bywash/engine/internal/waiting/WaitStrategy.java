package io.bywash.engine.internal.waiting;

/** How a thread waits: the policies of the public API, with the same names. */
public enum WaitStrategy { SPIN, BACKOFF, YIELD, PARK, BLOCK }
