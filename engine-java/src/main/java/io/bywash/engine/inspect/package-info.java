/**
 * Looking on: what there is in a bus directory and in a segment, who is attached and lives, who holds whom back, what
 * is damaged or was left by the dead, and what about the host may get in the way. Nothing here writes to shared memory,
 * keeps anything alive, or costs those who are at work anything.
 *
 * <pre>
 *  HostStatus      the machine and the directory
 *  BusStatus       the files in the directory
 *  SegmentStatus   participants and entries of one segment, and who holds whom back
 *  EntryRates      what happened in an entry between two looks at its segment
 *  Verification    every invariant of a segment
 *  StatusText      all of it as plain text
 * </pre>
 */
@Version("0.1.0")
package io.bywash.engine.inspect;

import org.osgi.annotation.versioning.Version;
