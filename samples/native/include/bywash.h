/*
 * Bywash for C: a native program joins the same segments as JVMs do. The bytes, and what has to be done in which order,
 * are those of docs/SPEC.md.
 *
 * Results. A function returns an int (or a count): 1 or more when it did what it was asked for, 0 when there was
 * nothing to do or no room in time, which is an expected outcome, and one of the negative BYWASH_E... codes otherwise.
 * After a negative code, bywash_error() tells in a sentence what was found and what to do about it. Functions that can
 * only succeed or fail return 0 for success.
 *
 * Ownership. An object that a function stores through its last argument belongs to the caller, who gives it back with
 * the close function of its type; it is not stored if the function fails. Strings and structs that are passed in are
 * read during the call only. Close roles (publisher, subscriber, ...) before their segment.
 *
 * Threads. Any thread may use a segment. A role is used by one thread at a time.
 *
 * Fork. A forked child does not have its parent's attachments, nor those that another thread is about to make or end:
 * the child's copies of their descriptors are closed, and their memory is not mapped in the child. There, every
 * function but the close functions returns BYWASH_ECLOSED; the close functions free the child's copy of the object. A
 * child that wants to take part attaches by itself.
 *
 * Truncation. Nothing truncates a segment's file. If a foreign program does, access to it raises SIGBUS.
 *
 * Timeouts are in nanoseconds; 0 or less does not wait.
 */
#ifndef BYWASH_H
#define BYWASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Raised when something that was compiled against this header can no longer be linked with the library. */
#define BYWASH_ABI 1

/** Errors. */
enum {
  BYWASH_EINVAL = -1,       /**< an argument is out of its range */
  BYWASH_ESTATE = -2,       /**< not possible now: a claim is open, roles are open, or the segment is read-only */
  BYWASH_ENOTFOUND = -3,    /**< there is no such segment or entry */
  BYWASH_EEXISTS = -4,      /**< the segment exists already */
  BYWASH_EFORMAT = -5,      /**< the file is no segment of this version, or a message is none of those declared */
  BYWASH_EDAMAGED = -6,     /**< shared memory holds something impossible */
  BYWASH_EMISMATCH = -7,    /**< the segment or entry differs from what was asked for; the text lists each difference */
  BYWASH_EFULL = -8,        /**< living participants or roles have taken all places */
  BYWASH_EACCESS = -9,      /**< the operating system refused something */
  BYWASH_ENOSPACE = -10,    /**< the file system lacks space */
  BYWASH_ETAKEN = -11,      /**< a living participant holds the role */
  BYWASH_EREMOVED = -12,    /**< the entry was removed while it was in use */
  BYWASH_EGONE = -13,       /**< the segment's file was removed or replaced while it was in use */
  BYWASH_ECLOSED = -14,     /**< this participant was taken for dead, or this is a forked child */
  BYWASH_EEVICTED = -15,    /**< this subscriber held the publisher back for too long */
  BYWASH_EOVERRUN = -16,    /**< messages were overwritten before this subscriber read them */
  BYWASH_EREPLACED = -17,   /**< the segment is another one than the one that was asked for */
  BYWASH_ENOMEM = -18       /**< this process has no memory left */
};

/**
 * The text of the last error in this thread: a sentence on what was found, and mostly one on what to do. It stays valid
 * until the next call of this library in this thread. Empty when there was no error yet.
 */
const char *bywash_error(void);

/** The value of BYWASH_ABI that the library was built with. Any thread may ask. */
uint32_t bywash_abi(void);

/* ---- describing segments */

/** Kinds of structures. */
enum {
  BYWASH_BROADCAST = 1, BYWASH_WORK_QUEUE = 2, BYWASH_CELLS = 3, BYWASH_LATEST = 4, BYWASH_RING = 5, BYWASH_POOL = 6,
  BYWASH_ENDPOINT = 7
};

/** Policies of work queues for messages that were not acknowledged. */
enum { BYWASH_REDELIVER = 0, BYWASH_DROP = 1, BYWASH_REDELIVER_OR_DROP = 2 };

/**
 * Describes one entry of a segment, as the same call of the Java engine does. Made by the functions below; a program
 * may then set `layout`, which must stay valid as long as the description is used.
 */
typedef struct bywash_entry {
  uint32_t size;           /**< sizeof(bywash_entry) */
  uint32_t kind;           /**< BYWASH_BROADCAST, ... */
  char name[65];           /**< 1 to 64 characters of A-Z a-z 0-9 . _ -, beginning with a letter or a digit */
  int64_t capacity;        /**< in the unit of its kind */
  int64_t element_size;    /**< bytes of one element, or of the largest message */
  int64_t data_bytes;      /**< bytes of the structure behind its roles */
  int32_t roles;           /**< how many roles there can be at one time */
  const char *layout;      /**< what an element consists of, as in docs/SPEC.md 4.4; NULL for plain bytes */
  int64_t parameters[8];   /**< what they mean, the kind says */
} bywash_entry;

