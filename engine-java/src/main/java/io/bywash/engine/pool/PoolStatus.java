package io.bywash.engine.pool;

import static io.bywash.engine.pool.PoolLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The state of a pool, read from any attachment, even a read-only one. Reading it costs users nothing, and takes time
 * in proportion to the capacity. The numbers are read one after the other, not all at one instant.
 *
 * @param capacity how many objects there are
 * @param objectBytes the size of each object in bytes
 * @param allocatedCount objects in use
 * @param acquiredCount how often objects were acquired
 * @param reclaimedCount objects that were released for users that had died; a process that dies while it does that may
 *     leave some uncounted
 * @param stuckCount those in use that no user can release, because it is dead or gone, until somebody reclaims them
 * @param users all users, dead or alive
 */
public record PoolStatus(int capacity, int objectBytes, int allocatedCount, long acquiredCount, long reclaimedCount,
    int stuckCount, List<UserStatus> users) implements StructureStatus {

  /**
   * The state of a user.
   *
   * @param role the number of its role
   * @param generation how often that role was used, modulo 2^16
   * @param participant the holder
   * @param objectCount how many objects it has
   * @param task {@code user}, or {@code user (revoked)} when it was revoked and has not come out of an operation
   * @param label the label that its program gave it; empty when it has none
   */
  public record UserStatus(int role, int generation, Participant participant, int objectCount, String task,
      String label) {
    /** What names the user in {@link PoolUser#transfer}. */
    public int id() {
      return PoolUser.id(role, generation);
    }
  }

  /**
   * Reads the state of a pool.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a pool
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static PoolStatus of(Entry entry) {
    Leases leases = Leases.of(entry);
    return leases.entry.look(() -> of(leases));
  }

  static PoolStatus of(Leases leases) {
    SegmentEntry entry = leases.entry;
    int roles = entry.rolesUsed();
    long[] words = new long[roles];
    for (int role = 0; role < roles; role++) {
      words[role] = entry.roleWord(role);
    }
    int[] counts = new int[roles];
    int allocated = 0;
    int stuck = 0;
    long acquired = 0;
    for (int index = 0; index < leases.capacity; index++) {
      long lease = leases.lease(index);
      acquired += Leases.generation(lease);
      if (!Leases.isFree(lease)) {
        int role = leases.role(lease);
        allocated++;
        if (role < roles && Leases.holder(role, words[role]) == Leases.holder(lease)) {
          counts[role]++;
        } else if (leases.isNobodys(lease)) {
          stuck++;
        }
      }
    }
    List<UserStatus> users = new ArrayList<>();
    for (int index = 0; index < roles; index++) {
      int role = index;
      long word = words[role];
      if (Owner.state(word) != SegmentLayout.ROLE_FREE) {
        entry.core().participants().describe(word).ifPresent(each -> users.add(new UserStatus(role,
            Owner.generation(word), each, counts[role], Owner.state(word) == SegmentLayout.ROLE_REVOKED
                ? "user (revoked)" : "user", entry.roleLabel(role))));
      }
    }
    for (int role = 0; role < roles; role++) {
      stuck += counts[role] > 0 && !entry.core().participants().isAlive(words[role]) ? counts[role] : 0;
    }
    return new PoolStatus(leases.capacity, leases.objectBytes, allocated, acquired,
        entry.region().getLongOpaque(entry.offset() + RECLAIMED), stuck, List.copyOf(users));
  }

  @Override
  public List<Counter> counters() {
    return List.of(Counter.share("allocated", allocatedCount, capacity), Counter.growing("acquired", acquiredCount),
        Counter.growing("reclaimed", reclaimedCount), Counter.count("stuck", stuckCount));
  }

  @Override
  public Optional<Double> fill() {
    return Optional.of((double) allocatedCount / capacity);
  }

  @Override
  public List<Holder> holders() {
    return users.stream().map(each -> new Holder(each.role(), each.generation(), each.participant(), each.label(),
        each.task(), List.of(Counter.count("objects", each.objectCount())))).toList();
  }

  @Override
  public boolean isUntouched() {
    return acquiredCount == 0;
  }

  /**
   * {@inheritDoc} Those are dead users, and users that were revoked and have not come out, when they have objects and
   * the pool is exhausted.
   */
  @Override
  public List<Obstacle> obstacles(StructureStatus earlier, double seconds) {
    if (!(earlier instanceof PoolStatus) || allocatedCount < capacity) {
      return List.of();
    }
    List<UserStatus> idle = users.stream().filter(each -> each.objectCount() > 0
        && (!each.participant().alive() || each.task().contains("revoked"))).toList();
    List<Long> others = users.stream().filter(each -> !idle.contains(each))
        .map(each -> each.participant().pid()).distinct().toList();
    return idle.stream().map(each -> new Obstacle(each.role(), Effect.STOPS, others, "the pool is exhausted, and "
        + each.task() + " of " + (each.participant().alive() ? "living " : "dead ")
        + each.participant().who(each.label()) + " has " + each.objectCount() + " objects", each.participant().alive()
            ? "End that process." : "The next one who finds the pool exhausted reclaims them.")).toList();
  }
}
