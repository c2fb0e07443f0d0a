package io.bywash.engine.subject;

import io.bywash.engine.broadcast.BroadcastSubject;
import io.bywash.engine.call.CallSubject;
import io.bywash.engine.cell.CellSubject;
import io.bywash.engine.cell.LatestSubject;
import io.bywash.engine.pool.PoolSubject;
import io.bywash.engine.queue.WorkSubject;
import io.bywash.engine.ring.RingSubject;
import java.util.List;

/** All kinds of structures, listed once. */
public final class Subjects {
  private static final List<Subject> ALL = List.of(new BroadcastSubject(), new WorkSubject(), new CellSubject(),
      new LatestSubject(), new RingSubject(), new PoolSubject(), new CallSubject());

  private Subjects() {}

  public static List<Subject> all() {
    return ALL;
  }

  public static Subject named(String name) {
    return ALL.stream().filter(each -> each.name().equals(name)).findFirst().orElseThrow();
  }
}