/**
 * Describes a broadcast: one publisher, and room for `subscribers` at one time (0 stands for 64).
 *
 * @param ring_bytes 4096 to 2^37, rounded up to a power of two; the largest message is an eighth of it
 * @return 0, or BYWASH_EINVAL
 */
int bywash_broadcast(bywash_entry *entry, const char *name, int64_t ring_bytes, int32_t subscribers);

/** How often, and what then: see bywash_work_queue. */
typedef struct bywash_delivery_policy {
  uint32_t size;             /**< sizeof(bywash_delivery_policy) */
  uint32_t policy;           /**< BYWASH_REDELIVER, ... */
  int64_t limit;             /**< how often a message is delivered at the most; 0 without a limit */
  const char *dead_letters;  /**< the work queue for those that were delivered too often; NULL for none */
} bywash_delivery_policy;

/**
 * Describes a work queue: each message goes to one of its consumers.
 *
 * @param capacity how many messages it holds, a power of two up to 2^20
 * @param max_message_bytes 1 to 2^30
 * @param policy NULL to deliver again, without a limit
 * @param roles producers and consumers together at one time, 2 to 1024; 0 stands for 64
 * @return 0, or BYWASH_EINVAL
 */
int bywash_work_queue(bywash_entry *entry, const char *name, int64_t capacity, int64_t max_message_bytes,
    const bywash_delivery_policy *policy, int32_t roles);

/**
 * Describes atomics, each with a type and a name.
 *
 * @param cells for example "int ready", of the types long, int, boolean and double; 1 to 1024 of them
 * @param text gets the layout, and must stay valid as long as `entry` is used; 80 bytes a cell and 32 are enough
 * @return 0, or BYWASH_EINVAL, also when `text_bytes` is too small
 */
int bywash_atomics(bywash_entry *entry, const char *name, const char *const *cells, int32_t cell_count, char *text,
    size_t text_bytes);

/**
 * Describes a latest value.
 *
 * @param max_value_bytes 1 to 2^30
 * @param writers at one time, at least 1; 0 stands for 1
 * @param readers at one time; 0 stands for 63; together at most 1024
 * @return 0, or BYWASH_EINVAL
 */
int bywash_latest(bywash_entry *entry, const char *name, int64_t max_value_bytes, int32_t writers, int32_t readers);

/** Options of an endpoint. Zeros (but for size) stand for the defaults. */
typedef struct bywash_endpoint_options {
  uint32_t size;        /**< sizeof(bywash_endpoint_options) */
  int32_t callers;      /**< at one time, in all processes; 0 stands for 16 */
  int32_t slots;        /**< requests of one caller in flight, a power of two up to 1024; 0 stands for 32 */
  int32_t responders;   /**< at one time; 0 stands for 16; with the callers at most 1024 */
  uint32_t redelivers;  /**< 1: a request whose responder is gone goes to another one; 0: such a call fails */
} bywash_endpoint_options;

/**
 * Describes an endpoint: callers send requests, each of which one of the responders answers.
 *
 * @param max_request_bytes 1 to 2^30
 * @param max_reply_bytes 1 to 2^30
 * @param options NULL for the defaults
 * @return 0, or BYWASH_EINVAL, also when the slots would take more than 2^37 bytes
 */
int bywash_endpoint(bywash_entry *entry, const char *name, int64_t max_request_bytes, int64_t max_reply_bytes,
    const bywash_endpoint_options *options);

/** When a segment is removed. */
enum {
  BYWASH_WHILE_USED = 0,  /**< by its last participant */
  BYWASH_KEPT = 1         /**< on purpose only */
};

/** Describes a segment. Made by bywash_spec, bywash_small_spec or bywash_large_spec; then set what differs. */
typedef struct bywash_segment_spec {
  uint32_t size;                /**< sizeof(bywash_segment_spec) */
  uint32_t participants;        /**< room for so many at one time, 1 to 256 */
  uint32_t rows;                /**< room for so many entries, 1 to 512 */
  uint32_t lifetime;            /**< BYWASH_WHILE_USED or BYWASH_KEPT */
  uint32_t mode;                /**< permissions of the file, whatever the umask; contains 0600 */
  int64_t size_bytes;           /**< of the file, rounded up to a page; 0 for just what the entries need */
  const bywash_entry *entries;  /**< what the segment has from the start; must stay valid while this is used */
  size_t entry_count;
} bywash_segment_spec;

/** A segment for 64 participants and 64 entries, or more if more are given. `spec->size` is set by these functions. */
void bywash_spec(bywash_segment_spec *spec, const bywash_entry *entries, size_t entry_count);

/** The same for 8 participants and 16 entries. */
void bywash_small_spec(bywash_segment_spec *spec, const bywash_entry *entries, size_t entry_count);

/** The same for 256 participants and 256 entries. */
void bywash_large_spec(bywash_segment_spec *spec, const bywash_entry *entries, size_t entry_count);

/* ---- segments */

/** An attachment of this process to a segment. Any thread may use it. */
typedef struct bywash_segment bywash_segment;

