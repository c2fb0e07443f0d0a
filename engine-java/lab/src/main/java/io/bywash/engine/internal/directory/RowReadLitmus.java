package io.bywash.engine.internal.directory;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.EntryRemovedException;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.litmus.LitmusPair;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** An entry is removed while somebody who does not hold its row reads it: {@link SegmentEntry#look}. */
@JCStressTest
@Description("[row-live] who reads a byte that is no longer the entry's sees that the row has changed")
@Outcome(id = "1", expect = ACCEPTABLE, desc = "read before the bytes were zeroed")
@Outcome(id = "2", expect = ACCEPTABLE, desc = "told that the entry was removed")
@Outcome(expect = FORBIDDEN, desc = "took a zeroed byte for the entry's")
@State
public class RowReadLitmus {
  private static final Pool<LitmusPair> PAIRS = new Pool<>(LitmusPair::withRoom);

  private final Meeting meeting = new Meeting();
  private final LitmusPair pair = PAIRS.take();
  private final SegmentEntry queue;
  private final long word;

  public RowReadLitmus() {
    pair.first.findOrAdd(LitmusPair.QUEUE);
    queue = pair.queueOf(pair.second);
    word = queue.offset() + SegmentLayout.structureDataOffset(queue.roleCount());
    queue.region().setLong(word, 1);
  }

  @Actor
  public void reader(I_Result result) {
    meeting.meet();
    try {
      result.r1 = queue.look(() -> (int) queue.region().getLong(word));
    } catch (EntryRemovedException removed) {
      result.r1 = 2;
    }
  }

  @Actor
  public void remover() {
    meeting.meet();
    pair.first.remove("queue");
  }

  @Arbiter
  public void afterwards() {
    PAIRS.giveBack(pair);
  }
}
