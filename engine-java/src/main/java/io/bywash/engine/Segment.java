package io.bywash.engine;

import io.bywash.engine.internal.BusFiles;
import io.bywash.engine.internal.SegmentCore;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.kinds.StructureTypes;
import io.bywash.engine.internal.layout.Label;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * An attachment of this process to a segment: a file of shared memory that holds named structures. Any thread may use
 * it.
 *
 * {@snippet :
 * SegmentSpec spec = SegmentSpec.of(Broadcast.spec("prices", 4 << 20));
 * try (Segment segment = Segment.open("market", spec);
 *     Publisher publisher = Publisher.open(segment.directory().find("prices", Kind.BROADCAST))) {
 *   publisher.offer(message);
 * }
 * }
 *
 * <p>A segment given by name lies in the {@linkplain BusDirectory#standard standard bus directory}. One given by path
 * may lie in any directory that exists. The file is created with mode 0600 unless the specification says otherwise.
 *
 * <p>An attachment that is not read-only is a {@linkplain Participant participant}, and must be closed. If its process
 * is killed, the others learn that from a lock that the kernel releases, and nobody waits for it.
 */
@SuppressWarnings("exports") // SegmentFace has no public member
public final class Segment extends SegmentFace implements AutoCloseable {
  private Segment(SegmentCore core) {
    super(core);
  }

  /** As {@link #create(Path, SegmentSpec)}, in the standard bus directory. */
  public static Segment create(String name, SegmentSpec spec) {
    return create(BusDirectory.standard().createdPath(name), spec);
  }

  /**
   * Creates a segment and attaches to it. All its space is allocated now, so no later access can fail for lack of
   * space.
   *
   * @param file the path of the file; its last part is the segment's name
   * @throws IllegalArgumentException when that is not a valid name: 1 to 64 characters of {@code A-Z a-z 0-9 . _ -},
   *     starting with a letter or a digit
   * @throws SegmentExistsException when the segment exists; if several processes create it at once, exactly one
   *     succeeds
   * @throws SegmentNotFoundException when the bus directory does not exist
   * @throws NoSpaceException when there is not enough space; nothing is left behind
   * @throws SegmentAccessException when the operating system refuses access
   */
  public static Segment create(Path file, SegmentSpec spec) {
    return new Segment(BusFiles.create(StructureTypes.ALL, checked(file), Objects.requireNonNull(spec, "spec")));
  }

  /** As {@link #open(Path, SegmentSpec)}, in the standard bus directory. */
  public static Segment open(String name, SegmentSpec spec) {
    return open(BusDirectory.standard().createdPath(name), spec);
  }

  /**
   * Attaches to a segment, or creates it if it does not exist. An existing segment that differs from {@code spec} is
   * replaced if no participant is alive, its lifetime is {@link Lifetime#WHILE_USED}, and no work queue in it holds
   * messages: its last participant would have removed it, had it not been killed.
   *
   * @param file as for {@link #create(Path, SegmentSpec)}
   * @throws SpecMismatchException when the segment exists and differs; the message lists each difference
   * @throws BusException as {@link #create(Path, SegmentSpec)} and {@link #attach(Path, long)}, except that the segment
   *     may or may not exist
   */
  public static Segment open(Path file, SegmentSpec spec) {
    return new Segment(BusFiles.open(StructureTypes.ALL, checked(file), Objects.requireNonNull(spec, "spec")));
  }

  /** As {@link #attach(Path, long)}, in the standard bus directory. */
  public static Segment attach(String name, long timeoutNanos) {
    return attach(BusDirectory.standard().path(name), timeoutNanos);
  }

  /**
   * Attaches to a segment that another process creates, whatever structures it holds.
   *
   * @param file as for {@link #create(Path, SegmentSpec)}
   * @param timeoutNanos how long to wait for the segment to exist; 0 or less does not wait
   * @throws SegmentNotFoundException when the segment does not exist within that time
   * @throws InterruptedWaitException when this thread is interrupted while the segment does not exist
   * @throws SegmentFormatException when the file is not a segment of this version
   * @throws DamagedSegmentException when the header is damaged
   * @throws TableFullException when living participants have taken all slots
   * @throws SegmentAccessException when the operating system refuses access
   */
  public static Segment attach(Path file, long timeoutNanos) {
    return new Segment(BusFiles.attach(StructureTypes.ALL, checked(file), timeoutNanos));
  }

  /** As {@link #observe(Path)}, in the standard bus directory. */
  public static Segment observe(String name) {
    return observe(BusDirectory.standard().path(name));
  }

  /**
   * Attaches read-only, as an observer: nobody sees this attachment, and it keeps nothing alive. It can read what needs
   * no writing: by subscribers with {@link io.bywash.engine.broadcast.SubscriberOptions#skip}, readers of latest
   * values, atomics, arrays and views. This does not wait for the segment to exist.
   *
   * @param file as for {@link #create(Path, SegmentSpec)}
   * @throws BusException as {@link #attach(Path, long)}
   */
  public static Segment observe(Path file) {
    return new Segment(BusFiles.observe(StructureTypes.ALL, checked(file)));
  }

  private static Path checked(Path file) {
    Objects.requireNonNull(file, "file");
    BusDirectory.checkName(file);
    return file.toAbsolutePath();
  }

  /** The segment's name, which is the name of its file. */
  public String name() {
    return core.path().getFileName().toString();
  }

  /** The path of the segment's file. */
  public Path path() {
    return core.path();
  }

  /**
   * A random number other than 0 that the segment's creator chose. A segment that is removed and created again under
   * the same name has another id. An id and a sequence together identify a message for good, see
   * {@link io.bywash.engine.broadcast.SubscriberOptions#startingAt(long, long)}.
   */
  public long id() {
    return core.geometry().segmentId();
  }

  /** The size of the segment's file in bytes. */
  public long sizeBytes() {
    return core.geometry().sizeBytes();
  }

  /** When the segment is removed. */
  public Lifetime lifetime() {
    return core.geometry().lifetime();
  }

  /**
   * The segment's directory, which names its structures.
   *
   * @throws SegmentClosedException when the segment is closed in this process
   */
  public Directory directory() {
    core.checkOpen();
    return new Directory(core);
  }

  /**
   * Labels this participant for people who inspect the segment, see {@link Participant#label}. The label may be changed
   * at any time.
   *
   * @param label up to 32 bytes in UTF-8, without control characters; empty for none
   * @throws IllegalStateException when the segment is attached read-only
   */
  public void label(String label) {
    Label.check(label);
    core.whileMapped(() -> {
      core.requireParticipant();
      core.participants().label(label);
      return null;
    });
  }

  /**
   * All participants: the living, and the dead whose slots have not been taken again.
   *
   * @throws SegmentClosedException when the segment is closed in this process
   */
  public List<Participant> participants() {
    return core.whileMapped(() -> core.participants().list());
  }

  /**
   * Recovers at once from the deaths of participants, instead of when somebody next comes across them. The roles and
   * slots of the dead become free, so that a dead subscriber holds no publisher back; whoever waited for them is woken;
   * an entry that was half added is voided; a removal of the segment that did not finish is reverted; temporary files
   * of dead creators are removed.
   *
   * <p>Nobody has to call this: joining, publishing, adding entries and waiting each recover what is in their way. It
   * takes nothing from living participants, even if they are paused, and does not wait for them. It may be repeated,
   * may be called by several processes at once, and may be killed at any point; the next call continues. A damaged
   * structure does not prevent the recovery of the others.
   *
   * @throws IllegalStateException when the segment is attached read-only
   * @throws SegmentClosedException when the segment is closed in this process
   * @throws SegmentAccessException when the operating system refuses access
   */
  public Recovery recover() {
    return core.whileMapped(core::recover);
  }

  /**
   * Closes this attachment and all roles that are still open in it. Each such role throws
   * {@link SegmentClosedException} at its next operation, and roles that wait are woken. The slot, lock, file
   * descriptor and memory are released at once. If the lifetime is {@link Lifetime#WHILE_USED}, no other participant is
   * alive, and nothing that the segment holds has to stay, the segment is removed. That waits for up to 10 s for
   * another process that is creating or removing a segment in the same directory; if that one does not go on, the
   * segment stays, which is logged, and everything else is released then. Calling this again does nothing.
   *
   * <p>A role whose user is inside an operation is closed when that operation ends, and what it uses is released with
   * it. An open claim can then no longer be committed; a handler that is running continues to read what was there.
   *
   * <p>When the JVM ends in an orderly way, participants that were not closed leave by themselves: others see that they
   * left, and the last one removes the segment. {@code -Dbywash.exit.hook=off} turns that off. In an OSGi bundle it is
   * always off.
   *
   * @throws DamagedSegmentException when the file was truncated while it was in use; everything was released all the
   *     same
   */
  @Override
  public void close() {
    core.close();
  }

  @Override
  public String toString() {
    return "Segment[" + core.path() + "]";
  }
}
