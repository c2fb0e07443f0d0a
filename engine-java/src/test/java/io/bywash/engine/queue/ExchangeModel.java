package io.bywash.engine.queue;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The slot exchange as a set of states, explored to the last one: some cells, some roles, some messages, every order in
 * which the roles' steps can follow each other, and a death before any of them. A step reads or writes one shared word.
 * Memory is sequentially consistent here; what weaker memory does to it, the litmus tests look at.
 *
 * <p>Roles send and take. Who holds a message acknowledges it, does so in taking the next one, or gives it back. After
 * a death somebody takes the role over, repairs it, and delivers what it holds; what was delivered too often goes to
 * the dead letters. A living holder may be taken for dead, and acknowledges later.
 */
final class ExchangeModel {
  /** A fault put into the protocol, which the exploration has to find. */
  enum Mutation {
    NONE,
    /** A repair looks at the slot's count of moves before it looks at the other roles. */
    MOVES_BEFORE_ROLES,
    /** It reads what another role wants before it reads where that is at work. */
    WANT_BEFORE_AT,
    /** It does not look at the other roles. */
    NO_ROLES,
    /** Who takes a slot out does not raise its count of moves. */
    NO_MOVES,
    /** Who takes a role over leaves its generation as it is. */
    NO_FENCE,
    /** A repair of one that was giving back, and did not come to it, makes the slot a spare one. */
    GIVE_BACK_FORGETS,
    /** Who brings a message to the dead letters lets go of it before it has copied it. */
    LETS_GO_FIRST
  }

  /** A state that must not be. */
  static final class Violation extends AssertionError {
    private static final long serialVersionUID = 1;

    Violation(String what) {
      super(what);
    }
  }

  // Where a role is. What a step does is in the method of that name or of its group.
  private static final int IDLE = 0;
  private static final int DEAD = 1;
  private static final int SEEK = 2;
  private static final int LOOK = 3;
  private static final int SET_WANT = 4;
  private static final int SET_AT = 5;
  private static final int SWAP = 6;
  private static final int UNDO = 7;
  private static final int RAISE_MOVES = 8;
  private static final int SET_MINE = 9;
  private static final int NOTE_MOVES = 10;
  private static final int CLEAR_AT = 11;
  private static final int SET_HINT = 12;
  private static final int DELIVER = 13;
  private static final int HOLDING = 14;
  private static final int ACKNOWLEDGE = 15;
  private static final int BURY_1 = 16;
  private static final int BURY_2 = 17;
  /** From here on a newcomer is at work in a dead one's role. */
  private static final int FENCE = 20;
  private static final int BEGIN_REPAIR = 21;
  private static final int LOOK_AT_CELL = 22;
  private static final int LOOK_AT_ROLE = 23;
  private static final int LOOK_AT_WANT = 24;
  private static final int LOOK_AT_MOVES = 25;
  private static final int NOT_DONE = 26;
  private static final int DONE = 27;
  private static final int DONE_MINE = 28;
  private static final int FINISH = 29;
  private static final int FINISH_AT = 30;
  private static final int REPAIRED = 31;

  // What a role is about.
  private static final int SEND = 0;
  private static final int TAKE = 1;
  private static final int GIVE_BACK = 2;

  // Bytes of a cell, of a slot, of a message and of a role.
  private static final int TURN = 0;
  private static final int FULL = 1;
  private static final int SLOT = 2;
  private static final int CELL_BYTES = 3;
  private static final int MOVES = 0;
  private static final int MESSAGE = 1;
  private static final int DELIVERIES = 2;
  private static final int SLOT_BYTES = 3;
  private static final int SENT = 0;
  private static final int ACKNOWLEDGED = 1;
  private static final int BURIED = 2;
  private static final int GIVEN_BACK = 3;
  private static final int MESSAGE_BYTES = 4;
  private static final int PC = 0;
  private static final int KIND = 1;
  private static final int MINE = 2;
  private static final int HELD = 3;
  private static final int KNOWN_MOVES = 4;
  private static final int WANT = 5;
  private static final int AT = 6;
  private static final int GENERATION = 7;
  private static final int POSITION = 8;
  private static final int SEEN = 9;
  private static final int SCAN = 10;
  private static final int SCANNED = 11;
  /** The locals of a role, which a death wipes out, from here on. */
  private static final int LOCALS = POSITION;
  private static final int ROLE_BYTES = 12;
  private static final int NOTHING = 127;

