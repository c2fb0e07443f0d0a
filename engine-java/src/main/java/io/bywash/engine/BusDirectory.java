package io.bywash.engine;

import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.layout.Names;
import io.bywash.engine.internal.SegmentRemoval;
import io.bywash.engine.internal.kinds.StructureTypes;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.UntrustedFileException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * A directory of segments: by default {@code /dev/shm/bywash-UID}, or what the environment variable {@code BYWASH_DIR}
 * names. Its file {@code .lock} is the lock under which names come and go, and is never deleted.
 */
public final class BusDirectory {
  private final Path path;
  private final boolean madeOnDemand;

  private BusDirectory(Path path, boolean madeOnDemand) {
    this.path = path;
    this.madeOnDemand = madeOnDemand;
  }

  /**
   * The directory of this user: {@code $BYWASH_DIR}, else {@code /dev/shm/bywash-UID}, made with mode 0700 when needed.
   */
  public static BusDirectory standard() {
    String given = System.getenv("BYWASH_DIR");
    if (given != null && !given.isBlank()) {
      try {
        return at(Path.of(given));
      } catch (InvalidPathException unmappable) {
        throw new SegmentAccessException("BYWASH_DIR names a directory that this JVM cannot express in its locale: "
            + unmappable.getMessage() + ". Start it with LC_ALL=C.UTF-8, or use a name of ASCII letters.", unmappable);
      }
    }
    try {
      return new BusDirectory(OpenDirectory.standard(), true);
    } catch (IOException | UnsupportedOperationException noProc) {
      throw new SegmentAccessException("The user id of this process is unknown, since /proc is not mounted. Set"
          + " BYWASH_DIR to a directory for segments.", noProc);
    }
  }

  /** Any directory. */
  public static BusDirectory at(Path directory) {
    return new BusDirectory(directory.toAbsolutePath(), false);
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  /**
   * The file of the segment of that name, whether or not there is one.
   *
   * @throws IllegalArgumentException when {@code name} is no name: 1 to 64 characters of {@code A-Z a-z 0-9 . _ -}, the
   *     first a letter or a digit
   */
  public Path path(String name) {
    return path.resolve(Names.check("name", name));
  }

  /** The same, with the directory made when it is this user's own standard one. */
  Path createdPath(String name) {
    Path file = path(name);
    if (madeOnDemand && !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      try {
        Files.createDirectory(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException made) {
        // another process of this user was faster; if it is something else, the next step says so
      } catch (IOException refused) {
        Path parent = path.getParent();
        String reason = !Files.isDirectory(parent) ? "there is no directory " + parent
            : Files.isWritable(parent) ? refused.toString()
            : parent + " is read-only, or this user may not write to it";
        throw new SegmentAccessException("The bus directory " + path + " cannot be made: " + reason
            + ". Set BYWASH_DIR to a directory that this user may write to.", refused);
      }
    }
    return file;
  }

  /**
   * Removes a segment that nobody uses, whatever its lifetime, also a damaged one. Nobody uses it when the kernel holds
   * no participant's lock on it; if somebody attaches meanwhile, it stays. Files that are no segment of this version,
   * and those of other users, are left alone.
   *
   * @throws IllegalArgumentException when {@code name} is no name
   * @throws SegmentAccessException when the operating system refuses
   */
  public Removal remove(String name) {
    return SegmentRemoval.remove(StructureTypes.ALL, path(name));
  }

  /**
   * Removes, of this user's files, every sound segment that is to be removed when nobody uses it, and that nobody uses,
   * since its last participants were killed; and what dead creators left. Damaged segments and
   * {@linkplain Lifetime#KEPT kept} ones stay: see {@link #remove}.
   *
   * @return what was removed, or was to be and could not be
   * @throws SegmentAccessException when the operating system refuses
   */
  public List<Removal> clean() {
    return SegmentRemoval.clean(StructureTypes.ALL, path, names());
  }

  static void checkName(Path file) {
    Names.check("file name", file.getFileName() == null ? null : file.getFileName().toString());
  }

  /** The names of all segments, and of whatever else lies in the directory under a proper name; sorted. */
  public List<String> names() {
    try (OpenDirectory directory = OpenDirectory.of(path)) {
      return directory.names().stream().filter(Names::isName).sorted().toList();
    } catch (NoSuchFileException none) {
      return List.of();
    } catch (UntrustedFileException | NotDirectoryException unusable) {
      throw BusFailures.of(path, unusable);
    } catch (IOException failure) {
      throw new SegmentAccessException("The bus directory " + path + " cannot be listed: " + failure.getMessage()
          + ". Check its permissions.", failure);
    }
  }
}
