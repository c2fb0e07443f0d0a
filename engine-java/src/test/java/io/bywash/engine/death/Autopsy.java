package io.bywash.engine.death;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bywash.engine.Entry;
import io.bywash.engine.EntrySpec;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.inspect.Finding;
import io.bywash.engine.inspect.Verification;
import io.bywash.engine.internal.layout.Owner;
import io.bywash.engine.internal.directory.SegmentEntry;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.memory.Region;
import io.bywash.engine.subject.DeathSubject;
import io.bywash.engine.subject.Subject;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The living look at what the dead left: each invariant of the segment is checked, and its subject checks those of the
 * structure; the segment is recovered and used, and nothing is left in the end.
 */
final class Autopsy {
  private static final Pattern NAMES = Pattern.compile("\\.lock|seg|\\.seg\\.[0-9a-f]{16}\\.tmp");

  private final DeathSubject<?> subject;
  private final Path bus;
  private final Path file;
  private final DeathSubject.Examination examination;

  private Autopsy(DeathSubject<?> subject, Path bus, List<Long> marks) {
    this.subject = subject;
    this.bus = bus;
    this.file = bus.resolve(Scene.SEGMENT);
    this.examination = subject.examination(marks);
  }

  /** Looks into an image, which is written to {@code bus} and gone afterwards. */
  static void of(Subject subject, Trial.Found found, Path bus) {
    found.image().writeTo(bus);
    ofReal(subject, bus, found.marks(), found.step() % 2 == 0);
  }

  /** Looks into what was really left in {@code bus}, which is gone afterwards. */
  static void ofReal(Subject subject, Path bus, List<Long> marks, boolean recoverFirst) {
    try {
      new Autopsy(subject.death(), bus, marks).examine(Image.of(bus).names(), recoverFirst);
    } finally {
      Image.delete(bus);
    }
  }

  private void examine(Set<String> names, boolean recoverFirst) {
    for (String name : names) {
      assertTrue(NAMES.matcher(name).matches(), name);
    }
    boolean exists = names.contains(Scene.SEGMENT);
    long id = exists ? observe() : 0;
    try (Segment segment = Segment.open(file, Scene.spec(subject))) {
      SegmentEntry entry = entry(segment);
      assertTrue(!exists || id == entry.core().geometry().segmentId(), "it is another segment");
      if (recoverFirst) {
        recover(segment, entry.region());
      }
      use(segment, entry);
      recover(segment, entry.region());
    }
    names = Image.of(bus).names();
    assertTrue(Set.of(".lock").containsAll(names), "left: " + names);
  }

  /** What an observer finds, before anybody has changed anything; the segment's id. */
  private long observe() {
    try (Segment observed = Segment.observe(file)) {
      for (Participant participant : observed.participants()) {
        assertFalse(participant.alive(), participant + " looks alive");
        assertFalse(participant.pid() == Scene.STRANGER, participant + " is said to be one that had left");
      }
      for (Finding finding : Verification.of(observed)) {
        assertTrue(finding.severity() != Finding.Severity.ERROR, finding.toString());
      }
      SegmentEntry entry = entry(observed);
      examination.observe(entry);
      return entry.core().geometry().segmentId();
    }
  }

  private static SegmentEntry entry(Segment segment) {
    return (SegmentEntry) segment.directory().find(Scene.STRUCTURE).orElseThrow();
  }

  /** Recovers, and finds all of the segment's own words in order. */
  private static void recover(Segment segment, Region region) {
    for (Participant dead : segment.recover().dead()) {
      assertFalse(dead.pid() == Scene.STRANGER, dead + " is said to be one that had left");
    }
    assertTrue(segment.recover().isEmpty(), "the second time");
    assertEquals(List.of(), Verification.of(segment));
    assertEquals(1, segment.participants().size());
    assertEquals(SegmentLayout.OPEN, region.getLongVolatile(SegmentLayout.STATE_OFFSET), "the segment's state");
    assertEquals(0, region.getLongVolatile(SegmentLayout.INTENT_OFFSET), "the intent");
    for (Entry each : segment.directory().entries()) {
      SegmentEntry entry = (SegmentEntry) each;
      for (int role = 0; role < entry.roleCount(); role++) {
        assertEquals(SegmentLayout.ROLE_FREE, Owner.state(entry.roleWord(role)),
            "role " + role + " of " + entry.name());
      }
      for (int role = 0; role < entry.roleCount(); role++) {
        boolean waits = entry.waitingForData().isAnnounced(role) || entry.waitingForSpace().isAnnounced(role);
        assertFalse(waits, "role " + role + " of " + entry.name() + " waits");
      }
    }
  }

  private void use(Segment segment, Entry entry) {
    examination.use(entry);
    EntrySpec spec = subject.added(Scene.ADDED); // fits only if neither a row nor space was lost
    Entry added = segment.directory().findOrAdd(spec);
    List<String> names = segment.directory().entries().stream().map(Entry::name).toList();
    assertEquals(List.of(Scene.STRUCTURE, Scene.ADDED), names);
    examination.useAdded(added);
  }
}
