/* The publisher of a broadcast (SPEC 6.3): claims, batches, and the gate that subscribers may close. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

/** While messages stream, so many bytes of the ring are brought to this core at once. */
#define STRETCH_BYTES 2048
/** Longer records are written by bulk copies, whose stores bring many lines at a time by themselves. */
#define OWN_MAX_BYTES 128
/** A stream: a stretch is full in less than this. */
#define STREAM_NS 1500
#define CLOCK_EVERY 8
#define PROBE_EVERY 32

/** A subscriber that is in the way: its role's word, and how long the stall had lasted when it was first seen. */
typedef struct obstacle {
  uint64_t word;
  int64_t stalled_before;
} obstacle;

struct bywash_publisher {
  role role;
  ring ring;
  int64_t position;     /* where the next record goes, always with room behind it up to the limit */
  int64_t limit;        /* up to here a claim needs no look at anything */
  int64_t granted;      /* up to here there is room, and the block index is in order */
  int64_t sequence;
  int64_t oldest;
  int64_t block_end;    /* the first byte of the first block that is not noted yet */
  int64_t padded_from;  /* the last padding, and where the record stands that needed it */
  int64_t padded_to;
  int64_t notes[NOTED_BLOCKS];
  int32_t claimed;      /* the length of the open claim; 0 for none */
  bool staged;          /* the position is ahead of what readers are told */
  bool streaming;
  int stretches_left, stretches_to_probe, clock_stretches;
  int64_t clock_ns;
  /* the gate */
  int64_t lowest;       /* the lowest position of those who hold back, when last looked at */
  int64_t last_probe_ns;
  int64_t wanted;       /* what has to be passed for the claim that found no room */
  int64_t blocked_ns;
  bool blocked;
  int64_t stalled_ns;   /* how long no claim has found room */
  int64_t blocked_count, evicted_count;
  obstacle *obstacles;  /* one for each role */
};

/* ---- the gate */

static bool is_gating(uint64_t word) {
  return owner_state(word) == ROLE_ACTIVE && (owner_mode(word) == MODE_BLOCK || owner_mode(word) == MODE_EVICT);
}

static int64_t position_of(const bywash_publisher *p, int index) {
  return load_acquire(role_at(&p->role, index) + ROLE_POSITION); /* [position] its reads up to there are finished */
}

static int64_t lowest_position(const bywash_publisher *p) {
  int64_t lowest = INT64_MAX;
  int used = roles_used(&p->role);
  for (int index = FIRST_SUBSCRIBER_ROLE; index < used; index++) {
    if (is_gating(role_word(&p->role, index))) { /* [role-active] */
      lowest = min64(lowest, position_of(p, index));
    }
  }
  return lowest;
}

static bool evict_if_overdue(bywash_publisher *p, int index, uint64_t word) {
  obstacle *o = &p->obstacles[index];
  if (o->word != word) {
    o->word = word;
    o->stalled_before = p->stalled_ns;
  }
  int64_t allowed = max64(load(role_at(&p->role, index) + ROLE_EVICT_AFTER), 1);
  if (p->stalled_ns - o->stalled_before < allowed || !revoke_role(&p->role, index, word)) {
    return false;
  }
  p->evicted_count = plus_one(p->evicted_count);
  store(p->ring.base + EVICTED_COUNT, p->evicted_count);
  signal_role(p->role.segment, &p->role.row, true, index); /* it may wait for data, and has to know */
  return true;
}

/** Frees the roles of the dead now and then, and evicts whoever was in the way for too long. */
static void clear_way(bywash_publisher *p, int64_t boundary) {
  bywash_segment *s = p->role.segment;
  int64_t now = now_ns();
  if (p->blocked) { /* a publisher that was itself paused accuses nobody */
    p->stalled_ns += max64(0, min64(now - p->blocked_ns, PROBE_NS));
  }
  bool probing = now - p->last_probe_ns >= PROBE_NS || p->last_probe_ns == 0;
  p->last_probe_ns = probing ? now : p->last_probe_ns;
  bool cleared = false;
  int used = roles_used(&p->role);
  for (int index = FIRST_SUBSCRIBER_ROLE; index < used; index++) {
    uint64_t word = role_word(&p->role, index);
    if (!is_gating(word) || position_of(p, index) >= boundary) {
      p->obstacles[index].word = 0; /* when it is in the way again, its time begins anew */
    } else {
      cleared |= (owner_mode(word) == MODE_EVICT && evict_if_overdue(p, index, word))
          || (probing && !is_alive(s, word) && free_role(s, &p->role.row, index, word));
    }
  }
  if (cleared) {
    p->lowest = lowest_position(p);
  }
}

