/* Subscribers of a broadcast (SPEC 6.3): reading in place while nobody may overwrite, or from copies. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

#define COPY_BYTES 4096
/** How often one poll goes on behind what was overwritten while it read. */
#define MAX_RESUMES 4
#define POLLS_A_PROBE 1024

/** When to leave a streaming publisher alone for some microseconds: often it pays, see pace_judge. */
typedef struct pace {
  bool pausing, trial;
  int looks_left;
  int64_t period_ns, start_ns, bytes, last_bytes, last_ns;
  double rate;
} pace;

struct bywash_subscriber {
  role role;
  ring ring;
  int policy;
  bywash_subscriber_options options;
  bool in_place, gating, reading;
  int64_t position;       /* where the next record begins */
  int64_t sequence;
  int64_t readable;       /* what was published when last looked at */
  int64_t shared;         /* the position that the publisher was told last */
  int64_t share_bytes;
  int64_t lost, untold;   /* lost in all; lost before the next message, which tells it */
  char *copy;             /* the bytes of the ring from copy_start to copy_end, known to be true */
  int64_t copy_bytes, copy_start, copy_end;
  unsigned empty_polls;
  pace pace;
};

/* ---- pace */

enum { PAUSE_NS = 3000, BULK_BYTES = 65536, PAUSED_TRIAL = 6, PROMPT_TRIAL = 24, CLOCK_EVERY = 64,
  MIN_PERIOD_NS = 200000, MAX_PERIOD_NS = 6400000 };

static void pace_begin(pace *p, bool trial, int looks, int64_t now) {
  p->trial = trial;
  p->looks_left = looks;
  p->bytes = 0;
  p->start_ns = now;
  p->last_ns = now;
}

/** Tries the other way now and then, and keeps it if that brings more in the same time. */
static void pace_judge(pace *p) {
  int64_t now = now_ns();
  double rate = (double)p->bytes / (double)max64(now - p->start_ns, 1);
  if (p->trial) {
    if (p->pausing ? rate > p->rate * 1.25 : rate * 1.25 > p->rate) {
      p->period_ns = MIN_PERIOD_NS;
    } else {
      p->pausing = !p->pausing;
      p->period_ns = min64(2 * p->period_ns, MAX_PERIOD_NS);
    }
    pace_begin(p, false, CLOCK_EVERY, now);
  } else if (now - p->start_ns < p->period_ns) {
    p->looks_left = CLOCK_EVERY;
  } else {
    p->rate = rate;
    p->pausing = !p->pausing;
    pace_begin(p, true, p->pausing ? PAUSED_TRIAL : PROMPT_TRIAL, now);
  }
}

static void pace_before(const pace *p) {
  while (p->pausing && p->last_bytes < BULK_BYTES && now_ns() - p->last_ns < PAUSE_NS) {
    spin_pause();
  }
}

static void pace_after(pace *p, int64_t found) {
  p->bytes += found;
  p->last_bytes = found;
  if (p->pausing) {
    p->last_ns = now_ns();
  }
  if (found > 0 && --p->looks_left == 0) {
    pace_judge(p);
  }
}

/* ---- positions */

static void move_to(bywash_subscriber *s, cursor to) {
  s->position = to.position;
  s->sequence = to.sequence;
  s->readable = to.position;
  s->copy_end = to.position;
}

/** Tells the publisher how far this subscriber is. */
static void share(bywash_subscriber *s) {
  s->shared = s->position;
  store(s->role.at + ROLE_SEQUENCE, s->sequence);
  store_release(s->role.at + ROLE_POSITION, s->position); /* [position] */
  if (any_waits(s->role.segment, s->ring.base, false)) {
    signal_roles(s->role.segment, &s->role.row, false);
  }
}

static bool has_role(const bywash_subscriber *s) { return s->role.index != NO_ROLE; }

static void share_if_ours(bywash_subscriber *s) {
  if (has_role(s) && s->shared != s->position && is_ours(&s->role)) {
    share(s);
  }
}