  private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final int cells;
  private final int roles;
  private final int messages;
  private final int deaths;
  private final int limit;
  private final boolean zombies;
  private final Mutation mutation;

  // Where things are in a state.
  private final int firstSlot;
  private final int firstMessage;
  private final int firstRole;
  private final int tail;
  private final int head;
  private final int next;
  private final int died;
  private final int zombieRole;
  private final int zombieSlot;
  private final int zombieGeneration;
  private final int bytes;

  private final long[] known;
  private final long knownMask;
  private long states;
  private byte[] stack = new byte[1 << 20];
  private int depth;
  private final byte[] now;
  private final byte[] then;

  /**
   * An exploration.
   *
   * @param limit how often a message is delivered before it goes to the dead letters; 0 for the exchange alone, in
   *     which whoever holds a message acknowledges it, and does nothing else with it
   * @param zombies whether a holder may be taken for dead that is not
   * @param maxStates a power of two; more states than half of it are not explored
   */
  ExchangeModel(int cells, int roles, int messages, int deaths, int limit, boolean zombies, Mutation mutation,
      int maxStates) {
    this.cells = cells;
    this.roles = roles;
    this.messages = messages;
    this.deaths = deaths;
    this.limit = limit;
    this.zombies = zombies;
    this.mutation = mutation;
    firstSlot = cells * CELL_BYTES;
    firstMessage = firstSlot + (cells + roles) * SLOT_BYTES;
    firstRole = firstMessage + (messages + 1) * MESSAGE_BYTES;
    tail = firstRole + roles * ROLE_BYTES;
    head = tail + 1;
    next = tail + 2;
    died = tail + 3;
    zombieRole = tail + 4;
    zombieSlot = tail + 5;
    zombieGeneration = tail + 6;
    bytes = tail + 7 + 7 & -8;
    now = new byte[bytes];
    then = new byte[bytes];
    known = new long[maxStates];
    knownMask = maxStates - 1;
  }

  /** Explores everything; how many states there are. */
  long explore() {
    for (int i = 0; i < cells; i++) {
      then[i * CELL_BYTES + SLOT] = (byte) i;
    }
    for (int i = 0; i < roles; i++) {
      then[role(i) + MINE] = (byte) (cells + i);
      then[role(i) + WANT] = NOTHING;
    }
    then[next] = 1;
    then[zombieRole] = NOTHING;
    push();
    while (depth > 0) {
      depth--;
      System.arraycopy(stack, depth * bytes, now, 0, bytes);
      check();
      for (int i = 0; i < roles; i++) {
        step(i);
      }
      stepOfZombie();
    }
    return states;
  }

  private int role(int index) {
    return firstRole + index * ROLE_BYTES;
  }

  private int slot(int index) {
    return firstSlot + index * SLOT_BYTES;
  }

  private int message(int number) {
    return firstMessage + number * MESSAGE_BYTES;
  }

  /** Makes {@code then} a copy of the state at hand, to be changed and pushed. */
  private void copy() {
    System.arraycopy(now, 0, then, 0, bytes);
  }

  private void push() {
    long hash = 0x9E37_79B9_7F4A_7C15L;
    for (int i = 0; i < bytes; i += 8) {
      hash = (hash ^ (long) LONGS.get(then, i)) * 0xD6E8_FEB8_6659_FD93L;
      hash ^= hash >>> 32;
    }
    hash = hash * 0xD6E8_FEB8_6659_FD93L;
    hash ^= hash >>> 29;
    hash = hash == 0 ? 1 : hash;
    int at = (int) (hash & knownMask);
    while (known[at] != 0) {
      if (known[at] == hash) {
        return;
      }
      at = (int) (at + 1 & knownMask);
    }
    known[at] = hash;
    if (++states > known.length / 2) {
      throw new IllegalStateException("more than " + known.length / 2 + " states");
    }
    if ((depth + 1) * bytes > stack.length) {
      stack = Arrays.copyOf(stack, stack.length * 2);
    }
    System.arraycopy(then, 0, stack, depth++ * bytes, bytes);
  }

