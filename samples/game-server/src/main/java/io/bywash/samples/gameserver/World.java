package io.bywash.samples.gameserver;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.record.Length;
import io.bywash.engine.record.Records;

/** The world of the game: how large it is, and of what it consists. */
final class World {
  /** Of the field, in cells; whoever leaves it on one side enters it on the other. */
  static final int SIDE = 256;
  static final int PLAYERS = 100;
  static final int MONSTERS = 1_000;
  static final int PROJECTILES = 500;
  /** One minute at {@link #FRAMES_PER_SECOND}. */
  static final int HISTORY = 3_600;
  static final int FRAMES_PER_SECOND = 60;
  static final int LEADERS = 10;

  private World() {}

  /** The number of a cell in the grid. */
  static int cell(int x, int y) {
    return Math.floorMod(y, SIDE) * SIDE + Math.floorMod(x, SIDE);
  }

  /** Who plays, and where it stands. */
  record Player(int number, int x, int y) {
    static final Records<Player> RECORDS = Records.of(lookup(), Player.class);
  }

  /** A monster; who asked for it, if anybody, and in which tick it last came to another cell. */
  record Monster(int x, int y, int health, long request, long movedTick) {
    static final Records<Monster> RECORDS = Records.of(lookup(), Monster.class);
  }

  /** What a player has shot, by which cells it goes on in a step, and how many steps are left. */
  record Projectile(int x, int y, int dx, int dy, int stepsLeft, int player) {
    static final Records<Projectile> RECORDS = Records.of(lookup(), Projectile.class);
  }

  /** A monster was hit by what a player has shot. */
  record Damage(long monster, int player) {
    static final Records<Damage> RECORDS = Records.of(lookup(), Damage.class);
  }

  /** A monster is to come to a cell. */
  record Spawn(int x, int y, long request) {
    static final Records<Spawn> RECORDS = Records.of(lookup(), Spawn.class);
  }

  /** What a player does. */
  enum Deed { SHOOT, LEAVE }

  /** What comes over the network. */
  record Input(int player, Deed deed) {
    static final Records<Input> RECORDS = Records.of(lookup(), Input.class);
  }

  /** How a frame went; times are of the monotonic clock that all processes of the host share. */
  record Frame(long tick, long startNanos, long workNanos, int players, int monsters, int projectiles) {
    static final Records<Frame> RECORDS = Records.of(lookup(), Frame.class);
  }

  /** How many monsters a player has killed. */
  record Score(int player, long kills, @Length(16) String name) {
    static final Records<Score> RECORDS = Records.of(lookup(), Score.class);
  }
}
