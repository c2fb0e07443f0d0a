/* Work queues (SPEC 9): the exchange of slots, and repair. */
#include "internal.h"

#include <stdlib.h>

#define WALK_NS INT64_C(2000000000)
#define WALK_STEPS (1 << 22)
#define MAX_TRIES 1000

/* ---- geometry */

static int64_t cell_bytes(int64_t capacity) { return align_to(capacity * 8, SLOT_ALIGNMENT); }

int64_t queue_bytes(int64_t capacity, int64_t roles, int64_t max) {
  return cell_bytes(capacity) + (capacity + roles) * align_to(SLOT_HEADER_BYTES + max, SLOT_ALIGNMENT);
}

bool read_policy(const int64_t *parameters, int *policy, int64_t *limit, char *dead_letters) {
  memcpy(dead_letters, &parameters[PARAMETER_DEAD_LETTERS], DEAD_LETTERS_MAX_BYTES);
  dead_letters[DEAD_LETTERS_MAX_BYTES] = 0;
  int64_t kind = parameters[PARAMETER_POLICY];
  *limit = parameters[PARAMETER_LIMIT];
  *policy = (int)kind;
  bool fits = dead_letters[0] == 0 ? kind != REDELIVER_OR_DROP : *limit > 0 && is_name(dead_letters, NAME_MAX_BYTES);
  return kind >= REDELIVER && kind <= REDELIVER_OR_DROP && fits && *limit >= 0 && *limit <= INT32_MAX
      && (kind != DROP || (*limit == 0 && dead_letters[0] == 0));
}

void queue_init(queue *q, bywash_segment *s, const row *r) {
  memset(q, 0, sizeof *q);
  q->segment = s;
  q->row = r;
  q->base = s->map + r->offset;
  q->cells = q->base + data_begin(r->roles);
  q->slots = q->cells + cell_bytes(r->capacity);
  q->capacity = (int)r->capacity;
  q->roles = r->roles;
  q->slot_count = q->capacity + q->roles;
  q->turn_shift = bit_length((uint64_t)q->capacity) - 1;
  q->slot_bits = bit_length((uint64_t)q->slot_count - 1);
  q->max = r->element_size;
  q->slot_bytes = align_to(SLOT_HEADER_BYTES + q->max, SLOT_ALIGNMENT);
  read_policy(r->parameters, &q->policy, &q->limit, q->dead_letters);
}

static int index_of(const queue *q, int64_t position) { return (int)(position & (q->capacity - 1)); }
static int64_t turn_of(const queue *q, int64_t position) { return position >> q->turn_shift; }

/** A cell: its step, and the slot that it owns. */
static uint64_t cell_at(const queue *q, int index) {
  return (uint64_t)load_acquire(q->cells + index * 8) ^ (uint64_t)index; /* [cell] makes the slot's message visible */
}
static int64_t step_of(const queue *q, uint64_t cell) { return (int64_t)(cell >> q->slot_bits); }
static int slot_in(const queue *q, uint64_t cell) { return (int)(cell & ((UINT64_C(1) << q->slot_bits) - 1)); }

static int bad_slot(const queue *q, int slot) {
  return damaged_entry(q->segment, q->row, "slot %d of %d is in use", slot, q->slot_count);
}

/* ---- roles as others see them */

static char *role_in(const queue *q, int index) { return q->base + ROLES + (int64_t)index * ROLE_BYTES; }

static uint64_t own_base(const queue *q, int index) { return (uint64_t)(q->capacity + index) << MINE_SLOT_SHIFT; }

uint64_t mine_of(const queue *q, int index) {
  return (uint64_t)load_acquire(role_in(q, index) + ROLE_MINE) ^ own_base(q, index); /* [mine] */
}

int64_t at_of(const queue *q, int index) { return load_acquire(role_in(q, index) + ROLE_AT); } /* [at] */

bool may_hold(const queue *q, int index) {
  int64_t at = at_of(q, index);
  return (at != 0 && (less(at, 1) & 1) != 0) || (mine_of(q, index) & 0xFF) != SPARE;
}

