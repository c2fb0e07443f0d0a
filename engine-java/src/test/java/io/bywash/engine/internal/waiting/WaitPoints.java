package io.bywash.engine.internal.waiting;

/** What a wait point tells its own package only. */
public final class WaitPoints {
  private WaitPoints() {}

  public static Waiters waiters(WaitPoint point) {
    return point.waiters();
  }

  public static int role(WaitPoint point) {
    return point.role();
  }
}