static void count_lost(bywash_subscriber *s, int64_t count) {
  s->lost = (int64_t)((uint64_t)s->lost + (uint64_t)count);
  s->untold = (int64_t)((uint64_t)s->untold + (uint64_t)count);
  if (has_role(s)) {
    store(s->role.at + ROLE_LOST, s->lost);
  }
}

static int cut_off(const bywash_subscriber *s) {
  double ms = (double)s->options.evict_after_ns / 1e6;
  return is_revoked(&s->role) ? fail(BYWASH_EEVICTED, "This subscriber of entry \"%s\" in segment %s was cut off before"
      " sequence %lld: it held the publisher back for more than %g%s ms. Close it and join again; read faster, or"
      " allow more time.", s->role.row.name, s->role.segment->where.path, (long long)s->sequence, ms,
      s->options.evict_after_ns % 1000000 == 0 ? ".0" : "") : taken_away(&s->role);
}

/** Whether what looks like damage is that of a subscriber that was evicted, and overtaken; else `damage`. */
static int cut_off_or(const bywash_subscriber *s, int damage) {
  acquire_fence(); /* [revoked] its word changed before what it read was overwritten */
  if (!has_role(s)) { /* the bytes may belong to another entry by now */
    int gone = is_gone(s->role.segment, &s->role.row) ? check_present(s->role.segment, &s->role.row) : 0;
    return gone != 0 ? gone : damage;
  }
  return is_ours(&s->role) ? damage : cut_off(s);
}

static int overrun_error(const bywash_subscriber *s, int64_t lost) {
  return fail(BYWASH_EOVERRUN, "This subscriber of entry \"%s\" in segment %s was overtaken: %lld messages from"
      " sequence"
      " %lld on were overwritten before it read them. Read faster, make the ring larger, or subscribe with block() or"
      " skip().", s->role.row.name, s->role.segment->where.path, (long long)lost, (long long)less(s->sequence, lost));
}

static int look_for_more(bywash_subscriber *s) {
  int64_t published = published_of(&s->ring); /* [published] */
  /* a copying reader may be behind what was given up; what is published is never a ring ahead of that */
  int64_t oldest = s->in_place ? s->position
      : max64(s->position, min64(oldest_of(&s->ring), max64(published, s->position)));
  if (is_impossible(&s->ring, published, oldest)) {
    return cut_off_or(s, damaged_positions(&s->ring, published, oldest));
  }
  s->readable = published;
  return 0;
}

/** Goes on behind what was overwritten. */
static int overrun(bywash_subscriber *s) {
  if (s->gating) {
    return cut_off(s);
  }
  cursor next;
  int result = ring_cursor(&s->ring, s->options.resume_at_newest != 0, &next);
  if (result != 0) {
    return cut_off_or(s, result);
  }
  acquire_fence(); /* [row-live] an observer's loss counts only if the bytes were still the entry's */
  if (!has_role(s) && (result = check_present(s->role.segment, &s->role.row)) != 0) {
    return result;
  }
  int64_t lost = less(next.sequence, s->sequence);
  if (lost < 0 || next.position < s->position) {
    return cut_off_or(s, damaged_entry(s->role.segment, &s->role.row, "sequence %lld stands where at least %lld was"
        " due",
        (long long)next.sequence, (long long)s->sequence));
  }
  move_to(s, next);
  count_lost(s, lost);
  result = look_for_more(s); /* what was readable before may lie behind now */
  if (result == 0 && lost > 0 && s->policy == BYWASH_FAIL) {
    s->untold = 0;
    return overrun_error(s, lost);
  }
  return result;
}

/* ---- records */

static int damaged_record(bywash_subscriber *s, int32_t length, int64_t sequence) {
  s->copy_end = s->position; /* the next poll reads it anew */
  return cut_off_or(s, damaged_entry(s->role.segment, &s->role.row, "the record at position %lld has length %d and"
      " sequence %lld where sequence %lld was due", (long long)s->position, length, (long long)sequence,
      (long long)s->sequence));
}

