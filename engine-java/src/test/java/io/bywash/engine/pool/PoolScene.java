package io.bywash.engine.pool;

import io.bywash.engine.Entry;
import io.bywash.engine.death.Scene;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.subject.DeathSubject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A segment with one pool, its users, and what was promised about its objects. */
final class PoolScene extends Scene {
  static final int CAPACITY = 3;
  static final int USERS = 4;

  PoolUser user;
  PoolUser other;
  /** The last handle that was acquired. */
  long handle;
  private final Mark[] marks = new Mark[CAPACITY];
  private long next = 1;

  PoolScene(Path bus, DeathSubject<?> subject) {
    super(bus, subject);
    Arrays.fill(marks, Mark.NONE);
  }

  /**
   * What was promised about an object.
   *
   * @param handle names the use that it is certainly in; 0 for none
   * @param written the number that it certainly has; 0 for none
   * @param begun the one that it may have been given since
   * @param user whose it is
   */
  record Mark(long handle, long written, long begun, long user) {
    static final Mark NONE = new Mark(0, 0, 0, 0);

    static List<Mark> of(List<Long> words) {
      List<Mark> all = new ArrayList<>();
      for (int i = 0; i < words.size(); i += 4) {
        all.add(new Mark(words.get(i), words.get(i + 1), words.get(i + 2), words.get(i + 3)));
      }
      return all;
    }
  }

  @Override
  protected List<Long> marks() {
    List<Long> words = new ArrayList<>();
    for (Mark mark : marks) {
      words.addAll(List.of(mark.handle, mark.written, mark.begun, mark.user));
    }
    return words;
  }

  static int index(long handle) {
    return (int) (handle & 0xFFF_FFFF);
  }

  @Override
  protected void use() {
    opened().acquire().set().release(handle).acquire().set();
  }

  @Override
  protected void leave() {
    forget(); // what is released now is not promised any more
    user.close();
  }

  /** Three users, the second of which has nothing left for the third. */
  @Override
  protected void holdEverything() {
    opened().acquire().set();
    open();
    user();
    acquire().acquire().set();
    open();
    user();
    user.acquire();
  }

  @Override
  protected void observe(Entry entry) {
    try (PoolView view = PoolView.open(entry)) {
      for (long each = view.next(0); each != 0; each = view.next(each)) {
        byte[] bytes = view.get(each);
        if (bytes != null) {
          Things.number(bytes);
        }
      }
    }
  }

  @Override
  protected void forget() {
    Arrays.fill(marks, Mark.NONE);
  }

  PoolUser user() {
    return user = keep(PoolUser.open(entry()));
  }

  /** Opens the segment and a user. */
  PoolScene opened() {
    open();
    user();
    return this;
  }

  /** Another user of the same attachment. */
  PoolScene withOther() {
    other = keep(PoolUser.open(entry()));
    return this;
  }

  PoolScene acquire() {
    handle = user.acquire();
    if (handle != 0) {
      marks[index(handle)] = new Mark(handle, 0, 0, user.id());
    }
    return this;
  }

  PoolScene acquireRecord() {
    long number = next++;
    handle = user.acquire(Things.Typed.THINGS, Things.Thing.of(number));
    if (handle != 0) {
      marks[index(handle)] = new Mark(handle, number, number, user.id());
    }
    return this;
  }

  PoolScene acquireAll() {
    do {
      acquire();
    } while (handle != 0);
    return this;
  }

  /** Writes the object that was acquired last. */
  PoolScene set() {
    Mark before = marks[index(handle)];
    marks[index(handle)] = new Mark(handle, before.written, next, user.id());
    user.set(handle, Things.bytes(next));
    marks[index(handle)] = new Mark(handle, next, next, user.id());
    next++;
    return this;
  }

  PoolScene release(long released) {
    marks[index(released)] = Mark.NONE;
    user.release(released);
    return this;
  }

  /** Hands the object that was acquired last to the other user. */
  boolean transfer() {
    return user.transfer(handle, other.id());
  }

  /** The objects of the user that ends now may be in use, or not. */
  PoolScene expectNothing() {
    forget();
    return this;
  }

  /** Where the lease of an object is in the file. */
  long leaseOf(int index) {
    return data() + PoolLayout.objectsOffset(CAPACITY) + index * PoolLayout.strideBytes(Things.BYTES);
  }

  /** Where the hints on all objects are in the file. */
  long hints() {
    return data() + PoolLayout.takenOffset(CAPACITY);
  }

  private long data() {
    SegmentEntry entry = (SegmentEntry) entry();
    return entry.offset() + SegmentLayout.structureDataOffset(entry.roleCount());
  }
}
