package io.bywash.engine;

import io.bywash.engine.internal.files.BusFailures;
import io.bywash.engine.internal.layout.Names;
import io.bywash.engine.internal.SegmentRemoval;
import io.bywash.engine.internal.kinds.StructureTypes;
import io.bywash.engine.internal.linux.OpenDirectory;
import io.bywash.engine.internal.linux.UntrustedFileException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
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
 * A bus directory: the folder in which segments lie. By default it is {@code /dev/shm/bywash-UID}; the environment
 * variable {@code BYWASH_DIR} overrides that. File names are added and removed under a lock on the file {@code .lock}
 * in it, which is never deleted. Immutable; any thread may use it.
 */
public final class BusDirectory {
  private final Path path;
  private final boolean madeOnDemand;

  private BusDirectory(Path path, boolean madeOnDemand) {
    checkSystem();
    this.path = path;
    this.madeOnDemand = madeOnDemand;
  }

  /**
   * The bus directory of this user: {@code $BYWASH_DIR} if that is set, otherwise {@code /dev/shm/bywash-UID}. The
   * latter is created with mode 0700 when a segment is first created in it.
   *
   * @throws UnsupportedSystemException when this is not Linux
   * @throws SegmentAccessException when {@code BYWASH_DIR} cannot be expressed as a path in this JVM's locale, or when
   *     it is not set and the user id cannot be read because {@code /proc} is not mounted
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
    checkSystem();
    try {
      return new BusDirectory(OpenDirectory.standard(), true);
    } catch (IOException | UnsupportedOperationException noProc) {
      throw new SegmentAccessException("The user id of this process is unknown, since /proc is not mounted. Set"
          + " BYWASH_DIR to a directory for segments.", noProc);
    }
  }

  /**
   * The bus directory at this path. It is never created; a relative path is resolved now.
   *
   * @throws UnsupportedSystemException when this is not Linux
   */
  public static BusDirectory at(Path directory) {
    return new BusDirectory(directory.toAbsolutePath(), false);
  }

  /** The absolute path of this bus directory. */
  public Path path() {
    return path;
  }

  /**
   * The path that a segment of this name has, whether or not it exists.
   *
   * @throws IllegalArgumentException when {@code name} is not a valid name: 1 to 64 characters of {@code A-Z a-z 0-9 .
   *     _ -}, starting with a letter or a digit
   */
  public Path path(String name) {
    return path.resolve(Names.check("name", name));
  }

  /** As {@link #path(String)}, but creates the bus directory first if it is this user's standard one. */
  Path createdPath(String name) {
    Path file = path(name);
    if (madeOnDemand && !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
      try {
        Files.createDirectory(path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException made) {
        // another process of this user was faster; if it is not a directory, the next step reports that
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
   * Removes a segment that nobody uses, whatever its lifetime, even if it is damaged. A segment is in use while the
   * kernel holds a participant's lock on it; if a process attaches at the same time, the segment stays. Files that are
   * not segments of this version, and files of other users, are left alone.
   *
   * @return what happened; being in use or missing is an outcome, not an exception
   * @throws IllegalArgumentException when {@code name} is not a valid name
   * @throws SegmentAccessException when the operating system refuses access
   */
  public Removal remove(String name) {
    return SegmentRemoval.remove(StructureTypes.ALL, path(name));
  }

  /**
   * Cleans up after killed processes. Removes each of this user's segments that is sound, has lifetime
   * {@link Lifetime#WHILE_USED} and is no longer in use, and the temporary files of creators that died.
   * {@linkplain Lifetime#KEPT Kept} and damaged segments stay; {@link #remove} takes those.
   *
   * @return one result for each file that was removed, or that should have been removed but could not be
   * @throws SegmentAccessException when the operating system refuses access
   */
  public List<Removal> clean() {
    return SegmentRemoval.clean(StructureTypes.ALL, path, names());
  }

  static void checkName(Path file) {
    checkSystem();
    Names.check("file name", file.getFileName() == null ? null : file.getFileName().toString());
  }

  private static void checkSystem() {
    String system = System.getProperty("os.name");
    if (!"Linux".equals(system)) {
      throw new UnsupportedSystemException("Bywash runs on Linux only, and this is " + system
          + ". Run this program on Linux; a container or a virtual machine will do.");
    }
  }

  /**
   * The names of all segments, and of any other file in the bus directory that has a valid segment name; sorted. Empty
   * when the bus directory does not exist.
   *
   * @throws SegmentAccessException when the bus directory cannot be listed
   */
  public List<String> names() {
    try (OpenDirectory directory = OpenDirectory.of(path)) {
      return directory.names().stream().filter(Names::isName).sorted().toList();
    } catch (NoSuchFileException none) {
      return List.of();
    } catch (UntrustedFileException | NotDirectoryException unusable) {
      throw BusFailures.of(path, unusable);
    } catch (AccessDeniedException refused) {
      throw new SegmentAccessException("User " + System.getProperty("user.name") + " may not list the bus directory "
          + path + ". Run as its owner, or set BYWASH_DIR to another directory.", refused);
    } catch (IOException failure) {
      throw new SegmentAccessException("The bus directory " + path + " cannot be listed: " + failure.getMessage()
          + ". Check its permissions.", failure);
    }
  }
}
