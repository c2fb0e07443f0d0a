package io.bywash.samples.gameserver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.bywash.engine.*;
import io.bywash.engine.cell.*;
import io.bywash.engine.pool.PoolView;
import io.bywash.engine.queue.Producer;
import io.bywash.samples.gameserver.Counts.Count;
import io.bywash.samples.gameserver.World.Monster;
import io.bywash.samples.gameserver.World.Spawn;
import io.bywash.samples.kit.Programs;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Thinks for the monsters: looks at the grid around each of them, and asks for company for those that are alone. It
 * finds everything by name, changes no monster, and sends what it wants through a queue.
 */
final class Ai {
  private static final int REQUESTS_PER_LOOK = 10;

  private final PoolView monsters;
  private final NumberArray grid;
  private final Producer spawns;
  private final Counts counts;
  private final Set<Long> requests = new HashSet<>();
  private long lastRequest = ProcessHandle.current().pid() << 32;
  private int requestsLeft;

  private Ai(Segment segment) {
    Directory directory = segment.directory();
    this.monsters = PoolView.open(directory.find("monsters", Kind.POOL));
    this.grid = NumberArray.open(directory.find("collision", Kind.CELLS), long.class);
    this.spawns = Producer.open(directory.find("spawn_queue", Kind.WORK_QUEUE));
    this.counts = new Counts(segment);
  }

  /** Argument: segment. */
  public static void main(String[] arguments) {
    Programs.endWithParent();
    try (Segment segment = Segment.attach(arguments[0], SECONDS.toNanos(10))) {
      segment.label("AI");
      Ai ai = new Ai(segment);
      BooleanCell isActive = Atomics.open(segment.directory().find("match_active", Kind.CELLS)).booleanCell("active");
      while (isActive.get()) {
        ai.look();
        LockSupport.parkNanos(MILLISECONDS.toNanos(100));
      }
    }
  }

  private void look() {
    requestsLeft = monsters.allocated() < monsters.capacity() ? REQUESTS_PER_LOOK : 0;
    int seen = 0;
    for (long handle = monsters.next(0); handle != 0; handle = monsters.next(handle)) {
      Monster monster = monsters.get(handle, Monster.RECORDS);
      if (monster != null) { // else it was killed just now
        think(handle, monster);
        seen++;
      }
    }
    counts.add(Count.SEEN, seen);
    counts.add(Count.LOOKS, 1);
  }

  private void think(long handle, Monster monster) {
    long inItsCell = grid.getLong(World.cell(monster.x(), monster.y()));
    if (inItsCell != handle && monster.equals(monsters.get(handle, Monster.RECORDS))) {
      counts.add(Count.MISPLACED, 1); // it has not moved since, or it would say another tick
    }
    if (requests.remove(monster.request())) {
      counts.add(Count.CAME, 1);
    }
    if (requestsLeft > 0 && neighbours(handle, monster) == 0) {
      requestsLeft--;
      if (spawns.offer(Spawn.RECORDS, new Spawn(monster.x() + 1, monster.y(), ++lastRequest))) {
        requests.add(lastRequest);
      } else {
        counts.add(Count.DROPPED, 1); // it is asked for again if it is still missed
      }
    }
  }

  /** Counts the living in the cells around; a handle that stands there may be that of a dead one. */
  private int neighbours(long handle, Monster monster) {
    int neighbours = 0;
    for (int dy = -1; dy <= 1; dy++) {
      for (int dx = -1; dx <= 1; dx++) {
        long other = grid.getLong(World.cell(monster.x() + dx, monster.y() + dy));
        neighbours += other != 0 && other != handle && monsters.isLive(other) ? 1 : 0;
      }
    }
    return neighbours;
  }
}
