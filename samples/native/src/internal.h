/*
 * What the parts of the library share. The numbers, and what has to be done in which order, are those of docs/SPEC.md;
 * the labels in brackets are its labels.
 */
#ifndef BYWASH_INTERNAL_H
#define BYWASH_INTERNAL_H

#include "bywash.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/types.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "segments are little-endian"
#endif

/* ---- sizes and offsets (SPEC 1 to 4) */

enum {
  PAGE_BYTES = 4096, LINE_BYTES = 128, SPARE_BYTES = 128, HEADER_BYTES = 4096, SLOT_BYTES = 256, ROW_BYTES = 256,
  ROLE_BYTES = 256, MAX_SLOTS = 256, MAX_ROWS = 512, MAX_ROLES = 1024, NAME_MAX_BYTES = 64, LABEL_MAX_BYTES = 32,
  PARAMETER_COUNT = 8, MAX_LAYOUT_BYTES = 65536,

  MAGIC_OFFSET = 0, VERSION_OFFSET = 8, HEADER_BYTES_OFFSET = 12, SIZE_OFFSET = 16, ID_OFFSET = 24,
  SLOT_COUNT_OFFSET = 32, ROW_COUNT_OFFSET = 36, SLOTS_OFFSET_OFFSET = 40, ROWS_OFFSET_OFFSET = 48,
  DATA_OFFSET_OFFSET = 56, LIFETIME_OFFSET = 64, PAGES_OFFSET = 68, CREATED_OFFSET = 72, BOOT_HIGH_OFFSET = 80,
  BOOT_LOW_OFFSET = 88, REQUIRED_FEATURES_OFFSET = 96, OPTIONAL_FEATURES_OFFSET = 104, INODE_OFFSET = 112,
  CHECKSUM_OFFSET = 120, READY_OFFSET = 124, STATE_OFFSET = 128, INTENT_OFFSET = 256, NEXT_FREE_OFFSET = 264,
  CHANGES_OFFSET = 272,

  VERSION = 2, OPEN = 1, CLOSING = 2, REMOVED = 3,

  SLOT_WORD = 0, SLOT_PID = 8, SLOT_START_TICKS = 16, SLOT_PID_NAMESPACE = 24, SLOT_BOOT_HIGH = 32, SLOT_BOOT_LOW = 40,
  SLOT_HEARTBEAT = 48, SLOT_CAPABILITIES = 56, SLOT_HELD_ROWS = 64, SLOT_DOORBELL = 128, SLOT_LABEL = 192,
  SLOT_IMPLEMENTATION = 224, SLOT_IMPLEMENTATION_VERSION = 228,
  SLOT_FREE = 0, SLOT_JOINING = 1, SLOT_ACTIVE = 2, SLOT_LEAVING = 3,
  CAN_WAKE = 1, LOCKS_BY_DESCRIPTION = 2, ASYMMETRIC = 4,
  NATIVE_LIBRARY = 2, NATIVE_LIBRARY_VERSION = 1,

  ROW_WORD = 0, ROW_OFFSET = 8, ROW_SIZE = 16, ROW_CAPACITY = 24, ROW_ELEMENT_SIZE = 32, ROW_FINGERPRINT = 40,
  ROW_ROLE_COUNT = 48, ROW_CREATOR = 56, ROW_NAME = 64, ROW_PARAMETERS = 128, ROW_FLAGS = 192, ROW_TEXT_OFFSET = 200,
  ROW_TEXT_BYTES = 208,
  ROW_FREE = 0, ROW_ADDING = 1, ROW_LIVE = 2, ROW_TOMBSTONE = 3, RETAINS = 1, KIND_VERSION = 1,

  ROLES_USED = 0, REMOVED_MARK = 8, LEFT = 64, WAITING_FOR_DATA = 128, WAITING_FOR_SPACE = 256, OWN_WORDS = 384,
  SUMMARY_FOR_DATA = 3072, SUMMARY_FOR_SPACE = 3200, ROLES = 4096,

