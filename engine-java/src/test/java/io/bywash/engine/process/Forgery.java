package io.bywash.engine.process;

import io.bywash.engine.Segment;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.ProcessIdentity;
import io.bywash.engine.internal.memory.Region;

/** Writes by hand what a participant leaves that is killed at an exact point, in a segment that has the usual queue. */
final class Forgery {
  final Region region;
  private final SegmentEntry entry;

  Forgery(Segment segment) {
    entry = (SegmentEntry) segment.directory().find(Programs.QUEUE).orElseThrow();
    region = entry.region();
  }

  long segmentId() {
    return entry.core().geometry().segmentId();
  }

  private static long slot(int id) {
    return SegmentLayout.HEADER_BYTES + (long) id * SegmentLayout.SLOT_BYTES;
  }

  int epoch(int id) {
    return Owner.epoch(region.getLongVolatile(slot(id) + SegmentLayout.SLOT_WORD));
  }

  /** A participant that was killed: nobody holds its lock, and no process has its pid and start time. */
  long deadParticipant(int id) {
    long dead = Owner.participant(id, epoch(id) + 1);
    region.setLongOpaque(slot(id) + SegmentLayout.SLOT_START_TICKS, 1);
    region.setLongVolatile(slot(id) + SegmentLayout.SLOT_WORD, Owner.word(dead, 0, 0, SegmentLayout.SLOT_ACTIVE));
    return dead;
  }

  /** A participant of this process whose lock got lost. */
  long runningParticipantWithoutLock(int id) {
    long participant = deadParticipant(id);
    ProcessIdentity self = ProcessIdentity.self();
    region.setLongVolatile(slot(id) + SegmentLayout.SLOT_PID, self.pid());
    region.setLongVolatile(slot(id) + SegmentLayout.SLOT_PID_NAMESPACE, self.pidNamespace());
    region.setLongVolatile(slot(id) + SegmentLayout.SLOT_BOOT_HIGH, self.bootHigh());
    region.setLongVolatile(slot(id) + SegmentLayout.SLOT_BOOT_LOW, self.bootLow());
    region.setLongVolatile(slot(id) + SegmentLayout.SLOT_START_TICKS, self.startTicks());
    return participant;
  }

  /** Gives a role of the queue to a participant. */
  void role(int index, long participant) {
    int generation = Owner.generation(entry.roleWord(index)) + 1;
    region.setLongVolatile(entry.role(index) + SegmentLayout.ROLE_WORD,
        Owner.word(participant, generation, 0, SegmentLayout.ROLE_ACTIVE));
  }

  long state() {
    return region.getLongVolatile(SegmentLayout.STATE_OFFSET);
  }

  /** A participant is removing the segment. */
  void closing(long participant) {
    region.setLongVolatile(SegmentLayout.STATE_OFFSET, Owner.word(participant, 0, 0, SegmentLayout.CLOSING));
  }
}
