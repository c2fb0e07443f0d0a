package io.bywash.engine.queue;

import static io.bywash.engine.queue.QueueLayout.*;

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
 * The status of a work queue. Any attachment can read it, even a read-only one, without slowing producers or consumers
 * down. The values were read one after another, not all at one instant.
 *
 * @param capacity how many messages the queue has room for
 * @param maxMessageBytes the size of the largest message in bytes
 * @param policy what happens to the messages of consumers that died
 * @param sentCount messages ever sent, including those given back
 * @param takenCount messages ever taken: first deliveries, and messages that had been given back
 * @param heldCount messages that consumers hold now
 * @param leftCount messages that nobody holds and nobody has acknowledged: their consumers died, or there is no room
 *     for a dead letter
 * @param redeliveredCount messages of dead or closed consumers that were delivered again
 * @param droppedCount messages that were dropped because of the policy
 * @param deadLetterCount messages that went to the queue for dead letters
 * @param roles all holders of roles, dead or alive
 */
public record QueueStatus(int capacity, int maxMessageBytes, DeliveryPolicy policy, long sentCount, long takenCount,
    int heldCount, int leftCount, long redeliveredCount, long droppedCount, long deadLetterCount,
    List<RoleStatus> roles) implements StructureStatus {

  /**
   * The status of one role that is held.
   *
   * @param role the role's index
   * @param generation how often the role was used, modulo 2^16
   * @param participant the holder
   * @param task {@code producer} or {@code consumer}, or either with {@code (revoked)}
   * @param waits whether the holder waits for a message or for room
   * @param message the sequence of the message that it holds; -1 when it holds none
   * @param deliveries how often that message was delivered, including this time
   * @param heldNanos how long it has held that message, to within some ten microseconds
   * @param label the label that its program gave it; empty when it has none
   */
  public record RoleStatus(int role, int generation, Participant participant, String task, boolean waits, long message,
      int deliveries, long heldNanos, String label) {

    /** Whether this is the same holder that another inspection saw, and not a later holder of the same role. */
    public boolean isSameAs(RoleStatus other) {
      return role == other.role && generation == other.generation && participant.id() == other.participant.id()
          && participant.epoch() == other.participant.epoch();
    }
  }

  /**
   * Inspects a queue.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a work queue
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   * @throws io.bywash.engine.SegmentClosedException when the segment is closed in this process
   */
  public static QueueStatus of(Entry entry) {
    Cells cells = Cells.of(entry);
    return cells.entry.look(() -> of(cells));
  }

  private static QueueStatus of(Cells cells) {
    SegmentEntry entry = cells.entry;
    long taken = cells.head(); // read first, so that it is not more than what was sent
    long sent = cells.tail();
    List<RoleStatus> roles = new ArrayList<>();
    int left = 0;
    for (int index = 0; index < entry.rolesUsed(); index++) {
      long word = entry.roleWord(index);
      if (Owner.state(word) == SegmentLayout.ROLE_FREE) {
        left += cells.mayHold(index) ? 1 : 0;
      } else {
        int number = index;
        entry.core().participants().describe(word).ifPresent(each -> roles.add(look(cells, number, word, each)));
      }
    }
    return new QueueStatus(cells.capacity, cells.maxMessageBytes, cells.policy, sent, taken,
        (int) roles.stream().filter(each -> each.message >= 0).count(), left, sum(cells, ROLE_REDELIVERED),
        sum(cells, ROLE_DROPPED), sum(cells, ROLE_DEAD_LETTERS), List.copyOf(roles));
  }

  private static RoleStatus look(Cells cells, int index, long word, Participant participant) {
    SegmentEntry entry = cells.entry;
    long mine = cells.mine(index);
    boolean holds = Cells.isHeld(mine) && cells.at(index) == 0;
    int slot = Cells.slotOf(mine);
    long sequence = holds && slot < cells.slotCount
        ? Math.max(cells.region.getLongOpaque(cells.slot(slot) + SLOT_SEQUENCE), 0) : -1;
    long since = cells.region.getLongOpaque(entry.role(index) + ROLE_HELD_SINCE);
    String task = Owner.mode(word) == MODE_PRODUCER ? "producer" : "consumer";
    return new RoleStatus(index, Owner.generation(word), participant,
        Owner.state(word) == SegmentLayout.ROLE_REVOKED ? task + " (revoked)" : task,
        entry.waitingForData().isAnnounced(index) || entry.waitingForSpace().isAnnounced(index), sequence,
        sequence < 0 ? 0 : Cells.deliveries(cells.deliveriesWord(slot)),
        sequence < 0 ? 0 : Math.max(System.nanoTime() - since, 0), entry.roleLabel(index));
  }

  private static long sum(Cells cells, int counter) {
    long sum = 0;
    for (int index = 0; index < cells.entry.rolesUsed(); index++) {
      sum += cells.region.getLongOpaque(cells.entry.role(index) + counter);
    }
    return sum;
  }

  /** How many messages wait to be taken. */
  public int readyCount() {
    return Math.clamp(sentCount - takenCount, 0, capacity);
  }

  @Override
  public List<Counter> counters() {
    return List.of(Counter.growing("sent", sentCount), Counter.growing("taken", takenCount),
        Counter.count("ready", readyCount()), Counter.count("held", heldCount), Counter.count("left", leftCount),
        Counter.growing("redelivered", redeliveredCount), Counter.growing("dropped", droppedCount),
        Counter.growing("dead letters", deadLetterCount));
  }

  /** {@inheritDoc} This counts messages that wait to be taken; messages that consumers hold take no capacity. */
  @Override
  public Optional<Double> fill() {
    return Optional.of((double) readyCount() / capacity);
  }

  @Override
  public List<Holder> holders() {
    return roles.stream().map(each -> new Holder(each.role(), each.generation(), each.participant(), each.label(),
        each.task(), List.of(Counter.count("waits", each.waits() ? 1 : 0),
            Counter.count("holds", each.message() < 0 ? 0 : 1), Counter.count("message", Math.max(each.message(), 0)),
            Counter.count("deliveries", each.deliveries()), Counter.count("ms held", each.heldNanos() / 1_000_000))))
        .toList();
  }

  @Override
  public boolean isUntouched() {
    return sentCount == 0;
  }

  /**
   * {@inheritDoc} These are the consumers that still hold the message of the earlier status while the queue is full.
   * Meanwhile nothing was taken ({@link Effect#STOPS}), or only others took messages ({@link Effect#SLOWS}). A held
   * message takes no capacity, so more consumers would help as well.
   */
  @Override
  public List<Obstacle> obstacles(StructureStatus earlier, double seconds) {
    if (!(earlier instanceof QueueStatus before) || readyCount() < capacity) {
      return List.of();
    }
    Effect effect = takenCount == before.takenCount ? Effect.STOPS : Effect.SLOWS;
    List<Long> waiting = roles.stream().filter(each -> each.waits() && each.task().equals("producer"))
        .map(each -> each.participant().pid()).distinct().toList();
    return roles.stream().filter(each -> each.message() >= 0 && before.hadSame(each)).map(each -> new Obstacle(
        each.role(), effect, waiting, "the queue is full, and consumer " + each.participant().who(each.label())
        + " has held message " + each.message() + " for " + each.heldNanos() / 1_000_000 + " ms",
        "Look what that process does, or add consumers.")).toList();
  }

  private boolean hadSame(RoleStatus later) {
    return roles.stream().anyMatch(each -> each.isSameAs(later) && each.message() == later.message()
        && each.deliveries() == later.deliveries());
  }
}