/**
 * Creates a segment and attaches to it. All its space is allocated now.
 *
 * @param name a name in the standard bus directory ($BYWASH_DIR, else /dev/shm/bywash-UID, which is made if need be);
 *     or, with a slash in it, a path
 * @param segment gets the attachment, to be closed with bywash_close
 * @return 0; BYWASH_EEXISTS (of several that create a name at once exactly one succeeds), BYWASH_ENOSPACE,
 *     BYWASH_ENOTFOUND (no such directory), BYWASH_EACCESS, BYWASH_EINVAL, BYWASH_ENOMEM
 */
int bywash_create(const char *name, const bywash_segment_spec *spec, bywash_segment **segment);

/**
 * Attaches to a segment, or creates it if it does not exist. An existing one that differs from `spec` is replaced if no
 * participant lives, its lifetime is BYWASH_WHILE_USED, and nothing in it has to stay.
 *
 * @return 0; BYWASH_EMISMATCH (the text lists each difference), and what bywash_create and bywash_attach return
 */
int bywash_open(const char *name, const bywash_segment_spec *spec, bywash_segment **segment);

/**
 * Attaches to a segment that another process creates, whatever structures it holds. Waits for up to `timeout_ns` until
 * it exists.
 *
 * @return 0; BYWASH_ENOTFOUND, BYWASH_EFORMAT, BYWASH_EDAMAGED, BYWASH_EFULL (all slots are taken by the living),
 *     BYWASH_EACCESS, BYWASH_EINVAL, BYWASH_ENOMEM
 */
int bywash_attach(const char *name, int64_t timeout_ns, bywash_segment **segment);

/**
 * Attaches read-only: nobody sees this attachment, and it keeps nothing alive. Of roles it has skipping subscribers,
 * readers of latest values, atomics and views, and none of them sleeps in the kernel.
 *
 * @return as bywash_attach
 */
int bywash_observe(const char *name, bywash_segment **segment);

/**
 * Leaves the segment, and frees the attachment. If its lifetime is BYWASH_WHILE_USED, no other participant lives, and
 * nothing in it has to stay, the file is removed. NULL is allowed.
 *
 * @return 0; BYWASH_ESTATE when roles are still open in it, and then nothing was done
 */
int bywash_close(bywash_segment *segment);

/** The segment's random number; with a sequence it identifies a message for good. */
int64_t bywash_id(const bywash_segment *segment);

/** The absolute path of the segment's file; valid until the segment is closed. */
const char *bywash_path(const bywash_segment *segment);

/** Labels this participant for people: up to 32 bytes of UTF-8 without control characters. @return 0 or an error */
int bywash_label(bywash_segment *segment, const char *label);

/** What a recovery has done. Set `size` before the call. */
typedef struct bywash_recovery {
  uint32_t size;             /**< sizeof(bywash_recovery) */
  int32_t buried;            /**< dead participants that were buried */
  int32_t roles_freed;       /**< roles that these held */
  int32_t intent_voided;     /**< 1 when a half done change of the directory was put right */
  int32_t removal_reverted;  /**< 1 when a removal whose remover died was reverted */
  int32_t files_removed;     /**< temporary files of dead creators */
} bywash_recovery;

/**
 * Recovers at once from the deaths of participants. Nobody has to call this: joining, publishing and waiting recover
 * what is in their way. It takes nothing from the living.
 *
 * @param recovery may be NULL
 * @return 0; BYWASH_ESTATE when the segment is attached read-only, BYWASH_ECLOSED
 */
int bywash_recover(bywash_segment *segment, bywash_recovery *recovery);

/**
 * Tells about an entry: sets all fields of `entry` but size, which has to be set before the call, and layout (NULL).
 *
 * @param fingerprint gets the fingerprint of the entry's layout, 0 for plain bytes; may be NULL
 * @return 0; BYWASH_ENOTFOUND, BYWASH_EDAMAGED
 */
int bywash_find(bywash_segment *segment, const char *name, bywash_entry *entry, int64_t *fingerprint);

/**
 * Copies the text of an entry's layout, with a zero behind it.
 *
 * @return its length in bytes, also if `text_bytes` was too small and nothing was copied; or an error as bywash_find
 */
int64_t bywash_layout(bywash_segment *segment, const char *name, char *text, size_t text_bytes);

/** The fingerprint of a layout's text: the first 8 bytes of its SHA-256; 0 for an empty one. */
int64_t bywash_fingerprint(const char *layout);

/* ---- roles */

/** How a role waits. */
enum {
  BYWASH_BACKOFF = 0,  /**< the default: spins for some microseconds, then sleeps in the kernel */
  BYWASH_SPIN = 1,     /**< spins: the lowest latency, if there is a core to spare */
  BYWASH_SLEEP = 2     /**< sleeps in the kernel at once */
};

