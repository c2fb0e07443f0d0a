package io.bywash.engine;

/**
 * One attachment of one process to one segment, as it was at the moment of asking. A process that attaches twice is two
 * participants.
 *
 * @param id number of its slot in the segment, from 0; reused after its death
 * @param epoch which life of the slot this is; id and epoch together are never reused
 * @param pid process id, in the process's own pid namespace; 0 when it died before it had told
 * @param alive whether it lives: its kernel lock is held
 * @param canWake whether it wakes sleepers in the kernel (it was started with native access)
 * @param heartbeatNanos its last sign of life on the monotonic clock of this host, as {@link System#nanoTime};
 *     information only, never a proof
 * @param leaving whether it has said that it leaves, and keeps nothing in use any more. One that does not live has left
 *     as its process ended in good order; without this it was killed, or lost its lock
 * @param label what its program calls it, empty if it did not say; see {@link Segment#label}
 */
public record Participant(int id, int epoch, long pid, boolean alive, boolean canWake, long heartbeatNanos,
    boolean leaving, String label) {}
