package io.bywash.engine.broadcast;

import static io.bywash.engine.broadcast.BroadcastLayout.*;
import static io.bywash.engine.internal.layout.SegmentLayout.ROLE_FREE;

import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.broadcast.Ring.Cursor;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.linux.EngineLog;
import java.lang.invoke.VarHandle;

/**
 * Where a publisher that takes its role goes on. Usually that is where its predecessor stopped. If the records do not
 * lead there, since two threads used one publisher or a program wrote where it must not, everything up to now is given
 * up: the new publisher goes on at the ring's next turn, with a sequence beyond all that were used. Readers learn of it
 * like of any loss, or by a {@link DamagedSegmentException} where they hold messages that are gone.
 *
 * <p>Only the holder of the publisher's role may call it. If that dies on the way, its successor does the same again.
 */
final class RingRepair {
  /** Of a larger ring only the newest bytes are looked at. */
  private static final long MAX_WALK_BYTES = 64 << 20;
  /** What is beyond this can only be nonsense, to which nothing can be added. */
  private static final long MAX_PLAUSIBLE = 1L << 61;
  /** The shortest record. */
  private static final int MIN_RECORD_BYTES = RECORD_HEADER_BYTES + RECORD_ALIGNMENT;

  private final Ring ring;
  private long position;
  private long sequence;

  private RingRepair(Ring ring) {
    this.ring = ring;
  }

  /**
   * Where the next record goes, and its sequence.
   *
   * @throws DamagedSegmentException when the ring's words leave no place to go on at
   */
  static Cursor takeOver(Ring ring) {
    String damage;
    try {
      Cursor newest = new Cursor(ring.published(), ring.sequenceAt(ring.published()));
      damage = findBreak(ring, ring.oldest(), newest);
      if (damage == null) {
        return newest;
      }
    } catch (DamagedSegmentException impossible) {
      damage = impossible.getMessage();
    }
    Cursor next = new RingRepair(ring).giveUpAll(damage);
    EngineLog.log(System.Logger.Level.WARNING, "Entry \"" + ring.entry.name() + "\" of segment "
        + ring.entry.core().path() + " was damaged, and has been repaired: its messages before sequence "
        + next.sequence() + " are given up. " + damage, null);
    return next;
  }

  /** Follows the records to the newest one; where they do not lead on, null if they do. */
  private static String findBreak(Ring ring, long oldest, Cursor newest) {
    ring.validate(newest.position(), oldest);
    long at = oldest;
    if (newest.position() - oldest > MAX_WALK_BYTES) {
      Cursor noted = null;
      for (long block = ring.blocks.blockOf(newest.position() - MAX_WALK_BYTES); noted == null; block++) {
        if (block > ring.blocks.blockOf(newest.position())) {
          return "the block index leads to no record";
        }
        noted = ring.blocks.noted(block);
        noted = noted != null && noted.position() % RECORD_ALIGNMENT == 0 ? noted : null;
      }
      at = noted.position();
    }
    long due = -1;
    while (at < newest.position()) {
      int length = ring.region.getInt(ring.at(at) + RECORD_LENGTH);
      long found = ring.region.getLong(ring.at(at) + RECORD_SEQUENCE);
      long padding = ring.paddingBytes(at, length);
      if (due >= 0 && found != due || padding == 0 && !ring.isPossible(at, length)) {
        return "the record at position " + at + " has length " + length + " and sequence " + found;
      }
      at += padding > 0 ? padding : recordBytes(length);
      due = padding > 0 ? found : found + 1;
    }
    return at == newest.position() && (due < 0 || due == newest.sequence()) ? null
        : "its records lead to position " + at + " and sequence " + due;
  }

  private Cursor giveUpAll(String damage) {
    consider(ring.published(), 0);
    consider(ring.oldest(), 0);
    for (int index = FIRST_SUBSCRIBER_ROLE; index < ring.entry.rolesUsed(); index++) {
      if (Owner.state(ring.entry.roleWord(index)) != ROLE_FREE) {
        long role = ring.entry.role(index);
        consider(ring.region.getLongOpaque(role + ROLE_POSITION), ring.region.getLongOpaque(role + ROLE_SEQUENCE));
      }
    }
    for (int entry = 0; entry < NOTED_BLOCKS; entry++) {
      long noted = ring.blocks.sequence(entry);
      if (noted > 0) { // its block may hold so many messages
        consider(0, noted + ring.blocks.blockBytes() / MIN_RECORD_BYTES + 1);
      }
    }
    if (position > MAX_PLAUSIBLE || sequence > MAX_PLAUSIBLE) {
      throw ring.entry.damaged(damage + "; its words leave no place to go on at");
    }
    Cursor next = new Cursor((position + ring.capacityBytes - 1) & -ring.capacityBytes, sequence);
    ring.blocks.note(ring.blocks.blockOf(next.position()), next.position(), next.sequence());
    ring.region.setLongRelease(ring.oldestOffset, next.position()); // [oldest]
    VarHandle.fullFence(); // [oldest] nothing is overwritten before
    ring.region.setLongRelease(ring.publishedOffset, next.position()); // [published]
    return next;
  }

  /** Nothing that anybody may have seen is used again; what is negative is nobody's. */
  private void consider(long seenPosition, long seenSequence) {
    position = Math.max(position, seenPosition);
    sequence = Math.max(sequence, seenSequence);
  }
}
