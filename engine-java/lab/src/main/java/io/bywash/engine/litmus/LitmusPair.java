package io.bywash.engine.litmus;

import io.bywash.engine.EntrySpec;
import io.bywash.engine.Kind;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.broadcast.Broadcast;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Two participants of one segment, and the words that their litmus tests look at or set back. */
public final class LitmusPair {
  public static final EntrySpec QUEUE = Broadcast.spec("queue", 4096, 2);

  private static final SegmentSpec WITH_QUEUE = SegmentSpec.of(QUEUE).withParticipantCapacity(2).withEntryCapacity(1);

  public final SegmentCore first;
  public final SegmentCore second;
  /** The first one's mapping. */
  public final Region region;
  private final long secondSlot;

  private LitmusPair(LitmusBus.Pair pair) {
    first = pair.first();
    second = pair.second();
    region = first.region();
    secondSlot = first.geometry().slot(1);
  }

  /** A pair whose segment has a queue. */
  public static LitmusPair withQueue() {
    return new LitmusPair(LitmusBus.create(WITH_QUEUE));
  }

  /** A pair whose segment has room for that queue. */
  public static LitmusPair withRoom() {
    return new LitmusPair(LitmusBus.create(SegmentSpec.of().withParticipantCapacity(2).withEntryCapacity(1)
        .withSizeBytes(WITH_QUEUE.sizeBytes())));
  }

  public SegmentEntry queueOf(SegmentCore core) {
    return (SegmentEntry) core.directory().find("queue", Kind.BROADCAST);
  }

  /** The second participant's slot word, without an ordering. */
  public long secondSlotWord() {
    return region.getLongOpaque(secondSlot + SegmentLayout.SLOT_WORD);
  }

  /** What the second participant wrote about itself is gone. */
  public void forgetSecond() {
    region.setLongRelease(secondSlot + SegmentLayout.SLOT_PID, 0);
    region.setLongRelease(secondSlot + SegmentLayout.SLOT_CAPABILITIES, 0);
  }

  public void joinSecond() {
    run(() -> second.participants().join("litmus"));
  }

  public void leaveSecond() {
    run(() -> second.participants().leave());
  }

  /** What may fail with an exception of the operating system. */
  @FunctionalInterface
  public interface Step {
    void run() throws IOException;
  }

  public static void run(Step step) {
    try {
      step.run();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
