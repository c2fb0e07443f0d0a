package io.bywash.samples.gameserver;

import io.bywash.engine.Entry;
import io.bywash.engine.Kind;
import io.bywash.engine.Segment;
import io.bywash.engine.pool.*;
import io.bywash.engine.queue.Producer;
import io.bywash.samples.gameserver.Counts.Count;
import io.bywash.samples.gameserver.World.Damage;
import io.bywash.samples.gameserver.World.Player;
import io.bywash.samples.gameserver.World.Projectile;
import java.util.concurrent.ThreadLocalRandom;

/** What players have shot. What it hits becomes an event in the queue of damage. */
final class Shots {
  private static final int RANGE = 60;
  private static final int STEPS_PER_FRAME = 2;

  private final PoolUser pool;
  private final PoolView view;
  private final Producer damage;
  private final Monsters monsters;
  private final Counts counts;

  Shots(Segment segment, Monsters monsters, Counts counts) {
    Entry entry = segment.directory().find("projectiles", Kind.POOL);
    this.pool = PoolUser.open(entry);
    this.view = PoolView.open(entry);
    this.damage = Producer.open(segment.directory().find("damage_queue", Kind.WORK_QUEUE));
    this.monsters = monsters;
    this.counts = counts;
  }

  int count() {
    return view.allocated();
  }

  /** In any direction, unless so many are on their way that the pool is exhausted. */
  void shoot(Player player) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    int dx = random.nextInt(-1, 2);
    int dy = dx == 0 ? 2 * random.nextInt(2) - 1 : random.nextInt(-1, 2);
    Projectile shot = new Projectile(player.x(), player.y(), dx, dy, RANGE, player.number());
    if (pool.acquire(Projectile.RECORDS, shot) == 0) {
      counts.add(Count.DROPPED, 1);
    }
  }

  /** All of them go on; those that hit a monster or have gone far enough are no more. */
  void fly() {
    for (long handle = view.next(0); handle != 0; handle = view.next(handle)) {
      Projectile shot = pool.get(handle, Projectile.RECORDS);
      boolean isOver = false;
      for (int step = 0; step < STEPS_PER_FRAME && !isOver; step++) {
        shot = new Projectile(shot.x() + shot.dx(), shot.y() + shot.dy(), shot.dx(), shot.dy(), shot.stepsLeft() - 1,
            shot.player());
        isOver = shot.stepsLeft() == 0 || hits(shot);
      }
      if (isOver) {
        pool.release(handle);
      } else {
        pool.set(handle, Projectile.RECORDS, shot);
      }
    }
  }

  private boolean hits(Projectile shot) {
    if (monsters.isFree(shot.x(), shot.y())) {
      return false;
    }
    if (!damage.offer(Damage.RECORDS, new Damage(monsters.at(shot.x(), shot.y()), shot.player()))) {
      counts.add(Count.DROPPED, 1);
    }
    return true;
  }
}
