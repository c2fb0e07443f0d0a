/** Bounds-checked views of one message's bytes, for reading and for filling in place. */
package io.bywash.engine.internal.record;
