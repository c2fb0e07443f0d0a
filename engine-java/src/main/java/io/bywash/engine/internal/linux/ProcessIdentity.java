package io.bywash.engine.internal.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Identifies a process for good. A process id alone does not: it is reused, and it means nothing in another pid
 * namespace.
 *
 * @param pid process id in its own namespace
 * @param startTicks start time in clock ticks since boot, from /proc/PID/stat; 0 when unknown
 * @param pidNamespace inode of the pid namespace; 0 when unknown
 * @param bootHigh upper half of the kernel's boot id; 0 when unknown
 * @param bootLow lower half of the kernel's boot id
 */
public record ProcessIdentity(long pid, long startTicks, long pidNamespace, long bootHigh, long bootLow) {
  private static final ProcessIdentity SELF = read();

  /** This process. */
  public static ProcessIdentity self() {
    return SELF;
  }

  /**
   * Whether this is the identity of this process. The generated {@code equals} would do, but the virtual machine keeps
   * what it makes for that, and with it this class's loader.
   */
  public boolean isSelf() {
    return pid == SELF.pid && startTicks == SELF.startTicks && pidNamespace == SELF.pidNamespace
        && bootHigh == SELF.bootHigh && bootLow == SELF.bootLow;
  }

  private static ProcessIdentity read() {
    long pid = ProcessHandle.current().pid();
    long high = 0;
    long low = 0;
    try {
      var boot = java.util.UUID.fromString(Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip());
      high = boot.getMostSignificantBits();
      low = boot.getLeastSignificantBits();
    } catch (IOException | IllegalArgumentException unknown) {
      // without /proc part of the identity is unknown, and the veto does not apply to this process
    }
    return new ProcessIdentity(pid, startTicks(pid), namespace(), high, low);
  }

  private static long namespace() {
    try {
      String link = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString(); // pid:[4026531836]
      return Long.parseLong(link.substring(link.indexOf('[') + 1, link.indexOf(']')));
    } catch (IOException | RuntimeException unknown) {
      return 0;
    }
  }

  /**
   * The start time of a process in this pid namespace; 0 when there is no such process, when it is a zombie, or when
   * /proc hides it.
   */
  private static long startTicks(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" "); // from field 3, the state, on
      return fields[0].equals("Z") || fields[0].equals("X") ? 0 : Long.parseLong(fields[19]);
    } catch (IOException | RuntimeException unknown) {
      return 0;
    }
  }

  /**
   * Whether this identity belongs to a process that certainly runs now: same boot, same pid namespace, and /proc shows
   * the same pid with the same start time. False proves nothing: the process may run all the same.
   */
  public boolean certainlyRuns() {
    return bootHigh == SELF.bootHigh && bootLow == SELF.bootLow && bootHigh != 0
        && pidNamespace == SELF.pidNamespace && pidNamespace != 0
        && startTicks != 0 && startTicks == startTicks(pid);
  }
}
