package io.bywash.osgi;

/** The names of all service properties and configurations of this bundle. They are as stable as its types. */
public final class BywashConstants {
  /** The name of the capability in the namespace {@code osgi.implementation}, see {@link RequireBywash}. */
  public static final String IMPLEMENTATION_NAME = "bywash";

  /** The version of that capability: that of this package. */
  public static final String IMPLEMENTATION_VERSION = "0.1.0";

  // ---- properties of every queue's service, which a listener's service or a queue's configuration sets as well

  /** The segment's name. String. */
  public static final String SEGMENT = "bywash.segment";

  /** The queue's name, unique in its segment. String. */
  public static final String QUEUE = "bywash.queue";

  // ---- properties of every queue's service

  /** The kind of queue: {@code broadcast}. String. */
  public static final String KIND = "bywash.kind";

  /** How much the queue holds, in its kind's unit (broadcast: bytes of the ring). Long. */
  public static final String CAPACITY = "bywash.capacity";

  /** The size of one element in bytes, or the largest size of a message. Long. */
  public static final String ELEMENT_SIZE = "bywash.element.size";

  /** The process id of the queue's owner, in that process's own pid namespace. Changes when the owner does. Long. */
  public static final String OWNER_PID = "bywash.owner.pid";

  /** Whether the queue's owner is this process. Changes when the owner does. Boolean. */
  public static final String LOCAL = "bywash.local";

  /** The path of the segment's file. String. */
  public static final String PATH = "bywash.path";

  // ---- properties that a listener's service sets

  /**
   * What happens when the listener is slower than the publisher: {@link #POLICY_BLOCK}, {@link #POLICY_EVICT},
   * {@link #POLICY_SKIP} or {@link #POLICY_FAIL}. If it is absent, {@code block} where the publisher is in this process
   * when the listener joins, else {@code evict}. String.
   */
  public static final String POLICY = "bywash.policy";

  /** This {@link #POLICY} loses nothing: the publisher waits for as long as the listener takes. */
  public static final String POLICY_BLOCK = "block";

  /**
   * With this {@link #POLICY} the publisher waits for {@link #EVICT_AFTER_MILLIS}. Then it goes on; the listener is
   * told how many messages it lost, and continues with the oldest one that is there.
   */
  public static final String POLICY_EVICT = "evict";

  /** This {@link #POLICY} holds nobody back; the listener is told how many messages it lost. */
  public static final String POLICY_SKIP = "skip";

  /** This {@link #POLICY} holds nobody back; at the first loss the listener is not fed any more. */
  public static final String POLICY_FAIL = "fail";

  /**
   * How long a publisher waits at a stretch for a listener with {@link #POLICY_EVICT}, in milliseconds; 10,000 unless
   * given. Long.
   */
  public static final String EVICT_AFTER_MILLIS = "bywash.evict.after.millis";

  /** The default of {@link #EVICT_AFTER_MILLIS}. */
  public static final long DEFAULT_EVICT_AFTER_MILLIS = 10_000;

  /**
   * A name under which the listener goes on where it was, although its bundle or this one was updated or refreshed: 1
   * to 64 characters of {@code A-Z a-z 0-9 . _ -}. One listener at a time can have it. String.
   */
  public static final String SUBSCRIPTION = "bywash.subscription";

  /** Where the listener begins when it joins a queue: {@link #START_OLDEST} or {@link #START_NEWEST}. String. */
  public static final String START = "bywash.start";

  /**
   * The default {@link #START}: at the oldest message that is still there, so that a queue that is discovered late
   * loses nothing.
   */
  public static final String START_OLDEST = "oldest";

  /** This {@link #START} is at the first message that is published after joining. */
  public static final String START_NEWEST = "newest";

  // ---- configurations

  /**
   * The PID of discovery's configuration, which is optional: {@link #DIRECTORY}. As a factory PID it watches several
   * directories, one for each configuration.
   */
  public static final String DISCOVERY_PID = "io.bywash.discovery";

  /**
   * The factory PID of queues: each configuration creates a queue and keeps it as long as the configuration exists.
   * When one of {@link #SEGMENT}, {@link #QUEUE}, {@link #DIRECTORY}, {@link #LIFETIME}, {@link #RING_BYTES} and
   * {@link #SUBSCRIBERS} changes, the queue is left and another one is found or created; a change of any other key
   * leaves the queue and its contents alone. A value that cannot be used is reported with its key, and what was there
   * stays. Keys: {@link #SEGMENT}, {@link #QUEUE}, {@link #RING_BYTES}, {@link #SUBSCRIBERS}, {@link #LIFETIME},
   * {@link #SPARE_BYTES}, {@link #DIRECTORY}.
   */
  public static final String QUEUE_PID = "io.bywash.queue";

  /**
   * The bus directory. Empty or absent for this user's standard one: {@code $BYWASH_DIR} if that is set, otherwise
   * {@code /dev/shm/bywash-UID}. String.
   */
  public static final String DIRECTORY = "bywash.directory";

  /** The size of the ring in bytes, rounded up to a power of two; 1 MiB by default. Long. */
  public static final String RING_BYTES = "bywash.ring.bytes";

  /** The default of {@link #RING_BYTES}. */
  public static final long DEFAULT_RING_BYTES = 1 << 20;

  /** Room for so many subscribers at one time; 64 unless given. Integer. */
  public static final String SUBSCRIBERS = "bywash.subscribers";

  /** When the segment is removed: {@link #LIFETIME_WHILE_USED} or {@link #LIFETIME_KEPT}. String. */
  public static final String LIFETIME = "bywash.lifetime";

  /** The default {@link #LIFETIME}: the last living participant removes the segment. */
  public static final String LIFETIME_WHILE_USED = "whileUsed";

  /** This {@link #LIFETIME} keeps the segment until it is removed on purpose. */
  public static final String LIFETIME_KEPT = "kept";

  /**
   * How many bytes to leave for queues that are added later, if the configuration creates the segment. A segment never
   * grows. 4 MiB by default. Long.
   */
  public static final String SPARE_BYTES = "bywash.spare.bytes";

  /** The default of {@link #SPARE_BYTES}. */
  public static final long DEFAULT_SPARE_BYTES = 4 << 20;

  private BywashConstants() {}
}