/** Whether everybody who holds back has read up to the boundary; else this publisher is blocked. */
static bool is_passed(bywash_publisher *p, int64_t boundary) {
  p->lowest = lowest_position(p);
  if (p->lowest < boundary) {
    clear_way(p, boundary);
  }
  if (p->lowest < boundary) {
    p->blocked = true;
    p->wanted = boundary;
    p->blocked_ns = now_ns();
    p->blocked_count = plus_one(p->blocked_count);
    store(p->ring.base + BLOCKED_COUNT, p->blocked_count);
    return false;
  }
  return true;
}

/** Called for each claim that finds room behind one that found none. */
static void end_stall(bywash_publisher *p) {
  if (p->blocked) {
    p->blocked = false;
    p->stalled_ns = 0;
    memset(p->obstacles, 0, (size_t)p->role.row.roles * sizeof *p->obstacles);
  }
}

/** There is room now, or the next try looks again whether those who are in the way live and may stay. */
static bool is_worth_another_try(void *context) {
  const bywash_publisher *p = context;
  return lowest_position(p) >= p->wanted || now_ns() - p->blocked_ns > PROBE_NS
      || load_acquire(p->ring.base + REMOVED_MARK) != 0;
}

/* ---- room */

static void show_staged(bywash_publisher *p) {
  /* the padding before an open claim waits for its message */
  store_release(p->ring.base + PUBLISHED, p->position == p->padded_to ? p->padded_from : p->position); /* [published] */
  p->staged = false;
  signal_roles(p->role.segment, &p->role.row, true);
}

/** Moves oldest to the first noted boundary from the target on, if no subscriber is in the way: 1, 0 or an error. */
static bool give_up_before(bywash_publisher *p, int64_t target) {
  int64_t block = (target + (INT64_C(1) << p->ring.block_shift) - 1) >> p->ring.block_shift;
  int64_t boundary = p->notes[block & (NOTED_BLOCKS - 1)];
  if (p->staged && boundary > load(p->ring.base + PUBLISHED)) {
    show_staged(p); /* what was never published cannot be given up */
  }
  if (!is_passed(p, boundary)) { /* (1) */
    return false;
  }
  p->lowest = -1; /* should the second look not come to pass, the next claim makes it */
  p->oldest = boundary;
  /* (2) [oldest] visible before any byte behind it is overwritten; [join] before the look at the subscribers */
  store_fenced(p->ring.base + OLDEST, boundary);
  return is_passed(p, boundary); /* (3) if somebody is in the way now, the next claim asks again */
}

static bool extend_grant(bywash_publisher *p, int64_t needed) {
  int64_t position = p->position;
  for (; p->block_end <= position; p->block_end += INT64_C(1) << p->ring.block_shift) {
    int64_t block = p->block_end >> p->ring.block_shift;
    p->notes[block & (NOTED_BLOCKS - 1)] = position;
    note_block(&p->ring, block, (cursor){ position, p->sequence });
  }
  int64_t left = until_end(&p->ring, position);
  int64_t start = needed <= left ? position : position + left;
  int64_t overwritten = start + needed - p->ring.capacity;
  if (overwritten > p->oldest ? !give_up_before(p, overwritten)
      : p->lowest < p->oldest && !is_passed(p, p->oldest)) { /* an earlier look is good enough for what stands */
    p->granted = position;
    p->limit = 0; /* the next claim that finds room, however short, ends the stall */
    return false;
  }
  end_stall(p);
  if (start != position) { /* padding, published together with the message */
    char *padding = ring_at(&p->ring, position);
    store(padding, (int64_t)(uint32_t)-(int32_t)left);
    store(padding + RECORD_SEQUENCE, p->sequence);
    p->padded_from = position;
    p->padded_to = start;
  }
  p->position = start;
  p->granted = min64(p->oldest + p->ring.capacity, max64(p->block_end, start + needed));
  return true;
}

