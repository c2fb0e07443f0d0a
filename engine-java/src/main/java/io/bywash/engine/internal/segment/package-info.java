/** One segment's tables: its header, and who takes part. */
package io.bywash.engine.internal.segment;
