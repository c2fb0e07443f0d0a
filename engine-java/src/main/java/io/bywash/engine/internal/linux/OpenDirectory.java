package io.bywash.engine.internal.linux;

import io.bywash.engine.internal.memory.NativeAccess;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A directory that was first opened and then checked. All operations apply to the directory that was checked, even if
 * its name leads elsewhere by now. The standard directory of this user must be private, since anybody could have made a
 * directory of that name before.
 *
 * <p>With native access this is a descriptor, through which the kernel finds the files; without, it is a
 * {@link SecureDirectoryStream}. Symbolic links in the directory are never followed. File names are single path
 * elements. Used by one thread.
 */
public abstract sealed class OpenDirectory implements AutoCloseable {
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));

  final Path path;
  private final boolean isStandard;

  private OpenDirectory(Path path, boolean isStandard) {
    this.path = path;
    this.isStandard = isStandard;
  }

  /** The path of the standard directory of this process's user, whether or not it exists. */
  public static Path standard() throws IOException {
    return SHARED_MEMORY.resolve("bywash-" + Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
  }

  /** This process's user, as the kernel sees it. */
  public static UserPrincipal user() throws IOException {
    return Files.getOwner(Path.of("/proc/self"));
  }

  /**
   * Opens a directory.
   *
   * @throws NoSuchFileException when it does not exist
   * @throws NotDirectoryException when the path leads to something else
   * @throws UntrustedFileException when it is the standard directory and is not private
   */
  public static OpenDirectory of(Path path) throws IOException {
    boolean isStandard = path.startsWith(SHARED_MEMORY) && path.normalize().equals(standard());
    OpenDirectory directory = NativeAccess.ENABLED ? Descriptor.open(path, isStandard) : Stream.open(path, isStandard);
    boolean checked = false;
    try {
      if (isStandard) {
        directory.requirePrivate();
      }
      checked = true;
      return directory;
    } finally {
      if (!checked) {
        directory.close();
      }
    }
  }

  /** Opens the directory in which a file lies, or may lie. */
  public static OpenDirectory ofFile(Path file) throws IOException {
    return of(file.toAbsolutePath().getParent());
  }

  private void requirePrivate() throws IOException {
    PosixFileAttributes found = attributes();
    if (!found.owner().equals(user()) || found.permissions().contains(PosixFilePermission.GROUP_WRITE)
        || found.permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
      throw notPrivate(path, found);
    }
  }

  private static UntrustedFileException notPrivate(Path path, PosixFileAttributes found) throws IOException {
    return new UntrustedFileException(path, "is not private: it belongs to user " + found.owner() + " with permissions "
        + PosixFilePermissions.toString(found.permissions()) + ", and must belong to user " + user()
        + " and be writable by nobody else");
  }

  /** Whether it is the standard directory of this user, in which every file must belong to this user. */
  public boolean isStandard() {
    return isStandard;
  }

  /** The path with which it was opened. */
  public Path path() {
    return path;
  }

  /** Owner, permissions and key of the directory. */
  public abstract PosixFileAttributes attributes() throws IOException;

  /** Owner, permissions and key of a file; of a symbolic link those of the link itself. */
  public abstract PosixFileAttributes attributes(String name) throws IOException;

  /** How many names the file has in its file system. */
  public abstract int linkCount(String name) throws IOException;

  /** Creates an empty file with mode 0600. */
  public abstract void create(String name) throws IOException;

  /** Gives a file a second name. */
  public abstract void link(String name, String second) throws IOException;

  /** Deletes a file name; false when it does not exist. */
  public abstract boolean deleteIfExists(String name) throws IOException;

  /** All file names, in no particular order. */
  public abstract List<String> names() throws IOException;

  @Override
  public abstract void close();

  /** A path that leads to the file while this is open. Only with native access. */
  abstract Path at(String name);

  /** Opens a file. Only without native access. */
  abstract FileChannel channel(String name, boolean readOnly) throws IOException;

  /** Changes the permissions of a file, which must not be a symbolic link. Only without native access. */
  abstract void setPermissions(String name, Set<PosixFilePermission> permissions) throws IOException;

  private interface Use<T> {
    T apply() throws IOException;
  }

  /** Uses a file. A failure has the path of the file as the user knows it. */
  final <T> T use(String name, Use<T> use) throws IOException {
    try {
      return use.apply();
    } catch (FileSystemException failure) {
      throw named(name, failure);
    }
  }

  private FileSystemException named(String name, FileSystemException failure) {
    String file = path.resolve(name).toString();
    return switch (failure) {
      case NoSuchFileException none -> new NoSuchFileException(file);
      case FileAlreadyExistsException there -> new FileAlreadyExistsException(file);
      case AccessDeniedException denied -> new AccessDeniedException(file);
      default -> new FileSystemException(file, null, failure.getReason());
    };
  }

  private static List<String> list(DirectoryStream<Path> files) throws IOException {
    try (files) {
      List<String> names = new ArrayList<>();
      files.forEach(file -> names.add(file.getFileName().toString()));
      return names;
    } catch (DirectoryIteratorException failure) {
      throw failure.getCause();
    }
  }

  /** With native access. Paths through {@code /proc/self/fd} lead to the directory that is open. */
  private static final class Descriptor extends OpenDirectory {
    private final int fd;
    private final Path self;

    private Descriptor(Path path, boolean isStandard, int fd) {
      super(path, isStandard);
      this.fd = fd;
      this.self = Path.of("/proc/self/fd/" + fd);
    }

    static OpenDirectory open(Path path, boolean isStandard) throws IOException {
      int fd = Libc.openDirectory(path, !isStandard);
      return switch (-fd) {
        case Libc.ENOENT -> throw new NoSuchFileException(path.toString());
        case Libc.EACCES -> throw new AccessDeniedException(path.toString());
        case Libc.ENOTDIR, Libc.ELOOP -> throw new NotDirectoryException(path.toString());
        default -> {
          if (fd < 0) {
            throw new FileSystemException(path.toString(), null, "open failed: " + Errno.text(-fd));
          }
          yield new Descriptor(path, isStandard, fd);
        }
      };
    }

    @Override
    Path at(String name) {
      return self.resolve(name);
    }

    @Override
    public PosixFileAttributes attributes() throws IOException {
      return Files.readAttributes(self, PosixFileAttributes.class);
    }

    @Override
    public PosixFileAttributes attributes(String name) throws IOException {
      return use(name, () -> Files.readAttributes(at(name), PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
    }

    @Override
    public int linkCount(String name) throws IOException {
      return use(name, () -> (Integer) Files.getAttribute(at(name), "unix:nlink", LinkOption.NOFOLLOW_LINKS));
    }

    @Override
    public void create(String name) throws IOException {
      use(name, () -> Files.createFile(at(name), OWNER_ONLY));
    }

    @Override
    public void link(String name, String second) throws IOException {
      use(second, () -> Files.createLink(at(second), at(name)));
    }

    @Override
    public boolean deleteIfExists(String name) throws IOException {
      return use(name, () -> Files.deleteIfExists(at(name)));
    }

    @Override
    public List<String> names() throws IOException {
      return use(".", () -> list(Files.newDirectoryStream(at("."))));
    }

    @Override
    FileChannel channel(String name, boolean readOnly) {
      throw new IllegalStateException("files are opened by descriptor");
    }

    @Override
    void setPermissions(String name, Set<PosixFilePermission> permissions) {
      throw new IllegalStateException("files are changed by descriptor");
    }

    @Override
    public void close() {
      Libc.close(fd);
    }
  }

  /** Without native access. The JDK keeps the directory open. */
  private static final class Stream extends OpenDirectory {
    private final SecureDirectoryStream<Path> stream;

    private Stream(Path path, boolean isStandard, SecureDirectoryStream<Path> stream) {
      super(path, isStandard);
      this.stream = stream;
    }

    static OpenDirectory open(Path path, boolean isStandard) throws IOException {
      if (!isStandard) {
        return new Stream(path, false, secure(path, Files.newDirectoryStream(path)));
      }
      try (SecureDirectoryStream<Path> parent = secure(path, Files.newDirectoryStream(path.getParent()))) {
        return new Stream(path, true, parent.newDirectoryStream(path.getFileName(), LinkOption.NOFOLLOW_LINKS));
      } catch (FileSystemException refused) {
        throw refusal(path, refused);
      }
    }

    /**
     * The exception that says why the standard directory could not be opened. This uses its path, which is safe, since
     * nothing is done in the directory.
     */
    private static IOException refusal(Path path, FileSystemException refused) throws IOException {
      PosixFileAttributes found = Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      if (!found.isDirectory()) {
        return new NotDirectoryException(path.toString());
      }
      if (!found.owner().equals(user())) {
        return notPrivate(path, found);
      }
      return refused instanceof AccessDeniedException ? new AccessDeniedException(path.toString())
          : new FileSystemException(path.toString(), null, refused.getReason());
    }

    private static SecureDirectoryStream<Path> secure(Path path, DirectoryStream<Path> stream) throws IOException {
      if (stream instanceof SecureDirectoryStream<Path> secure) {
        return secure;
      }
      stream.close();
      throw new FileSystemException(path.toString(), null, "is in a file system whose directories cannot be kept open");
    }

    private PosixFileAttributeView view(String name) {
      return stream.getFileAttributeView(Path.of(name), PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public PosixFileAttributes attributes() throws IOException {
      return stream.getFileAttributeView(PosixFileAttributeView.class).readAttributes();
    }

    @Override
    public PosixFileAttributes attributes(String name) throws IOException {
      return use(name, () -> view(name).readAttributes());
    }

    /**
     * This uses the path. If the directory was replaced, the count may be another file's. At worst a hidden name is
     * then deleted too early, and its creator fails.
     */
    @Override
    public int linkCount(String name) throws IOException {
      return (Integer) Files.getAttribute(path.resolve(name), "unix:nlink", LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public void create(String name) throws IOException {
      use(name, () -> stream.newByteChannel(Path.of(name), Set.of(StandardOpenOption.CREATE_NEW,
          StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS), OWNER_ONLY)).close();
    }

    /** The JDK cannot link in an open directory, so this uses the path and then checks that the link is in this one. */
    @Override
    public void link(String name, String second) throws IOException {
      Files.createLink(path.resolve(second), path.resolve(name));
      if (!attributes(second).fileKey().equals(attributes(name).fileKey())) {
        throw new UntrustedFileException(path, "was replaced while it was in use");
      }
    }

    @Override
    public boolean deleteIfExists(String name) throws IOException {
      try {
        return use(name, () -> {
          stream.deleteFile(Path.of(name));
          return true;
        });
      } catch (NoSuchFileException none) {
        return false;
      }
    }

    @Override
    public List<String> names() throws IOException {
      return list(stream.newDirectoryStream(Path.of("."), LinkOption.NOFOLLOW_LINKS));
    }

    @Override
    Path at(String name) {
      throw new IllegalStateException("without native access there is no such path");
    }

    @Override
    FileChannel channel(String name, boolean readOnly) throws IOException {
      return use(name, () -> (FileChannel) stream.newByteChannel(Path.of(name), readOnly
          ? Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)
          : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)));
    }

    @Override
    void setPermissions(String name, Set<PosixFilePermission> permissions) throws IOException {
      view(name).setPermissions(permissions);
    }

    @Override
    public void close() {
      try {
        stream.close();
      } catch (IOException closedAnyway) {
        // a descriptor is closed even if close reports a failure
      }
    }
  }
}
