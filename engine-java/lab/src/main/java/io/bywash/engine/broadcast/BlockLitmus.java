package io.bywash.engine.broadcast;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** The block index leads from positions to sequences, while the publisher writes its entries again. */
public final class BlockLitmus {
  private BlockLitmus() {}

  /** One entry, which the publisher writes again two rounds of the ring later. The ring holds no record. */
  private static final class Entry {
    static final long ROUND_BYTES = 2L * LitmusQueue.RING_BYTES;

    private final LitmusQueue queue = new LitmusQueue();
    private final Ring ring = queue.ring;
    long position;

    /** The entry is noted for a block, and the ring ends at a position. */
    Entry begin(long endOffset) {
      position += 2 * ROUND_BYTES;
      note(position);
      ring.region.setLongRelease(ring.publishedOffset, position + endOffset);
      ring.region.setLongRelease(ring.oldestOffset, position + endOffset);
      return this;
    }

    void note(long newPosition) {
      ring.blocks.note(ring.blocks.blockOf(newPosition), newPosition, sequence(newPosition));
    }

    private static long sequence(long position) {
      return position * 31 + 7;
    }

    int lookUp(long wanted) {
      try {
        return ring.sequenceAt(wanted) == sequence(wanted) ? 1 : 2;
      } catch (DamagedSegmentException noEntry) { // with a real publisher, the position would have been given up before
        return 0;
      }
    }
  }

  /** A reader that is at the old block. */
  @JCStressTest
  @Description("[block] whoever sees the new sequence does not see the old position")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "the entry is being written, or is the other block's")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "the old entry")
  @Outcome(expect = FORBIDDEN, desc = "the old position with the new sequence")
  @State
  public static class OldEntry {
    private static final Pool<Entry> ENTRIES = new Pool<>(Entry::new);

    private final Meeting meeting = new Meeting();
    private final Entry entry = ENTRIES.take().begin(0);

    @Actor
    public void publisher() {
      meeting.meet();
      entry.note(entry.position + Entry.ROUND_BYTES);
    }

    @Actor
    public void reader(I_Result result) {
      meeting.meetAndWait(100);
      result.r1 = entry.lookUp(entry.position);
    }

    @Arbiter
    public void afterwards() {
      ENTRIES.giveBack(entry);
    }
  }

  /** A reader that is at the new block. */
  @JCStressTest
  @Description("[block] whoever sees the new position sees the new sequence")
  @Outcome(id = "0", expect = ACCEPTABLE, desc = "the entry is being written, or is the other block's")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "the new entry")
  @Outcome(expect = FORBIDDEN, desc = "the new position with the old sequence")
  @State
  public static class NewEntry {
    private static final Pool<Entry> ENTRIES = new Pool<>(Entry::new);

    private final Meeting meeting = new Meeting();
    private final Entry entry = ENTRIES.take().begin(Entry.ROUND_BYTES);

    @Actor
    public void publisher() {
      meeting.meet();
      entry.note(entry.position + Entry.ROUND_BYTES);
    }

    @Actor
    public void reader(I_Result result) {
      meeting.meetAndWait(100);
      result.r1 = entry.lookUp(entry.position + Entry.ROUND_BYTES);
    }

    @Arbiter
    public void afterwards() {
      ENTRIES.giveBack(entry);
    }
  }

  /** A search of the index while the publisher goes around the ring twice. */
  @JCStressTest
  @Description("[block] a position that was found has the sequence of the record there")
  @Outcome(id = "1", expect = ACCEPTABLE, desc = "they belong together")
  @Outcome(expect = FORBIDDEN, desc = "the sequence of another record")
  @State
  public static class Search {
    private static final Pool<LitmusQueue> QUEUES = new Pool<>(LitmusQueue::new);
    private static final int RECORD_BYTES = LitmusQueue.RING_BYTES / LitmusQueue.SMALL_COUNT;

    private final LitmusQueue queue = QUEUES.take();

    @Actor
    public void publisher() {
      queue.fillRing(2 * LitmusQueue.SMALL_COUNT + 1, LitmusQueue.SMALL);
    }

    @Actor
    public void reader(I_Result result) {
      Ring.Cursor newest = queue.ring.cursor(true);
      Ring.Cursor oldest = queue.ring.cursor(false);
      result.r1 = newest.position() == newest.sequence() * RECORD_BYTES
          && oldest.position() == oldest.sequence() * RECORD_BYTES ? 1 : 2;
    }

    @Arbiter
    public void afterwards() {
      QUEUES.giveBack(queue);
    }
  }
}
