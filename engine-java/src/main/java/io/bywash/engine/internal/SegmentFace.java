package io.bywash.engine.internal;

/**
 * What a segment's public face stands for, so that the other packages of the engine can get at it. No part of the
 * public API.
 */
public abstract class SegmentFace {
  protected final SegmentCore core;

  protected SegmentFace(SegmentCore core) {
    this.core = core;
  }

  /** The attachment behind the face. */
  public static SegmentCore core(SegmentFace attachment) {
    return attachment.core;
  }
}
