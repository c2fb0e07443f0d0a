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
 * A directory that was opened, and then looked at: whatever its name leads to by now, what is done here is done in the
 * directory that was looked at. The standard directory of this user must be private: anybody could have made one of
 * that name before.
 *
 * <p>With native access it is a descriptor, through which the kernel finds the files; without, a
 * {@link SecureDirectoryStream}. Symbolic links in it are never followed. Names are single ones. Used by one thread.
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

  /** The standard directory of this process's user. */
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
   * @throws NoSuchFileException when there is none
   * @throws NotDirectoryException when it is something else
   * @throws UntrustedFileException when it is the standard directory, and not private
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

  /** Whether it is the standard directory of this user, where everything is this user's. */
  public boolean isStandard() {
    return isStandard;
  }

  /** Where it was opened. */
  public Path path() {
    return path;
  }

  /** Owner and permissions. */
  public abstract PosixFileAttributes attributes() throws IOException;

  /** What the name leads to, which may be a link. */
  public abstract PosixFileAttributes attributes(String name) throws IOException;

  /** How many names the file has. */
  public abstract int linkCount(String name) throws IOException;

  /** Creates an empty file for this user alone. */
  public abstract void create(String name) throws IOException;

  /** Gives a file a second name. */
  public abstract void link(String name, String second) throws IOException;

  /** Deletes a name; false when it is not there. */
  public abstract boolean deleteIfExists(String name) throws IOException;

  /** All names, in no order. */
  public abstract List<String> names() throws IOException;

  @Override
  public abstract void close();

  /** A path for the file that is good while this is open; only with native access. */
  abstract Path at(String name);

  /** Opens a file; only without native access. */
  abstract FileChannel channel(String name, boolean readOnly) throws IOException;

  /** Changes the permissions of a file, which must not be a link; only without native access. */
  abstract void setPermissions(String name, Set<PosixFilePermission> permissions) throws IOException;

  /** The same failure, with the file's name as the user knows it. */
  final FileSystemException named(String name, FileSystemException failure) {
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

  /** The kernel's own name of the descriptor leads to what is open. */
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

    private interface Use<T> {
      T apply(Path file) throws IOException;
    }

    private <T> T use(String name, Use<T> use) throws IOException {
      try {
        return use.apply(at(name));
      } catch (FileSystemException failure) {
        throw named(name, failure);
      }
    }

    @Override
    public PosixFileAttributes attributes() throws IOException {
      return Files.readAttributes(self, PosixFileAttributes.class);
    }

    @Override
    public PosixFileAttributes attributes(String name) throws IOException {
      return use(name, file -> Files.readAttributes(file, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS));
    }

    @Override
    public int linkCount(String name) throws IOException {
      return use(name, file -> (Integer) Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS));
    }

    @Override
    public void create(String name) throws IOException {
      use(name, file -> Files.createFile(file, OWNER_ONLY));
    }

    @Override
    public void link(String name, String second) throws IOException {
      use(second, file -> Files.createLink(file, at(name)));
    }

    @Override
    public boolean deleteIfExists(String name) throws IOException {
      return use(name, file -> Files.deleteIfExists(file));
    }

    @Override
    public List<String> names() throws IOException {
      return use(".", folder -> list(Files.newDirectoryStream(folder)));
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

  /** The JDK keeps the directory open. */
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
        throw told(path, refused);
      }
    }

    /** Why the standard directory cannot be opened; without it nothing is done there, so that its name may be asked. */
    private static IOException told(Path path, FileSystemException refused) throws IOException {
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
      try {
        return view(name).readAttributes();
      } catch (FileSystemException failure) {
        throw named(name, failure);
      }
    }

    /** A wrong one costs a hidden name, whose file has another one. */
    @Override
    public int linkCount(String name) throws IOException {
      return (Integer) Files.getAttribute(path.resolve(name), "unix:nlink", LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public void create(String name) throws IOException {
      try {
        stream.newByteChannel(Path.of(name), Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE,
            LinkOption.NOFOLLOW_LINKS), OWNER_ONLY).close();
      } catch (FileSystemException failure) {
        throw named(name, failure);
      }
    }

    /** There is no way to link in an open directory, but to see afterwards whether that happened here. */
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
        stream.deleteFile(Path.of(name));
        return true;
      } catch (NoSuchFileException none) {
        return false;
      } catch (FileSystemException failure) {
        throw named(name, failure);
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
      try {
        return (FileChannel) stream.newByteChannel(Path.of(name), readOnly
            ? Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)
            : Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
      } catch (FileSystemException failure) {
        throw named(name, failure);
      }
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
        // a descriptor is gone after close, whatever close says
      }
    }
  }
}