/** Brings the lines of a stretch to this core: stores of zeros do, many at a time, and nobody reads them. */
static void own(const bywash_publisher *p, int64_t position, int64_t bytes) {
  char *at = ring_at(&p->ring, position);
  for (int64_t i = 0; i < bytes; i += 64) {
    store(at + i, 0);
  }
  store(at + bytes - 8, 0);
}

/** Whether messages come so fast that it pays to bring many lines at once. */
static bool is_streaming(bywash_publisher *p) {
  if (--p->stretches_left <= 0) {
    int64_t now = now_ns();
    p->streaming = now - p->clock_ns < (int64_t)STREAM_NS * p->clock_stretches;
    p->clock_ns = now;
    p->clock_stretches = p->streaming ? CLOCK_EVERY : 1;
    p->stretches_left = p->clock_stretches;
  }
  return p->streaming;
}

/** The slow path of a claim, once a stretch: 1, 0 when there is no room, or an error. */
static __attribute__((noinline)) int make_room(bywash_publisher *p, int64_t needed) {
  if (!is_ours(&p->role)) {
    return taken_away(&p->role);
  }
  if (--p->stretches_to_probe <= 0) {
    p->stretches_to_probe = p->streaming || needed > OWN_MAX_BYTES ? PROBE_EVERY : 1;
    int result = check_present(p->role.segment, &p->role.row);
    if (result != 0) {
      return result;
    }
  }
  if (p->position + needed > p->granted && !extend_grant(p, needed)) {
    if (p->staged) {
      show_staged(p); /* or those in the way might wait for what is staged */
    }
    return 0;
  }
  int64_t end = min64(p->granted, p->position + max64(needed, STRETCH_BYTES));
  end = min64(end, p->position + until_end(&p->ring, p->position));
  if (needed <= OWN_MAX_BYTES && is_streaming(p)) {
    own(p, p->position, end - p->position);
  }
  p->limit = end;
  return 1;
}

/** Room for a record, with its header written: 1, 0 or an error. */
static inline int room(bywash_publisher *p, int64_t length, int32_t type) {
  int64_t needed = record_bytes(length);
  if (__builtin_expect(p->position + needed > p->limit, false)) {
    int result = make_room(p, needed);
    if (result != 1) {
      return result;
    }
  }
  char *record = ring_at(&p->ring, p->position);
  store(record, (int64_t)((uint64_t)(uint32_t)length | (uint64_t)(uint32_t)type << 32));
  store(record + RECORD_SEQUENCE, p->sequence);
  return 1;
}

static inline void publish_record(bywash_publisher *p, int64_t length) {
  int64_t bytes = record_bytes(length);
  int64_t end = p->position + bytes;
  store_release(p->ring.base + PUBLISHED, end); /* [published] */
  p->position = end;
  p->sequence = plus_one(p->sequence);
  p->staged = false;
  if (__builtin_expect(any_waits(p->role.segment, p->ring.base, true), false)) {
    signal_roles(p->role.segment, &p->role.row, true);
  }
  if (!p->streaming && bytes <= OWN_MAX_BYTES && end + bytes <= p->limit) {
    own(p, end, bytes); /* or the next message would have to wait for its lines */
  }
}

/* ---- taking the role */

static void read_notes(bywash_publisher *p) {
  int shift = p->ring.block_shift;
  int64_t block = p->position >> shift;
  int64_t known = p->position;
  for (int64_t index = block; index > block - BLOCK_COUNT && index >= 0; index--) {
    int64_t position = load_acquire(note_at(&p->ring, index)); /* [block] */
    if (position >= max64(index << shift, p->oldest) && position <= known && position % RECORD_ALIGNMENT == 0) {
      known = position;
    }
    p->notes[index & (NOTED_BLOCKS - 1)] = known; /* a record at or behind the block's first byte is enough */
  }
  p->block_end = block << shift; /* noted again by the first claim, which is right whether or not it was noted */
  int64_t position = load_acquire(note_at(&p->ring, block)); /* [block] */
  if (position >= p->block_end && position <= p->position) {
    p->block_end += INT64_C(1) << shift;
  }
  for (int entry = 0; entry < NOTED_BLOCKS; entry++) {
    if (load(note_at(&p->ring, entry)) > p->position) { /* of records that were never published */
      store_release(note_at(&p->ring, entry), -1); /* [block] */
    }
  }
}