  private Violation violation(String what) {
    StringBuilder text = new StringBuilder(what);
    for (int i = 0; i < cells; i++) {
      text.append("\n cell ").append(i).append(": turn, full, slot ");
      append(text, i * CELL_BYTES, CELL_BYTES);
    }
    for (int i = 0; i < cells + roles; i++) {
      text.append("\n slot ").append(i).append(": moves, message, deliveries ");
      append(text, slot(i), SLOT_BYTES);
    }
    for (int i = 0; i < roles; i++) {
      text.append("\n role ").append(i)
          .append(": pc, kind, mine, held, moves, want, at, generation, position, seen, scan, scanned ");
      append(text, role(i), ROLE_BYTES);
    }
    return new Violation(text.toString());
  }

  private void append(StringBuilder text, int from, int count) {
    for (int i = 0; i < count; i++) {
      text.append(now[from + i]).append(' ');
    }
  }

  // ---- what has to be true

  /**
   * Each slot has one owner among the cells and those roles that are in no exchange; and when nobody is in one, what
   * was sent is in a cell or held, or was acknowledged or buried.
   */
  private void check() {
    long owned = 0;
    boolean atRest = true;
    for (int i = 0; i < cells; i++) {
      owned = own(owned, now[i * CELL_BYTES + SLOT]);
    }
    for (int i = 0; i < roles; i++) {
      if (now[role(i) + AT] == 0) {
        owned = own(owned, now[role(i) + MINE]);
      } else {
        atRest = false;
      }
    }
    for (int m = 1; atRest && m <= messages; m++) {
      int at = message(m);
      if (now[at + SENT] != 0 && now[at + ACKNOWLEDGED] == 0 && now[at + BURIED] == 0 && !isThere(m)) {
        throw violation("message " + m + " is lost");
      }
    }
  }

  private long own(long owned, int slot) {
    if ((owned & 1L << slot) != 0) {
      throw violation("slot " + slot + " has two owners");
    }
    return owned | 1L << slot;
  }

  private boolean isThere(int m) {
    for (int i = 0; i < cells; i++) {
      if (now[i * CELL_BYTES + FULL] != 0 && now[slot(now[i * CELL_BYTES + SLOT]) + MESSAGE] == m) {
        return true;
      }
    }
    for (int i = 0; i < roles; i++) {
      if (now[role(i) + HELD] != 0 && now[slot(now[role(i) + MINE]) + MESSAGE] == m) {
        return true;
      }
    }
    return false;
  }

  // ---- steps

  private void step(int index) {
    int r = role(index);
    int pc = now[r + PC];
    if (pc != IDLE && pc != DEAD && now[died] < deaths) {
      copy();
      then[died]++;
      die(r);
      push();
    }
    if (pc >= FENCE) {
      repair(index, r, pc);
    } else {
      work(r, pc);
    }
  }

  private void die(int r) {
    Arrays.fill(then, r + LOCALS, r + ROLE_BYTES, (byte) 0);
    then[r + PC] = DEAD;
    then[r + KIND] = SEND;
  }

  /** The role goes on at another place. */
  private void go(int r, int pc) {
    then[r + PC] = (byte) pc;
  }

  /** As {@link #go}, without any locals. */
  private void rest(int r, int pc) {
    Arrays.fill(then, r + LOCALS, r + ROLE_BYTES, (byte) 0);
    then[r + KIND] = SEND;
    then[r + PC] = (byte) pc;
  }

