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
 * One attachment of this process to one segment: a file of shared memory with named structures in it. Any thread may
 * use it.
 *
 * <p>A segment given by name lies in the {@linkplain BusDirectory#standard standard bus directory}; one given by path
 * may lie anywhere, in a directory that exists. The file is created with mode 0600 unless the specification says
 * otherwise.
 *
 * <p>An attachment that is not read-only is a {@linkplain Participant participant}, and has to be closed. A process
 * that is killed is found to be dead by its kernel lock, and nobody waits for it.
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
   * Creates a segment. All its space is really allocated now, so that no later access can fail for lack of it.
   *
   * @throws SegmentExistsException when there is one; of several creators at once exactly one succeeds
   * @throws SegmentNotFoundException when the directory is missing
   * @throws NoSpaceException when there is not enough space; nothing is left behind
   * @throws SegmentAccessException when the operating system refuses
   */
  public static Segment create(Path file, SegmentSpec spec) {
    return new Segment(BusFiles.create(StructureTypes.ALL, checked(file), Objects.requireNonNull(spec, "spec")));
  }

  /** As {@link #open(Path, SegmentSpec)}, in the standard bus directory. */
  public static Segment open(String name, SegmentSpec spec) {
    return open(BusDirectory.standard().createdPath(name), spec);
  }

  /**
   * Attaches to a segment, or creates it if there is none. One that differs is replaced if no participant lives and its
   * lifetime is {@link Lifetime#WHILE_USED}: its last one would have removed it, had it not been killed.
   *
   * @throws SpecMismatchException when it exists and differs; every difference is listed
   * @throws BusException as {@link #create(Path, SegmentSpec)} and {@link #attach(Path, long)}, but that it may exist
   *     or not
   */
  public static Segment open(Path file, SegmentSpec spec) {
    return new Segment(BusFiles.open(StructureTypes.ALL, checked(file), Objects.requireNonNull(spec, "spec")));
  }

  /** As {@link #attach(Path, long)}, in the standard bus directory. */
  public static Segment attach(String name, long timeoutNanos) {
    return attach(BusDirectory.standard().path(name), timeoutNanos);
  }

  /**
   * Attaches to a segment that another process creates, whatever is in it.
   *
   * @param timeoutNanos how long to wait for it to exist; 0 or less does not wait
   * @throws SegmentNotFoundException when there is none in that time
   * @throws InterruptedWaitException when this thread is interrupted while there is none
   * @throws SegmentFormatException when the file is no segment, or one of another version
   * @throws DamagedSegmentException when its header is damaged
   * @throws TableFullException when all participant slots are taken by the living
   * @throws SegmentAccessException when the operating system refuses
   */
  public static Segment attach(Path file, long timeoutNanos) {
    return new Segment(BusFiles.attach(StructureTypes.ALL, checked(file), timeoutNanos));
  }

  /** As {@link #observe(Path)}, in the standard bus directory. */
  public static Segment observe(String name) {
    return observe(BusDirectory.standard().path(name));
  }

  /**
   * Attaches read-only: the memory is mapped read-only, nobody notices, and nothing is kept alive. Roles cannot be
   * taken, but for {@code skip} subscribers.
   *
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

  /** Its name: that of its file. */
  public String name() {
    return core.path().getFileName().toString();
  }

  /** Its file. */
  public Path path() {
    return core.path();
  }

  /**
   * A random number, not 0, that its creator drew: no other life of a segment has the same, also not one of the same
   * name. With a sequence it names a place for good, see
   * {@link io.bywash.engine.broadcast.SubscriberOptions#startingAt(long, long)}.
   */
  public long id() {
    return core.geometry().segmentId();
  }

  /** The size of the file in bytes. */
  public long sizeBytes() {
    return core.geometry().sizeBytes();
  }

  /** When it is removed. */
  public Lifetime lifetime() {
    return core.geometry().lifetime();
  }

  /** The names in it. */
  public Directory directory() {
    core.checkOpen();
    return new Directory(core);
  }

  /**
   * Says what this participant is, for people who look at the segment: {@link Participant#label}. It may be changed at
   * any time.
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

  /** Everybody who is attached for writing, the living and the dead whose slots nobody took yet. */
  public List<Participant> participants() {
    core.checkOpen();
    return core.whileMapped(() -> core.participants().list());
  }

  /**
   * Puts in order at once what the dead have left, instead of when somebody next comes across it: their roles and slots
   * become free, so that a dead subscriber holds no publisher back; whoever waited for them is woken; an entry that was
   * half added is voided; a removal that was begun is taken back; hidden files of dead creators are removed.
   *
   * <p>Nobody has to call this: joining, publishing and adding do their part of it by themselves. It takes nothing from
   * the living, the paused included, and does not wait for them. It may be repeated, called by several processes at
   * once, and be killed at any point; the next call goes on. A damaged structure keeps no other one from being
   * recovered.
   *
   * @throws IllegalStateException when the segment is attached read-only
   * @throws SegmentClosedException when it is closed in this process
   * @throws SegmentAccessException when the operating system refuses
   */
  public Recovery recover() {
    return core.whileMapped(core::recover);
  }

  /**
   * Closes this attachment with all roles that are still open in it: each fails with {@link SegmentClosedException} at
   * its next operation, and waiting ones are woken. Slot, lock, descriptor and memory are given back at once; if the
   * lifetime is {@link Lifetime#WHILE_USED} and no other participant lives, the segment is removed.
   *
   * <p>A role that is in an operation is closed by that operation at its end, and takes the rest with it: a claim that
   * is open can then not be committed any more, and a handler that is being called goes on reading what was there. Once
   * is enough.
   *
   * <p>At an orderly end of the JVM participants that were not closed leave by themselves: others see that they left,
   * and the last one removes the segment. {@code -Dbywash.exit.hook=off} forgoes that; so does an engine within an OSGi
   * bundle.
   *
   * @throws DamagedSegmentException when the file was cut while it was in use; everything was given back all the same
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