  ROLE_WORD = 0, ROLE_LABEL = 96,
  ROLE_FREE = 0, ROLE_JOINING = 1, ROLE_ACTIVE = 2, ROLE_REVOKED = 3
};

#define MAGIC 0x0A0D485341575942
#define SLOT_LOCKS (INT64_C(1) << 61)
#define DIRECTORY_LOCK (SLOT_LOCKS + MAX_SLOTS)
#define LAST_EPOCH 0xFFFFFFFEu

/** The longest time between two looks at peers by somebody who waits. */
#define PROBE_NS INT64_C(50000000)

/* ---- test builds: a step before each store, lock and change of a name, see programs/peer.c */

#ifdef BYWASH_STEPS
void bywash_step(void);
#else
#define bywash_step() ((void)0)
#endif

/* ---- shared memory */

#define WORD(p) ((_Atomic int64_t *)(void *)(p))
#define HALF(p) ((_Atomic int32_t *)(void *)(p))

static inline int64_t load(const void *p) { return atomic_load_explicit(WORD((uintptr_t)p), memory_order_relaxed); }
static inline int64_t load_acquire(const void *p) {
  return atomic_load_explicit(WORD((uintptr_t)p), memory_order_acquire);
}
static inline int32_t load_int(const void *p) {
  return atomic_load_explicit(HALF((uintptr_t)p), memory_order_relaxed);
}
static inline int32_t load_int_acquire(const void *p) {
  return atomic_load_explicit(HALF((uintptr_t)p), memory_order_acquire);
}
static inline void store(void *p, int64_t value) {
  bywash_step();
  atomic_store_explicit(WORD(p), value, memory_order_relaxed);
}
static inline void store_release(void *p, int64_t value) {
  bywash_step();
  atomic_store_explicit(WORD(p), value, memory_order_release);
}
static inline void store_int(void *p, int32_t value) {
  bywash_step();
  atomic_store_explicit(HALF(p), value, memory_order_relaxed);
}
static inline void full_fence(void) { atomic_thread_fence(memory_order_seq_cst); }
static inline void acquire_fence(void) { atomic_thread_fence(memory_order_acquire); }
static inline void release_fence(void) { atomic_thread_fence(memory_order_release); }
/** A store that no later load passes. */
static inline void store_fenced(void *p, int64_t value) {
  store_release(p, value);
  full_fence();
}
static inline bool compare_and_set(void *p, int64_t expected, int64_t value) {
  bywash_step();
  return atomic_compare_exchange_strong_explicit(WORD(p), &expected, value, memory_order_acq_rel,
      memory_order_acquire);
}
static inline int64_t fetch_or(void *p, int64_t bits) {
  bywash_step();
  return atomic_fetch_or_explicit(WORD(p), bits, memory_order_acq_rel);
}
static inline int64_t fetch_and(void *p, int64_t bits) {
  bywash_step();
  return atomic_fetch_and_explicit(WORD(p), bits, memory_order_acq_rel);
}
/** Copies bytes that no other participant reads yet, or that readers validate. */
static inline void copy_in(void *shared, const void *source, size_t bytes) {
#ifdef BYWASH_STEPS
  bywash_step();
  memcpy(shared, source, bytes / 2);
  bywash_step();
  memcpy((char *)shared + bytes / 2, (const char *)source + bytes / 2, bytes - bytes / 2);
#else
  memcpy(shared, source, bytes);
#endif
}

static inline int64_t align_to(int64_t bytes, int64_t unit) { return (bytes + unit - 1) & -unit; }
static inline int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max64(int64_t a, int64_t b) { return a > b ? a : b; }
/** One more, also of nonsense that somebody has stored. */
static inline int64_t plus_one(int64_t number) { return (int64_t)((uint64_t)number + 1); }
static inline int64_t less(int64_t number, int64_t by) { return (int64_t)((uint64_t)number - (uint64_t)by); }
static inline int bit_length(uint64_t value) { return value == 0 ? 0 : 64 - __builtin_clzll(value); }

static inline void spin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

/* ---- owner words (SPEC 2) */

