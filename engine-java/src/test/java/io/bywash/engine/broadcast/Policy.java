package io.bywash.engine.broadcast;

/** What a subscriber may do when the publisher is faster, for tests that go through all of it. */
enum Policy {
  BLOCK(true),
  SKIP(false),
  FAIL(false),
  /** With so much time that nobody is cut off. */
  EVICT(true);

  private static final long HOUR_NANOS = 3_600_000_000_000L;

  /** Whether the publisher waits for it. */
  final boolean gating;

  Policy(boolean gating) {
    this.gating = gating;
  }

  SubscriberOptions options() {
    return switch (this) {
      case BLOCK -> SubscriberOptions.block();
      case SKIP -> SubscriberOptions.skip();
      case FAIL -> SubscriberOptions.fail();
      case EVICT -> SubscriberOptions.evictAfter(HOUR_NANOS);
    };
  }
}
