package io.bywash.engine.pool;

import static io.bywash.engine.pool.PoolLayout.*;

import io.bywash.engine.Kind;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.directory.StructureType;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.ArrayList;
import java.util.List;

/** What the engine's common code asks of pools. Not part of the public API. */
@SuppressWarnings("exports") // StructureType has no member for users
public final class PoolType extends StructureType {
  /** The only instance. */
  public static final PoolType INSTANCE = new PoolType();

  private static final int MAX_PROBLEMS = 8;

  private PoolType() {
    super(Kind.POOL);
  }

  @Override
  protected String damage(SegmentEntry entry) {
    long capacity = entry.capacity();
    long bytes = entry.elementSizeBytes();
    if (capacity < 1 || capacity > MAX_CAPACITY || bytes < 1 || bytes > MAX_OBJECT_BYTES || entry.roleCount() < 1
        || dataBytes((int) capacity, bytes) > Math.min(Pool.MAX_BYTES, room(entry))) {
      return capacity + " objects of " + bytes + " bytes and " + entry.roleCount() + " roles do not fit its "
          + entry.sizeBytes() + " bytes";
    }
    return null;
  }

  @Override
  protected void leave(SegmentEntry entry, int role, long word) {
    freeAll(entry, role, word);
  }

  @Override
  protected void recover(SegmentEntry entry, int role, long word) {
    int freed = freeAll(entry, role, word);
    if (freed > 0) {
      entry.region().getAndAddLong(entry.offset() + RECLAIMED, freed);
    }
  }

  /** Revokes the role, so that nobody hands it an object any more, and then frees what it has. */
  private static int freeAll(SegmentEntry entry, int role, long word) {
    entry.revokeRole(role, word);
    boolean isEnding = entry.roleWord(role) == Owner.withState(word, SegmentLayout.ROLE_REVOKED);
    return isEnding ? new Leases(entry).freeAll(role, word) : 0; // else somebody has done it, and ended the role
  }

  @Override
  protected StructureStatus status(SegmentEntry entry) {
    return PoolStatus.of(new Leases(entry));
  }

  /** Whoever else goes on meanwhile: of two words, the one that is never behind the other is read last. */
  @Override
  protected List<String> problems(SegmentEntry entry) {
    Leases leases = new Leases(entry);
    List<String> problems = new ArrayList<>();
    for (int index = 0; index < leases.capacity && problems.size() < MAX_PROBLEMS; index++) {
      long version = leases.version(index);
      long lease = leases.word(index);
      if (leases.isImpossible(lease)) {
        problems.add("object " + index + " has a lease that no user has, " + Long.toHexString(lease));
      } else if (Leases.generation(version) > Leases.generation(lease)) {
        problems.add("object " + index + " was acquired " + Leases.generation(lease) + " times, and is said to have"
            + " been written in use " + Leases.generation(version));
      }
    }
    return problems;
  }
}
