/* What publishers and subscribers of a broadcast share (SPEC 6): positions, the block index, and repair. */
#include "internal.h"

#define MAX_POSITION (INT64_C(1) << 62)
#define MAX_PLAUSIBLE (INT64_C(1) << 61)
#define MAX_WALK_BYTES (INT64_C(64) << 20)
#define SEARCH_NS INT64_C(2000000000)
#define MIN_TRIES 200

void ring_init(ring *g, const role *r) {
  g->segment = r->segment;
  g->row = &r->row;
  g->base = r->base;
  g->data = r->base + data_begin(r->row.roles);
  g->capacity = r->row.capacity;
  g->mask = g->capacity - 1;
  g->max = (int32_t)r->row.element_size;
  g->block_shift = bit_length((uint64_t)g->capacity / BLOCK_COUNT) - 1;
}

bool is_impossible(const ring *g, int64_t published, int64_t oldest) {
  return oldest < 0 || published < oldest || published - oldest > g->capacity || published > MAX_POSITION
      || published % RECORD_ALIGNMENT != 0 || oldest % RECORD_ALIGNMENT != 0;
}

int damaged_positions(const ring *g, int64_t published, int64_t oldest) {
  return damaged_entry(g->segment, g->row, "published position %lld and oldest position %lld are impossible in a ring"
      " of"
      " %lld bytes", (long long)published, (long long)oldest, (long long)g->capacity);
}

bool is_possible(const ring *g, int64_t position, int32_t length) {
  return length >= 1 && length <= g->max && record_bytes(length) <= until_end(g, position);
}

int64_t padding_bytes(const ring *g, int64_t position, int32_t length) {
  int64_t bytes = -(int64_t)length;
  return bytes == until_end(g, position) && bytes < record_bytes(g->max) ? bytes : 0;
}

bool is_overwritten(const ring *g, int64_t position) {
  acquire_fence(); /* [oldest] what was read comes before the look at the boundary */
  return oldest_of(g) > position;
}

bool may_go_on(search *s) {
  if (s->tries++ == 0) {
    s->start_ns = now_ns();
  }
  return s->tries < MIN_TRIES || now_ns() - s->start_ns < SEARCH_NS;
}

int restless(const ring *g) {
  return damaged_entry(g->segment, g->row, "no record stood still for long enough to be found within %d s",
      (int)(SEARCH_NS / 1000000000));
}

/* ---- the block index */

void note_block(const ring *g, int64_t block, cursor at) {
  char *note = note_at(g, block);
  store(note, -1);
  release_fence(); /* [block] whoever sees the new sequence does not see the old position */
  store(note + 8, at.sequence);
  store_release(note, at.position); /* [block] */
}

bool noted(const ring *g, int64_t block, cursor *at) {
  const char *note = note_at(g, block);
  at->position = load_acquire(note); /* [block] makes the sequence visible */
  at->sequence = load(note + 8);
  acquire_fence(); /* [block] the sequence was read before the second look at the position */
  return at->position >= block << g->block_shift && load(note) == at->position;
}

/** The last noted record that is neither behind a position nor behind a sequence; whether there is one. */
static bool find_noted(const ring *g, int64_t position, int64_t oldest, int64_t sequence, cursor *found) {
  int64_t newest = position >> g->block_shift;
  int64_t last = max64(oldest >> g->block_shift, newest - NOTED_BLOCKS + 1);
  for (int64_t block = newest; block >= last; block--) {
    if (noted(g, block, found) && found->position <= position && found->position >= oldest
        && found->position % RECORD_ALIGNMENT == 0 && found->sequence <= sequence) {
      return true;
    }
  }
  return false;
}

/** Counts records until a position or a sequence is reached: 1, 0 when it was overtaken, or an error. */
static int walk(const ring *g, cursor start, int64_t position, int64_t sequence, cursor *end) {
  *end = start;
  while (end->position < position && end->sequence < sequence) {
    const char *record = ring_at(g, end->position);
    int32_t length = load_int(record + RECORD_LENGTH);
    int64_t found = load(record + RECORD_SEQUENCE);
    if (is_overwritten(g, end->position)) {
      return 0;
    }
    int64_t padding = padding_bytes(g, end->position, length);
    if (padding > 0) {
      end->position += padding;
    } else if (is_possible(g, end->position, length) && found == end->sequence) {
      end->position += record_bytes(length);
      end->sequence = plus_one(end->sequence);
    } else {
      break;
    }
  }
  return end->position == position || (end->position < position && end->sequence == sequence) ? 1
      : damaged_entry(g->segment, g->row, "its records do not lead from position %lld to position %lld",
          (long long)start.position, (long long)position);
}

/** The sequence at a position: 1, 0 when it was overtaken, or an error. */
static int sequence_at(const ring *g, int64_t position, int64_t *sequence) {
  int64_t oldest = oldest_of(g);
  if (position < oldest) {
    return 0;
  }
  if (is_impossible(g, position, oldest)) {
    return damaged_positions(g, position, oldest);
  }
  cursor start;
  cursor end = { 0, 0 };
  int result = find_noted(g, position, oldest, INT64_MAX, &start) ? walk(g, start, position, INT64_MAX, &end) : 0;
  if (result == 0 && oldest_of(g) == oldest) {
    return damaged_entry(g->segment, g->row, "no block leads to position %lld", (long long)position);
  }
  *sequence = end.sequence;
  return result;
}