  private int phase(int r) {
    return 2 * now[r + POSITION] + (now[r + KIND] == TAKE ? 1 : 0);
  }

  private void work(int r, int pc) {
    copy();
    int cell = now[r + POSITION] % cells * CELL_BYTES;
    switch (pc) {
      case IDLE -> begin(r);
      case SEEK -> seek(r);
      case LOOK -> look(r, cell);
      case SET_WANT -> {
        then[r + WANT] = now[r + SEEN];
        go(r, SET_AT);
        push();
      }
      case SET_AT -> {
        then[r + AT] = (byte) (phase(r) + 1);
        go(r, SWAP);
        push();
      }
      case SWAP -> swap(r, cell);
      case UNDO -> {
        then[r + AT] = 0;
        int kind = now[r + KIND];
        rest(r, SEEK);
        then[r + KIND] = (byte) kind;
        push();
      }
      case RAISE_MOVES -> {
        if (mutation != Mutation.NO_MOVES) {
          then[slot(now[r + WANT]) + MOVES]++;
        }
        go(r, SET_MINE);
        push();
      }
      case SET_MINE -> {
        then[r + MINE] = now[r + WANT];
        then[r + HELD] = (byte) (now[r + KIND] == TAKE ? 1 : 0);
        go(r, NOTE_MOVES);
        push();
      }
      case NOTE_MOVES -> {
        then[r + KNOWN_MOVES] = now[slot(now[r + MINE]) + MOVES];
        go(r, CLEAR_AT);
        push();
      }
      case CLEAR_AT -> {
        then[r + AT] = 0;
        go(r, SET_HINT);
        push();
      }
      case SET_HINT -> {
        then[now[r + KIND] == TAKE ? head : tail] = (byte) (now[r + POSITION] + 1);
        rest(r, now[r + KIND] == TAKE ? DELIVER : IDLE);
        push();
      }
      case DELIVER -> deliver(r);
      case HOLDING -> holding(r);
      case ACKNOWLEDGE -> {
        acknowledge(then, r);
        rest(r, IDLE);
        push();
      }
      case BURY_1, BURY_2 -> bury(r, pc);
      case DEAD -> {
        go(r, FENCE);
        push();
      }
      default -> throw new AssertionError(pc);
    }
  }

  private void begin(int r) {
    if (now[next] <= messages) {
      int slot = slot(now[r + MINE]);
      then[slot + MESSAGE] = then[next]++;
      then[slot + DELIVERIES] = 0;
      go(r, SEEK);
      push();
      copy();
    }
    then[r + KIND] = TAKE;
    go(r, SEEK);
    push();
  }

  /** The hint, or any other position that is not too high: the first one stands for all. */
  private void seek(int r) {
    int hint = now[r + KIND] == TAKE ? head : tail;
    go(r, LOOK);
    then[r + POSITION] = 0;
    push();
    if (now[hint] != 0) {
      then[r + POSITION] = now[hint];
      push();
    }
  }

  private void look(int r, int cell) {
    int turn = now[r + POSITION] / cells;
    int found = 2 * now[cell + TURN] + now[cell + FULL];
    int wanted = 2 * turn + (now[r + KIND] == TAKE ? 1 : 0);
    if (found == wanted) {
      then[r + SEEN] = now[cell + SLOT];
      go(r, SET_WANT);
    } else if (found > wanted) {
      then[r + POSITION]++;
    } else if (found < wanted - 1) {
      throw violation("a hint was too high");
    } else if (now[r + KIND] == TAKE) { // empty
      boolean holds = now[r + HELD] != 0;
      rest(r, holds ? ACKNOWLEDGE : IDLE);
    } else if (now[r + KIND] == SEND) { // full: it waits
      rest(r, SEEK);
    } else { // it cannot be given back now, so that it comes to the same consumer again
      rest(r, DELIVER);
    }
    push();
  }