static int take_role(bywash_publisher *p, const char *label) {
  bywash_segment *s = p->role.segment;
  int result = role_take(&p->role, PUBLISHER_ROLE, 0);
  if (result == 0) {
    uint64_t word = role_word(&p->role, PUBLISHER_ROLE);
    long long pid = (long long)pid_of(s, word);
    return owner_state(word) == ROLE_REVOKED
        ? fail(BYWASH_ETAKEN, "Entry \"%s\" of segment %s had its publisher revoked in process %lld, but that one's"
            " user"
            " has not come out: it may still write. Have it commit or abort its claim, or end that process.",
            p->role.row.name, s->where.path, pid)
        : fail(BYWASH_ETAKEN, "Entry \"%s\" of segment %s has a publisher already, process %lld. Only one can publish;"
            " end that one first.", p->role.row.name, s->where.path, pid);
  }
  if (result < 0) {
    return result;
  }
  cursor start;
  result = take_over(&p->ring, &start);
  if (result != 0) {
    return result;
  }
  p->position = start.position;
  p->sequence = start.sequence;
  p->oldest = oldest_of(&p->ring);
  p->blocked_count = load(p->ring.base + BLOCKED_COUNT);
  p->evicted_count = load(p->ring.base + EVICTED_COUNT);
  read_notes(p);
  return role_activate(&p->role, label);
}

int bywash_publisher_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_publisher **publisher) {
  bywash_role_options own_options;
  row found;
  int result = read_options(&own_options, sizeof own_options, options, "bywash_role_options");
  result = result != 0 ? result
      : find_kind(segment, entry, BYWASH_BROADCAST, "is no broadcast", own_options.layout, &found);
  if (result != 0) {
    return result;
  }
  bywash_publisher *p = calloc(1, sizeof *p);
  obstacle *obstacles = calloc((size_t)found.roles, sizeof *obstacles);
  if (p == NULL || obstacles == NULL) {
    free(p);
    free(obstacles);
    return fail(BYWASH_ENOMEM, "There is no memory left for a publisher.");
  }
  p->obstacles = obstacles;
  p->padded_to = -1;
  p->lowest = -1; /* the last publisher may have died before it looked again who is in the way */
  p->stretches_to_probe = PROBE_EVERY;
  p->clock_stretches = 1;
  p->clock_ns = now_ns();
  result = role_begin(&p->role, segment, &found, false, own_options.wait);
  if (result == 0) {
    ring_init(&p->ring, &p->role);
    result = take_role(p, own_options.label);
  }
  if (result != 0) {
    role_end(&p->role);
    free(obstacles);
    free(p);
    return result;
  }
  *publisher = p;
  return 0;
}

/* ---- the public functions */

static __attribute__((noinline)) int refused(const bywash_publisher *p, int64_t length) {
  int result = role_enter(&p->role);
  if (result == 0 && (length < 1 || length > p->ring.max)) {
    return fail(BYWASH_EINVAL, "length=%lld is not between 1 and %d, the largest message in a ring of %lld bytes",
        (long long)length, p->ring.max, (long long)p->ring.capacity);
  }
  return result != 0 ? result : fail(BYWASH_ESTATE, "the last claim was neither committed, staged nor aborted");
}

static __attribute__((noinline)) int wait_for_room(bywash_publisher *p, int64_t length, int32_t type,
    int64_t timeout_ns) {
  int result = 0;
  int64_t deadline = deadline_of(timeout_ns);
  while (result == 0 && (result = role_wait(&p->role, is_worth_another_try, p, deadline)) == 1) {
    result = room(p, length, type);
    if (result != 0) {
      return result;
    }
  }
  return result;
}

/** As room, for a call that may be refused, and may wait. */
static inline int claim_room(bywash_publisher *p, int64_t length, int32_t type, int64_t timeout_ns) {
  bool usable = !atomic_load_explicit(&p->role.segment->forked, memory_order_relaxed);
  if (__builtin_expect(!usable || length < 1 || length > p->ring.max || p->claimed != 0, false)) {
    return refused(p, length);
  }
  int result = room(p, length, type);
  return __builtin_expect(result == 0 && timeout_ns > 0, false) ? wait_for_room(p, length, type, timeout_ns) : result;
}

