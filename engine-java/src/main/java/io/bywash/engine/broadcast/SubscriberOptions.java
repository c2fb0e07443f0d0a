package io.bywash.engine.broadcast;

import io.bywash.engine.wait.WaitPolicy;
import java.util.Objects;

/**
 * What a subscriber does when the publisher is faster, where it begins, and how it waits. An immutable value.
 */
public final class SubscriberOptions {
  private static final SubscriberOptions BLOCK = new SubscriberOptions(true, false, false, WaitPolicy.BACKOFF);
  private static final SubscriberOptions SKIP = new SubscriberOptions(false, false, false, WaitPolicy.BACKOFF);

  private final boolean gating;
  private final boolean resumingAtNewest;
  private final boolean startingAtOldest;
  private final WaitPolicy waitPolicy;

  private SubscriberOptions(boolean gating, boolean resumingAtNewest, boolean startingAtOldest, WaitPolicy waitPolicy) {
    this.gating = gating;
    this.resumingAtNewest = resumingAtNewest;
    this.startingAtOldest = startingAtOldest;
    this.waitPolicy = waitPolicy;
  }

  /** Loses nothing: the publisher is held back when it would overwrite what this subscriber has not read. Reads in place. */
  public static SubscriberOptions block() {
    return BLOCK;
  }

  /**
   * Holds nobody back: when the publisher overwrites what this subscriber has not read, it is told exactly how many messages
   * it lost, and goes on at the oldest that is there. Reads validated copies.
   */
  public static SubscriberOptions skip() {
    return SKIP;
  }

  /** The same, going on at the newest message after a loss. Only for {@link #skip}. */
  public SubscriberOptions resumingAtNewest() {
    if (gating) {
      throw new IllegalStateException("resumingAtNewest is for skip(); block() never loses anything");
    }
    return new SubscriberOptions(gating, true, startingAtOldest, waitPolicy);
  }

  /** The same, beginning with the oldest message that is still there instead of with the next one published. */
  public SubscriberOptions startingAtOldest() {
    return new SubscriberOptions(gating, resumingAtNewest, true, waitPolicy);
  }

  /** The same with another way to wait than {@link WaitPolicy#BACKOFF}. */
  public SubscriberOptions waiting(WaitPolicy policy) {
    return new SubscriberOptions(gating, resumingAtNewest, startingAtOldest, Objects.requireNonNull(policy, "policy"));
  }

  boolean isGating() {
    return gating;
  }

  boolean isResumingAtNewest() {
    return resumingAtNewest;
  }

  boolean isStartingAtOldest() {
    return startingAtOldest;
  }

  WaitPolicy waitPolicy() {
    return waitPolicy;
  }
}
