package io.bywash.osgi;

/** The names of all service properties and configurations of this bundle. They are as stable as its types. */
public final class BywashConstants {
  /** The name of the capability in the namespace {@code osgi.implementation}, see {@link RequireBywash}. */
  public static final String IMPLEMENTATION_NAME = "bywash";

  /** The version of that capability: that of this package. */
  public static final String IMPLEMENTATION_VERSION = "0.1.0";

  // ---- properties of every structure's service, which a consumer's service or a configuration sets too

  /** The segment's name. String. */
  public static final String SEGMENT = "bywash.segment";

  /** The name of the queue or other structure, unique in its segment. String. */
  public static final String QUEUE = "bywash.queue";

  // ---- properties of every structure's service

  /**
   * The kind of structure: {@code broadcast}, {@code work queue}, {@code endpoint}, {@code ring}, {@code latest value},
   * {@code cells} or {@code pool}. String.
   */
  public static final String KIND = "bywash.kind";

  /**
   * How much it holds: bytes of the ring of a broadcast, messages of a work queue, requests of an endpoint, elements of
   * a ring, 1 of a latest value, cells, objects of a pool. Long.
   */
  public static final String CAPACITY = "bywash.capacity";

  /** The size of one element in bytes, or the largest size of a message. Long. */
  public static final String ELEMENT_SIZE = "bywash.element.size";

  /** The names of the records that it is declared to carry; absent for plain bytes. List of Strings. */
  public static final String ELEMENT = "bywash.element";

  /**
   * The fingerprint of these records' layout, see {@link io.bywash.engine.record.Records#fingerprint}; absent for plain
   * bytes. A consumer with this property is fed from a queue of the same fingerprint only. Long.
   */
  public static final String FINGERPRINT = "bywash.fingerprint";

  /** The process id of the owner, in that process's own pid namespace. Changes when the owner does. Long. */
  public static final String OWNER_PID = "bywash.owner.pid";

  /** Whether the structure's owner is this process. Changes when the owner does. Boolean. */
  public static final String LOCAL = "bywash.local";

  /** The path of the segment's file. String. */
  public static final String PATH = "bywash.path";

  // ---- properties of the services of work queues and endpoints, which their configurations set as well

  /**
   * What becomes of a message that a consumer had when it died, or of a request that a responder had:
   * {@link #DELIVERY_REDELIVER}, {@link #DELIVERY_DROP} (work queues) or {@link #DELIVERY_FAIL} (endpoints). String.
   */
  public static final String DELIVERY = "bywash.delivery";

  /** With this {@link #DELIVERY}, the default of work queues, another consumer or responder gets it. */
  public static final String DELIVERY_REDELIVER = "redeliver";

  /** With this {@link #DELIVERY} the message of a work queue is dropped and counted. */
  public static final String DELIVERY_DROP = "drop";

  /** With this {@link #DELIVERY}, the default of endpoints, the call fails. */
  public static final String DELIVERY_FAIL = "fail";

  /** How often a message of a work queue is delivered at most; absent when there is no limit. Integer. */
  public static final String DELIVERIES = "bywash.deliveries";

  /** The work queue of the same segment for messages that were delivered that often; absent without. String. */
  public static final String DEAD_LETTERS = "bywash.dead.letters";

  // ---- properties that a consumer's service sets

