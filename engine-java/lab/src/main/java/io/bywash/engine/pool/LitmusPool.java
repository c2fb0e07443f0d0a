package io.bywash.engine.pool;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.Entry;
import io.bywash.engine.SegmentSpec;
import io.bywash.engine.litmus.LitmusBus;
import io.bywash.engine.record.Records;

/** A pool of one object with a user in each of two attachments; the object shows whether it is torn. */
final class LitmusPool {
  static final int NOTHING = 0;
  static final int WHOLE = 1;
  static final int TORN = 2;

  /** An object. */
  record Thing(long a, long b, long c, long d, long e, long f) {
    static Thing of(long number) {
      return new Thing(number, number + 1, number + 2, number + 3, number + 4, number + 5);
    }

    boolean isWhole() {
      return equals(of(a));
    }
  }

  private static final Records<Thing> THINGS = Records.of(lookup(), Thing.class);

  final PoolUser user;
  PoolUser other;
  final PoolView view;
  private final Leases leases;
  private final Entry elsewhere;
  long handle;
  private long number;

  LitmusPool() {
    LitmusBus.Pair pair = LitmusBus.create(
        SegmentSpec.of(Pool.spec("pool", 1, THINGS, 2)).withEntryCapacity(1));
    user = PoolUser.open(pair.first().directory().find("pool").orElseThrow());
    elsewhere = pair.second().directory().find("pool").orElseThrow();
    leases = Leases.of(elsewhere);
    view = PoolView.open(elsewhere);
    openOther();
  }

  void openOther() {
    other = PoolUser.open(elsewhere);
  }

  /** The first user acquires the object. */
  LitmusPool acquire() {
    handle = user.acquire();
    if (handle == 0) {
      throw new IllegalStateException("it is in use");
    }
    return this;
  }

  /** Writes the next number. */
  void set() {
    user.set(handle, THINGS, Thing.of(++number));
  }

  /** Whether what the last holder wrote into the object is there, read without an ordering. */
  int data() {
    for (int i = 0; i < 6; i++) {
      if (leases.region.getLong(leases.data(0) + 8L * i) != number + i) {
        return TORN;
      }
    }
    return WHOLE;
  }

  /** Whether the other user's object is whole. */
  int getAsHolder(long held) {
    Thing thing = other.get(held, THINGS);
    return thing == null ? NOTHING : thing.isWhole() ? WHOLE : TORN;
  }

  /** Whether a copy is whole, and of that use. */
  int look() {
    long seen = view.next(0);
    Thing thing = seen == 0 ? null : view.get(seen, THINGS);
    return thing == null ? NOTHING : thing.isWhole() ? WHOLE : TORN;
  }
}
