/** The bytes of one message, bounds-checked, to read and to fill. */
package io.bywash.engine.internal.record;
