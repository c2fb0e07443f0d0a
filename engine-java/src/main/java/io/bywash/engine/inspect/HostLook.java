package io.bywash.engine.inspect;

import io.bywash.engine.inspect.Finding.Severity;
import io.bywash.engine.internal.linux.Futex;
import io.bywash.engine.internal.memory.NativeAccess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The part of {@link HostStatus} about the kernel, the container and this process. */
final class HostLook {
  private static final String INITIAL_PID_NAMESPACE = "pid:[4026531836]"; // the kernel fixes both numbers
  private static final String INITIAL_IPC_NAMESPACE = "ipc:[4026531839]";
  private static final long NO_LIMIT_BYTES = 1L << 60;
  private static final int MAX_DEPTH = 64;
  private static final long LAST_SYSTEM_USER_ID = 999;
  private static final Pattern CHOSEN = Pattern.compile("\\[([a-z_]+)]");

  private final Path directory;
  private final HostFiles files;
  private final Map<String, String> facts;
  private final List<Finding> findings;

  HostLook(Path directory, HostFiles files, Map<String, String> facts, List<Finding> findings) {
    this.directory = directory;
    this.files = files;
    this.facts = facts;
    this.findings = findings;
  }

  private void add(Severity severity, String where, String problem, String advice) {
    findings.add(new Finding(severity, where, problem, advice));
  }

  void look() {
    lookAtMemoryLimit();
    lookAtNamespaces();
    lookAtProc();
    lookAtLogind();
    lookAtHugePages();
    lookAtNativeAccess(NativeAccess.ENABLED, NativeAccess.WHY_NOT, Futex.WAIT_ANY, Futex.ASYMMETRIC);
  }

  // ---- the container's memory limit: pages of tmpfs are charged to whoever touches them first

  private record Limit(long bytes, long usedBytes, Path group) {}

  private void lookAtMemoryLimit() {
    Optional<Limit> limit = memoryLimit();
    facts.put("memory limit", limit.map(found -> HostFiles.size(found.bytes()) + ", "
        + HostFiles.size(found.usedBytes()) + " used (" + found.group() + ")").orElse("none"));
    limit.ifPresent(found -> {
      boolean scarce = found.bytes() - found.usedBytes() < found.bytes() / 10;
      add(scarce ? Severity.WARNING : Severity.NOTE, found.group().toString(),
          "the memory of this process and its container is limited to " + HostFiles.size(found.bytes())
          + (scarce ? ", nearly all of it is used," : "") + " and segments count: who creates one of more than about "
          + HostFiles.size(Math.max(0, found.bytes() - found.usedBytes())) + " now is killed by the kernel, and no"
          + " exception warns of it",
          "Keep the sum of all segments well below the limit, or raise it (memory.max, docker run --memory).");
    });
  }

  /** The lowest limit that applies, from either version of control groups. */
  private Optional<Limit> memoryLimit() {
    List<Limit> limits = new ArrayList<>();
    for (String line : files.lines("proc/self/cgroup")) {
      String[] fields = line.split(":", 3); // hierarchy, controllers, path
      if (fields.length == 3 && fields[1].isEmpty()) {
        for (String base : List.of("sys/fs/cgroup", "sys/fs/cgroup/unified")) {
          addLimits(limits, base, fields[2], "memory.max", "memory.current");
        }
      } else if (fields.length == 3 && List.of(fields[1].split(",")).contains("memory")) {
        addLimits(limits, "sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes", "memory.usage_in_bytes");
      }
    }
    return limits.stream().min(Comparator.comparingLong(Limit::bytes));
  }

  private void addLimits(List<Limit> limits, String base, String group, String limit, String used) {
    Path top = files.path(base).normalize();
    Path folder = top.resolve("./" + group).normalize();
    if (!folder.startsWith(top)) {
      folder = top; // the path leads out of this cgroup namespace
    }
    for (int depth = 0; depth < MAX_DEPTH && folder.startsWith(top); depth++, folder = folder.getParent()) {
      OptionalLong bytes = number(folder.resolve(limit));
      if (bytes.isPresent() && bytes.getAsLong() >= 0 && bytes.getAsLong() < NO_LIMIT_BYTES) {
        limits.add(new Limit(bytes.getAsLong(), number(folder.resolve(used)).orElse(0), folder));
      }
    }
  }

  private OptionalLong number(Path file) {
    return files.read(file).map(HostFiles::number).orElse(OptionalLong.empty());
  }

  // ---- namespaces and /proc

  private void lookAtNamespaces() {
    Optional<String> pid = files.link("proc/self/ns/pid");
    facts.put("pid namespace", pid.map(name -> name.equals(INITIAL_PID_NAMESPACE) ? "the host's" : name)
        .orElse("unknown"));
    if (pid.isPresent() && !pid.get().equals(INITIAL_PID_NAMESPACE)) {
      add(Severity.NOTE, "pid namespace", "this process has one of its own: process ids of other containers mean"
          + " nothing here", "Nothing has to be done: who lives is known by locks, which all namespaces share.");
    }
    Optional<String> ipc = files.link("proc/self/ns/ipc");
    facts.put("ipc namespace", ipc.map(name -> name.equals(INITIAL_IPC_NAMESPACE) ? "the host's" : name)
        .orElse("unknown"));
    if (ipc.isPresent() && !ipc.get().equals(INITIAL_IPC_NAMESPACE)) {
      add(Severity.NOTE, "ipc namespace", "this process has one of its own, and probably a /dev/shm of its own",
          "To share segments with other containers, give them the same /dev/shm: docker run --ipc=..., or one volume on"
          + " tmpfs.");
    }
  }

