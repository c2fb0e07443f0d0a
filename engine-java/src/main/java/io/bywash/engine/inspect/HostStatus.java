package io.bywash.engine.inspect;

import io.bywash.engine.BusDirectory;
import io.bywash.engine.BusException;
import io.bywash.engine.inspect.BusStatus.FileStatus;
import io.bywash.engine.inspect.BusStatus.State;
import io.bywash.engine.inspect.Finding.Severity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * The environment of a bus directory: the file system and its space, the container's limits, namespaces, what the
 * system may do to the files, what this process is allowed to do, and the files in the bus directory.
 *
 * @param facts names and values, in the order in which to show them
 * @param findings what deserves attention, each with advice; findings of severity NOTE need none
 */
public record HostStatus(Map<String, String> facts, List<Finding> findings) {
  /** How long a role must have made no progress, while somebody waits for it, to be reported. */
  private static final long STANDSTILL_NANOS = 300_000_000;

  /**
   * Inspects the host of a bus directory, whether or not the bus directory exists. This takes a third of a second if
   * somebody seems to hold another up.
   */
  public static HostStatus of(BusDirectory directory) {
    return of(directory, Path.of("/"));
  }

  /** As {@link #of(BusDirectory)}, with another root for /proc, /sys, /etc, /run and /usr. */
  static HostStatus of(BusDirectory directory, Path root) {
    Map<String, String> facts = new LinkedHashMap<>();
    List<Finding> findings = new ArrayList<>();
    new DirectoryLook(directory.path(), facts, findings).look(HostFiles.userId(root));
    new HostLook(directory.path(), new HostFiles(root), facts, findings).look();
    new RemovedLook(directory.path(), new HostFiles(root), findings).look();
    try {
      addFiles(directory, facts, findings);
    } catch (BusException refused) {
      findings.add(new Finding(Severity.ERROR, directory.path().toString(), refused.getMessage(),
          "Until then nothing is known of its segments."));
    }
    return new HostStatus(Collections.unmodifiableMap(facts), List.copyOf(findings));
  }

  private static void addFiles(BusDirectory directory, Map<String, String> facts, List<Finding> findings) {
    BusStatus bus = BusStatus.of(directory);
    facts.put("segments", Long.toString(bus.files().stream().filter(file -> file.segment().isPresent()).count()));
    boolean suspicious = bus.files().stream().flatMap(file -> file.segment().stream())
        .anyMatch(segment -> !segment.stuck(segment).isEmpty());
    if (suspicious) {
      LockSupport.parkNanos(STANDSTILL_NANOS);
    }
    BusStatus now = suspicious ? BusStatus.of(directory) : bus;
    for (FileStatus file : now.files()) {
      severity(file.state()).ifPresent(severity ->
          findings.add(new Finding(severity, file.name(), file.explanation(), advice(file.state()))));
      file.segment().ifPresent(segment -> addSegment(findings, segment, suspicious ? bus : null));
    }
  }

  private static void addSegment(List<Finding> findings, SegmentStatus segment, BusStatus earlier) {
    if (segment.isInUse()) {
      findings.addAll(segment.leftByTheDead());
    }
    if (!segment.foreignPids().isEmpty()) {
      findings.add(new Finding(Severity.NOTE, segment.name(), "the processes " + segment.foreignPids()
          + " belong to another pid namespace, and are called otherwise there",
          "Nothing has to be done: who lives is known by locks, which all namespaces share."));
    }
    if (earlier != null) {
      earlier.files().stream().filter(file -> file.name().equals(segment.name()))
          .flatMap(file -> file.segment().stream())
          .forEach(before -> findings.addAll(segment.stuck(before)));
    }
  }

  private static Optional<Severity> severity(State state) {
    return switch (state) {
      case LIVE, KEPT, BEING_CREATED -> Optional.empty();
      case STALE, LEFTOVER -> Optional.of(Severity.WARNING);
      case DAMAGED -> Optional.of(Severity.ERROR);
      case FOREIGN, INACCESSIBLE -> Optional.of(Severity.NOTE);
    };
  }

  private static String advice(State state) {
    return switch (state) {
      case STALE, LEFTOVER -> "Run doctor --clean.";
      case DAMAGED -> "When no process needs it: doctor --remove NAME.";
      default -> "Nothing has to be done; it is left alone.";
    };
  }
}