/** Options of a role. Zeros (but for size) and NULL stand for the defaults. */
typedef struct bywash_role_options {
  uint32_t size;        /**< sizeof(bywash_role_options) */
  uint32_t wait;        /**< BYWASH_BACKOFF, ... */
  const char *layout;   /**< if not NULL: the entry must have this layout, see bywash_entry; "" for plain bytes */
  const char *label;    /**< for people who inspect the segment, up to 32 bytes of UTF-8; NULL for none */
} bywash_role_options;

/** A message that was received. */
typedef struct bywash_message {
  const void *data;  /**< its bytes, aligned to 8 */
  int32_t length;    /**< 1 to the largest message of the entry */
  int32_t type;      /**< what its sender chose */
  int64_t sequence;  /**< of a broadcast and a work queue: from 0 on; of a latest value: its version, from 1 on */
  int64_t lost;      /**< of a broadcast: how many messages were lost right before this one */
  int32_t deliveries;/**< of a work queue: how often it was delivered, this time included */
  int32_t dead;      /**< of a work queue: 1 when it is a dead letter, which was delivered too often */
  int64_t origin;    /**< of a dead letter: its sequence in the queue that it came from */
  int64_t reserved[4]; /**< 0; room for what later versions tell */
} bywash_message;

/* ---- broadcast: publishing */

/** The publisher of a broadcast; there is one at a time. It goes on where its predecessor stopped. */
typedef struct bywash_publisher bywash_publisher;

/**
 * Takes the publisher role.
 *
 * @param entry the name of a broadcast
 * @param options NULL for the defaults
 * @return 0; BYWASH_ETAKEN, BYWASH_ENOTFOUND, BYWASH_EMISMATCH, BYWASH_EDAMAGED, BYWASH_ESTATE (attached read-only),
 *     BYWASH_ECLOSED, BYWASH_EINVAL, BYWASH_ENOMEM
 */
int bywash_publisher_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_publisher **publisher);

/**
 * Publishes a copy of a message. Waits for room for up to `timeout_ns`.
 *
 * @param length 1 to bywash_publisher_max
 * @param type any number
 * @return 1; 0 when a subscriber that holds the publisher back left no room in time; BYWASH_EINVAL (length),
 *     BYWASH_ESTATE (a claim is open), BYWASH_EREMOVED, BYWASH_EGONE, BYWASH_ECLOSED
 */
int bywash_offer(bywash_publisher *publisher, const void *data, int64_t length, int32_t type, int64_t timeout_ns);

/**
 * Claims room for a message, to be filled in place, which bywash_commit, bywash_stage or bywash_abort ends.
 *
 * @param place gets the address of `length` bytes, aligned to 16, valid until the claim ends; they hold anything
 * @return as bywash_offer
 */
int bywash_claim(bywash_publisher *publisher, int64_t length, int32_t type, int64_t timeout_ns, void **place);

/** Publishes the claimed message, and all that were staged before it. @return 0; BYWASH_ESTATE when there is no claim,
 *     BYWASH_ECLOSED */
int bywash_commit(bywash_publisher *publisher);

/** Ends the claim of a message that a later bywash_commit, bywash_publish or bywash_offer makes visible, as part of a
 *     batch. @return as bywash_commit */
int bywash_stage(bywash_publisher *publisher);

/** Gives the claim up; nothing was published. Does nothing without a claim. @return 0; BYWASH_ECLOSED */
int bywash_abort(bywash_publisher *publisher);

/** Publishes all staged messages. An open claim stays open. @return 0; BYWASH_ECLOSED */
int bywash_publish(bywash_publisher *publisher);

/** The bytes of the largest message. */
int64_t bywash_publisher_max(const bywash_publisher *publisher);

/** The sequence of the next message: how many were ever committed or staged. */
int64_t bywash_publisher_sequence(const bywash_publisher *publisher);

/** Waits until at least `count` living subscribers have joined. @return 1; 0 when there were fewer in time; an error */
int bywash_await_subscribers(bywash_publisher *publisher, int32_t count, int64_t timeout_ns);

/** Gives the role back, and frees it. An open claim is aborted, staged messages are published. NULL is allowed.
 *     @return 0 */
int bywash_publisher_close(bywash_publisher *publisher);

/* ---- broadcast: subscribing */

/** What happens when the publisher is faster. */
enum {
  BYWASH_BLOCK = 1,  /**< it is held back: nothing is lost */
  BYWASH_SKIP = 2,   /**< messages are lost, and counted exactly */
  BYWASH_FAIL = 3,   /**< the next poll fails with BYWASH_EOVERRUN */
  BYWASH_EVICT = 4   /**< it is held back for `evict_after_ns`, then this subscriber is cut off: BYWASH_EEVICTED */
};

/** Where a subscriber begins. */
enum {
  BYWASH_NEXT = 0,      /**< with what is published from now on */
  BYWASH_OLDEST = 1,    /**< with the oldest message that is still there */
  BYWASH_LAST = 2,      /**< with the last `start_number` messages */
  BYWASH_SEQUENCE = 3   /**< with the message of sequence `start_number` */
};

