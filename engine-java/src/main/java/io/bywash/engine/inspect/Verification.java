package io.bywash.engine.inspect;

import io.bywash.engine.Segment;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentFace;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Checks every invariant of a segment that {@code docs/SPEC.md} gives, while it may be in use. */
public final class Verification {
  /** What is found has to be found in so many looks: then it was no step of somebody's that was under way. */
  private static final int LOOKS = 3;
  private static final long PAUSE_NANOS = 1_000_000;

  private Verification() {}

  /**
   * Looks at all of a segment: header, participants and their locks, directory, roles, waiting bitmaps, and the records
   * of every queue. It only reads. Words that others change meanwhile are looked at again before anybody is accused, so
   * a sound segment gives no finding, however busy it is. Time and memory are bounded by the size of the file, whatever
   * is in it. At most 200 findings are told.
   *
   * @param segment any attachment, for example a read-only one
   * @return with severity ERROR what no participant ever writes; with WARNING what the dead left, which whoever comes
   *     next puts right, and who holds something up since it does not go on; empty when everything is in order
   * @throws io.bywash.engine.SegmentClosedException when the attachment was closed
   */
  public static List<Finding> of(Segment segment) {
    SegmentCore core = SegmentFace.core(segment);
    core.checkOpen();
    return core.whileMapped(() -> of(core));
  }

  private static List<Finding> of(SegmentCore core) {
    List<Finding> findings = new SegmentCheck(core).run();
    for (int look = 1; look < LOOKS && !findings.isEmpty(); look++) {
      LockSupport.parkNanos(PAUSE_NANOS);
      List<Finding> again = new ArrayList<>(findings);
      again.retainAll(new SegmentCheck(core).run());
      findings = again;
    }
    return List.copyOf(findings);
  }
}
