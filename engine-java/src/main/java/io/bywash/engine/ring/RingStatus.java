package io.bywash.engine.ring;

import static io.bywash.engine.ring.RingLayout.*;

import io.bywash.engine.Entry;
import io.bywash.engine.Participant;
import io.bywash.engine.StructureStatus;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.layout.SegmentLayout;
import java.util.List;
import java.util.Optional;

/**
 * The state of a ring, read from any attachment, even a read-only one. Reading it costs writer and popper nothing. The
 * numbers are read one after the other, not all at one instant; but {@code pushedCount} is always the sum of the three
 * others.
 *
 * @param capacity how many elements the ring holds
 * @param elementBytes the size of each element in bytes
 * @param pushedCount elements ever pushed
 * @param poppedCount elements ever popped
 * @param lostCount elements that were dropped before they were popped, whether or not a popper has come to them
 * @param readyCount elements that wait to be popped
 * @param roles the holders of the two roles, dead or alive
 */
public record RingStatus(int capacity, int elementBytes, long pushedCount, long poppedCount, long lostCount,
    int readyCount, List<RoleStatus> roles) implements StructureStatus {

  /**
   * The state of a role that is held.
   *
   * @param role 0 for the writer, 1 for the popper
   * @param generation how often the role was used, modulo 2^16
   * @param participant the holder
   * @param task {@code writer} or {@code popper}, or either with {@code (revoked)}
   * @param waits whether the holder waits for room or for an element
   * @param label the label that its program gave it; empty when it has none
   */
  public record RoleStatus(int role, int generation, Participant participant, String task, boolean waits,
      String label) {}

  /**
   * Reads the state of a ring.
   *
   * @throws io.bywash.engine.SpecMismatchException when the entry is not a ring
   * @throws io.bywash.engine.DamagedSegmentException when shared memory holds something impossible
   */
  public static RingStatus of(Entry entry) {
    Elements elements = Elements.of(entry);
    return elements.entry.look(() -> of(elements));
  }

  private static RingStatus of(Elements elements) {
    SegmentEntry entry = elements.entry;
    Elements.Head head = elements.readHead(); // first, so that it is not ahead of the tail
    long tail = elements.tail();
    elements.checkPopped(head, tail);
    long dropped = elements.oldest(head.position(), tail) - head.position();
    List<RoleStatus> roles = entry.heldRoles((role, word, holder) -> look(entry, role, word, holder));
    return new RingStatus(elements.capacity, elements.elementBytes, tail, head.position() - head.lost(),
        head.lost() + dropped, (int) (tail - head.position() - dropped), roles);
  }

  private static RoleStatus look(SegmentEntry entry, int index, long word, Participant participant) {
    String task = index == WRITER_ROLE ? "writer" : "popper";
    return new RoleStatus(index, Owner.generation(word), participant,
        Owner.state(word) == SegmentLayout.ROLE_REVOKED ? task + " (revoked)" : task,
        entry.waitingForData().isAnnounced(index) || entry.waitingForSpace().isAnnounced(index),
        entry.roleLabel(index));
  }

  @Override
  public List<Counter> counters() {
    return List.of(Counter.growing("pushed", pushedCount), Counter.growing("popped", poppedCount),
        Counter.growing("lost", lostCount), Counter.count("ready", readyCount));
  }

  @Override
  public Optional<Double> fill() {
    return Optional.of((double) readyCount / capacity);
  }

  @Override
  public List<Holder> holders() {
    return roles.stream().map(each -> new Holder(each.role(), each.generation(), each.participant(), each.label(),
        each.task(), List.of(Counter.count("waits", each.waits() ? 1 : 0)))).toList();
  }

  @Override
  public boolean isUntouched() {
    return pushedCount == 0;
  }

  /**
   * {@inheritDoc} That is the popper, while the ring is full and the writer waits for room. Nothing was popped
   * meanwhile ({@link Effect#STOPS}), or too little ({@link Effect#SLOWS}).
   */
  @Override
  public List<Obstacle> obstacles(StructureStatus earlier, double seconds) {
    if (!(earlier instanceof RingStatus before) || readyCount < capacity) {
      return List.of();
    }
    List<Long> waiting = roles.stream().filter(each -> each.role() == WRITER_ROLE && each.waits())
        .map(each -> each.participant().pid()).toList();
    boolean stops = poppedCount == before.poppedCount;
    return roles.stream().filter(each -> each.role() == POPPER_ROLE && !waiting.isEmpty())
        .map(each -> new Obstacle(each.role(), stops ? Effect.STOPS : Effect.SLOWS, waiting, "the ring is full, and"
            + " popper " + each.participant().who(each.label()) + " has popped " + (poppedCount - before.poppedCount)
            + " elements meanwhile", "Look at what that process does, or push with pushOverwrite.")).toList();
  }
}
