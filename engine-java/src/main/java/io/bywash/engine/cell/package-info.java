/**
 * Values that processes share, each read and written as a whole.
 *
 * <pre>
 *   Atomics       flags and counters with names: get, set, add, compare-and-set, min, max
 *   NumberArray   numbers in a row, one by one or in bulk
 *   RecordArray   records in a row, each set and read as a whole
 *   Latest        one value of any length: LatestWriter replaces it, LatestReader reads it or waits for a newer one
 * </pre>
 *
 * <p>Any process may be killed at any instruction. Nobody ever sees a part of one value with a part of another, and
 * nobody waits for the dead.
 */
@Version("0.1.0")
package io.bywash.engine.cell;

import org.osgi.annotation.versioning.Version;
