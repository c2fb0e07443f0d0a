package io.bywash.engine.internal;

/**
 * What a segment's public face stands for, so that the other packages of the engine can get at it. No part of the
 * public API.
 */
public abstract class Attachment {
  protected final SegmentCore core;

  protected Attachment(SegmentCore core) {
    this.core = core;
  }

  /** The attachment behind the face. */
  public static SegmentCore core(Attachment attachment) {
    return attachment.core;
  }
}