  private void lookAtProc() {
    String hidden = "";
    for (String line : files.lines("proc/self/mountinfo")) {
      String[] fields = line.split(" ");
      if (fields.length > 5 && fields[4].equals("/proc")) {
        for (String option : fields[fields.length - 1].split(",")) {
          hidden = option.startsWith("hidepid=") ? option.substring("hidepid=".length()) : hidden;
        }
      }
    }
    boolean hides = !List.of("", "0", "off").contains(hidden);
    facts.put("/proc", !files.exists("proc/self/stat") ? "not mounted"
        : hides ? "hides processes of other users" : "open");
    if (hides) {
      add(Severity.NOTE, "/proc", "it is mounted with hidepid=" + hidden + ": a process of another user that has"
          + " lost its lock by mistake would not be recognised as running",
          "Nothing has to be done: locks are the proof, /proc is only a second opinion.");
    }
  }

  // ---- systemd

  private void lookAtLogind() {
    OptionalLong userId = HostFiles.userId(files.path(""));
    if (!files.exists("run/systemd/system")) {
      facts.put("logind", "not there");
      return;
    }
    boolean removes = removesIpc();
    boolean lingers = files.exists("var/lib/systemd/linger/" + System.getProperty("user.name"));
    facts.put("logind", removes ? lingers ? "RemoveIPC=yes, but this user lingers" : "RemoveIPC=yes" : "RemoveIPC=no");
    if (removes && !lingers && directory.startsWith("/dev/shm") && userId.orElse(0) > LAST_SYSTEM_USER_ID) {
      add(Severity.WARNING, "logind", "RemoveIPC=yes: when the last session of user id " + userId.getAsLong() + " ends,"
          + " systemd removes this user's files in /dev/shm, segments in use included",
          "Run services as a system user, or: loginctl enable-linger; or set RemoveIPC=no in"
          + " /etc/systemd/logind.conf.");
    }
  }

  /** The last setting wins: first those of the main files, then those of the drop-ins in the order of their names. */
  private boolean removesIpc() {
    List<Path> settings = new ArrayList<>();
    for (String folder : List.of("usr/lib/systemd", "usr/local/lib/systemd", "run/systemd", "etc/systemd")) {
      settings.addAll(files.files(folder + "/logind.conf.d", ".conf"));
    }
    settings.sort(Comparator.comparing(file -> file.getFileName().toString()));
    settings.addFirst(files.path("etc/systemd/logind.conf"));
    settings.addFirst(files.path("usr/lib/systemd/logind.conf"));
    boolean removes = true; // systemd's default
    for (Path file : settings) {
      for (String line : files.read(file).orElse("").split("\n")) {
        String[] sides = line.strip().split("\\s*=\\s*", 2);
        if (sides.length == 2 && sides[0].equals("RemoveIPC")) {
          removes = List.of("yes", "true", "1", "on").contains(sides[1].toLowerCase(java.util.Locale.ROOT));
        }
      }
    }
    return removes;
  }

  // ---- what this process may do

  private void lookAtHugePages() {
    String setting = files.read(files.path("sys/kernel/mm/transparent_hugepage/shmem_enabled")).orElse("");
    Matcher chosen = CHOSEN.matcher(setting);
    String value = chosen.find() ? chosen.group(1) : "unknown";
    facts.put("huge pages", value);
    if (value.equals("never") || value.equals("deny")) {
      add(Severity.NOTE, "huge pages", "shared memory gets none (" + value + "): SegmentSpec.withHugePages has no"
          + " effect", "If wanted: echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled");
    }
  }

  void lookAtNativeAccess(boolean enabled, String whyNot, boolean waitAny, boolean membarrier) {
    facts.put("native access", enabled ? "enabled" : "not enabled");
    if (!enabled) {
      add(Severity.NOTE, "native access", "this process works without: slower, waiting parks instead of blocking, and"
          + " its locks, by which others know that it lives, are lost if another library in it opens and closes a"
          + " segment's file, because " + whyNot, "Start java with --enable-native-access=io.bywash.engine (module"
          + " path), or =ALL-UNNAMED (class path, OSGi).");
      return;
    }
    facts.put("locks", "shared with children that are forked without exec");
    facts.put("futex_waitv", waitAny ? "there" : "missing");
    facts.put("membarrier", membarrier ? "there" : "missing");
    if (!waitAny) {
      add(Severity.NOTE, "futex_waitv", "the kernel does not offer it: the WaitHub parks with a time limit instead of"
          + " blocking", "Use Linux 5.16 or later, and a container profile (seccomp) that allows it.");
    }
    if (!membarrier) {
      add(Severity.NOTE, "membarrier", "the kernel does not offer it: every publish costs a fence", "Use Linux 4.16 or"
          + " later, and a container profile (seccomp) that allows it.");
    }
  }
}
