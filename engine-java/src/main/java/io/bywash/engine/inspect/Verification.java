package io.bywash.engine.inspect;

import io.bywash.engine.Segment;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentFace;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Checks every invariant that {@code docs/SPEC.md} gives for a segment, even while the segment is in use. */
public final class Verification {
  /** How many checks in a row must find a problem. A single one may meet a participant in the middle of a change. */
  private static final int CHECKS = 3;
  private static final long PAUSE_NANOS = 1_000_000;

  private Verification() {}

  /**
   * Checks a whole segment: its header, participants and their locks, directory, roles and waiting bitmaps, and the
   * records of every queue. It only reads. Words that others change meanwhile are read again before they are reported,
   * so a sound segment yields no finding, however busy it is. Time and memory are bounded by the size of the file,
   * whatever it contains. At most 200 findings are returned.
   *
   * @param segment any attachment, even a read-only one
   * @return empty when everything is in order. Otherwise findings of severity ERROR for what no participant ever
   *     writes, of severity WARNING for what the dead left, which the next user recovers, and for whoever holds others
   *     up and makes no progress, and of severity NOTE for slots whose lock is held though they are free
   * @throws io.bywash.engine.SegmentClosedException when the segment is closed in this process
   */
  public static List<Finding> of(Segment segment) {
    SegmentCore core = SegmentFace.core(segment);
    return core.whileMapped(() -> of(core));
  }

  private static List<Finding> of(SegmentCore core) {
    List<Finding> findings = new SegmentCheck(core).run();
    for (int check = 1; check < CHECKS && !findings.isEmpty(); check++) {
      LockSupport.parkNanos(PAUSE_NANOS);
      List<Finding> again = new ArrayList<>(findings);
      again.retainAll(new SegmentCheck(core).run());
      findings = again;
    }
    return List.copyOf(findings);
  }
}
