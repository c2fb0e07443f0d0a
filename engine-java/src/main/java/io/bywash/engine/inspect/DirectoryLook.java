package io.bywash.engine.inspect;

import io.bywash.engine.inspect.Finding.Severity;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/** The part of {@link HostStatus} about the bus directory and its file system. */
final class DirectoryLook {
  private static final long SMALL_BYTES = 64L << 20;
  private static final String ADVICE_OTHER = "Set BYWASH_DIR to a directory that this user may write to.";
  private static final String ADVICE_DIRECTORY = "Remove it, or set BYWASH_DIR to another directory.";

  private final Path directory;
  private final Map<String, String> facts;
  private final List<Finding> findings;

  DirectoryLook(Path directory, Map<String, String> facts, List<Finding> findings) {
    this.directory = directory;
    this.facts = facts;
    this.findings = findings;
  }

  private void add(Severity severity, String problem, String advice) {
    findings.add(new Finding(severity, directory.toString(), problem, advice));
  }

  void look(OptionalLong userId) {
    Path existing = directory;
    try {
      if (Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
        lookAtPermissions(userId);
      } else {
        facts.put("directory", directory + ", not there yet");
        add(Severity.NOTE, "the bus directory does not exist yet", "The first creator makes the standard one; make"
            + " any other one yourself, with mode 0700.");
        while (existing.getParent() != null && !Files.exists(existing)) {
          existing = existing.getParent();
        }
        if (!existing.equals(directory.getParent())) {
          add(Severity.ERROR, "the bus directory cannot be made, since " + directory.getParent() + " does not exist",
              ADVICE_OTHER);
        } else if (!Files.isWritable(existing) || !Files.isExecutable(existing)) {
          add(Severity.ERROR, "the bus directory cannot be made, since this user may not write to " + existing,
              ADVICE_OTHER);
        }
      }
      FileStore store = Files.getFileStore(existing);
      lookAtFileSystem(store.type(), store.getTotalSpace(), store.getUsableSpace());
    } catch (IOException | UnsupportedOperationException failure) {
      add(Severity.ERROR, "the bus directory cannot be looked at: " + failure, "Check its permissions.");
    }
  }

  private void lookAtPermissions(OptionalLong userId) throws IOException {
    Map<String, Object> found =
        Files.readAttributes(directory, "unix:isDirectory,uid,mode,permissions", LinkOption.NOFOLLOW_LINKS);
    @SuppressWarnings("unchecked") // as documented
    Set<PosixFilePermission> permissions = (Set<PosixFilePermission>) found.get("permissions");
    long owner = ((Integer) found.get("uid")).longValue();
    boolean sticky = ((Integer) found.get("mode") & 01000) != 0;
    facts.put("directory", directory + ", " + PosixFilePermissions.toString(permissions) + ", user id " + owner);
    if (!(Boolean) found.get("isDirectory")) {
      add(Severity.ERROR, "the bus directory is no directory", ADVICE_DIRECTORY);
      return;
    }
    if (userId.isPresent() && owner != userId.getAsLong()) {
      add(Severity.WARNING, "the bus directory belongs to user id " + owner + ", this process to user id "
          + userId.getAsLong(), "Its owner can remove segments under their users. Use a directory of your own.");
    }
    if ((permissions.contains(PosixFilePermission.GROUP_WRITE)
        || permissions.contains(PosixFilePermission.OTHERS_WRITE))
        && !sticky) {
      add(Severity.WARNING, "others may write to the bus directory, and remove segments under their users",
          "Unless that is meant: chmod 0700 " + directory);
    }
    if (!Files.isWritable(directory) || !Files.isExecutable(directory)) {
      add(Severity.WARNING, "this process may not create files in the bus directory",
          "To create segments, run as its owner, or set BYWASH_DIR to another directory.");
    }
  }

  /** Sizes in bytes. */
  void lookAtFileSystem(String type, long total, long usable) {
    facts.put("file system", type + ", " + HostFiles.size(usable) + " of " + HostFiles.size(total) + " free");
    if (!type.equals("tmpfs") && !type.equals("ramfs")) {
      add(Severity.WARNING, "segments lie on a file system of type " + type + ", not in memory: the kernel writes"
          + " their pages to it, which takes time, and on a network or a stacked file system locks may not work between"
          + " hosts or containers", "Use a directory below /dev/shm, or mount a tmpfs.");
    }
    if (total > 0 && usable < total / 10) {
      add(Severity.WARNING, "only " + HostFiles.size(usable) + " of " + HostFiles.size(total)
          + " are free: creating a segment that needs more fails with a NoSpaceException",
          "Run doctor --clean, make queues smaller, or enlarge it: mount -o remount,size=..., or the container's"
          + " --shm-size.");
    } else if (total > 0 && total <= SMALL_BYTES) {
      add(Severity.NOTE, "the file system has " + HostFiles.size(total) + " in all, as in a container by default",
          "For larger segments start the container with --shm-size.");
    }
  }
}
