package io.bywash.engine.call;

import static io.bywash.engine.call.CallLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.List;
import java.util.Optional;

/**
 * The status of an endpoint. Any attachment can read it, even a read-only one, without slowing callers or responders
 * down. The values were read one after another, not all at one instant.
 *
 * @param callers how many callers it has room for
 * @param slotsPerCaller how many requests each of them can have in flight
 * @param maxRequestBytes the size of the largest request in bytes
 * @param maxReplyBytes the size of the largest reply in bytes
 * @param redelivers whether requests of lost responders go to another one
 * @param sentCount requests ever sent, one-way ones included
 * @param repliedCount replies ever sent in time
 * @param missedCount deadlines that passed without a reply
 * @param lateCount replies that were too late
 * @param waitingCount requests that nobody has taken yet
 * @param takenCount requests that responders have taken and not answered, for callers that wait
 * @param quarantinedCount slots whose callers have given up, while a living responder still has the request
 * @param wakeCount wakes of sleeping callers and responders
 * @param elidedCount requests and replies for which nobody had to be woken
 * @param roles all holders of roles, dead or alive
 */
public record EndpointStatus(int callers, int slotsPerCaller, int maxRequestBytes, int maxReplyBytes,
    boolean redelivers, long sentCount, long repliedCount, long missedCount, long lateCount, int waitingCount,
    int takenCount, int quarantinedCount, long wakeCount, long elidedCount, List<RoleStatus> roles)
    implements StructureStatus {

  /**
   * The status of one role that is held.
   *
   * @param role the role's index
   * @param generation how often the role was used, modulo 2^16
   * @param participant the holder
   * @param task {@code caller} or {@code responder}, or either with {@code (revoked)}
   * @param waits whether the holder waits for a reply or for a request
   * @param requestCount requests that this role's holders have sent or taken
   * @param open how many of them have no end yet
   * @param latencyNanos how long its calls took lately, from a sample; 0 for a responder
   * @param oldest the claim of one of the open ones, which changes with the request; 0 when there is none
   * @param label the label that its program gave it; empty when it has none
   */
  public record RoleStatus(int role, int generation, Participant participant, String task, boolean waits,
      long requestCount, int open, long latencyNanos, long oldest, String label) {

    /** Whether this is the same holder that another inspection saw, and not a later holder of the same role. */
    public boolean isSameAs(RoleStatus other) {
      return role == other.role && generation == other.generation && participant.id() == other.participant.id()
          && participant.epoch() == other.participant.epoch();
    }
  }

  /**
   * Inspects an endpoint.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is not an endpoint
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   * @throws io.bywash.engine.SegmentClosedException when the segment is closed in this process
   */
  public static EndpointStatus of(Entry entry) {
    Slots slots = Slots.of(entry);
    return slots.entry.look(() -> of(slots));
  }

  static EndpointStatus of(Slots slots) {
    SegmentEntry entry = slots.entry;
    int waiting = 0;
    int taken = 0;
    int quarantined = 0;
    int[] open = new int[entry.roleCount()];
    long[] oldest = new long[entry.roleCount()];
    for (int caller = 0; caller < Math.min(slots.callersUsed(), slots.callers); caller++) {
      for (int index = 0; index < slots.slotCount; index++) {
        long slot = slots.slot(caller, index);
        long claim = slots.claim(slot);
        long request = slots.request(slot);
        slots.checkedTurn(request, caller);
        int role = Slots.claimRole(claim);
        boolean isNamed = Slots.isClaimed(claim) && role < slots.responders;
        if (Slots.state(request) != SKIPPED && !Slots.isOfTurn(claim, Slots.turn(request))) {
          waiting++;
          open[slots.responders + caller]++;
        } else if (isNamed && slots.isOpen(slot, claim)) {
          taken++;
          open[slots.responders + caller]++;
          open[role]++;
          oldest[role] = oldest[role] == 0 ? claim : oldest[role];
        } else if (isNamed && Slots.state(slots.replyWord(slot)) == ABANDONED && !slots.isGone(claim)) {
          quarantined++;
          open[role]++;
          oldest[role] = oldest[role] == 0 ? claim : oldest[role];
        }
      }
    }
    List<RoleStatus> roles = entry.heldRoles(
        (role, word, holder) -> look(slots, role, word, holder, open[role], oldest[role]));
    int callerRoles = slots.responders;
    int end = entry.roleCount();
    return new EndpointStatus(slots.callers, slots.slotCount, slots.maxRequestBytes, slots.maxReplyBytes,
        slots.redelivers, sum(slots, ROLE_REQUESTS, callerRoles, end), sum(slots, ROLE_ANSWERED, 0, callerRoles),
        sum(slots, ROLE_MISSED, callerRoles, end), sum(slots, ROLE_MISSED, 0, callerRoles), waiting, taken, quarantined,
        sum(slots, ROLE_RUNG, 0, end), sum(slots, ROLE_ELIDED, 0, end), roles);
  }

  private static RoleStatus look(Slots slots, int role, long word, Participant participant, int open, long oldest) {
    SegmentEntry entry = slots.entry;
    String task = role < slots.responders ? "responder" : "caller";
    return new RoleStatus(role, Owner.generation(word), participant,
        Owner.state(word) == SegmentLayout.ROLE_REVOKED ? task + " (revoked)" : task,
        entry.waitingForData().isAnnounced(role) || entry.waitingForSpace().isAnnounced(role),
        word(slots, role, ROLE_REQUESTS), open, word(slots, role, ROLE_LATENCY), oldest, entry.roleLabel(role));
  }

  private static long sum(Slots slots, int counter, int first, int end) {
    long sum = 0;
    for (int role = first; role < Math.min(end, slots.entry.rolesUsed()); role++) {
      sum += word(slots, role, counter);
    }
    return sum;
  }

  private static long word(Slots slots, int role, int counter) {
    return slots.region.getLongOpaque(slots.entry.role(role) + counter);
  }

  /** How long calls took lately, in nanoseconds: the mean over the callers that are open; 0 when nothing is known. */
  public long latencyNanos() {
    return (long) roles.stream().mapToLong(RoleStatus::latencyNanos).filter(each -> each > 0).average().orElse(0);
  }

  /** How many requests are in flight: nobody has taken them yet, or they are not answered yet. */
  public int inFlightCount() {
    return waitingCount + takenCount;
  }

  @Override
  public List<Counter> counters() {
    return List.of(Counter.growing("calls", sentCount), Counter.growing("replies", repliedCount),
        Counter.count("in flight", inFlightCount()), Counter.growing("deadline misses", missedCount),
        Counter.growing("late replies", lateCount), Counter.count("quarantined", quarantinedCount),
        Counter.growing("wakes", wakeCount), Counter.growing("elided wakes", elidedCount),
        Counter.count("latency ns", latencyNanos()));
  }

  /** {@inheritDoc} This is the share of all slots of all callers. */
  @Override
  public Optional<Double> fill() {
    return Optional.of((double) Math.min(inFlightCount() + quarantinedCount, callers * slotsPerCaller)
        / ((double) callers * slotsPerCaller));
  }

  @Override
  public List<Holder> holders() {
    return roles.stream().map(each -> new Holder(each.role(), each.generation(), each.participant(), each.label(),
        each.task(), List.of(Counter.count("waits", each.waits() ? 1 : 0),
            Counter.growing("requests", each.requestCount()), Counter.count("open", each.open())))).toList();
  }

  @Override
  public boolean isUntouched() {
    return sentCount == 0;
  }

  /**
   * {@inheritDoc} These are the responders that still have a request of the earlier status. Meanwhile none was answered
   * ({@link Effect#STOPS}), or only others were ({@link Effect#SLOWS}).
   */
  @Override
  public List<Obstacle> obstacles(StructureStatus earlier, double seconds) {
    if (!(earlier instanceof EndpointStatus before) || takenCount == 0) {
      return List.of();
    }
    Effect effect = repliedCount == before.repliedCount ? Effect.STOPS : Effect.SLOWS;
    List<Long> waiting = roles.stream().filter(each -> each.open() > 0 && each.task().equals("caller"))
        .map(each -> each.participant().pid()).distinct().toList();
    return roles.stream().filter(each -> each.role() < firstCaller() && each.oldest() != 0 && before.hadSame(each))
        .map(each -> new Obstacle(each.role(), effect, waiting, "responder " + each.participant().who(each.label())
            + " has " + each.open() + " requests, the oldest of them since an earlier look",
            "Look what that process does, or add responders.")).toList();
  }

  private int firstCaller() {
    return roles.stream().filter(each -> each.task().startsWith("caller")).mapToInt(RoleStatus::role).min()
        .orElse(Integer.MAX_VALUE);
  }

  private boolean hadSame(RoleStatus later) {
    return roles.stream().anyMatch(each -> each.isSameAs(later) && each.oldest() == later.oldest());
  }
}