/** Copies at least so many bytes, which are readable, from the own position on: 1, 0 when overwritten, or an error. */
static int copy_from(bywash_subscriber *s, int64_t needed) {
  int64_t bytes = min64(min64(s->readable - s->position, until_end(&s->ring, s->position)), max64(needed, COPY_BYTES));
  if (s->copy_bytes < bytes) {
    char *larger = realloc(s->copy, (size_t)bytes);
    if (larger == NULL) {
      return fail(BYWASH_ENOMEM, "There is no memory left for a message of %lld bytes.", (long long)bytes);
    }
    s->copy = larger;
    s->copy_bytes = bytes;
  }
  memcpy(s->copy, ring_at(&s->ring, s->position), (size_t)bytes);
  /* [oldest] only now is anything that was read known to be true. One that is waited for may have joined while the
     boundary moved past it; nothing is overwritten then before it was evicted [revoked] */
  bool overwritten = is_overwritten(&s->ring, s->position) && !(s->gating && is_ours(&s->role));
  if (!has_role(s)) {
    int result = check_present(s->role.segment, &s->role.row);
    if (result != 0) {
      return result;
    }
  }
  s->copy_start = s->position;
  s->copy_end = overwritten ? s->position : s->position + bytes;
  return overwritten ? 0 : 1;
}

/** The record at the position: 1 with its place; 0 when something was skipped or lost, and one has to look again. */
static int find_record(bywash_subscriber *s, bywash_message *m) {
  const char *record;
  int64_t end;
  if (s->in_place) {
    record = ring_at(&s->ring, s->position);
    end = min64(s->readable, s->position + until_end(&s->ring, s->position));
  } else {
    if (s->position >= s->copy_end) {
      int result = copy_from(s, RECORD_HEADER_BYTES);
      if (result != 1) {
        return result < 0 ? result : overrun(s);
      }
    }
    record = s->copy + (s->position - s->copy_start);
    end = s->readable;
  }
  uint64_t header = (uint64_t)load(record);
  int64_t sequence = load(record + RECORD_SEQUENCE);
  int32_t length = (int32_t)header;
  if (!is_possible(&s->ring, s->position, length) || s->position + record_bytes(length) > end
      || sequence != s->sequence) {
    int64_t padding = padding_bytes(&s->ring, s->position, length);
    if (padding == 0 || s->position + padding > s->readable) {
      return damaged_record(s, length, sequence);
    }
    s->position += padding;
    return 0;
  }
  if (!s->in_place && s->position + record_bytes(length) > s->copy_end) {
    s->copy_end = s->position; /* the rest of it is missing: copy it whole */
    int result = copy_from(s, record_bytes(length));
    if (result != 1) {
      return result;
    }
    record = s->copy;
  }
  m->data = record + RECORD_HEADER_BYTES;
  m->length = length;
  m->type = (int32_t)(header >> 32);
  m->sequence = sequence;
  m->lost = s->untold;
  return 1;
}

/** Whether there is something to read; looks if nothing is left of what was found before. 1, 0 or an error. */
static int look(bywash_subscriber *s) {
  int result = role_enter(&s->role);
  if (result != 0) {
    return result;
  }
  if (has_role(s) && !is_ours(&s->role)) {
    return cut_off(s);
  }
  if (s->position == s->readable) {
    result = look_for_more(s);
  }
  if (result == 0 && s->position == s->readable && ++s->empty_polls % POLLS_A_PROBE == 0) {
    result = role_probe(&s->role); /* one that never waits must also learn that the entry was removed */
    probe_peers(s->role.segment);  /* and that a peer died */
  }
  return result != 0 ? result : s->position != s->readable ? 1 : 0;
}

static inline void pass(bywash_subscriber *s, const bywash_message *m) {
  s->position += record_bytes(m->length);
  s->sequence = plus_one(s->sequence);
  s->untold = 0;
  if (s->gating && s->position - s->shared >= s->share_bytes) {
    share_if_ours(s);
  }
}