int bywash_offer(bywash_publisher *publisher, const void *data, int64_t length, int32_t type, int64_t timeout_ns) {
  int result = claim_room(publisher, length, type, timeout_ns);
  if (result == 1) {
    copy_in(ring_at(&publisher->ring, publisher->position) + RECORD_HEADER_BYTES, data, (size_t)length);
    publish_record(publisher, length);
  }
  return result;
}

int bywash_claim(bywash_publisher *publisher, int64_t length, int32_t type, int64_t timeout_ns, void **place) {
  int result = claim_room(publisher, length, type, timeout_ns);
  if (result == 1) {
    publisher->claimed = (int32_t)length;
    *place = ring_at(&publisher->ring, publisher->position) + RECORD_HEADER_BYTES;
  }
  return result;
}

static int end_claim(bywash_publisher *p, int32_t *length) {
  int result = role_enter(&p->role);
  *length = p->claimed;
  p->claimed = 0;
  return result != 0 ? result : *length != 0 ? 0
      : fail(BYWASH_ESTATE, "there is nothing to commit: the claim was committed, staged or aborted before");
}

int bywash_commit(bywash_publisher *publisher) {
  int32_t length;
  int result = end_claim(publisher, &length);
  if (result == 0) {
    publish_record(publisher, length);
  }
  return result;
}

int bywash_stage(bywash_publisher *publisher) {
  int32_t length;
  int result = end_claim(publisher, &length);
  if (result == 0) {
    publisher->staged = true;
    publisher->position += record_bytes(length);
    publisher->sequence = plus_one(publisher->sequence);
  }
  return result;
}

int bywash_abort(bywash_publisher *publisher) {
  int result = role_enter(&publisher->role);
  if (result == 0 && publisher->claimed != 0 && publisher->position == publisher->padded_to) {
    /* the padding is taken back: a shorter message may still fit before the end */
    publisher->position = publisher->padded_from;
    publisher->granted = publisher->padded_from;
    publisher->limit = 0;
    publisher->padded_to = -1;
  }
  publisher->claimed = 0;
  return result;
}

int bywash_publish(bywash_publisher *publisher) {
  int result = role_enter(&publisher->role);
  if (result == 0 && publisher->staged) {
    if (!is_ours(&publisher->role)) { /* or a successor's messages would be taken back */
      return taken_away(&publisher->role);
    }
    show_staged(publisher);
  }
  return result;
}

int64_t bywash_publisher_max(const bywash_publisher *publisher) { return publisher->ring.max; }

int64_t bywash_publisher_sequence(const bywash_publisher *publisher) { return publisher->sequence; }

int bywash_await_subscribers(bywash_publisher *publisher, int32_t count, int64_t timeout_ns) {
  bywash_segment *s = publisher->role.segment;
  int64_t deadline = deadline_of(timeout_ns);
  if (count < 0 || count >= publisher->role.row.roles) {
    return fail(BYWASH_EINVAL, "count=%d is not between 0 and %d, the subscribers that entry \"%s\" has room"
        " for", count,
        publisher->role.row.roles - 1, publisher->role.row.name);
  }
  int result = role_enter(&publisher->role);
  while (result == 0 && (result = role_probe(&publisher->role)) == 0) {
    int32_t living = 0;
    for (int index = FIRST_SUBSCRIBER_ROLE; index < roles_used(&publisher->role); index++) {
      uint64_t word = role_word(&publisher->role, index);
      living += owner_state(word) == ROLE_ACTIVE && is_alive(s, word) ? 1 : 0;
    }
    int64_t left = deadline - now_ns();
    if (living >= count || left <= 0) {
      return living >= count ? 1 : 0;
    }
    sleep_ns(min64(left, 1000000));
  }
  return result;
}

int bywash_publisher_close(bywash_publisher *publisher) {
  if (publisher != NULL) {
    bywash_abort(publisher);
    bywash_publish(publisher);
    role_end(&publisher->role);
    free(publisher->obstacles);
    free(publisher);
  }
  return 0;
}
