package io.bywash.engine.inspect;

import io.bywash.engine.inspect.Finding.Severity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The part of {@link HostStatus} about segments that have no name any more: whoever still has one mapped keeps its space, and no
 * listing of the directory shows it.
 */
final class RemovedLook {
  private static final String DELETED = " (deleted)";
  /** The name under which a segment is created. */
  private static final Pattern HIDDEN = Pattern.compile("^\\.(.+)\\.[0-9a-f]{16}\\.tmp$");

  private final Path directory;
  private final HostFiles files;
  private final List<Finding> findings;
  private Set<String> linked = Set.of();

  RemovedLook(Path directory, HostFiles files, List<Finding> findings) {
    this.directory = directory;
    this.files = files;
    this.findings = findings;
  }

  /** Looks at all processes that this one may look at. */
  void look() {
    linked = inodes();
    for (Path process : files.files("proc", "")) {
      if (process.getFileName().toString().chars().allMatch(Character::isDigit)) {
        look(process);
      }
    }
  }

  /** Of what has a name. A creator has its segment mapped under its hidden name, which is gone; its inode tells. */
  private Set<String> inodes() {
    Set<String> found = new HashSet<>();
    for (Path file : new HostFiles(directory).files("", "")) {
      try {
        found.add(Files.getAttribute(file, "unix:ino", LinkOption.NOFOLLOW_LINKS).toString());
      } catch (IOException gone) {
        // between the two looks
      }
    }
    return found;
  }

  private void look(Path process) {
    Map<String, Long> held = new TreeMap<>();
    files.read(process.resolve("maps")).orElse("").lines().forEach(line -> add(held, line));
    if (!held.isEmpty()) {
      long bytes = held.values().stream().mapToLong(Long::longValue).sum();
      findings.add(new Finding(Severity.WARNING, "process " + process.getFileName(), "it holds " + HostFiles.size(bytes)
          + " of segments that were removed: " + String.join(", ", held.keySet()), "It uses what others cannot find any more, or"
          + " has closed it in a handler that does not return. Have it close them, or end it; the space comes back then."));
    }
  }

  /** A line of maps: begin-end, permissions, offset, device, inode, path. */
  private void add(Map<String, Long> held, String line) {
    String[] fields = line.split("\\s+", 6);
    String prefix = directory + "/";
    if (fields.length == 6 && fields[5].endsWith(DELETED) && fields[5].startsWith(prefix) && !linked.contains(fields[4])) {
      String[] range = fields[0].split("-");
      long bytes = Long.parseUnsignedLong(range[1], 16) - Long.parseUnsignedLong(range[0], 16);
      String name = fields[5].substring(prefix.length(), fields[5].length() - DELETED.length());
      held.merge(HIDDEN.matcher(name).replaceFirst("$1"), bytes, Math::max);
    }
  }
}