#define PARTICIPANT_MASK UINT64_C(0xFFFFFFFF0000FF00)

static inline uint64_t owner_of(uint64_t word) { return word & PARTICIPANT_MASK; }
static inline uint64_t participant(int slot, uint32_t epoch) { return (uint64_t)epoch << 32 | (uint64_t)slot << 8; }
static inline uint64_t owner_word(uint64_t who, uint32_t generation, int mode, int state) {
  return owner_of(who) | (uint64_t)(generation & 0xFFFF) << 16 | (uint64_t)mode << 4 | (uint64_t)state;
}
static inline uint32_t owner_epoch(uint64_t word) { return (uint32_t)(word >> 32); }
static inline uint32_t owner_generation(uint64_t word) { return (uint32_t)(word >> 16) & 0xFFFF; }
static inline int owner_slot(uint64_t word) { return (int)(word >> 8) & 0xFF; }
static inline int owner_mode(uint64_t word) { return (int)(word >> 4) & 0xF; }
static inline int owner_state(uint64_t word) { return (int)word & 0xF; }

/* ---- system.c */

/** Sets the text of the last error, and returns `code`. */
int fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

int64_t now_ns(void);
void sleep_ns(int64_t ns);
uint32_t crc32c(const void *bytes, size_t count);
int64_t random_id(void);

/** Who a process is (SPEC 3.1). */
typedef struct identity {
  int64_t pid, start_ticks, pid_namespace, boot_high, boot_low;
} identity;

void identify_self(identity *self);
/** Whether that process certainly runs (SPEC 3.3, Veto). */
bool certainly_runs(const identity *who);

/** Takes an exclusive lock on one byte. 0; EAGAIN when somebody has it; another errno. */
int lock_byte(int fd, int64_t byte);
void unlock_byte(int fd, int64_t byte);
/** Whether somebody else holds a lock there; true if that is unknown. */
bool is_locked(int fd, int64_t byte, int64_t count);

/** Registers this process for global expedited barriers; whether that worked. */
bool register_barrier(void);
bool barrier_on_others(void);
void futex_sleep(void *word, int32_t expected, uint32_t bits, int64_t timeout_ns);
void futex_wake(void *word, uint32_t bits);

bool is_name(const char *name, size_t max_bytes);
int check_name(const char *argument, const char *name);
/** Begins the description of an entry: 0 or an error. */
int start_entry(bywash_entry *entry, uint32_t kind, const char *name);
int check_label(const char *label);

/* ---- files.c */

/**
 * An open file that no forked child gets: the child's copy of the descriptor would keep its locks when this process
 * dies. All of them are in a list, from when they are opened until they are closed.
 */
typedef struct own_file {
  int fd;                          /* -1: none, or this is a forked child */
  struct bywash_segment *segment;  /* whose file it is; NULL for the one with the lock on names */
  struct own_file *next;
} own_file;

/** Maps a file. A child does not inherit that either: it keeps the locks as a descriptor does. NULL with errno. */
char *map_own(const own_file *file, int64_t size, bool read_only);
/** Closes a file, if it is open, and gives its locks up. */
void close_own(own_file *file);

/** Where a segment's file lies. */
typedef struct place {
  char path[PATH_MAX];       /* absolute */
  char directory[PATH_MAX];
  const char *name;          /* in path */
  bool standard;             /* the directory of this user, which is checked, and made when it is needed */
} place;