  private void swap(int r, int cell) {
    int kind = now[r + KIND];
    int expected = 2 * (now[r + POSITION] / cells) + (kind == TAKE ? 1 : 0);
    if (2 * now[cell + TURN] + now[cell + FULL] != expected || now[cell + SLOT] != now[r + SEEN]) {
      go(r, UNDO);
      push();
      return;
    }
    int m = now[slot(now[r + MINE]) + MESSAGE];
    if (kind == TAKE) {
      then[cell + TURN]++;
      then[cell + FULL] = 0;
      if (now[r + HELD] != 0) { // what it held is done with
        then[message(m) + ACKNOWLEDGED] = 1;
      }
    } else {
      if (kind == SEND && now[message(m) + SENT] != 0) {
        throw violation("message " + m + " is sent twice");
      }
      then[cell + FULL] = 1;
      then[message(m) + (kind == SEND ? SENT : GIVEN_BACK)] = 1;
    }
    then[cell + SLOT] = now[r + MINE];
    go(r, RAISE_MOVES);
    push();
  }

  private void deliver(int r) {
    int slot = slot(now[r + MINE]);
    int m = now[slot + MESSAGE];
    if (m == 0 || now[message(m) + SENT] == 0) {
      throw violation("message " + m + " is delivered, and was never sent");
    }
    if (now[message(m) + ACKNOWLEDGED] != 0 || now[message(m) + BURIED] != 0) {
      throw violation("message " + m + " is delivered after its end");
    }
    if (now[slot + DELIVERIES] != 0 && now[died] == 0 && now[message(m) + GIVEN_BACK] == 0) {
      throw violation("message " + m + " is delivered twice without a reason");
    }
    then[slot + DELIVERIES]++;
    go(r, HOLDING);
    push();
  }

  private void holding(int r) {
    int slot = slot(now[r + MINE]);
    go(r, ACKNOWLEDGE);
    push();
    if (limit == 0) {
      return;
    }
    copy(); // with the acknowledgement in the exchange for the next one
    then[r + KIND] = TAKE;
    go(r, SEEK);
    push();
    copy();
    then[message(now[slot + MESSAGE]) + GIVEN_BACK] = 1;
    if (now[slot + DELIVERIES] < limit) {
      then[r + KIND] = GIVE_BACK;
      go(r, SEEK);
    } else {
      go(r, BURY_1);
    }
    push();
    if (zombies && now[zombieRole] == NOTHING && now[died] < deaths) { // it is taken for dead
      copy();
      then[died]++;
      then[zombieRole] = (byte) r;
      then[zombieSlot] = now[r + MINE];
      then[zombieGeneration] = now[r + GENERATION];
      die(r);
      push();
    }
  }

  private void acknowledge(byte[] state, int r) {
    if (now[r + HELD] == 0) {
      throw violation("what is not held is acknowledged");
    }
    state[message(now[slot(now[r + MINE]) + MESSAGE]) + ACKNOWLEDGED] = 1;
    state[r + HELD] = 0;
  }

  private void bury(int r, int pc) {
    boolean copies = pc == BURY_1 == (mutation != Mutation.LETS_GO_FIRST);
    if (copies) {
      then[message(now[slot(now[r + MINE]) + MESSAGE]) + BURIED] = 1;
    } else {
      then[r + HELD] = 0;
    }
    if (pc == BURY_1) {
      go(r, BURY_2);
    } else {
      rest(r, IDLE);
    }
    push();
  }

  /** One that was taken for dead acknowledges what it held. */
  private void stepOfZombie() {
    int r = now[zombieRole];
    if (r == NOTHING) {
      return;
    }
    copy();
    then[zombieRole] = NOTHING;
    then[zombieSlot] = 0;
    then[zombieGeneration] = 0;
    if (now[r + MINE] == now[zombieSlot] && now[r + HELD] != 0 && now[r + GENERATION] == now[zombieGeneration]) {
      acknowledge(then, r);
    }
    push();
  }

  // ---- taking over

  private int phaseOf(int r) {
    return now[r + AT] - 1;
  }

  private int phaseAfter(int phase) {
    return phase % 2 == 0 ? phase + 1 : phase - 1 + 2 * cells;
  }

