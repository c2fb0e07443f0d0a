package io.bywash.engine;

/**
 * One attachment of one process to one segment for writing, as it was when it was read. A process that attaches twice
 * is two participants.
 *
 * @param id the number of its slot in the segment, from 0; a slot is reused after its participant has left or died
 * @param epoch which life of the slot this is, an unsigned number; the pair of id and epoch is never reused
 * @param pid the process id, in that process's own pid namespace; 0 when it died before it had stored it
 * @param alive whether the kernel still holds its lock
 * @param canWake whether it can wake sleepers in the kernel, that is, was started with native access
 * @param heartbeatNanos its last sign of life on this host's monotonic clock, as {@link System#nanoTime}; for
 *     information only, it proves nothing
 * @param leaving whether it has announced that it leaves. It then keeps nothing in use. A dead participant with this
 *     flag ended in an orderly way; one without it was killed, or lost its lock
 * @param label what its program calls it, empty by default; see {@link Segment#label}
 * @param local whether its process is this one: the process id alone does not tell, since it means nothing in another
 *     pid namespace
 */
public record Participant(int id, int epoch, long pid, boolean alive, boolean canWake, long heartbeatNanos,
    boolean leaving, String label, boolean local) {
  /**
   * Its process for people, with the label of one of its roles, or else its own label; for example
   * {@code process 77 "recorder"}.
   *
   * @param roleLabel empty when the role has none
   */
  public String who(String roleLabel) {
    String shown = roleLabel.isEmpty() ? label : roleLabel;
    return "process " + pid + (shown.isEmpty() ? "" : " \"" + shown + "\"");
  }
}