/** The loop of most messages: those in place that need no special care. */
static int read_stretch(bywash_subscriber *s, bywash_handler *handler, void *context, int limit, bool *stopped) {
  int count = 0;
  int64_t end = min64(s->readable, s->position + until_end(&s->ring, s->position));
  int64_t stretch = min64(end, s->position + s->share_bytes);
  bywash_message m = { .lost = s->untold };
  while (s->position < stretch && count < limit) {
    const char *record = ring_at(&s->ring, s->position);
    uint64_t header = (uint64_t)load(record);
    int32_t length = (int32_t)header;
    if (length < 1 || length > s->ring.max || s->position + record_bytes(length) > end
        || load(record + RECORD_SEQUENCE) != s->sequence) {
      break;
    }
    m.data = record + RECORD_HEADER_BYTES;
    m.length = length;
    m.type = (int32_t)(header >> 32);
    m.sequence = s->sequence;
    s->position += record_bytes(length); /* only this process sees it, until it is shared */
    s->sequence = plus_one(s->sequence);
    s->untold = 0;
    count++;
    int stop = handler(context, &m);
    m.lost = 0;
    if (stop != 0) {
      *stopped = true;
      break;
    }
  }
  if (s->position - s->shared >= s->share_bytes) {
    share_if_ours(s);
  }
  return count;
}

static int read_messages(bywash_subscriber *s, bywash_handler *handler, void *context, int limit) {
  int count = 0;
  int resumed = 0;
  bool stopped = false;
  while (count < limit && s->position < s->readable && resumed < MAX_RESUMES && !stopped) {
    if (s->in_place) {
      int read = read_stretch(s, handler, context, limit - count, &stopped);
      count += read;
      if (read > 0) {
        continue;
      }
    }
    bywash_message m = { .deliveries = 0 };
    int64_t before = s->sequence;
    int result = find_record(s, &m);
    if (result < 0) {
      return result;
    }
    if (result == 1) {
      pass(s, &m);
      count++;
      stopped = handler(context, &m) != 0;
    } else if (s->sequence != before) {
      resumed++;
    }
  }
  return count;
}

static bool has_work(void *context) {
  bywash_subscriber *s = context;
  return s->position != s->readable || published_of(&s->ring) != s->position
      || (has_role(s) && !is_ours(&s->role)) || load_acquire(s->ring.base + REMOVED_MARK) != 0;
}

int bywash_poll(bywash_subscriber *subscriber, bywash_handler *handler, void *context, int limit, int64_t timeout_ns) {
  bywash_subscriber *s = subscriber;
  if (limit < 1) {
    return fail(BYWASH_EINVAL, "limit=%d must be at least 1", limit);
  }
  if (s->reading) {
    return fail(BYWASH_ESTATE, "this subscriber is polled by its own handler; return from the handler first");
  }
  int64_t deadline = -1;
  bool paced = timeout_ns > 0 && s->role.wait == BYWASH_BACKOFF;
  while (true) {
    bool dry = paced && s->position == s->readable;
    if (dry) {
      pace_before(&s->pace);
    }
    int result = look(s);
    if (dry) {
      pace_after(&s->pace, s->readable - s->position);
    }
    if (result == 1) {
      s->reading = true;
      result = read_messages(s, handler, context, limit);
      s->reading = false;
      if (!s->role.segment->forked) {
        share_if_ours(s);
      }
    }
    if (result != 0 || timeout_ns <= 0) {
      return result;
    }
    share_if_ours(s); /* of a message that bywash_receive handed out */
    deadline = deadline < 0 ? deadline_of(timeout_ns) : deadline;
    result = role_wait(&s->role, has_work, s, deadline);
    if (result != 1) {
      return result;
    }
  }
}

