package io.bywash.engine.cell;

import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.internal.role.EntryUse;

/** One atomic word of an entry that is in use. */
abstract class Cell {
  private static final long PATIENCE_NANOS = 2_000_000_000;

  private final Atomics atomics;
  private final EntryUse use;
  private final Region region;
  private final long offset;
  private final boolean isWritable;

  /** The cell whose word is at an offset of the region. */
  Cell(Atomics atomics, long offset) {
    this.atomics = atomics;
    this.use = atomics.use();
    this.region = atomics.region();
    this.offset = offset;
    this.isWritable = atomics.isWritable();
  }

  final long word() {
    use.enter();
    try {
      return region.getLongVolatile(offset); // [atomic] who sees a value sees what its writer wrote before it
    } catch (InternalError fault) {
      throw atomics.truncated(fault);
    } finally {
      use.done();
    }
  }

  final void setWord(long value) {
    enterForWriting();
    try {
      region.setLongVolatile(offset, value); // [atomic]
    } catch (InternalError fault) {
      throw atomics.truncated(fault);
    } finally {
      use.wrote();
    }
  }

  final long addToWord(long delta) {
    enterForWriting();
    try {
      return region.getAndAddLong(offset, delta); // [atomic]
    } catch (InternalError fault) {
      throw atomics.truncated(fault);
    } finally {
      use.wrote();
    }
  }

  final boolean changeWord(long expected, long value) {
    enterForWriting();
    try {
      return region.compareAndSetLong(offset, expected, value); // [atomic]
    } catch (InternalError fault) {
      throw atomics.truncated(fault);
    } finally {
      use.wrote();
    }
  }

  private void enterForWriting() {
    if (!isWritable) {
      throw atomics.readOnly();
    }
    use.enter();
  }

  /** What becomes of a word. */
  interface Change {
    long of(long word);
  }

  /** Changes the word as one step, and returns what it was before. */
  final long changeWord(Change change) {
    long start = 0;
    for (int tries = 0; ; tries++) {
      long found = word();
      long next = change.of(found);
      if (next == found || changeWord(found, next)) {
        return found;
      }
      Thread.onSpinWait();
      if (tries == Owner.MAX_TRIES) {
        start = System.nanoTime();
      } else if (tries > Owner.MAX_TRIES && System.nanoTime() - start > PATIENCE_NANOS) {
        throw atomics.restless(offset);
      }
    }
  }
}
