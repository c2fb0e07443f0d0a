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
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The part of {@link HostStatus} about segments that have no name any more: whoever still has one mapped keeps its
 * space, and no listing of the directory shows it.
 */
final class RemovedLook {
  private static final String DELETED = " (deleted)";
  /** A line of maps: begin-end, permissions, offset, device, inode, path. */
  private static final Pattern MAPPED = Pattern.compile(
      "([0-9a-f]{1,16})-([0-9a-f]{1,16}) \\S+ ([0-9a-f]+) \\S+ (\\d+)\\s+(/.*)" + Pattern.quote(DELETED));
  /** The name under which a segment is created. */
  private static final Pattern HIDDEN = Pattern.compile("^\\.(.+)\\.[0-9a-f]{16}\\.tmp$");

  private final Path directory;
  private final HostFiles files;
  private final List<Finding> findings;

  RemovedLook(Path directory, HostFiles files, List<Finding> findings) {
    this.directory = real(directory);
    this.files = files;
    this.findings = findings;
  }

  /** As the kernel calls it. */
  private static Path real(Path directory) {
    try {
      return directory.toRealPath();
    } catch (IOException notThere) {
      return directory.toAbsolutePath().normalize();
    }
  }

  /**
   * A file without a name that a process has mapped; the lengths of its parts by their offsets, since it may be mapped
   * twice.
   */
  private record Held(String name, Map<String, Long> parts) {
    long bytes() {
      return parts.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /**
   * Looks at all processes that this one may look at. Whoever is just closing what was just removed is not meant: two
   * looks have to find the same.
   */
  void look() {
    Map<Path, Map<String, Held>> suspects = new TreeMap<>();
    for (Path process : files.files("proc", "")) {
      if (process.getFileName().toString().chars().allMatch(Character::isDigit)) {
        Map<String, Held> held = held(process);
        if (!held.isEmpty()) {
          suspects.put(process, held);
        }
      }
    }
    Set<String> linked = suspects.isEmpty() ? Set.of() : inodes();
    suspects.forEach((process, first) -> {
      Map<String, Held> held = held(process);
      held.keySet().retainAll(first.keySet());
      held.keySet().removeAll(linked);
      if (!held.isEmpty()) {
        add(process, held);
      }
    });
  }

  /**
   * Of what has a name. A creator has its segment mapped under its hidden name, which is gone; its inode tells. Looked
   * at behind the processes, since the other name is there before the hidden one goes.
   */
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

  /** By their inodes. */
  private Map<String, Held> held(Path process) {
    Map<String, Held> held = new TreeMap<>();
    String prefix = directory + "/";
    for (String line : files.linesWith(process.resolve("maps"), DELETED)) {
      Matcher mapped = MAPPED.matcher(line);
      if (mapped.matches() && mapped.group(5).startsWith(prefix)) {
        String name = HIDDEN.matcher(mapped.group(5).substring(prefix.length())).replaceFirst("$1");
        long bytes = Long.parseUnsignedLong(mapped.group(2), 16) - Long.parseUnsignedLong(mapped.group(1), 16);
        held.computeIfAbsent(mapped.group(4), inode -> new Held(name, new TreeMap<>())).parts()
            .merge(mapped.group(3), bytes, Math::max);
      }
    }
    return held;
  }

  private void add(Path process, Map<String, Held> held) {
    long bytes = held.values().stream().mapToLong(Held::bytes).sum();
    findings.add(new Finding(Severity.WARNING, "process " + process.getFileName(), "it holds " + HostFiles.size(bytes)
        + " of segments that were removed: "
        + String.join(", ", held.values().stream().map(Held::name).sorted().toList()),
        "It uses what others cannot find any more, or has closed it in a handler that does not return. Have it close"
        + " them, or end it; the space comes back then."));
  }
}
