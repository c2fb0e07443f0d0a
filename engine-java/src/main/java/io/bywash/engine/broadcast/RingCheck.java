package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.layout.SegmentLayout.*;

import io.bywash.engine.broadcast.Ring.Cursor;
import io.bywash.engine.internal.layout.Owner;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A look for what is impossible in one queue, while publisher and subscribers may be at work. It only reads.
 *
 * <p>It follows the chain of records from the oldest to the newest. Everything that claims a place in the chain, block
 * index entries and subscribers, must be met on the way. A look that the publisher overtakes proves nothing, and begins
 * anew.
 */
final class RingCheck {
  private static final int MAX_ATTEMPTS = 16;
  /** Of a larger ring only the newest bytes are followed. */
  private static final long MAX_WALK_BYTES = 8L << 30;

  /** A place where a record has to begin; with its sequence, or -1 when that is unknown. */
  private record Stop(long position, long sequence, String claimedBy) {}

  private final Ring ring;
  private final List<String> problems = new ArrayList<>();
  private final List<Stop> stops = new ArrayList<>();

  private RingCheck(Ring ring) {
    this.ring = ring;
  }

  /** Sentences on what is impossible; none when the queue is sound, or too busy to be looked at as a whole. */
  static List<String> problems(Ring ring) {
    RingCheck check;
    int attempt = 0;
    do {
      check = new RingCheck(ring);
    } while (!check.run() && ++attempt < MAX_ATTEMPTS);
    return List.copyOf(check.problems);
  }

  /** False when the publisher was faster. */
  private boolean run() {
    long oldest = ring.oldest();
    long settled = ring.published(); // what is noted for positions up to here is final
    if (ring.oldest() != oldest) {
      return false;
    }
    if (ring.isImpossible(settled, oldest)) {
      problems.add("published position " + settled + " and oldest position " + oldest + " are impossible in a ring of "
          + ring.capacityBytes + " bytes");
      return true;
    }
    checkPublisher();
    noteBlocks(oldest, settled);
    int used = ring.entry.rolesUsed();
    for (int index = FIRST_SUBSCRIBER_ROLE; index < used; index++) {
      checkSubscriber(index, oldest);
    }
    long published = ring.published(); // behind everything that was read above
    if (published - oldest > ring.capacityBytes || published < settled) {
      return false; // the boundary has moved too, or somebody plays with the words, and must not make the walk longer
    }
    checkBlocksAhead(oldest, settled, published);
    return walk(oldest, published);
  }

  private void checkPublisher() {
    long word = ring.entry.roleWord(PUBLISHER_ROLE);
    if (Owner.state(word) != ROLE_FREE && Owner.mode(word) != 0) {
      problems.add("the publisher's role has mode " + Owner.mode(word) + " and state " + Owner.state(word));
    }
  }

  private void noteBlocks(long oldest, long settled) {
    for (long block = ring.blocks.blockOf(oldest); block <= ring.blocks.blockOf(settled); block++) {
      Cursor noted = ring.blocks.noted(block);
      if (noted == null || noted.position() < oldest || noted.position() > settled) {
        continue;
      }
      String entry = "the block index, entry " + BlockIndex.entry(block);
      if (noted.position() % RECORD_ALIGNMENT == 0) {
        stops.add(new Stop(noted.position(), noted.sequence(), entry));
      } else { // nothing is ever read there: a header could reach beyond the ring
        problems.add(entry + " tells of position " + noted.position() + ", where no such record begins");
      }
    }
  }

  /** Entries may be ahead of what is published, by what is staged. */
  private void checkBlocksAhead(long oldest, long settled, long published) {
    for (long block = ring.blocks.blockOf(oldest); block <= ring.blocks.blockOf(settled); block++) {
      long position = ring.blocks.position(block);
      if (position > ring.published() + ring.capacityBytes
          || position > published && position % RECORD_ALIGNMENT != 0) {
        problems.add("the block index, entry " + BlockIndex.entry(block) + ", tells of position " + position
            + ", where no record can begin");
      }
    }
  }

  private void checkSubscriber(int index, long oldest) {
    long word = ring.entry.roleWord(index);
    long position = position(index);
    int mode = Owner.mode(word);
    int state = Owner.state(word);
    if (ring.entry.roleWord(index) != word || state == ROLE_FREE) {
      return;
    }
    String who = "the subscriber in role " + index;
    if (mode < MODE_BLOCK || mode > MODE_EVICT) {
      problems.add(who + " has mode " + mode + " and state " + state);
    }
    if (state != ROLE_ACTIVE && state != ROLE_REVOKED) {
      return; // it has no position yet
    }
    if (position < 0 || position % RECORD_ALIGNMENT != 0 || position > ring.published()) {
      problems.add(who + " stands at position " + position + ", where no record can begin");
    } else if (position >= oldest) {
      stops.add(new Stop(position, -1, who));
    } // else nothing is known to be wrong, see SPEC.md: it reads copies, or has joined while the boundary moved past it
  }

  private long position(int index) {
    return ring.region.getLongAcquire(ring.entry.role(index) + ROLE_POSITION); // [position]
  }

  /** Follows the chain; false when it was overwritten on the way. */
  private boolean walk(long oldest, long published) {
    stops.sort(Comparator.comparingLong(Stop::position).thenComparingLong(Stop::sequence).reversed());
    long from = Math.max(oldest, published - MAX_WALK_BYTES);
    while (!stops.isEmpty() && (stops.getLast().position() < from || stops.getLast().sequence() < 0)) {
      stops.removeLast();
    }
    if (stops.isEmpty() || from == oldest && stops.getLast().position() != oldest) {
      return lostChain(oldest);
    }
    long position = stops.getLast().position();
    long sequence = stops.getLast().sequence();
    boolean padded = false;
    while (position < published) {
      meet(position, sequence);
      int length = ring.region.getInt(ring.at(position) + RECORD_LENGTH);
      long found = ring.region.getLong(ring.at(position) + RECORD_SEQUENCE);
      if (ring.isOverwritten(position)) {
        return false;
      }
      long padding = ring.paddingBytes(position, length);
      padded = padding > 0;
      if (found != sequence || !padded && !ring.isPossible(position, length)) {
        problems.add("the record at position " + position + " has length " + length + " and sequence " + found
            + " where sequence " + sequence + " was due");
        return true;
      }
      position += padded ? padding : recordBytes(length);
      sequence += padded ? 0 : 1;
    }
    meet(position, sequence);
    if (position != published) {
      problems.add("its records lead to position " + position + ", beyond the published position " + published);
    } else if (padded) {
      problems.add("the published position " + published + " stands behind padding");
    }
    return true;
  }

  private boolean lostChain(long oldest) {
    if (ring.oldest() != oldest) {
      return false;
    }
    problems.add("the block index does not lead to the oldest record at position " + oldest);
    return true;
  }

  /** What claims that a record begins at or before this position, which is the first one from the last position on. */
  private void meet(long position, long sequence) {
    while (!stops.isEmpty() && stops.getLast().position() <= position) {
      Stop stop = stops.removeLast();
      if (stop.position() < position || stop.sequence() >= 0 && stop.sequence() != sequence) {
        problems.add(stop.claimedBy() + " tells of position " + stop.position()
            + (stop.sequence() < 0 ? "" : " and sequence " + stop.sequence()) + ", where no such record begins");
      }
    }
  }
}