int bywash_receive(bywash_subscriber *subscriber, bywash_message *message, int64_t timeout_ns) {
  bywash_subscriber *s = subscriber;
  int64_t deadline = -1;
  if (s->reading) {
    return fail(BYWASH_ESTATE, "this subscriber is polled by its own handler; return from the handler first");
  }
  while (true) {
    int result = look(s);
    if (s->gating && s->position - s->shared >= s->share_bytes) {
      share_if_ours(s);
    }
    while (result == 1 && s->position < s->readable) {
      memset(message, 0, sizeof *message);
      result = find_record(s, message);
      if (result == 1) { /* the position that is shared stays before it until the next call */
        s->position += record_bytes(message->length);
        s->sequence = plus_one(s->sequence);
        s->untold = 0;
        return 1;
      }
      result = result == 0 ? 1 : result;
    }
    if (result < 0) {
      return result;
    }
    share_if_ours(s);
    if (timeout_ns <= 0) {
      return 0;
    }
    deadline = deadline < 0 ? deadline_of(timeout_ns) : deadline;
    result = role_wait(&s->role, has_work, s, deadline);
    if (result != 1) {
      return result;
    }
  }
}

int64_t bywash_subscriber_sequence(const bywash_subscriber *subscriber) { return subscriber->sequence; }

int64_t bywash_subscriber_lost(const bywash_subscriber *subscriber) { return subscriber->lost; }

/* ---- joining */

static int find_start(bywash_subscriber *s, cursor *start) {
  int64_t number = s->options.start_number;
  switch (s->options.start) {
    case BYWASH_NEXT:
    case BYWASH_OLDEST:
      return ring_cursor(&s->ring, s->options.start == BYWASH_NEXT, start);
    case BYWASH_LAST: {
      int result = ring_cursor(&s->ring, true, start);
      int64_t first = start->sequence > number ? start->sequence - number : 0;
      return result != 0 ? result : ring_cursor_at(&s->ring, first, start);
    }
    default:
      return ring_cursor_at(&s->ring, number, start);
  }
}

/** Reports that the sequence that was asked for is not there. */
static int tell_start(bywash_subscriber *s) {
  int64_t missing = s->options.start == BYWASH_SEQUENCE ? less(s->sequence, s->options.start_number) : 0;
  if (missing < 0) {
    return fail(BYWASH_EINVAL, "sequence=%lld lies beyond the next message of entry \"%s\" in segment %s, which gets"
        " sequence %lld", (long long)s->options.start_number, s->role.row.name, s->role.segment->where.path,
        (long long)s->sequence);
  }
  if (missing > 0 && s->policy != BYWASH_SKIP) {
    return overrun_error(s, missing);
  }
  if (missing > 0) {
    count_lost(s, missing);
  }
  return 0;
}

static int join_ring(bywash_subscriber *s) {
  cursor start;
  int result = 0;
  for (int index = FIRST_SUBSCRIBER_ROLE; result == 0 && index < s->role.row.roles; index++) {
    result = role_take(&s->role, index, s->policy);
  }
  if (result == 0) {
    return fail(BYWASH_EFULL, "Entry \"%s\" of segment %s has all its %d places taken by living subscribers. Close one,"
        " or create the queue with more.", s->role.row.name, s->role.segment->where.path, s->role.row.roles - 1);
  }
  result = result < 0 ? result : find_start(s, &start);
  if (result != 0) {
    return result;
  }
  move_to(s, start);
  share(s); /* (a) */
  store(s->role.at + ROLE_LOST, 0);
  store(s->role.at + ROLE_EVICT_AFTER, s->options.evict_after_ns);
  result = role_activate(&s->role, s->options.label); /* (b) [role-active] [join] */
  search moving = { 0, 0 };
  while (result == 0 && s->gating && oldest_of(&s->ring) > s->position) { /* (c) */
    if (!may_go_on(&moving)) {
      return restless(&s->ring);
    }
    result = find_start(s, &start);
    if (result == 0) {
      move_to(s, start);
      share(s);
      full_fence(); /* [join] */
    }
  }
  if (result == 0) {
    signal_roles(s->role.segment, &s->role.row, false); /* the publisher may wait for subscribers */
  }
  return result;
}

