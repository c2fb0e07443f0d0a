package io.bywash.engine.inspect;

import java.util.List;
import java.util.Map;

/**
 * What JMX shows of a segment, see {@link SegmentBean}. All attributes that are read within half a second belong to one
 * inspection. Rates and findings compare it with the one before; they are missing at first.
 */
public interface SegmentMXBean {
  /**
   * One entry of the segment, as in {@link EntryRates}.
   *
   * @param name its name
   * @param kind its kind, in lower case
   * @param fill the share of the capacity that is taken, 0 to 1; -1 when that has no meaning for this kind
   * @param counters its counters by name
   * @param perSecond the growth per second of those counters that have a rate, by name
   * @param holders the holders of its roles
   */
  record EntryLook(String name, String kind, double fill, Map<String, Long> counters, Map<String, Double> perSecond,
      List<HolderLook> holders) {}

  /**
   * The holder of a role.
   *
   * @param role the number of the role
   * @param pid its process
   * @param alive whether that lives
   * @param label what its program calls the role
   * @param task what the holder does, or its policy
   * @param counters its counters by name, for example its lag
   * @param perSecond the growth per second of those counters that have a rate, by name
   */
  record HolderLook(int role, long pid, boolean alive, String label, String task, Map<String, Long> counters,
      Map<String, Double> perSecond) {}

  /** The path of the segment's file. */
  String getPath();

  /** The size of the segment in bytes. */
  long getSizeBytes();

  /** How many bytes belong to no entry. */
  long getUnusedBytes();

  /** The process ids of the participants that live. */
  List<Long> getProcesses();

  /** The process ids of the participants that died and have not been buried. */
  List<Long> getDeadProcesses();

  /** All entries that are not damaged and whose kind is known. */
  List<EntryLook> getEntries();

  /** What the dead left, and who holds whom back, one sentence each. */
  List<String> getFindings();
}
