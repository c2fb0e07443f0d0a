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
import io.bywash.engine.internal.BusFiles;
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
 * A look at a bus directory.
 *
 * @param directory where it is
 * @param files what lies in it, but for the lock file: first everything under a proper name, sorted, then what creators
 *     have not linked to its name
 */
public record BusStatus(Path directory, List<FileStatus> files) {

  /** What a file in a bus directory is. */
  public enum State {
    /** A segment with a living participant. */
    LIVE,
    /**
     * A segment that is to be removed when nobody uses it, and that nobody uses: its last participants were killed, or
     * left and could not remove it.
     */
    STALE,
    /** A segment that is to be kept, or that still holds something, and that nobody uses. */
    KEPT,
    /** A segment that nobody can attach to. */
    DAMAGED,
    /** No segment, or one of another version. */
    FOREIGN,
    /** This process may not look at it. */
    INACCESSIBLE,
    /** A segment that a living creator is about to create. */
    BEING_CREATED,
    /** What a creator left that died. */
    LEFTOVER
  }

  /**
   * A look at one file.
   *
   * @param name of the file
   * @param state what it is
   * @param sizeBytes of the file; -1 when unknown
   * @param explanation a sentence for the user
   * @param segment more, if it can be looked at
   */
  public record FileStatus(String name, State state, long sizeBytes, String explanation,
      Optional<SegmentStatus> segment) {}

  /**
   * Looks at a directory; none of its files can make this fail.
   *
   * @throws SegmentAccessException when the directory cannot be listed; one that does not exist has no files
   */
  public static BusStatus of(BusDirectory directory) {
    List<FileStatus> files = new ArrayList<>();
    for (String name : directory.names()) {
      file(directory.path(), name).ifPresent(files::add);
    }
    try (OpenDirectory open = OpenDirectory.of(directory.path())) {
      BusFiles.leftovers(open).forEach(name -> files.add(hidden(open, name)));
    } catch (NoSuchFileException none) {
      // no directory, no files
    } catch (IOException failure) {
      throw BusFailures.of(directory.path(), failure);
    }
    return new BusStatus(directory.path(), List.copyOf(files));
  }

  /** Empty when it has just gone. */
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
      // its size is the least of what is wrong with it
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
      return BusFiles.isOurs(file)
          ? file(path, State.LEFTOVER, "Its creator died. The next creator in this directory removes it, or "
              + clean(directory.attributes(name).owner()) + ".")
          : file(path, State.FOREIGN, "It is named like what a creator leaves, but holds something else. Remove it by"
              + " other means.");
    } catch (IOException refused) {
      return file(path, State.INACCESSIBLE, "It cannot be looked at: " + refused.getMessage());
    }
  }

  /** Who removes what nobody uses: only its owner does. */
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