static int64_t held_messages(const queue *q) {
  int64_t count = 0;
  int64_t used = load_acquire(q->base + ROLES_USED);
  for (int index = 0; index < q->roles && index < used; index++) {
    count += may_hold(q, index) ? 1 : 0;
  }
  return count;
}

/** The sum of the steps of all cells, which only rise; counts those that are full. */
static uint64_t look_at_cells(const queue *q, int64_t *full) {
  uint64_t sum = 0;
  *full = 0;
  for (int index = 0; index < q->capacity; index++) {
    int64_t step = step_of(q, cell_at(q, index));
    sum += (uint64_t)step;
    *full += step & 1;
  }
  return sum;
}

int64_t queue_messages(const queue *q) {
  for (int tries = 0; tries < MAX_TRIES; tries++) {
    int64_t full;
    int64_t again;
    uint64_t sum = look_at_cells(q, &full);
    int64_t count = full + held_messages(q);
    if (count > 0 || look_at_cells(q, &again) == sum) {
      return count; /* 0: no cell has changed, so all were empty while the roles were looked at */
    }
  }
  return 1; /* the messages never stand still */
}

/* ---- positions */

static int hint(const queue *q, int offset, int64_t *position) {
  *position = load(q->base + offset);
  return *position >= 0 && *position <= MAX_QUEUE_POSITION ? 0
      : damaged_entry(q->segment, q->row, "a position of %lld is impossible", (long long)*position);
}

static void set_hint(const queue *q, int offset, int64_t position) {
  if ((position & (HINT_EVERY - 1)) == 0 && load(q->base + offset) < position) {
    store(q->base + offset, position);
  }
}

/** The lowest position that can be next, as the step in a cell shows. */
static int64_t sent_by(const queue *q, int index, int64_t step) {
  return ((((step + 1) >> 1) - 1) << q->turn_shift) + index + 1;
}
static int64_t taken_by(const queue *q, int index, int64_t step) {
  return (((step >> 1) - 1) << q->turn_shift) + index + 1;
}

/** A step ahead shows how far others have come: where to go on. 0, or an error. */
static int go_on(const queue *q, bool sends, int index, int64_t step, int64_t *position) {
  int64_t shown = sends ? sent_by(q, index, step) : taken_by(q, index, step);
  int64_t told;
  int result = hint(q, sends ? TAIL : HEAD, &told);
  *position = max64(shown, told);
  return result != 0 || shown <= MAX_QUEUE_POSITION ? result
      : damaged_entry(q->segment, q->row, "a cell claims position %lld", (long long)shown);
}

static int too_high(const queue *q, int64_t position, int64_t step) {
  return damaged_entry(q->segment, q->row, "position %lld is beyond the last one: its cell is at step %lld",
      (long long)position, (long long)step);
}

/** A walk along the cells. */
typedef struct walk {
  int steps;
  int64_t start;
} walk;

/** A walk that does not end, because others are faster or words are hostile: 0, or an error. */
static int walk_on(const queue *q, walk *w) {
  if (w->steps == 0) {
    w->start = now_ns();
  }
  if (++w->steps > WALK_STEPS && now_ns() - w->start > WALK_NS) {
    return damaged_entry(q->segment, q->row, "no cell stands still for long enough to be used within 2 s");
  }
  return 0;
}

bool has_message(const exchanger *x) {
  const queue *q = &x->queue;
  walk walked = { 0, 0 };
  int64_t told;
  if (hint(q, HEAD, &told) != 0) {
    return true; /* whoever takes is told */
  }
  int64_t position = max64(x->next_taken, told);
  while (true) {
    int index = index_of(q, position);
    int64_t step = step_of(q, cell_at(q, index));
    int64_t empty = 2 * turn_of(q, position);
    if (step <= empty + 1) {
      return step > empty;
    }
    if (go_on(q, false, index, step, &position) != 0 || walk_on(q, &walked) != 0) {
      return true;
    }
  }
}

bool is_next_there(const exchanger *x) {
  const queue *q = &x->queue;
  return step_of(q, cell_at(q, index_of(q, x->next_taken))) == 2 * turn_of(q, x->next_taken) + 1;
}