int find_place(const char *name, bool creating, place *where);
int not_found(const place *where, int64_t waited_ns);
/** The error for a call of the operating system on `what` that failed with `error`. */
int system_error(const place *where, const char *what, int error);
/** Opens the bus directory; a descriptor or an error. */
int open_directory(const place *where);
/** Opens a segment's file, which must be a regular one: 0 or an error. */
int open_segment(const place *where, bywash_segment *s);
bool is_at(const char *path, dev_t device, ino_t inode);
/** Takes the lock on a byte of .lock, until that is closed: 0 or an error. */
int lock_names(int directory, const place *where, int64_t byte, int64_t timeout_ns, own_file *lock);
/** Creates a segment's file with a hidden name, written to `hidden`, and locks its first slot: 0 or an error. */
int create_hidden(bywash_segment *s, int directory, uint32_t mode, char *hidden, size_t hidden_bytes);
/** Deletes what dead creators left. The caller holds the names lock. How many files. */
int clean_up(int directory, const place *where);
bool is_being_created(const place *where);
bool exists(const place *where);
/** Gives the hidden file its name. 0, BYWASH_EEXISTS without a text, or another error. */
int link_name(int directory, const place *where, const char *hidden);
int64_t free_bytes(const place *where);
int lacking_space(const place *where, int64_t free, int64_t needed);

/* ---- segment.c */

struct bywash_segment {
  place where;
  own_file file;
  char *map;
  int64_t size;
  dev_t device;
  ino_t inode;
  int64_t id;
  int slots, rows;
  int64_t rows_offset, data_offset;
  uint32_t lifetime;
  bool read_only;
  bool asymmetric;            /* registered for barriers: does not fence before it looks for sleepers */
  uint64_t self;              /* own slot id and epoch; 0 for an observer */
  pthread_mutex_t mutex;      /* the fields up to row_uses, and burials */
  bool removing;              /* removes the segment just now */
  int open_roles;
  uint16_t row_uses[MAX_ROWS];
  _Atomic bool forked;        /* this is a forked child: nothing is mapped */
  _Atomic bool name_lost;
  _Atomic int64_t probed_ns, name_probed_ns;
  _Atomic int next_probe;
};

static inline char *slot_at(const bywash_segment *s, int id) {
  return s->map + HEADER_BYTES + (int64_t)id * SLOT_BYTES;
}
static inline char *row_at(const bywash_segment *s, int index) {
  return s->map + s->rows_offset + (int64_t)index * ROW_BYTES;
}
static inline uint64_t slot_word(const bywash_segment *s, int id) {
  return (uint64_t)load_acquire(slot_at(s, id) + SLOT_WORD); /* [slot-active] [slot-free] */
}