static int check_options(bywash_subscriber *s) {
  bywash_subscriber_options *o = &s->options;
  bywash_segment *segment = s->role.segment;
  if (s->policy > BYWASH_EVICT || o->start > BYWASH_SEQUENCE) {
    return fail(BYWASH_EINVAL, "policy=%d or start=%u is none", s->policy, o->start);
  }
  if (s->policy == BYWASH_EVICT && o->evict_after_ns < 1) {
    return fail(BYWASH_EINVAL, "timeoutNanos=%lld must be at least 1", (long long)o->evict_after_ns);
  }
  if (o->resume_at_newest != 0 && s->policy != BYWASH_SKIP) {
    return fail(BYWASH_ESTATE, "resumingAtNewest is for skip(); the others do not go on after a loss");
  }
  if (o->start_number < 0) {
    return fail(BYWASH_EINVAL, "%s=%lld must not be negative", o->start == BYWASH_LAST ? "count" : "sequence",
        (long long)o->start_number);
  }
  if (o->start_segment != 0 && o->start_segment != segment->id) {
    return fail(BYWASH_EREPLACED, "Sequence %lld of entry \"%s\" was asked for in segment %s of id %016llx, but its id"
        " is"
        " %016llx: it was removed and created anew since. Begin anew, for example with startingAtOldest().",
        (long long)o->start_number, s->role.row.name, segment->where.path, (unsigned long long)o->start_segment,
        (unsigned long long)segment->id);
  }
  return 0;
}

static int open_role(bywash_subscriber *s) {
  cursor start;
  ring_init(&s->ring, &s->role);
  s->in_place = s->policy == BYWASH_BLOCK;
  s->gating = s->policy == BYWASH_BLOCK || s->policy == BYWASH_EVICT;
  s->share_bytes = s->ring.capacity >> 3;
  s->pace.looks_left = CLOCK_EVERY;
  s->pace.period_ns = MIN_PERIOD_NS;
  s->pace.start_ns = now_ns();
  int result = check_options(s);
  if (result == 0 && s->role.segment->read_only) {
    result = s->policy == BYWASH_SKIP ? find_start(s, &start) : require_participant(s->role.segment);
    if (result == 0) {
      move_to(s, start);
    }
  } else if (result == 0) {
    result = join_ring(s);
  }
  return result != 0 ? result : tell_start(s);
}

int bywash_subscriber_open(bywash_segment *segment, const char *entry, const bywash_subscriber_options *options,
    bywash_subscriber **subscriber) {
  row found;
  bywash_subscriber *s = calloc(1, sizeof *s);
  if (s == NULL) {
    return fail(BYWASH_ENOMEM, "There is no memory left for a subscriber.");
  }
  int result = read_options(&s->options, sizeof s->options, options, "bywash_subscriber_options");
  s->policy = s->options.policy == 0 ? BYWASH_BLOCK : (int)s->options.policy;
  result = result != 0 ? result
      : find_kind(segment, entry, BYWASH_BROADCAST, "is no broadcast", s->options.layout, &found);
  result = result != 0 ? result : role_begin(&s->role, segment, &found, true, s->options.wait);
  if (result == 0) {
    result = open_role(s);
    s->options.layout = NULL; /* the caller's */
    s->options.label = NULL;
  }
  if (result != 0) {
    role_end(&s->role);
    free(s->copy);
    free(s);
    return result;
  }
  *subscriber = s;
  return 0;
}

int bywash_subscriber_close(bywash_subscriber *subscriber) {
  if (subscriber != NULL) {
    if (!subscriber->role.segment->forked) {
      share_if_ours(subscriber);
    }
    role_end(&subscriber->role);
    free(subscriber->copy);
    free(subscriber);
  }
  return 0;
}