  private void repair(int index, int r, int pc) {
    copy();
    switch (pc) {
      case FENCE -> {
        if (mutation != Mutation.NO_FENCE && zombies) {
          then[r + GENERATION]++;
        }
        go(r, BEGIN_REPAIR);
      }
      case BEGIN_REPAIR -> go(r, now[r + AT] == 0 ? REPAIRED : now[r + MINE] == now[r + WANT] ? FINISH : LOOK_AT_CELL);
      case LOOK_AT_CELL -> lookAtCell(r);
      case LOOK_AT_ROLE -> lookAtRole(index, r);
      case LOOK_AT_WANT -> lookAtWant(r);
      case LOOK_AT_MOVES -> {
        boolean moved = now[slot(now[r + MINE]) + MOVES] > now[r + KNOWN_MOVES];
        go(r, moved ? DONE : mutation == Mutation.MOVES_BEFORE_ROLES ? LOOK_AT_ROLE : NOT_DONE);
      }
      case NOT_DONE -> {
        if (mutation == Mutation.GIVE_BACK_FORGETS && phaseOf(r) % 2 == 0) {
          then[r + HELD] = 0;
        }
        then[r + AT] = 0;
        go(r, REPAIRED);
      }
      case DONE -> {
        then[slot(now[r + WANT]) + MOVES]++;
        then[r + SCAN] = 0;
        go(r, DONE_MINE);
      }
      case DONE_MINE -> {
        then[r + MINE] = now[r + WANT];
        then[r + HELD] = (byte) (phaseOf(r) % 2);
        go(r, FINISH);
      }
      case FINISH -> {
        then[r + KNOWN_MOVES] = now[slot(now[r + MINE]) + MOVES];
        go(r, FINISH_AT);
      }
      case FINISH_AT -> {
        then[r + AT] = 0;
        go(r, REPAIRED);
      }
      case REPAIRED -> {
        boolean tooOften = limit > 0 && now[slot(now[r + MINE]) + DELIVERIES] >= limit;
        rest(r, now[r + HELD] == 0 ? IDLE : tooOften ? BURY_1 : DELIVER);
      }
      default -> throw new AssertionError(pc);
    }
    push();
  }

  private void lookAtCell(int r) {
    int phase = phaseOf(r);
    int cell = phase / 2 % cells * CELL_BYTES;
    int after = 2 * (phase / 2 / cells) + 1 + phase % 2;
    boolean isThere = 2 * now[cell + TURN] + now[cell + FULL] == after && now[cell + SLOT] == now[r + MINE];
    go(r, isThere ? DONE : mutation == Mutation.MOVES_BEFORE_ROLES ? LOOK_AT_MOVES : LOOK_AT_ROLE);
  }

  private void lookAtRole(int index, int r) {
    if (now[r + SCAN] == roles || mutation == Mutation.NO_ROLES) {
      then[r + SCAN] = 0;
      go(r, mutation == Mutation.MOVES_BEFORE_ROLES ? NOT_DONE : LOOK_AT_MOVES);
    } else if (now[r + SCAN] == index) {
      then[r + SCAN]++;
    } else {
      int other = role(now[r + SCAN]);
      then[r + SCANNED] = mutation == Mutation.WANT_BEFORE_AT ? now[other + WANT] : now[other + AT];
      go(r, LOOK_AT_WANT);
    }
  }

  private void lookAtWant(int r) {
    int other = role(now[r + SCAN]);
    boolean swapped = mutation == Mutation.WANT_BEFORE_AT;
    int at = swapped ? now[other + AT] : now[r + SCANNED];
    int want = swapped ? now[r + SCANNED] : now[other + WANT];
    boolean hasIt = at == phaseAfter(phaseOf(r)) + 1 && want == now[r + MINE];
    then[r + SCANNED] = 0;
    if (hasIt) {
      then[r + SCAN] = 0;
    } else {
      then[r + SCAN]++;
    }
    go(r, hasIt ? DONE : LOOK_AT_ROLE);
  }
}