/** Options of a subscriber. Zeros (but for size and policy) stand for the defaults. */
typedef struct bywash_subscriber_options {
  uint32_t size;             /**< sizeof(bywash_subscriber_options) */
  uint32_t policy;           /**< BYWASH_BLOCK, ...; 0 stands for BYWASH_BLOCK */
  uint32_t wait;             /**< BYWASH_BACKOFF, ... */
  uint32_t start;            /**< BYWASH_NEXT, ... */
  int64_t start_number;      /**< see BYWASH_LAST and BYWASH_SEQUENCE */
  int64_t start_segment;     /**< the id of the segment that the sequence belongs to; 0 for any */
  int64_t evict_after_ns;    /**< see BYWASH_EVICT */
  uint32_t resume_at_newest; /**< 1: after a loss BYWASH_SKIP goes on with the next message, not with the oldest one */
  const char *layout;        /**< as in bywash_role_options */
  const char *label;         /**< as in bywash_role_options */
} bywash_subscriber_options;

/** A subscriber of a broadcast, with a position of its own. */
typedef struct bywash_subscriber bywash_subscriber;

/**
 * Joins a broadcast.
 *
 * @param options NULL for the defaults
 * @return 0; BYWASH_EFULL, BYWASH_EOVERRUN (that sequence was overwritten, and the policy is not BYWASH_SKIP),
 *     BYWASH_EREPLACED, BYWASH_ESTATE (attached read-only, and the policy is not BYWASH_SKIP), and as
 *     bywash_publisher_open
 */
int bywash_subscriber_open(bywash_segment *segment, const char *entry, const bywash_subscriber_options *options,
    bywash_subscriber **subscriber);

/** Called with each message, which is valid during the call only. Another value than 0 ends the poll behind it. */
typedef int bywash_handler(void *context, const bywash_message *message);

/**
 * Hands over the messages that are there, in order; waits for the first one for up to `timeout_ns`.
 *
 * @param limit the most messages to hand over, at least 1
 * @return how many messages were handed over, 0 when none came in time; BYWASH_EOVERRUN (the next poll goes on behind
 *     the gap), BYWASH_EEVICTED, BYWASH_EDAMAGED, BYWASH_EREMOVED, BYWASH_EGONE, BYWASH_ECLOSED, BYWASH_EINVAL,
 *     BYWASH_ESTATE (called by the handler of this subscriber)
 */
int bywash_poll(bywash_subscriber *subscriber, bywash_handler *handler, void *context, int limit, int64_t timeout_ns);

/**
 * Reads the next message, which is valid until the next call with this subscriber. Until then, a subscriber of
 * BYWASH_BLOCK or BYWASH_EVICT holds the publisher back.
 *
 * @return 1; 0 when none came in time; an error as bywash_poll
 */
int bywash_receive(bywash_subscriber *subscriber, bywash_message *message, int64_t timeout_ns);

/** The sequence of the next message, unless messages are lost before it. */
int64_t bywash_subscriber_sequence(const bywash_subscriber *subscriber);

/** How many messages this subscriber has lost since it joined. */
int64_t bywash_subscriber_lost(const bywash_subscriber *subscriber);

/** Leaves the broadcast, and frees the subscriber. NULL is allowed. @return 0 */
int bywash_subscriber_close(bywash_subscriber *subscriber);

/* ---- work queue */

/** A producer of a work queue. */
typedef struct bywash_producer bywash_producer;

/** Takes a producer's role. @return 0; BYWASH_EFULL, and as bywash_publisher_open */
int bywash_producer_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_producer **producer);

/** Sends a copy of a message, as bywash_offer. @return 1; 0 when the queue was full all the time; an error */
int bywash_send(bywash_producer *producer, const void *data, int64_t length, int32_t type, int64_t timeout_ns);

/** Gives the role back, and frees it. NULL is allowed. @return 0 */
int bywash_producer_close(bywash_producer *producer);

/** A consumer of a work queue. */
typedef struct bywash_consumer bywash_consumer;

/** Takes a consumer's role, and one in the queue for dead letters if there is such. @return as bywash_producer_open */
int bywash_consumer_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_consumer **consumer);

/**
 * Takes a message, which this consumer holds until bywash_acknowledge or bywash_give_back; if the process dies before,
 * another consumer gets it. The message is valid until then.
 *
 * @return 1; 0 when none came in time; BYWASH_ESTATE when the last one is still held; BYWASH_EDAMAGED (nothing was
 *     handed out, so there is nothing to acknowledge; when the damaged message was left by another consumer, it stays,
 *     and the next call takes one of the others; when it was the next one of the queue, this consumer has it, and each
 *     call fails: close it, and another one, which is told once, takes the others), BYWASH_EREMOVED, BYWASH_EGONE,
 *     BYWASH_ECLOSED
 */
int bywash_take(bywash_consumer *consumer, bywash_message *message, int64_t timeout_ns);

/** Ends the message that was taken: nobody gets it again. @return 0; BYWASH_ESTATE without one, BYWASH_ECLOSED */
int bywash_acknowledge(bywash_consumer *consumer);

