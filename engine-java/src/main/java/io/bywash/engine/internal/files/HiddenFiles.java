package io.bywash.engine.internal.files;

import io.bywash.engine.internal.layout.SegmentLayout;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.SegmentFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Files under hidden names, in which segments are being created. The creator holds the lock of the first slot. If
 * nobody does, the creator has died, and the next creator in the directory deletes the file.
 */
public final class HiddenFiles {
  private static final Pattern NAME = Pattern.compile("\\..+\\.[0-9a-f]{16}\\.tmp");

  private HiddenFiles() {}

  /** The hidden name under which the segment of that name and id is created. */
  public static String name(String segment, long segmentId) {
    return prefix(segment) + String.format("%016x", segmentId) + ".tmp";
  }

  private static String prefix(String segment) {
    return "." + segment + ".";
  }

  /**
   * Cleans up, and creates a hidden file. The lock of its first slot is taken under the names lock, so nobody can take
   * the file for one that was left.
   */
  public static SegmentFile create(OpenDirectory directory, String name, Set<PosixFilePermission> permissions)
      throws IOException {
    return NamesLock.under(directory, () -> {
      for (String leftover : names(directory)) {
        deleteIfLeft(directory, leftover);
      }
      SegmentFile file = SegmentFile.create(directory, name, permissions);
      boolean locked = false;
      try {
        locked = file.tryLock(SegmentLayout.SLOT_LOCKS);
        if (!locked) {
          throw new IOException("another process has locked the new file " + name);
        }
        return file;
      } finally {
        if (!locked) {
          file.close();
          directory.deleteIfExists(name);
        }
      }
    });
  }

  /** The names of all hidden files, whether their creators are alive or dead. */
  public static List<String> names(OpenDirectory directory) throws IOException {
    return directory.names().stream().filter(NAME.asMatchPredicate()).toList();
  }

  /**
   * Deletes the files that dead creators left, unless somebody else holds the names lock for {@code timeoutNanos}.
   *
   * @return the names of the files that were deleted
   */
  public static List<String> deleteLeft(Path path, long timeoutNanos) {
    try (OpenDirectory directory = OpenDirectory.of(path)) {
      if (!names(directory).isEmpty()) {
        return NamesLock.tryUnder(directory, timeoutNanos, () ->
            names(directory).stream().filter(name -> deleteIfLeft(directory, name)).toList()).orElse(List.of());
      }
    } catch (IOException notOurs) {
      // the directory is another user's, whose next creator deletes them
    }
    return List.of();
  }

  /** Deletes a hidden file if its creator is dead, or is done with it. The caller holds the names lock. */
  private static boolean deleteIfLeft(OpenDirectory directory, String name) {
    try {
      boolean done = directory.linkCount(name) > 1; // the segment has its name
      return (done || !isCreatorAlive(directory, name)) && isOurs(directory, name) && directory.deleteIfExists(name);
    } catch (IOException notOurs) {
      return false; // the file is another user's, whose next creator deletes it
    }
  }

  /** Whether another process creates a segment of that name. */
  public static boolean isBeingCreated(OpenDirectory directory, String segment) throws IOException {
    for (String name : names(directory)) {
      try {
        if (isOf(name, segment) && isCreatorAlive(directory, name)) {
          return true;
        }
      } catch (NoSuchFileException done) {
        // its creator has just finished or failed
      }
    }
    return false;
  }

  /** Whether a hidden file is of the segment of that name, and not of one whose name only begins so. */
  private static boolean isOf(String name, String segment) {
    return name.startsWith(prefix(segment)) && name.length() == name(segment, 0).length();
  }

  private static boolean isCreatorAlive(OpenDirectory directory, String name) throws IOException {
    try (SegmentFile file = SegmentFile.open(directory, name, true)) {
      return file.isLockedByOther(SegmentLayout.SLOT_LOCKS);
    }
  }

  private static boolean isOurs(OpenDirectory directory, String name) throws IOException {
    // a SegmentFile, since closing any other descriptor could drop its creator's lock
    try (SegmentFile file = SegmentFile.open(directory, name, true)) {
      return isOurs(file);
    }
  }

  /**
   * Whether a hidden file was made by a creator: it is empty, or begins with the magic or, as long as that is not
   * written, with zeros. Anything else is somebody else's data.
   */
  public static boolean isOurs(SegmentFile hidden) throws IOException {
    long magic = hidden.firstWord();
    return hidden.sizeBytes() == 0 || hidden.sizeBytes() >= Long.BYTES && (magic == 0 || magic == SegmentLayout.MAGIC);
  }
}
