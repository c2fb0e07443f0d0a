package io.bywash.osgi;

/** The names of all service properties and configurations of this bundle. They are as stable as its types. */
public final class BywashConstants {
  /** The name of the capability in the namespace {@code osgi.implementation}, see {@link RequireBywash}. */
  public static final String IMPLEMENTATION_NAME = "bywash";

  /** The version of that capability: that of this package. */
  public static final String IMPLEMENTATION_VERSION = "0.1.0";

  // ---- what every queue's service says, and a listener's service or a queue's configuration chooses

  /** The segment's name. String. */
  public static final String SEGMENT = "bywash.segment";

  /** The queue's name, unique in its segment. String. */
  public static final String QUEUE = "bywash.queue";

  // ---- what every queue's service says

  /** What kind of queue it is: {@code broadcast}. String. */
  public static final String KIND = "bywash.kind";

  /** How much the queue holds, in its kind's unit (broadcast: bytes of the ring). Long. */
  public static final String CAPACITY = "bywash.capacity";

  /** Size of one element in bytes, or the largest size of a message. Long. */
  public static final String ELEMENT_SIZE = "bywash.element.size";

  /** The process id of the queue's owner, in that process's own pid namespace. Changes when the owner does. Long. */
  public static final String OWNER_PID = "bywash.owner.pid";

  /** Whether the queue's owner is this process. Changes when the owner does. Boolean. */
  public static final String LOCAL = "bywash.local";

  /** The segment's file. String. */
  public static final String PATH = "bywash.path";

  // ---- what a listener's service chooses

  /**
   * What happens when the listener is slower than the publisher: {@link #POLICY_BLOCK} or {@link #POLICY_SKIP}. String.
   */
  public static final String POLICY = "bywash.policy";

  /** The default {@link #POLICY}: the publisher waits, and nothing is lost. */
  public static final String POLICY_BLOCK = "block";

  /** This {@link #POLICY} holds nobody back; the listener is told how many messages it lost. */
  public static final String POLICY_SKIP = "skip";

  /** Where the listener begins when it joins a queue: {@link #START_OLDEST} or {@link #START_NEWEST}. String. */
  public static final String START = "bywash.start";

  /**
   * The default {@link #START}: with the oldest message that is still there, so that a late discovery costs nothing.
   */
  public static final String START_OLDEST = "oldest";

  /** This {@link #START} begins with the first message that is published after joining. */
  public static final String START_NEWEST = "newest";

  // ---- configurations

  /** The PID of discovery's configuration, which is optional: {@link #DIRECTORY}. */
  public static final String DISCOVERY_PID = "io.bywash.discovery";

  /**
   * The factory PID of queues: each configuration creates a queue and keeps it as long as the configuration exists.
   * Keys: {@link #SEGMENT}, {@link #QUEUE}, {@link #RING_BYTES}, {@link #SUBSCRIBERS}, {@link #LIFETIME},
   * {@link #SPARE_BYTES}, {@link #DIRECTORY}.
   */
  public static final String QUEUE_PID = "io.bywash.queue";

  /**
   * The bus directory; empty or absent for this user's standard one ({@code $BYWASH_DIR}, else below /dev/shm). String.
   */
  public static final String DIRECTORY = "bywash.directory";

  /** The size of the ring in bytes, rounded up to a power of two; 1 MiB unless given. Long. */
  public static final String RING_BYTES = "bywash.ring.bytes";

  /** Room for so many subscribers at one time; 64 unless given. Integer. */
  public static final String SUBSCRIBERS = "bywash.subscribers";

  /** When the segment is removed: {@link #LIFETIME_WHILE_USED} or {@link #LIFETIME_KEPT}. String. */
  public static final String LIFETIME = "bywash.lifetime";

  /** The default {@link #LIFETIME}: the last living participant removes the segment. */
  public static final String LIFETIME_WHILE_USED = "whileUsed";

  /** This {@link #LIFETIME} leaves the segment until it is removed on purpose. */
  public static final String LIFETIME_KEPT = "kept";

  /**
   * When the configuration creates the segment: bytes left for queues that are added later, since a segment never
   * grows. 4 MiB unless given. Long.
   */
  public static final String SPARE_BYTES = "bywash.spare.bytes";

  private BywashConstants() {}
}