int damaged_segment(const place *where, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool has_slot(const bywash_segment *s);
bool is_alive(bywash_segment *s, uint64_t word);
int64_t pid_of(bywash_segment *s, uint64_t word);
/** 0, or the error of a forked child. */
int check_usable(const bywash_segment *s);
/** 0, or the error of an observer, of one that was taken for dead, or of a segment that has lost its name. */
int require_participant(bywash_segment *s);
/** Probes the segment's name now and then; 0 or BYWASH_EGONE. */
int probe_name(bywash_segment *s);
/** Buries the dead among some of the slots, at most once in 50 ms. */
void probe_peers(bywash_segment *s);
/** Whether nobody lives who cannot wake this participant from a sleep in the kernel. */
bool everybody_can_wake(bywash_segment *s);
void wake_slot(bywash_segment *s, int id, uint32_t bits);

/** How the creator begins: participant 0 of epoch 1. */
void join_first(bywash_segment *s);
int join(bywash_segment *s);
void leave(bywash_segment *s);
int recover(bywash_segment *s, bywash_recovery *done);
bool any_other_lives(bywash_segment *s, bool leaving_too);
/** Unlinks the name unless somebody else uses the segment, or it has to stay. */
void remove_if_unused(bywash_segment *s);
bool is_removed(bywash_segment *s);
/** Whether a participant that has joined may stay: 1, 0 or an error. */
int open_again(bywash_segment *s);
bool is_leaving(bywash_segment *s);

/* ---- directory.c */

/** A live row, as it was read. */
typedef struct row {
  int index;
  uint64_t word;
  int kind, version;
  char name[NAME_MAX_BYTES + 1];
  int64_t offset, size, capacity, element_size, fingerprint, parameters[PARAMETER_COUNT], flags, text_offset,
      text_bytes;
  int roles;
  char damage[160];  /* empty if it is sound */
} row;

static inline int64_t data_begin(int roles) {
  return roles == 0 ? 0 : align_to(ROLES + (int64_t)roles * ROLE_BYTES, PAGE_BYTES);
}
static inline int64_t data_end(int roles) { return roles == 0 ? 0 : SPARE_BYTES; }

int check_spec(const bywash_segment_spec *spec, int64_t *size);
void format_rows(bywash_segment *s, const bywash_segment_spec *spec);
int find_row(bywash_segment *s, const char *name, row *found);
/** As find_row, for an entry of that kind that is sound, and has the layout if one is given. */
int find_kind(bywash_segment *s, const char *name, int kind, const char *otherwise, const char *layout, row *found);
int damaged_entry(const bywash_segment *s, const row *r, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Whether a row is of a kind that this library knows. */
static inline bool is_known(const row *r) {
  return r->kind >= BYWASH_BROADCAST && r->kind <= BYWASH_ENDPOINT && r->version == KIND_VERSION;
}
/** Says what is impossible about a sound row of a known kind: 0 or the error. */
int check_kind(const bywash_segment *s, const row *r, char *how, size_t how_bytes);
/** Lists the differences between the segment and what was asked for: how many, or an error. */
int differences(bywash_segment *s, const bywash_segment_spec *spec, char *text, size_t text_bytes);
bool is_gone(const bywash_segment *s, const row *r);
int check_present(const bywash_segment *s, const row *r);
/** Holds a row, so that its bytes stay this entry's. 0, or BYWASH_EREMOVED. */
int hold_row(bywash_segment *s, const row *r);
void let_go(bywash_segment *s, const row *r);
/** Frees all roles of a slot that is being buried; how many. */
int sweep(bywash_segment *s, int id);
bool put_right(bywash_segment *s);
/** Whether something in the segment has to stay though nobody uses it; says what, if `why` is not NULL. */
bool retains(bywash_segment *s, char *why, size_t why_bytes);

/* ---- role.c */

enum { NO_ROLE = -1, BRIEF_NS = 200000 };

/** A role that this participant holds; index NO_ROLE for an observer. */
typedef struct role {
  bywash_segment *segment;
  row row;
  char *base;            /* the structure's first byte */
  char *at;              /* the role's first byte */
  int index;
  uint64_t word;
  uint32_t wait;
  bool for_data;         /* waits for data, not for space */
  bool brief;            /* the last wait was short */
  bool deaf;             /* has no use for a wake, which others need: looks by itself, and does not announce a wait */
  int64_t probed_ns;
} role;

static inline char *role_at(const role *r, int index) { return r->base + ROLES + (int64_t)index * ROLE_BYTES; }
static inline uint64_t role_word(const role *r, int index) {
  return (uint64_t)load_acquire(role_at(r, index) + ROLE_WORD); /* [role-active] */
}
static inline bool is_ours(const role *r) { return (uint64_t)load(r->at + ROLE_WORD) == r->word; }

/** Begins a role of an entry that was found; the row is held from here to role_end. */
int role_begin(role *r, bywash_segment *s, const row *found, bool for_data, uint32_t wait);
/** Takes the role with that index, into state JOINING: 1, 0 when a living participant has it, or an error. */
int role_take(role *r, int index, int mode);
int role_activate(role *r, const char *label);
/** Gives back what role_take took, if anything. */
void role_release(role *r);
/** The same, and ends what role_begin began. */
void role_end(role *r);
int roles_used(const role *r);
bool is_revoked(const role *r);
int taken_away(const role *r);
/** An operation begins: 0, or the error of a forked child. */
static inline int role_enter(const role *r) {
  bool forked = atomic_load_explicit(&r->segment->forked, memory_order_relaxed);
  return __builtin_expect(forked, false) ? check_usable(r->segment) : 0;
}
/** Checks that the entry and the name are still there. */
int role_probe(role *r);
/** Frees a dead holder's role, if its word is still that one. */
bool free_role(bywash_segment *s, const row *r, int index, uint64_t word);
/** Revokes a role of another participant that the kind allows to be revoked. */
bool revoke_role(const role *r, int index, uint64_t word);
void wake_all(bywash_segment *s, const row *r);
void signal_roles(bywash_segment *s, const row *r, bool for_data);
/** Wakes one of those who wait; whether there was one. */
bool signal_one(bywash_segment *s, const row *r, bool for_data, int *search_start);
/** Wakes the holder of a role if it waits; whether it did. */
bool signal_role(bywash_segment *s, const row *r, bool for_data, int index);

/** Whether somebody may sleep here; what every change of a structure ends with. */
static inline bool any_waits(const bywash_segment *s, const char *base, bool for_data) {
  if (s->asymmetric) {
    atomic_signal_fence(memory_order_seq_cst); /* [waiting] the compiler keeps the order; sleepers make the barrier */
  } else {
    full_fence(); /* [waiting] */
  }
  return load(base + (for_data ? SUMMARY_FOR_DATA : SUMMARY_FOR_SPACE)) != 0; /* [waiting] */
}

/** Whether a wait is over. */
typedef bool wait_over(void *context);

/** One wait of a call that gives up at `deadline`: 1 to try again, 0 when time is over, or an error. */
int role_wait(role *r, wait_over *over, void *context, int64_t deadline);

/** The time at which a call with that timeout gives up; 0 when it does not wait. */
static inline int64_t deadline_of(int64_t timeout_ns) {
  if (timeout_ns <= 0) {
    return 0;
  }
  int64_t now = now_ns();
  return timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

/** Options with the caller's size field: copies what the caller has, and zeros behind that. */
int read_options(void *own, size_t own_bytes, const void *given, const char *what);

/* ---- ring.c: what publishers and subscribers share */

enum {
  PUBLISHED = 384, OLDEST = 512, BLOCKED_COUNT = 640, EVICTED_COUNT = 648, BLOCK_INDEX = 1024, BLOCK_ENTRY_BYTES = 16,
  BLOCK_COUNT = 64, NOTED_BLOCKS = 128, PUBLISHER_ROLE = 0, FIRST_SUBSCRIBER_ROLE = 1, ROLE_EVICT_AFTER = 8,
  ROLE_POSITION = 128, ROLE_SEQUENCE = 136, ROLE_LOST = 144, RECORD_LENGTH = 0, RECORD_TYPE = 4, RECORD_SEQUENCE = 8,
  RECORD_HEADER_BYTES = 16, RECORD_ALIGNMENT = 16, MODE_BLOCK = 1, MODE_SKIP = 2, MODE_FAIL = 3, MODE_EVICT = 4
};

typedef struct cursor {
  int64_t position, sequence;
} cursor;

/** The ring of a broadcast. */
typedef struct ring {
  bywash_segment *segment;
  const row *row;
  char *base, *data;
  int64_t capacity, mask;
  int32_t max;        /* the largest message */
  int block_shift;
} ring;

static inline int64_t record_bytes(int64_t length) {
  return (RECORD_HEADER_BYTES + length + RECORD_ALIGNMENT - 1) & -(int64_t)RECORD_ALIGNMENT;
}
static inline char *ring_at(const ring *g, int64_t position) { return g->data + (position & g->mask); }
static inline int64_t until_end(const ring *g, int64_t position) { return g->capacity - (position & g->mask); }
static inline int64_t published_of(const ring *g) { return load_acquire(g->base + PUBLISHED); } /* [published] */
static inline int64_t oldest_of(const ring *g) { return load_acquire(g->base + OLDEST); }       /* [oldest] */
static inline char *note_at(const ring *g, int64_t block) {
  return g->base + BLOCK_INDEX + (block & (NOTED_BLOCKS - 1)) * BLOCK_ENTRY_BYTES;
}

void ring_init(ring *g, const role *r);
bool is_impossible(const ring *g, int64_t published, int64_t oldest);
int damaged_positions(const ring *g, int64_t published, int64_t oldest);
bool is_possible(const ring *g, int64_t position, int32_t length);
int64_t padding_bytes(const ring *g, int64_t position, int32_t length);
/** Whether what was just read at a position may have been overwritten meanwhile. */
bool is_overwritten(const ring *g, int64_t position);
void note_block(const ring *g, int64_t block, cursor at);
/** What is noted for a block; whether there is something. */
bool noted(const ring *g, int64_t block, cursor *at);
/** The newest position, or the oldest, with its sequence: 0 or an error. */
int ring_cursor(const ring *g, bool newest, cursor *found);
/** Where the message of that sequence begins, or else the oldest, or the newest one. */
int ring_cursor_at(const ring *g, int64_t sequence, cursor *found);
/** Where a publisher that takes its role goes on, after a repair if need be. */
int take_over(const ring *g, cursor *next);

/** A search that others may disturb. */
typedef struct search {
  int tries;
  int64_t start_ns;
} search;

bool may_go_on(search *s);
int restless(const ring *g);

/* ---- queue.c, producer.c: what producers and consumers share (SPEC 9) */

enum {
  TAIL = 384, HEAD = 512, ROLE_MINE = 128, ROLE_MOVES = 136, ROLE_WANT = 144, ROLE_AT = 152, ROLE_HELD_SINCE = 160,
  ROLE_REDELIVERED = 168, ROLE_DROPPED = 176, ROLE_DEAD_LETTERS = 184, MODE_PRODUCER = 1, MODE_CONSUMER = 2, SPARE = 0,
  HELD = 1, MINE_SLOT_SHIFT = 8, MINE_GENERATION_SHIFT = 32, HINT_EVERY = 8, MAX_CAPACITY = 1 << 20, SLOT_MOVES = 0,
  SLOT_SEQUENCE = 8, SLOT_LENGTH = 16, SLOT_TYPE = 20, SLOT_DELIVERIES = 24, SLOT_REASON = 28, SLOT_ORIGIN = 32,
  SLOT_HEADER_BYTES = 48, SLOT_ALIGNMENT = 128, NO_DEAD_LETTER = 0, DELIVERED_TOO_OFTEN = 1, PARAMETER_POLICY = 0,
  PARAMETER_LIMIT = 1, PARAMETER_DEAD_LETTERS = 2, DEAD_LETTERS_MAX_BYTES = 48, REDELIVER = 0, DROP = 1,
  REDELIVER_OR_DROP = 2
};

#define MAX_QUEUE_POSITION (INT64_C(1) << 60)

/** The cells and slots of a work queue. */
typedef struct queue {
  bywash_segment *segment;
  const row *row;
  char *base, *cells, *slots;
  int capacity, roles, slot_count, turn_shift, slot_bits;
  int64_t slot_bytes, max;
  int policy;
  int64_t limit;
  char dead_letters[DEAD_LETTERS_MAX_BYTES + 1];
} queue;

/** A role with the slot that it owns. */
typedef struct exchanger {
  queue queue;
  role role;
  uint64_t mine;           /* as last read or written, not as stored */
  uint32_t generation;
  int64_t next_sent, next_taken;
} exchanger;

bool read_policy(const int64_t *parameters, int *policy, int64_t *limit, char *dead_letters);
int64_t queue_bytes(int64_t capacity, int64_t roles, int64_t max);
void queue_init(queue *q, bywash_segment *s, const row *r);
/** How many messages there are, in cells and in roles; approximate while they move, but 0 only if there was none. */
int64_t queue_messages(const queue *q);
int64_t at_of(const queue *q, int index);
/** Whether a role holds a message, or may have been about to take one. */
bool may_hold(const queue *q, int index);
/** Takes over what the role that was just taken owns, and repairs it (SPEC 9.3). */
int exchanger_begin(exchanger *x);
/** Begins an operation: 0, or the error of a role that was taken away. */
int exchanger_refresh(exchanger *x);
static inline int own_slot(const exchanger *x) { return (int)(x->mine >> MINE_SLOT_SHIFT) & 0xFFFFFF; }
static inline bool is_held(const exchanger *x) { return (x->mine & 0xFF) != SPARE; }
static inline char *queue_slot(const queue *q, int slot) { return q->slots + slot * q->slot_bytes; }
/** Sends what is in the own slot: 1, 0 when the queue is full, or an error. */
int exchanger_send(exchanger *x, bool is_new);
int exchanger_take(exchanger *x);
int exchanger_acknowledge(exchanger *x);
bool is_next_there(const exchanger *x);
/** Whether there is room for a message: 1, 0 when the queue is full, or the error that sending meets. */
int exchanger_room(const exchanger *x);
bool has_message(const exchanger *x);
uint64_t mine_of(const queue *q, int index);
/** Takes the first role of a queue that can be had and holds nothing: 0 or an error. */
int take_place(exchanger *x, bywash_segment *s, const row *found, int mode, const bywash_role_options *options);
/** Takes a producer's role in that very entry: 0 or an error, BYWASH_EREMOVED if there is another one in its place. */
int open_producer(bywash_segment *s, const row *found, const bywash_role_options *options, bywash_producer **producer);
/** Opens the queue for dead letters, if there is one: it must exist, take the longest message, and not lead back. */
int open_letters(bywash_segment *s, const row *found, bywash_producer **opened);
/** Whether there is room for a dead letter: 1, 0 or an error. A queue that was removed has none. */
int room_for_letter(bywash_producer *letters);
/** Sends a dead letter with that length and type, which are sound: 1, 0 when there is no room, or an error. */
int bury_message(bywash_producer *letters, const queue *from, int slot, uint64_t header);

/* ---- cells (SPEC 10 to 12) */

enum {
  PARAMETER_FORM = 0, ATOMICS = 1, NUMBERS = 2, RECORDS = 3, CELL_BYTES = 64, MAX_ATOMICS = 1024,
  CELL_NAME_MAX_BYTES = 40, COPY_ALIGNMENT = 16, ELEMENT_ALIGNMENT = 128, ELEMENT_LOCK = 0, ELEMENT_VERSION = 8,
  ELEMENT_COPIES = 16,
  LATEST = 384, BUFFER_STAMP = 0, BUFFER_LENGTH = 8, BUFFER_TYPE = 12, BUFFER_HEADER_BYTES = 16, BUFFER_ALIGNMENT = 128,
  BUFFERS_A_WRITER = 4, ROLE_SHIFT = 2, VERSION_SHIFT = 12, MODE_WRITER = 1, MODE_READER = 2, PARAMETER_WRITERS = 0,
  RING_TAIL = 384, RING_INTENT = 392, RING_HEAD = 512, RING_LOST = 520, RING_BLOCKS = 64, RING_MIN_BLOCK = 8
};

static inline int64_t buffer_bytes(int64_t max) { return align_to(BUFFER_HEADER_BYTES + max, BUFFER_ALIGNMENT); }
static inline int64_t copy_bytes(int64_t size) { return align_to(size, COPY_ALIGNMENT); }
static inline int64_t element_bytes(int64_t size) {
  return align_to(ELEMENT_COPIES + 2 * copy_bytes(size), ELEMENT_ALIGNMENT);
}
static inline int64_t ring_block(int64_t capacity) { return max64(capacity / RING_BLOCKS, RING_MIN_BLOCK); }

/** A look at a ring, an array or a pool. */
struct bywash_view {
  bywash_segment *segment;
  row row;
  char *base;
};

/* ---- pool.c, endpoint.c: what the common parts have to know */

bool is_sound_pool(const row *r, int64_t most);
/** Releases what the dead holder of a role of a pool has (SPEC 13.2, End of a role). */
void recover_user(bywash_segment *s, const row *r, int index, uint64_t word);
bool is_sound_endpoint(const row *r, char *how, size_t how_bytes);
/** Drops the requests of a dead caller (SPEC 14.2, Callers that are gone). */
void recover_caller(bywash_segment *s, const row *r, int index, uint64_t word);
/** Whether a responder has claimed a request that it did not answer. */
bool leaves_claim(bywash_segment *s, const row *r, int index);

#endif