/* ---- the exchange */

static int set_mine(exchanger *x, int slot, int state) {
  uint64_t next = (x->mine & ~UINT64_C(0xFFFFFFFF)) | (uint64_t)slot << MINE_SLOT_SHIFT | (uint64_t)state;
  uint64_t base = own_base(&x->queue, x->role.index);
  if (!compare_and_set(x->role.at + ROLE_MINE, (int64_t)(x->mine ^ base), (int64_t)(next ^ base))) { /* [mine] */
    return taken_away(&x->role);
  }
  x->mine = next;
  return 0;
}

static int64_t raise_moves(const queue *q, int slot) {
  char *moves = queue_slot(q, slot) + SLOT_MOVES;
  int64_t next = plus_one(load(moves));
  store(moves, next);
  return next;
}

/** Exchanges the own slot for the one in a cell that was seen: 1, 0 when the cell had changed, or an error. */
static int exchange(exchanger *x, int index, int64_t phase, uint64_t cell, int state) {
  const queue *q = &x->queue;
  char *role = x->role.at;
  int out = slot_in(q, cell);
  if (out >= q->slot_count) {
    return bad_slot(q, out);
  }
  store_release(role + ROLE_WANT, out);      /* [want] whoever sees this sees what was done to the last slot */
  store_release(role + ROLE_AT, phase + 1);  /* [at] whoever sees this sees which slot is wanted */
  uint64_t next = (uint64_t)(step_of(q, cell) + 1) << q->slot_bits | (uint64_t)own_slot(x);
  int result = compare_and_set(q->cells + index * 8, (int64_t)(cell ^ (uint64_t)index),
      (int64_t)(next ^ (uint64_t)index)) ? 1 : 0; /* [cell] */
  if (result == 1) {
    int64_t moves = raise_moves(q, out);
    int lost = set_mine(x, out, state);
    if (lost != 0) {
      return lost;
    }
    store(role + ROLE_MOVES, moves);
  }
  store_release(role + ROLE_AT, 0); /* [at] whoever sees the announcement gone sees the moves */
  return result;
}

/** Finds the next position to send at, from one that is not beyond it: 1, 0 when the queue is full, or an error. */
static int find_empty(const queue *q, int64_t *position, uint64_t *cell, walk *walked) {
  int result = 0;
  while (result == 0) {
    int index = index_of(q, *position);
    *cell = cell_at(q, index);
    int64_t step = step_of(q, *cell);
    int64_t empty = 2 * turn_of(q, *position);
    if (step == empty) {
      return slot_in(q, *cell) < q->slot_count ? 1 : bad_slot(q, slot_in(q, *cell));
    }
    if (step < empty) {
      return step < empty - 1 ? too_high(q, *position, step) : 0;
    }
    result = go_on(q, true, index, step, position); /* another role has sent there */
    result = result != 0 ? result : walk_on(q, walked);
  }
  return result;
}

int exchanger_room(const exchanger *x) {
  int64_t position = x->next_sent;
  walk walked = { 0, 0 };
  uint64_t cell;
  return find_empty(&x->queue, &position, &cell, &walked);
}

int exchanger_send(exchanger *x, bool is_new) {
  const queue *q = &x->queue;
  int64_t position = x->next_sent;
  walk walked = { 0, 0 };
  uint64_t cell;
  int result;
  while ((result = find_empty(q, &position, &cell, &walked)) == 1) {
    if (is_new) {
      store(queue_slot(q, own_slot(x)) + SLOT_SEQUENCE, position);
    }
    result = exchange(x, index_of(q, position), 2 * position, cell, SPARE);
    if (result == 1) {
      x->next_sent = position + 1;
      set_hint(q, TAIL, position + 1);
      return 1;
    }
    result = result != 0 ? result : walk_on(q, &walked);
    if (result != 0) {
      return result;
    }
  }
  x->next_sent = result == 0 ? position : x->next_sent;
  return result;
}