static int cursor_within(const ring *g, bool newest, cursor *found, search *s) {
  do {
    int64_t oldest = oldest_of(g);
    int64_t position = newest ? published_of(g) : oldest;
    int result = sequence_at(g, position, &found->sequence);
    if (result != 0) {
      found->position = position;
      return result < 0 ? result : 0;
    }
    if (oldest_of(g) == oldest) { /* else the position was overwritten meanwhile */
      return damaged_positions(g, position, oldest);
    }
  } while (may_go_on(s));
  return restless(g);
}

int ring_cursor(const ring *g, bool newest, cursor *found) {
  search s = { 0, 0 };
  return cursor_within(g, newest, found, &s);
}

int ring_cursor_at(const ring *g, int64_t sequence, cursor *found) {
  search s = { 0, 0 };
  do {
    cursor oldest;
    cursor newest;
    cursor start;
    int result = cursor_within(g, false, &oldest, &s);
    result = result != 0 ? result : cursor_within(g, true, &newest, &s);
    if (result != 0) {
      return result;
    }
    if (is_impossible(g, newest.position, oldest.position)) {
      continue; /* the ring has turned between the two looks */
    }
    if (sequence <= oldest.sequence || sequence >= newest.sequence) {
      *found = sequence <= oldest.sequence ? oldest : newest;
      return 0;
    }
    result = find_noted(g, newest.position, oldest.position, sequence, &start)
        ? walk(g, start, newest.position, sequence, found) : 0;
    if (result != 0) {
      return result < 0 ? result : 0;
    }
    if (oldest_of(g) == oldest.position) { /* else what leads there was overwritten meanwhile */
      return damaged_entry(g->segment, g->row, "no block leads to sequence %lld", (long long)sequence);
    }
  } while (may_go_on(&s));
  return restless(g);
}

/* ---- the next publisher */

/** Whether the records lead from the oldest, or those of the last 64 MiB, to the newest one. */
static bool leads_on(const ring *g, int64_t oldest, cursor newest) {
  int64_t at = oldest;
  if (newest.position - oldest > MAX_WALK_BYTES) {
    cursor found = { -1, 0 };
    int64_t block = (newest.position - MAX_WALK_BYTES) >> g->block_shift;
    while (!noted(g, block, &found) || found.position % RECORD_ALIGNMENT != 0) {
      if (++block > newest.position >> g->block_shift) {
        return false;
      }
    }
    at = found.position;
  }
  int64_t due = -1;
  while (at < newest.position) {
    int32_t length = load_int(ring_at(g, at) + RECORD_LENGTH);
    int64_t found = load(ring_at(g, at) + RECORD_SEQUENCE);
    int64_t padding = padding_bytes(g, at, length);
    if ((due >= 0 && found != due) || (padding == 0 && !is_possible(g, at, length))) {
      return false;
    }
    at += padding > 0 ? padding : record_bytes(length);
    due = padding > 0 ? found : plus_one(found);
  }
  return at == newest.position && (due < 0 || due == newest.sequence);
}

static void consider(cursor *beyond, int64_t position, int64_t sequence) {
  beyond->position = max64(beyond->position, position);
  beyond->sequence = max64(beyond->sequence, sequence);
}

/** Gives everything up: nothing that anybody may have seen is used again (SPEC 6.3, Repair). */
static int give_up_all(const ring *g, cursor *next) {
  cursor beyond = { 0, 0 };
  consider(&beyond, published_of(g), 0);
  consider(&beyond, oldest_of(g), 0);
  for (int index = FIRST_SUBSCRIBER_ROLE; index < g->row->roles; index++) {
    const char *subscriber = g->base + ROLES + (int64_t)index * ROLE_BYTES;
    if (owner_state((uint64_t)load_acquire(subscriber + ROLE_WORD)) != ROLE_FREE) {
      consider(&beyond, load(subscriber + ROLE_POSITION), load(subscriber + ROLE_SEQUENCE));
    }
  }
  int64_t most = g->capacity / BLOCK_COUNT / 32 + 1; /* messages in a block */
  for (int entry = 0; entry < NOTED_BLOCKS; entry++) {
    int64_t sequence = load(note_at(g, entry) + 8);
    if (sequence > 0 && sequence < INT64_MAX - most) {
      consider(&beyond, 0, sequence + most);
    }
  }
  if (beyond.position > MAX_PLAUSIBLE || beyond.sequence > MAX_PLAUSIBLE) {
    return damaged_entry(g->segment, g->row, "its words leave no place to go on at");
  }
  next->position = align_to(beyond.position, g->capacity);
  next->sequence = beyond.sequence;
  note_block(g, next->position >> g->block_shift, *next);
  store_fenced(g->base + OLDEST, next->position); /* [oldest] nothing is overwritten before */
  store_release(g->base + PUBLISHED, next->position); /* [published] */
  return 0;
}

int take_over(const ring *g, cursor *next) {
  next->position = published_of(g);
  int64_t oldest = oldest_of(g);
  int result = sequence_at(g, next->position, &next->sequence);
  return result == 1 && leads_on(g, oldest, *next) ? 0 : give_up_all(g, next);
}
