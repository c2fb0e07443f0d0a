package io.bywash.samples.gameserver;

import io.bywash.engine.*;
import io.bywash.engine.cell.*;
import io.bywash.engine.inspect.LayoutStatus;
import io.bywash.engine.inspect.StatusText;
import io.bywash.engine.pool.*;
import io.bywash.engine.queue.*;
import io.bywash.engine.ring.*;
import io.bywash.samples.gameserver.Counts.Count;
import io.bywash.samples.gameserver.World.*;
import io.bywash.samples.kit.Programs;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/**
 * Plays the match, frame by frame. One that is started after another one was killed goes on with its tick, its history
 * and its leaderboard, and with what lies in the queues. Monsters, players and projectiles were leased to the one that
 * died, so they are gone; new ones come.
 */
final class Server {
  /** The capacity of a queue is a power of two: 1,024 for 1,000, 128 for 100, 8,192 for 5,000. */
  private static final SegmentSpec SPEC = SegmentSpec.of(
      Pool.spec("players", World.PLAYERS, Player.RECORDS),
      Pool.spec("monsters", World.MONSTERS, Monster.RECORDS),
      Pool.spec("projectiles", World.PROJECTILES, Projectile.RECORDS),
      NumberArray.spec("collision", World.SIDE * World.SIDE, long.class), // the handle of the monster in each cell
      Damage.RECORDS.declare(WorkQueue.spec("damage_queue", 1_024, 16)),
      Spawn.RECORDS.declare(WorkQueue.spec("spawn_queue", 128, 16)),
      Input.RECORDS.declare(WorkQueue.spec("network_queue", 8_192, 16)),
      Ring.spec("frame_stats", World.HISTORY, Frame.RECORDS),
      Atomics.spec("tick", "long tick"),
      Atomics.spec("players_online", "int players"),
      Atomics.spec("match_active", "boolean active"),
      RecordArray.spec("leaderboard", World.LEADERS, Score.RECORDS),
      Counts.SPEC);
  private static final int MONSTERS_AT_FIRST = World.MONSTERS * 8 / 10;
  private static final long NANOS_PER_FRAME = 1_000_000_000 / World.FRAMES_PER_SECOND;
  /** The most messages that are taken from a queue in a frame. */
  private static final int LIMIT = 1_000;
  private static final int FRAMES_PER_LEADERBOARD = 15;

  private final Counts counts;
  private final Monsters monsters;
  private final Shots shots;
  private final Leaderboard leaderboard;
  private final PoolUser players;
  private final Map<Integer, Long> online = new HashMap<>();
  private final Consumer damage;
  private final Consumer spawns;
  private final Consumer inputs;
  private final RingWriter history;
  private final LongCell tickCell;
  private final IntCell playersOnline;
  private long tick;

  private Server(Segment segment, boolean isGridTurned) {
    Directory directory = segment.directory();
    this.counts = new Counts(segment);
    this.monsters = new Monsters(segment, isGridTurned);
    this.shots = new Shots(segment, monsters, counts);
    this.leaderboard = new Leaderboard(segment);
    this.players = PoolUser.open(directory.find("players", Kind.POOL));
    this.damage = Consumer.open(directory.find("damage_queue", Kind.WORK_QUEUE));
    this.spawns = Consumer.open(directory.find("spawn_queue", Kind.WORK_QUEUE));
    this.inputs = Consumer.open(directory.find("network_queue", Kind.WORK_QUEUE));
    this.history = RingWriter.open(directory.find("frame_stats", Kind.RING));
    this.tickCell = Atomics.open(directory.find("tick", Kind.CELLS)).longCell("tick");
    this.playersOnline = Atomics.open(directory.find("players_online", Kind.CELLS)).intCell("players");
    // Of the two the history is the newer one: a server may have been killed before it set the cell.
    List<Frame> newest = RingView.of(directory.find("frame_stats", Kind.RING)).lastN(Frame.RECORDS, 1);
    this.tick = newest.isEmpty() ? 0 : newest.getFirst().tick();
  }

  /** Arguments: segment, and "grid" if monsters are to be put into wrong cells of the grid. */
  public static void main(String[] arguments) {
    Programs.endWithParent();
    try (Segment segment = Segment.open(arguments[0], SPEC)) {
      segment.label("game server");
      segment.recover(); // gives back what a server that was killed has held
      Server server = new Server(segment, arguments[1].equals("grid"));
      BooleanCell isActive = Atomics.open(segment.directory().find("match_active", Kind.CELLS)).booleanCell("active");
      if (server.tick == 0) {
        System.err.println(layout(segment));
        isActive.set(true);
      }
      server.populate();
      server.play(isActive);
    }
  }

  /** What lies where. 'bywash layout' shows the same, and of what each element consists. */
  private static String layout(Segment segment) {
    return new StatusText().layout(LayoutStatus.of(segment)).toString().lines()
        .takeWhile(line -> !line.startsWith("elements of ")).collect(Collectors.joining("\n"));
  }

  private void populate() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    for (int i = 0; i < MONSTERS_AT_FIRST; i++) { // some cells are taken
      monsters.spawn(random.nextInt(World.SIDE), random.nextInt(World.SIDE), 0, tick);
    }
  }

  private void play(BooleanCell isActive) {
    for (long next = System.nanoTime(); isActive.get(); next = Math.max(next + NANOS_PER_FRAME, System.nanoTime())) {
      LockSupport.parkNanos(next - System.nanoTime());
      long start = System.nanoTime();
      tick++;
      inputs.poll(message -> handle(Input.RECORDS.read(message)), LIMIT);
      spawns.poll(message -> handle(Spawn.RECORDS.read(message)), LIMIT);
      monsters.walk(tick);
      shots.fly();
      damage.poll(message -> handle(Damage.RECORDS.read(message)), LIMIT);
      if (tick % FRAMES_PER_LEADERBOARD == 0) {
        leaderboard.publish();
      }
      playersOnline.set(online.size());
      history.pushOverwrite(Frame.RECORDS, new Frame(tick, start, System.nanoTime() - start, online.size(),
          monsters.count(), shots.count()));
      tickCell.set(tick);
    }
  }

  /** Each player's first input lets it join. */
  private void handle(Input input) {
    counts.add(Count.INPUTS, 1);
    Long handle = online.get(input.player());
    if (input.deed() == Deed.LEAVE) {
      if (handle != null) {
        players.release(online.remove(input.player()));
      }
    } else if (handle != null) {
      shots.shoot(players.get(handle, Player.RECORDS));
    } else {
      join(input.player());
    }
  }

  private void join(int player) {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    long handle = players.acquire(Player.RECORDS,
        new Player(player, random.nextInt(World.SIDE), random.nextInt(World.SIDE)));
    if (handle == 0) {
      counts.add(Count.DROPPED, 1); // the server is full; each input is another try
    } else {
      online.put(player, handle);
    }
  }

  private void handle(Spawn request) {
    counts.add(Count.REQUESTS, 1);
    if (!monsters.spawn(request.x(), request.y(), request.request(), tick)) {
      counts.add(Count.CROWDED, 1);
    }
  }

  private void handle(Damage hit) {
    switch (monsters.hit(hit.monster())) {
      case HURT -> { }
      case KILLED -> leaderboard.killed(hit.player());
      case DEAD_BEFORE -> counts.add(Count.STALE, 1);
    }
  }
}
