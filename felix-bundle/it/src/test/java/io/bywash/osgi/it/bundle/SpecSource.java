package io.bywash.osgi.it.bundle;

import io.bywash.engine.SegmentSpec;
import io.bywash.engine.queue.WorkQueue;
import java.util.function.IntFunction;

/** Makes specifications of a segment with one work queue of the capacity given. */
public final class SpecSource implements IntFunction<Object> {
  @Override
  public Object apply(int capacity) {
    return SegmentSpec.of(WorkQueue.spec("jobs", capacity, 64));
  }
}