int exchanger_take(exchanger *x) {
  const queue *q = &x->queue;
  int64_t position = x->next_taken;
  walk walked = { 0, 0 };
  int result = 0;
  while (result == 0) {
    int index = index_of(q, position);
    uint64_t cell = cell_at(q, index);
    int64_t step = step_of(q, cell);
    int64_t full = 2 * turn_of(q, position) + 1;
    if (step == full) {
      result = exchange(x, index, 2 * position + 1, cell, HELD);
      if (result == 1) {
        x->next_taken = position + 1;
        set_hint(q, HEAD, position + 1);
        return 1;
      }
    } else if (step > full) { /* another role has taken it */
      result = go_on(q, false, index, step, &position);
    } else {
      x->next_taken = position;
      return step < full - 1 ? too_high(q, position, step) : 0;
    }
    result = result != 0 ? result : walk_on(q, &walked);
  }
  return result;
}

int exchanger_acknowledge(exchanger *x) { return set_mine(x, own_slot(x), SPARE); }

/* ---- taking a role over */

/** Whether the exchange that the role announced has happened: three looks in this order, each behind the one before. */
static bool has_happened(const exchanger *x, int64_t phase) {
  const queue *q = &x->queue;
  int64_t position = phase >> 1;
  uint64_t cell = cell_at(q, index_of(q, position)); /* [cell] */
  if (step_of(q, cell) == 2 * turn_of(q, position) + (phase & 1) + 1 && slot_in(q, cell) == own_slot(x)) {
    return true;
  }
  int64_t next = (phase & 1) != 0 ? phase - 1 + 2 * (int64_t)q->capacity : phase + 1;
  for (int other = 0; other < q->roles; other++) {
    if (other != x->role.index && at_of(q, other) == next + 1 /* [at] */
        && load_acquire(role_in(q, other) + ROLE_WANT) == own_slot(x)) { /* [want] */
      return true;
    }
  }
  return load(queue_slot(q, own_slot(x)) + SLOT_MOVES) > load(x->role.at + ROLE_MOVES);
}

static int repair(exchanger *x) {
  const queue *q = &x->queue;
  char *role = x->role.at;
  int64_t phase = less(load(role + ROLE_AT), 1);
  int64_t want = load(role + ROLE_WANT);
  if (phase < 0 || phase >> 1 > MAX_QUEUE_POSITION || want < 0 || want >= q->slot_count) {
    return damaged_entry(q->segment, q->row, "role %d is in exchange %lld for slot %lld", x->role.index,
        (long long)phase, (long long)want);
  }
  if (own_slot(x) >= q->slot_count) {
    return bad_slot(q, own_slot(x));
  }
  if (own_slot(x) != want) {
    if (!has_happened(x, phase)) {
      store_release(role + ROLE_AT, 0); /* [at] */
      return 0;
    }
    raise_moves(q, (int)want);
    int result = set_mine(x, (int)want, (phase & 1) != 0 ? HELD : SPARE);
    if (result != 0) {
      return result;
    }
  }
  store(role + ROLE_MOVES, load(queue_slot(q, own_slot(x)) + SLOT_MOVES));
  store_release(role + ROLE_AT, 0); /* [at] */
  return 0;
}

int exchanger_refresh(exchanger *x) {
  const queue *q = &x->queue;
  int result = role_enter(&x->role);
  if (result != 0) {
    return result;
  }
  x->mine = (uint64_t)load(x->role.at + ROLE_MINE) ^ own_base(q, x->role.index);
  if ((uint32_t)(x->mine >> MINE_GENERATION_SHIFT) != x->generation) {
    return taken_away(&x->role);
  }
  if (load(x->role.at + ROLE_AT) != 0) {
    result = repair(x);
  }
  uint64_t state = x->mine & 0xFF;
  if (result == 0 && state != SPARE && state != HELD) {
    return damaged_entry(q->segment, q->row, "role %d has a slot in state %d", x->role.index, (int)state);
  }
  return result != 0 || own_slot(x) < q->slot_count ? result : bad_slot(q, own_slot(x));
}