/** Gives the message back that was taken: another consumer, or this one, gets it again, as the queue's policy says.
 *     @return 0; BYWASH_ESTATE without one, BYWASH_ECLOSED */
int bywash_give_back(bywash_consumer *consumer);

/** Gives the role back, with the message that was taken, and frees it. NULL is allowed. @return 0 */
int bywash_consumer_close(bywash_consumer *consumer);

/* ---- calls: calling */

/** A caller of an endpoint. */
typedef struct bywash_caller bywash_caller;

/** How a call ended. */
enum {
  BYWASH_REPLIED = 1,
  BYWASH_TIMED_OUT = 2,      /**< no reply in time; the request may have been handled, and a late reply is dropped */
  BYWASH_CANCELLED = 3,      /**< by bywash_call_cancel; the request may have been handled */
  BYWASH_RESPONDER_GONE = 4, /**< the responder that had taken the request died, or was closed, without a reply */
  BYWASH_HANDLER_FAILED = 5  /**< the responder refused it: `data` is the name of a type, a line feed, and a message */
};

/** The end of a call. Its bytes are valid until the next bywash_call or bywash_call_next of the same caller; until then
 *     it occupies a slot. */
typedef struct bywash_reply {
  uint32_t outcome;     /**< BYWASH_REPLIED, ... */
  int32_t length;       /**< 0 to the largest reply of the entry */
  int32_t type;         /**< what the responder chose */
  const void *data;     /**< read in place; aligned to 8, unless the responder sent a part of what it had claimed */
  int64_t number;       /**< of the request; no other one of this caller's role has it. 0 when it was never sent */
  int64_t reserved[2];  /**< 0; room for what later versions tell */
} bywash_reply;

/** Takes a caller's role. @return 0; BYWASH_EFULL, and as bywash_publisher_open */
int bywash_caller_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_caller **caller);

/**
 * Calls, and waits for the reply. Other calls of this caller that are in flight stay so. What came before is no longer
 * valid: a claim, and the reply that was shown last.
 *
 * @param length 0 to bywash_caller_max
 * @param type any number
 * @param timeout_ns how long the call may take, with waiting for a free slot; at least 1
 * @return 1 with a reply; 0 without, and then reply->outcome says why, and bywash_error() in a sentence;
 *     BYWASH_EINVAL (length, timeout), BYWASH_EDAMAGED, BYWASH_EREMOVED, BYWASH_EGONE, BYWASH_ECLOSED. After an error
 *     the call is given up.
 */
int bywash_call(bywash_caller *caller, const void *data, int64_t length, int32_t type, int64_t timeout_ns,
    bywash_reply *reply);

/**
 * Sends a copy of a request, and does not wait. bywash_call_next returns how it ended.
 *
 * @param timeout_ns how long the call may take, at least 1
 * @param number gets the number of the request; may be NULL
 * @return 1; 0 when all slots are in use; BYWASH_EINVAL (length, timeout), BYWASH_EDAMAGED, BYWASH_ECLOSED
 */
int bywash_call_begin(bywash_caller *caller, const void *data, int64_t length, int32_t type, int64_t timeout_ns,
    int64_t *number);

/**
 * Claims room for a request, to be filled in place and sent by bywash_call_commit. A claim that is not sent needs no
 * end: nobody sees it, and the next request takes its place.
 *
 * @param place gets the address of bywash_caller_max bytes, aligned to 16, valid until this caller sends a request;
 *     they hold anything
 * @return as bywash_call_begin
 */
int bywash_call_claim(bywash_caller *caller, void **place);

/** Sends `length` bytes of the claimed room, from byte `start` on. @return 1; BYWASH_ESTATE when there is no claim, and
 *     as bywash_call_begin */
int bywash_call_commit(bywash_caller *caller, int64_t start, int64_t length, int32_t type, int64_t timeout_ns,
    int64_t *number);

/**
 * Sends a copy of a request that nobody replies to. It stays when the caller is closed; it is dropped if the caller
 * dies before a responder has taken it.
 *
 * @return as bywash_call_begin
 */
int bywash_call_one_way(bywash_caller *caller, const void *data, int64_t length, int32_t type);

/**
 * Tells how the next call ended that bywash_call_begin or bywash_call_commit sent, in the order in which they ended;
 * each is told once. Waits for up to `timeout_ns`.
 *
 * @return 1, whatever the outcome, which bywash_error() says in a sentence unless it is BYWASH_REPLIED; 0 when none
 *     ended in time, or none is in flight; BYWASH_EDAMAGED (also when the reply to reply->number is none that a
 *     responder writes, which has ended that call alone), BYWASH_EREMOVED, BYWASH_EGONE, BYWASH_ECLOSED
 */
int bywash_call_next(bywash_caller *caller, int64_t timeout_ns, bywash_reply *reply);

/** Gives up the call with that number, which bywash_call_next then tells. @return 1; 0 when it has ended before;
 *     BYWASH_EDAMAGED, BYWASH_ECLOSED */
