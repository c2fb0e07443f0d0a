/**
 * Inspection: what a bus directory and a segment contain, which participants are alive, who holds whom back, what is
 * damaged or was left by dead participants, and what about the host may cause trouble. Nothing here writes to shared
 * memory, keeps a segment alive, or slows its participants down.
 *
 * <pre>
 *  HostStatus      the machine and the directory
 *  BusStatus       the files in the directory
 *  SegmentStatus   participants and entries of one segment, and who holds whom back
 *  EntryRates      what happened in an entry between two inspections
 *  LayoutStatus    which bytes of a segment belong to what
 *  Verification    every invariant of a segment
 *  StatusText      all of it as plain text
 *  SegmentBean     the status of one segment in JMX
 * </pre>
 *
 * <p>All records are immutable, and any thread may use them and call the static methods. What they show was true a
 * moment ago: participants go on meanwhile.
 */
@Version("0.1.0")
package io.bywash.engine.inspect;

import org.osgi.annotation.versioning.Version;
