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
 * The part of {@link HostStatus} about segments whose files were unlinked. A process that still has such a segment
 * mapped keeps its space in use, and no listing of the directory shows that.
 */
final class RemovedLook {
  private static final String DELETED = " (deleted)";
  /** A line of {@code /proc/PID/maps}: begin-end, permissions, offset, device, inode, path. */
  private static final Pattern MAPPED = Pattern.compile(
      "([0-9a-f]{1,16})-([0-9a-f]{1,16}) \\S+ ([0-9a-f]+) \\S+ (\\d+)\\s+(/.*)" + Pattern.quote(DELETED));
  /** The hidden name under which a segment is created. */
  private static final Pattern HIDDEN = Pattern.compile("^\\.(.+)\\.[0-9a-f]{16}\\.tmp$");

  private final Path directory;
  private final HostFiles files;
  private final List<Finding> findings;

  RemovedLook(Path directory, HostFiles files, List<Finding> findings) {
    this.directory = real(directory);
    this.files = files;
    this.findings = findings;
  }

  /** The path of the directory as the kernel shows it in {@code maps}. */
  private static Path real(Path directory) {
    try {
      return directory.toRealPath();
    } catch (IOException notThere) {
      return directory.toAbsolutePath().normalize();
    }
  }

  /**
   * An unlinked file that a process has mapped. The sizes of its parts are kept by their offsets in the file, so that a
   * part that is mapped twice counts once.
   */
  private record Held(String name, Map<String, Long> parts) {
    long bytes() {
      return parts.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /**
   * Inspects all processes that this one may inspect, each twice. A process that is just closing a segment that was
   * removed a moment ago is not reported, because the second inspection no longer finds the mapping.
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
   * The inodes of all files in the directory, as text. A creator has mapped its segment under the hidden name, which is
   * deleted when the segment has its real one; the inode shows that the file still has a name. This is read after the
   * processes were inspected: the real name exists before the hidden one is deleted.
   */
  private Set<String> inodes() {
    Set<String> found = new HashSet<>();
    for (Path file : new HostFiles(directory).files("", "")) {
      try {
        found.add(Files.getAttribute(file, "unix:ino", LinkOption.NOFOLLOW_LINKS).toString());
      } catch (IOException gone) {
        // it was deleted after it was listed
      }
    }
    return found;
  }

  /** The unlinked segments that a process has mapped, by their inodes. */
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
