package io.bywash.engine.inspect;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.DamagedSegmentException;
import io.bywash.engine.Lifetime;
import io.bywash.engine.Participant;
import io.bywash.engine.Segment;
import io.bywash.engine.SegmentAccessException;
import io.bywash.engine.SegmentFormatException;
import io.bywash.engine.SegmentNotFoundException;
import io.bywash.engine.internal.SegmentFace;
import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.files.HiddenFiles;
import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.SegmentRemoval;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The status of a bus directory.
 *
 * @param directory its path
 * @param files the files in it, except for the lock file: first all with a valid segment name, sorted, then the
 *     temporary files of creators
 */
public record BusStatus(Path directory, List<FileStatus> files) {

  /** What a file in a bus directory is. */
  public enum State {
    /** A segment with a living participant. */
    LIVE,
    /**
     * A segment that nobody uses and that should have been removed: its last participants were killed, or left and
     * could not remove it.
     */
    STALE,
    /** A segment that nobody uses and that stays, because of its lifetime or because it still holds something. */
    KEPT,
    /** A segment that nobody can attach to, because it is damaged. */
    DAMAGED,
    /** Not a segment, or one of another version. */
    FOREIGN,
    /** A file that this process is not allowed to read. */
    INACCESSIBLE,
    /** A segment that a living process is creating. */
    BEING_CREATED,
    /** A temporary file of a creator that died. */
    LEFTOVER
  }

  /**
   * The status of one file.
   *
   * @param name of the file
   * @param state what it is
   * @param sizeBytes the size of the file; -1 when unknown
   * @param explanation a sentence for people
   * @param segment the status of the segment, if it can be read
   */
  public record FileStatus(String name, State state, long sizeBytes, String explanation,
      Optional<SegmentStatus> segment) {}

  /**
   * Inspects a bus directory. None of its files can make this fail. A bus directory that does not exist has no files.
   *
   * @throws SegmentAccessException when the bus directory cannot be listed
   */
  public static BusStatus of(BusDirectory directory) {
    List<FileStatus> files = new ArrayList<>();
    for (String name : directory.names()) {
      file(directory.path(), name).ifPresent(files::add);
    }
    try (OpenDirectory open = OpenDirectory.of(directory.path())) {
      HiddenFiles.names(open).forEach(name -> files.add(hidden(open, name)));
    } catch (NoSuchFileException none) {
      // no directory, no files
    } catch (IOException failure) {
      throw BusFailures.of(directory.path(), failure);
    }
    return new BusStatus(directory.path(), List.copyOf(files));
  }

  /** The status of one file; empty when it has just been removed. */
  private static Optional<FileStatus> file(Path directory, String name) {
    Path path = directory.resolve(name);
    try (Segment segment = Segment.observe(path)) {
      SegmentStatus status = SegmentStatus.of(segment);
      String retained = SegmentFace.core(segment).retained().orElse("");
      boolean stays = status.lifetime() == Lifetime.KEPT || !retained.isEmpty();
      State state = status.isInUse() ? State.LIVE : stays ? State.KEPT : State.STALE;
      String explanation = state == State.KEPT && !retained.isEmpty()
          ? "Nobody uses it. It stays, since " + retained + "." : explanation(path, state, status);
      return Optional.of(new FileStatus(name, state, status.sizeBytes(), explanation, Optional.of(status)));
    } catch (SegmentNotFoundException gone) {
      return Optional.empty();
    } catch (DamagedSegmentException damaged) {
      String used = isLocked(path) ? " A process still uses it." : "";
      return Optional.of(file(path, State.DAMAGED, damaged.getMessage() + used));
    } catch (SegmentFormatException foreign) {
      return Optional.of(file(path, State.FOREIGN, foreign.getMessage()));
    } catch (BusException | InternalError refused) {
      return Optional.of(file(path, State.INACCESSIBLE, String.valueOf(refused.getMessage())));
    }
  }

  private static FileStatus file(Path path, State state, String explanation) {
    long sizeBytes = -1;
    try {
      sizeBytes = Files.size(path);
    } catch (IOException unknown) {
      // the size is the least important thing about a file that cannot be used
    }
    return new FileStatus(Finding.printable(path.getFileName().toString()), state, sizeBytes,
        Finding.printable(explanation),
        Optional.empty());
  }

  private static boolean isLocked(Path path) {
    try (SegmentFile file = SegmentFile.open(path, true)) {
      return SegmentRemoval.isAnySlotLocked(file);
    } catch (IOException unknown) {
      return false;
    }
  }

  private static FileStatus hidden(OpenDirectory directory, String name) {
    Path path = directory.path().resolve(name);
    try (SegmentFile file = SegmentFile.open(directory, name, true)) {
      if (file.isLockedByOther(SegmentLayout.SLOT_LOCKS)) {
        return file(path, State.BEING_CREATED, "A living process creates it.");
      }
      return HiddenFiles.isOurs(file)
          ? file(path, State.LEFTOVER, "Its creator died. The next creator in this directory removes it, or "
              + clean(directory.attributes(name).owner()) + ".")
          : file(path, State.FOREIGN, "It is named like what a creator leaves, but holds something else. Remove it by"
              + " other means.");
    } catch (IOException refused) {
      return file(path, State.INACCESSIBLE, "It cannot be looked at: " + refused.getMessage());
    }
  }

  /** The command that removes a segment that nobody uses. Only the owner of its file can do that. */
  private static String clean(UserPrincipal owner) throws IOException {
    return owner.equals(OpenDirectory.user()) ? "doctor --clean" : "doctor --clean of its owner, user " + owner;
  }

  private static String clean(Path path) {
    try {
      return clean(Files.getOwner(path, LinkOption.NOFOLLOW_LINKS));
    } catch (IOException gone) {
      return "doctor --clean";
    }
  }

  private static String explanation(Path path, State state, SegmentStatus status) {
    List<Participant> gone = status.participants().stream().filter(each -> !each.alive()).toList();
    long living = status.participants().size() - gone.size();
    long left = gone.stream().filter(Participant::leaving).count();
    long dead = gone.size() - left;
    return switch (state) {
      case LIVE -> living + (living == 1 ? " participant" : " participants")
          + (dead == 0 ? "" : ", and " + dead + " dead")
          + (left == 0 ? "" : ", and " + left + " that left");
      case KEPT -> "Nobody uses it. It is kept until it is removed by name.";
      default -> "Nobody uses it: its last participants "
          + (dead == 0 ? "left, and could not remove it" : "were killed")
          + ". The next user removes it, or " + clean(path) + ".";
    };
  }
}