  /**
   * What happens when the listener is slower than the publisher: {@link #POLICY_BLOCK}, {@link #POLICY_EVICT},
   * {@link #POLICY_SKIP} or {@link #POLICY_FAIL}. If it is absent, {@code block} if the queue's owner is this process
   * when the listener joins ({@link #LOCAL}), else {@code evict}; that stays until the listener joins anew. String.
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
   * The factory PID of broadcast queues: each configuration finds or creates one and keeps it as long as it is there
   * itself. When {@link #SEGMENT} or {@link #DIRECTORY} changes, another queue is found or created, and then this one
   * is left; a change of {@link #QUEUE}, {@link #LIFETIME}, {@link #RING_BYTES} or {@link #SUBSCRIBERS} replaces the
   * queue and its contents. As long as that is impossible, what was there stays, and it is tried again. A change of any
   * other key leaves the queue and its contents alone. A value that cannot be used is reported with its key, and what
   * was there stays. Keys: {@link #SEGMENT}, {@link #QUEUE}, {@link #RING_BYTES}, {@link #SUBSCRIBERS},
   * {@link #LIFETIME}, {@link #SPARE_BYTES}, {@link #DIRECTORY}.
   */
  public static final String QUEUE_PID = "io.bywash.queue";

  /**
   * As {@link #QUEUE_PID}, for work queues. Own keys: {@link #CAPACITY} (a power of two), {@link #ELEMENT_SIZE} (of the
   * largest message), {@link #DELIVERY}, {@link #DELIVERIES}, {@link #DEAD_LETTERS}, {@link #ROLES}. A change of one of
   * them, as of all own keys, replaces what was there.
   */
  public static final String WORK_QUEUE_PID = "io.bywash.workqueue";

  /**
   * As {@link #QUEUE_PID}, for endpoints. Own keys: {@link #REQUEST_BYTES}, {@link #REPLY_BYTES}, {@link #CALLERS},
   * {@link #SLOTS}, {@link #RESPONDERS}, {@link #DELIVERY}.
   */
  public static final String ENDPOINT_PID = "io.bywash.endpoint";

  /** As {@link #QUEUE_PID}, for rings. Own keys: {@link #CAPACITY}, {@link #ELEMENT_SIZE}. */
  public static final String RING_PID = "io.bywash.ring";

  /** As {@link #QUEUE_PID}, for latest values. Own keys: {@link #ELEMENT_SIZE}, {@link #WRITERS}, {@link #READERS}. */
  public static final String LATEST_PID = "io.bywash.latest";

  /** As {@link #QUEUE_PID}, for cells. Own key: {@link #CELLS}. */
  public static final String CELLS_PID = "io.bywash.cells";

  /** As {@link #QUEUE_PID}, for pools. Own keys: {@link #CAPACITY}, {@link #ELEMENT_SIZE}, {@link #ROLES}. */
  public static final String POOL_PID = "io.bywash.pool";

  /** The {@link #CAPACITY} of what is configured without one. */
  public static final int DEFAULT_CAPACITY = 1024;

  /** The {@link #ELEMENT_SIZE}, {@link #REQUEST_BYTES} and {@link #REPLY_BYTES} of what is configured without them. */
  public static final int DEFAULT_ELEMENT_SIZE = 1024;

  /** The most producers and consumers of a work queue together, or users of a pool; 64 by default. Integer. */
  public static final String ROLES = "bywash.roles";

  /** The size of the largest request in bytes. Integer. */
  public static final String REQUEST_BYTES = "bywash.request.bytes";

  /** The size of the largest reply in bytes. Integer. */
  public static final String REPLY_BYTES = "bywash.reply.bytes";

  /** The most callers of an endpoint at one time; 16 by default. Integer. */
  public static final String CALLERS = "bywash.callers";

  /** How many requests of one caller can be in flight, a power of two; 32 by default. Integer. */
  public static final String SLOTS = "bywash.slots";

  /** The most responders of an endpoint at one time; 16 by default. Integer. */
  public static final String RESPONDERS = "bywash.responders";

  /** The most writers of a latest value at one time; 1 by default. Integer. */
  public static final String WRITERS = "bywash.writers";

  /** The most readers of a latest value at one time; 63 by default. Integer. */
  public static final String READERS = "bywash.readers";

  /**
   * What cells there are: types and names of atomics, for example {@code long count, boolean stop}, or an array of
   * numbers, for example {@code double[512]}. String.
   */
  public static final String CELLS = "bywash.cells";

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
