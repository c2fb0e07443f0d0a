package io.bywash.engine.internal;

/** What a role waits for, and where it announces that it waits. */
public interface WaitPoint {
  SegmentCore core();

  /** The region's offset of the bitmap in which the role's participant announces itself to the other side. */
  long waitingBitmap();

  /** Whether waiting is over: there is something to do, or the role may not be used any more. Any thread may ask. */
  boolean isWaitOver();
}
