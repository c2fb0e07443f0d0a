package io.bywash.engine.broadcast;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import io.bywash.engine.Kind;
import io.bywash.engine.SegmentClosedException;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.internal.BusFiles;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.kinds.StructureTypes;
import io.bywash.engine.litmus.LitmusBus;
import io.bywash.engine.litmus.Mappings;
import io.bywash.engine.litmus.Meeting;
import io.bywash.engine.litmus.Pool;
import java.nio.file.Path;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.II_Result;

/**
 * A segment is closed, and its memory given back, while a thread publishes. {@link Publisher} and
 * {@link SegmentCore#close} at both ends; a reader that stays attached tells what really arrived.
 */
@JCStressTest
@Description("[inside] what was published before the close is there, and nothing else: no commit succeeds into memory"
    + " that was given back")
@Outcome(id = "0, 1", expect = ACCEPTABLE, desc = "what was said to be sent arrived; the publisher met the close")
@Outcome(id = "0, 0", expect = ACCEPTABLE, desc = "what was said to be sent arrived; the close came later")
@Outcome(expect = FORBIDDEN, desc = "messages went astray")
@State
public class InsideLitmus {
  /** A segment with its reader. */
  private static final class Staying {
    final Path file = LitmusBus.newFile();
    final SegmentCore core = BusFiles.create(StructureTypes.ALL, file,
        SegmentSpec.of(Broadcast.spec("queue", 1 << 20, 1)));
    final Subscriber subscriber = Subscriber.open(core.directory().find("queue", Kind.BROADCAST));
  }

  /** Fewer than fill the ring. */
  private static final int MESSAGES = 14_000;
  private static final Pool<Staying> STAYING = new Pool<>(Staying::new);

  private final Meeting meeting = new Meeting();
  private final Staying staying = STAYING.take();
  private final SegmentCore leaving = BusFiles.attach(StructureTypes.ALL, staying.file, 0);
  private final Publisher publisher = Publisher.open(leaving.directory().find("queue", Kind.BROADCAST));
  private int sent;

  @Actor
  public void publisher(II_Result result) {
    meeting.meet();
    byte[] message = new byte[40];
    try {
      for (int i = 0; i < MESSAGES; i++) {
        if (publisher.offer(message)) {
          sent++;
        }
      }
    } catch (SegmentClosedException closed) {
      result.r2 = 1;
    }
  }

  @Actor
  public void closer() {
    meeting.meetAndWait(100_000);
    leaving.close();
  }

  @Arbiter
  public void afterwards(II_Result result) {
    int received = 0;
    int count;
    do {
      count = staying.subscriber.poll(message -> {}, Integer.MAX_VALUE);
      received += count;
    } while (count > 0);
    result.r1 = sent - received;
    Mappings.made(1);
    STAYING.giveBack(staying);
  }
}