int bywash_call_cancel(bywash_caller *caller, int64_t number);

/** The bytes of the largest request. */
int64_t bywash_caller_max(const bywash_caller *caller);

/** Gives up all calls in flight and the role, and frees it. One-way requests that were sent stay. NULL is allowed.
 *     @return 0 */
int bywash_caller_close(bywash_caller *caller);

/* ---- calls: answering */

/** A responder of an endpoint. Each request goes to one; those of one caller are taken in the order of sending. */
typedef struct bywash_responder bywash_responder;

/**
 * A request that a responder has taken. The program keeps it until it is answered; several may be kept at one time, and
 * answered in any order, by the thread that uses the responder.
 */
typedef struct bywash_request {
  const void *data;     /**< read in place, and valid until it is answered; aligned as that of bywash_reply */
  int32_t length;       /**< 0 to the largest request of the entry */
  int32_t type;         /**< what the caller chose */
  int64_t number;       /**< no other request of the same caller's role has it, but one that is delivered again */
  int64_t deadline_ns;  /**< of CLOCK_MONOTONIC; when the caller gives up. INT64_MAX if it is one way */
  int32_t caller;       /**< which of the endpoint's callers sent it, from 0 on */
  int32_t one_way;      /**< 1: nobody waits for a reply; it has to be answered all the same, which ends it */
  int64_t own[4];       /**< belongs to the library */
} bywash_request;

/** Takes a responder's role. @return 0; BYWASH_EFULL, and as bywash_publisher_open */
int bywash_responder_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_responder **responder);

/**
 * Takes a request, which no other responder gets unless this one is closed or dies. Waits for up to `timeout_ns`.
 *
 * @return 1; 0 when none came in time; BYWASH_EDAMAGED (what one caller has written that no caller writes is told once,
 *     and passed by: the next call goes on), BYWASH_EREMOVED, BYWASH_EGONE, BYWASH_ECLOSED
 */
int bywash_request_next(bywash_responder *responder, bywash_request *request, int64_t timeout_ns);

/**
 * Replies with a copy of `data`, and ends the request.
 *
 * @param length 0 to bywash_responder_max
 * @param type any number
 * @return 1; 0 when it was too late: the caller has given the call up, and does not see the reply; BYWASH_EINVAL
 *     (length; the request is still to be answered), BYWASH_ESTATE (it was answered before), BYWASH_ECLOSED
 */
int bywash_request_reply(bywash_responder *responder, bywash_request *request, const void *data, int64_t length,
    int32_t type);

/**
 * Tells where the reply may be written in place; bywash_request_commit sends it. Until then the request can be read.
 *
 * @param place gets the address of bywash_responder_max bytes, aligned to 16; they hold anything
 * @return 0; BYWASH_ESTATE, BYWASH_ECLOSED
 */
int bywash_request_claim(bywash_responder *responder, const bywash_request *request, void **place);

/** Replies with `length` bytes of that place, from byte `start` on, and ends the request. @return as
 *     bywash_request_reply */
int bywash_request_commit(bywash_responder *responder, bywash_request *request, int64_t start, int64_t length,
    int32_t type);

/**
 * Has the call fail with BYWASH_HANDLER_FAILED, and ends the request.
 *
 * @param type the name of a type of errors, without a line feed; NULL or "" for none
 * @param message UTF-8; what has no room in a reply is cut off
 * @return as bywash_request_reply
 */
int bywash_request_fail(bywash_responder *responder, bywash_request *request, const char *type, const char *message);

/** Whether the caller has given the call up, so that a reply would be too late. @return 1; 0 when it still waits, or
 *     nobody ever did; BYWASH_ECLOSED */
int bywash_request_is_cancelled(bywash_responder *responder, const bywash_request *request);

/** The bytes of the largest reply. */
int64_t bywash_responder_max(const bywash_responder *responder);

/** Gives the role back, and frees it. Requests that were taken and not answered fail with BYWASH_RESPONDER_GONE, or go
 *     to another responder, as the endpoint says. NULL is allowed. @return 0 */
int bywash_responder_close(bywash_responder *responder);

/* ---- cells */

/** Types of atomics. */
enum { BYWASH_LONG = 0, BYWASH_INT = 1, BYWASH_BOOLEAN = 2, BYWASH_DOUBLE = 3 };

/** The atomics of one entry. Any thread may use them; the thread that closes them is the last one. */
typedef struct bywash_cells bywash_cells;

/** Begins to use atomics. @return 0, or an error as bywash_publisher_open; read-only is possible */
int bywash_cells_open(bywash_segment *segment, const char *entry, bywash_cells **cells);

/** The number of a cell, 0 or more, by name and type. @return it; BYWASH_EMISMATCH when there is no such cell */
int bywash_cell(const bywash_cells *cells, const char *name, int type);

/** The value of a cell: of an int its value, of a boolean 0 or 1. Of a double, the bits: bywash_get_double is simpler.
 *     @return 0; BYWASH_EREMOVED, BYWASH_ECLOSED, BYWASH_EINVAL (no such cell) */