/** The slot that a cell, or behind the cells a role, owns; -1 while it is in an exchange, -2 when it is none. */
static int owned_by(const queue *q, int owner) {
  int slot;
  if (owner < q->capacity) {
    slot = slot_in(q, cell_at(q, owner));
  } else { /* [at] first, since whoever gives a slot away announces that until it owns another one */
    int index = owner - q->capacity;
    slot = at_of(q, index) == 0 ? (int)(mine_of(q, index) >> MINE_SLOT_SHIFT) & 0xFFFFFF : -1;
  }
  return slot >= q->slot_count ? -2 : slot;
}

/** Whether a slot certainly has two owners: both still own it, and it was not moved meanwhile. */
static bool is_owned_twice(const queue *q, int slot, int one, int other) {
  const char *moves = queue_slot(q, slot) + SLOT_MOVES;
  for (int tries = 0; tries < MAX_TRIES; tries++) {
    int64_t before = load_acquire(moves);
    bool both = owned_by(q, one) == slot && owned_by(q, other) == slot && owned_by(q, one) == slot;
    acquire_fence();
    if (!both) {
      return false;
    }
    if (load(moves) == before) {
      return true;
    }
  }
  return false;
}

/** Checks that no two of the cells and roles own the same slot. */
static int check_owners(const queue *q) {
  int *owners = calloc((size_t)q->slot_count, sizeof *owners); /* the owner and one */
  if (owners == NULL) {
    return fail(BYWASH_ENOMEM, "There is no memory left to check a queue of %d slots.", q->slot_count);
  }
  int result = 0;
  for (int owner = 0; owner < q->slot_count && result == 0; owner++) {
    int slot = owned_by(q, owner);
    if (slot == -2) {
      result = bad_slot(q, q->slot_count);
    } else if (slot >= 0 && owners[slot] != 0 && is_owned_twice(q, slot, owners[slot] - 1, owner)) {
      result = damaged_entry(q->segment, q->row, "slot %d has two owners", slot);
    } else if (slot >= 0) {
      owners[slot] = owner + 1;
    }
  }
  free(owners);
  return result;
}

int exchanger_begin(exchanger *x) {
  char *mine = x->role.at + ROLE_MINE;
  x->generation = 0;
  for (int tries = 0; tries < MAX_TRIES && x->generation == 0; tries++) {
    uint64_t before = (uint64_t)load(mine);
    uint64_t after = before + (UINT64_C(1) << MINE_GENERATION_SHIFT);
    if (compare_and_set(mine, (int64_t)before, (int64_t)after)) { /* [mine] nobody who held the role changes it */
      x->generation = (uint32_t)(after >> MINE_GENERATION_SHIFT);
      int result = exchanger_refresh(x);
      return result != 0 ? result : check_owners(&x->queue);
    }
  }
  return damaged_entry(x->queue.segment, x->queue.row, "role %d changes what it owns all the time", x->role.index);
}

int take_place(exchanger *x, bywash_segment *s, const row *found, int mode, const bywash_role_options *options) {
  int result = role_begin(&x->role, s, found, mode == MODE_CONSUMER, options->wait);
  if (result != 0) {
    return result;
  }
  queue_init(&x->queue, s, &x->role.row);
  /* first a role that holds no message; a consumer gets one that does if there is no other */
  for (int pass = 0; pass < (mode == MODE_CONSUMER ? 2 : 1) && result == 0; pass++) {
    for (int index = 0; index < found->roles && result == 0; index++) {
      if (pass == 1 || !may_hold(&x->queue, index)) {
        result = role_take(&x->role, index, mode);
        int begun = result == 1 ? exchanger_begin(x) : 0;
        result = begun != 0 ? begun : result;
        if (result == 1 && pass == 0 && is_held(x)) { /* it has come to hold a message meanwhile */
          role_release(&x->role);
          result = 0;
        }
      }
    }
  }
  if (result == 0) {
    return fail(BYWASH_EFULL, "Entry \"%s\" of segment %s has all its %d roles taken, or holding messages that nobody"
        " has"
        " acknowledged. Close one, or create it with more roles.", found->name, s->where.path, found->roles);
  }
  return result < 0 ? result : role_activate(&x->role, options->label);
}
