package io.bywash.samples.gameserver;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.cell.NumberArray;
import io.bywash.engine.pool.*;
import io.bywash.samples.gameserver.World.Monster;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The monsters, and the grid in which each has a cell of its own. A cell holds the handle of its monster. The handle of
 * a monster that is dead is stale, and its cell is free, whoever has forgotten to clear it.
 */
final class Monsters {
  /** What a hit has done. */
  enum Hit { HURT, KILLED, DEAD_BEFORE }

  private static final long NONE = 0;
  private static final int HEALTH = 3;
  /** One of so many walks in each frame. */
  private static final int LAZINESS = 8;

  private final PoolUser pool;
  private final PoolView view;
  private final NumberArray grid;
  private final boolean isGridTurned;

  Monsters(Segment segment, boolean isGridTurned) {
    Entry entry = segment.directory().find("monsters", Kind.POOL);
    this.pool = PoolUser.open(entry);
    this.view = PoolView.open(entry);
    this.grid = NumberArray.open(segment.directory().find("collision", Kind.CELLS), long.class);
    this.isGridTurned = isGridTurned;
  }

  int count() {
    return view.allocated();
  }

  /** A new monster, for a request or for none (0); false when its cell is taken, or the pool exhausted. */
  boolean spawn(int x, int y, long request, long tick) {
    long handle = isFree(x, y) ? pool.acquire() : NONE;
    if (handle != NONE) {
      put(handle, new Monster(x, y, HEALTH, request, tick));
    }
    return handle != NONE;
  }

  /** First the cell, then the place: who sees a monster's place sees its handle in that cell. */
  private void put(long handle, Monster monster) {
    int cell = isGridTurned ? World.cell(monster.y(), monster.x()) : World.cell(monster.x(), monster.y());
    grid.setLong(cell, handle);
    pool.set(handle, Monster.RECORDS, monster);
  }

  boolean isFree(int x, int y) {
    return !pool.holds(at(x, y));
  }

  /** The handle of the monster that is in a cell, or was there last; 0 for none. */
  long at(int x, int y) {
    return grid.getLong(World.cell(x, y));
  }

  private void clear(Monster monster, long handle) {
    if (at(monster.x(), monster.y()) == handle) {
      grid.setLong(World.cell(monster.x(), monster.y()), NONE);
    }
  }

  /** Some walk on to a cell beside theirs, if that is free. */
  void walk(long tick) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    for (long handle = view.next(NONE); handle != NONE; handle = view.next(handle)) {
      if (random.nextInt(LAZINESS) == 0) {
        Monster monster = pool.get(handle, Monster.RECORDS);
        int x = monster.x() + random.nextInt(-1, 2);
        int y = monster.y() + random.nextInt(-1, 2);
        if (isFree(x, y)) {
          put(handle, new Monster(x, y, monster.health(), monster.request(), tick));
          clear(monster, handle);
        }
      }
    }
  }

  /** A monster is hit. When it dies of that it is released, and its handle is stale from then on. */
  Hit hit(long handle) {
    if (!pool.holds(handle)) {
      return Hit.DEAD_BEFORE;
    }
    Monster hurt = pool.get(handle, Monster.RECORDS);
    if (hurt.health() > 1) {
      pool.set(handle, Monster.RECORDS,
          new Monster(hurt.x(), hurt.y(), hurt.health() - 1, hurt.request(), hurt.movedTick()));
      return Hit.HURT;
    }
    pool.release(handle);
    clear(hurt, handle);
    return Hit.KILLED;
  }
}