int bywash_get(bywash_cells *cells, int cell, int64_t *value);

/** Sets a cell. @return as bywash_get; BYWASH_ESTATE when attached read-only */
int bywash_set(bywash_cells *cells, int cell, int64_t value);

/** Adds to a long or int. @param before gets the value before; may be NULL. @return as bywash_set */
int bywash_add(bywash_cells *cells, int cell, int64_t delta, int64_t *before);

/** Sets a cell if it has the expected value. @return 1; 0 when it has another one; an error as bywash_set */
int bywash_compare_and_set(bywash_cells *cells, int cell, int64_t expected, int64_t value);

/** The value of a double. @return as bywash_get */
int bywash_get_double(bywash_cells *cells, int cell, double *value);

/** Sets a double. @return as bywash_set */
int bywash_set_double(bywash_cells *cells, int cell, double value);

/** Ends the use, and frees it. NULL is allowed. @return 0 */
int bywash_cells_close(bywash_cells *cells);

/* ---- latest value */

/** A writer of a latest value. */
typedef struct bywash_writer bywash_writer;

/** Takes a writer's role. @return 0; BYWASH_EFULL, and as bywash_publisher_open */
int bywash_writer_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_writer **writer);

/** Replaces the value by a copy of this one, and wakes readers that wait. @return 0; BYWASH_EINVAL (length),
 *     BYWASH_EREMOVED, BYWASH_ECLOSED */
int bywash_write(bywash_writer *writer, const void *data, int64_t length, int32_t type);

/** Gives the role back, and frees it. The value stays. NULL is allowed. @return 0 */
int bywash_writer_close(bywash_writer *writer);

/** A reader of a latest value. */
typedef struct bywash_reader bywash_reader;

/** Takes a reader's role; none when attached read-only. @return 0; BYWASH_EFULL, and as bywash_publisher_open */
int bywash_reader_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_reader **reader);

/**
 * Copies the latest value, which is valid until the next call with this reader. message->sequence is its version.
 *
 * @return 1; 0 when there is none yet, or writers were faster 16 times in a row; BYWASH_EDAMAGED, BYWASH_EREMOVED,
 *     BYWASH_ECLOSED
 */
int bywash_read(bywash_reader *reader, bywash_message *message);

/** Waits until there is another value than the one read last. @return 1; 0 when there was none in time; an error */
int bywash_await_newer(bywash_reader *reader, int64_t timeout_ns);

/** Gives the role back, and frees it. NULL is allowed. @return 0 */
int bywash_reader_close(bywash_reader *reader);

/* ---- looking at rings, arrays and pools */

/** A look at a ring, an array of numbers or of records, or a pool, for tools: nothing is changed. */
typedef struct bywash_view bywash_view;

/** Begins to look at an entry of kind BYWASH_RING or BYWASH_POOL, or BYWASH_CELLS in the form of an array. @return 0,
 *     or an error as bywash_publisher_open */
int bywash_view_open(bywash_segment *segment, const char *entry, bywash_view **view);

/** Bytes of one element. */
int64_t bywash_view_element(const bywash_view *view);

/** How many elements the entry has room for. */
int64_t bywash_view_count(const bywash_view *view);

/**
 * Copies the newest elements of a ring, the oldest of them first.
 *
 * @param elements gets them; room for `count` elements
 * @param position gets the position of the first one, counted from the first element that was ever pushed; may be NULL
 * @return how many were copied, 0 to `count`; BYWASH_EINVAL (no ring), BYWASH_EDAMAGED, BYWASH_EREMOVED, BYWASH_ECLOSED
 */
int bywash_ring_newest(bywash_view *view, void *elements, int count, int64_t *position);

/**
 * Copies one element of an array.
 *
 * @param version gets how often a record was set, 0 when never, and then `element` is unchanged; may be NULL
 * @return 1; 0 when the record was never set, or writers were faster 16 times in a row; errors as bywash_ring_newest
 */
int bywash_array_get(bywash_view *view, int64_t index, void *element, int64_t *version);

/**
 * Finds the next object of a pool that is in use, in the order of their indices.
 *
 * @param handle 0 to begin; else that of the last one; gets that of the next one
 * @return 1; 0 when there is none behind; BYWASH_EINVAL (no pool, or no handle), and errors as bywash_ring_newest
 */
int bywash_pool_next(bywash_view *view, int64_t *handle);

/**
 * Copies one object of a pool, as its holder has written it at one time.
 *
 * @param object gets bywash_view_element bytes
 * @return 1; 0 when it was released or never written, or its holder was writing 16 times in a row, and then `object`
 *     holds anything; errors as bywash_pool_next
 */
int bywash_pool_get(bywash_view *view, int64_t handle, void *object);

/** Ends the look, and frees it. NULL is allowed. @return 0 */
int bywash_view_close(bywash_view *view);

#ifdef __cplusplus
}
#endif

#endif
