/* Consumers of work queues (SPEC 9.2 to 9.4): taking, acknowledging, and what the dead have left. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

#define POLLS_A_PROBE 1024

struct bywash_consumer {
  exchanger own;
  exchanger adopted;         /* a role that was left, while its message is held */
  bool has_adopted;
  bool taken;                /* a message was handed out */
  bywash_producer *letters;  /* to the queue for dead letters; NULL for none */
  int64_t seen;              /* LEFT when the last search found nothing; -1: search */
  int64_t looked_ns;
  bool kept;                 /* the last search left a message out, for lack of room for a dead letter */
  bool letters_damaged;      /* the last look at the queue for dead letters has found that damaged */
  bool letters_told;         /* this consumer has told of that, and found it so ever since */
  unsigned empty_takes;
  int search_start;
  int64_t *told;             /* by role, what it held when that was found to be damaged; -1 for none */
};

/* ---- the policy */

static int64_t limit_of(const queue *q) { return q->policy == DROP ? 1 : q->limit; }

static int32_t deliveries_of(const queue *q, int slot) { return load_int(queue_slot(q, slot) + SLOT_DELIVERIES); }

static bool is_over(const queue *q, int slot) {
  return limit_of(q) != 0 && deliveries_of(q, slot) >= limit_of(q);
}

static bool keeps_letters(const queue *q) { return q->policy == REDELIVER && q->dead_letters[0] != 0; }

/** What came of a use of the queue for dead letters: damage there is none of the message. */
static int from_letters(bywash_consumer *c, int result) {
  c->letters_damaged = result == BYWASH_EDAMAGED;
  c->letters_told &= c->letters_damaged;
  return result;
}

/** Whether a message can be delivered or dropped, or there is room for it among the dead letters: 1, 0 or an error. */
static int can_go_on(bywash_consumer *c, int slot) {
  const queue *q = &c->own.queue;
  int room = c->letters == NULL || !is_over(q, slot) ? 1 : from_letters(c, room_for_letter(c->letters));
  return room == 0 && !keeps_letters(q) ? 1 : room;
}

static int bad_length(const queue *q, int slot, int32_t length) {
  return damaged_entry(q->segment, q->row, "slot %d has a message of %d bytes, and %lld are the most", slot, length,
      (long long)q->max);
}

static void count(const exchanger *x, int counter) {
  store(x->role.at + counter, plus_one(load(x->role.at + counter)));
}

/**
 * Applies the policy to a message that is held and was not acknowledged: 1 when it is to be delivered; 0 when it is no
 * longer held, or there is no room for it among the dead letters; or an error.
 */
static int is_to_be_delivered(bywash_consumer *c, exchanger *x) {
  const queue *q = &c->own.queue;
  if (q->policy != DROP && !is_over(q, own_slot(x))) {
    return 1;
  }
  int buried = 0;
  if (c->letters != NULL) {
    uint64_t header = (uint64_t)load(queue_slot(q, own_slot(x)) + SLOT_LENGTH);
    int32_t length = (int32_t)header;
    buried = length < 1 || length > q->max ? bad_length(q, own_slot(x), length)
        : from_letters(c, bury_message(c->letters, q, own_slot(x), header));
  }
  if (buried < 0 || (buried == 0 && keeps_letters(q))) {
    return buried;
  }
  count(x, buried == 1 ? ROLE_DEAD_LETTERS : ROLE_DROPPED);
  return exchanger_acknowledge(x);
}

/* ---- what was left */

static int64_t left_of(const bywash_consumer *c) { return load_acquire(c->own.queue.base + LEFT); } /* [left] */

static bool has_changed(bywash_consumer *c) {
  return left_of(c) != c->seen || (c->kept && from_letters(c, room_for_letter(c->letters)) == 1);
}

/** Makes the next search complete now and then, since nobody announces a death. */
static void look_now_and_then(bywash_consumer *c) {
  int64_t now = now_ns();
  if (now - c->looked_ns >= PROBE_NS) {
    c->looked_ns = now;
    c->seen = -1;
  }
}

/** What a role holds, whoever takes the role meanwhile: its slot, the slot's state, moves, and length (as a hash). */
static int64_t held_in(const queue *q, int index) {
  uint64_t mine = mine_of(q, index);
  int slot = (int)(mine >> MINE_SLOT_SHIFT) & 0xFFFFFF;
  if (slot >= q->slot_count) {
    return (int64_t)(mine & 0xFFFFFFFF);
  }
  uint64_t moves = (uint64_t)load(queue_slot(q, slot) + SLOT_MOVES);
  uint64_t length = (uint32_t)load_int(queue_slot(q, slot) + SLOT_LENGTH);
  return (int64_t)((moves << MINE_GENERATION_SHIFT | (mine & 0xFFFFFFFF)) ^ length * UINT64_C(0x9E3779B97F4A7C15));
}

/**
 * Whether nobody holds that role, and its message can be dealt with: 1, 0 or an error. The message is checked before
 * the role is taken, since giving that back has all consumers search, and wakes one.
 */
static int is_worth_it(bywash_consumer *c, int index) {
  const queue *q = &c->own.queue;
  uint64_t word = role_word(&c->own.role, index);
  bool is_free = owner_state(word) == ROLE_FREE;
  if (!may_hold(q, index) || (!is_free && (c->seen != -1 || is_alive(q->segment, word)))) {
    return 0;
  }
  uint64_t mine = mine_of(q, index);
  int slot = (int)(mine >> MINE_SLOT_SHIFT) & 0xFFFFFF;
  if (slot >= q->slot_count) {
    return damaged_entry(q->segment, q->row, "slot %d of %d is in use", slot, q->slot_count);
  }
  if (at_of(q, index) == 0 && (mine & 0xFF) != SPARE) { /* else it is to be repaired first */
    int32_t length = load_int(queue_slot(q, slot) + SLOT_LENGTH);
    acquire_fence(); /* if the role was taken before, and the slot is used again, that is seen */
    if ((length < 1 || length > q->max) && role_word(&c->own.role, index) == word) {
      return bad_length(q, slot, length);
    }
  }
  int possible = can_go_on(c, slot);
  c->kept |= possible == 0;
  return possible;
}

/* ---- taking */

static int show(bywash_consumer *c, exchanger *from, bywash_message *m) {
  const queue *q = &c->own.queue;
  char *slot = queue_slot(q, own_slot(from));
  uint64_t header = (uint64_t)load(slot + SLOT_LENGTH);
  memset(m, 0, sizeof *m);
  m->length = (int32_t)header;
  m->type = (int32_t)(header >> 32);
  if (m->length < 1 || m->length > q->max) {
    return bad_length(q, own_slot(from), m->length);
  }
  m->deliveries = (int32_t)((uint32_t)load_int(slot + SLOT_DELIVERIES) + 1);
  store_int(slot + SLOT_DELIVERIES, m->deliveries);
  m->dead = load_int(slot + SLOT_REASON) == DELIVERED_TOO_OFTEN ? 1 : 0;
  m->origin = load(slot + SLOT_ORIGIN);
  m->sequence = load(slot + SLOT_SEQUENCE);
  m->data = slot + SLOT_HEADER_BYTES;
  store(from->role.at + ROLE_HELD_SINCE, now_ns());
  c->taken = true;
  if (is_next_there(&c->own) || has_changed(c)) { /* the wake for that may have come to this consumer */
    signal_one(q->segment, q->row, true, &c->search_start);
  }
  return 1;
}

/** Adopts a role that was left: 1 with its message shown, 0 when that is not to be delivered, or an error. */
static int adopt(bywash_consumer *c, int index, bywash_message *m, bool *incomplete) {
  exchanger *x = &c->adopted;
  int result = role_begin(&x->role, c->own.role.segment, &c->own.role.row, true, c->own.role.wait);
  if (result != 0) {
    return result;
  }
  x->queue = c->own.queue;
  result = role_take(&x->role, index, MODE_CONSUMER);
  *incomplete |= result == 0; /* still taken by a living owner: the new value of LEFT is not remembered */
  if (result == 1) {
    result = exchanger_begin(x);
    result = result != 0 ? result : is_held(x) ? is_to_be_delivered(c, x) : 0;
  }
  if (result == 1) {
    result = role_activate(&x->role, NULL);
    result = result != 0 ? result : show(c, x, m);
  }
  c->has_adopted = result == 1;
  if (result == 1) {
    count(x, ROLE_REDELIVERED);
  } else {
    role_end(&x->role);
  }
  return result;
}

/** Searches for a role with a message that is to be delivered: 1 with that shown, 0 when there is none, or an error. */
static int take_left(bywash_consumer *c, bywash_message *m) {
  const queue *q = &c->own.queue;
  int64_t before = left_of(c);
  bool incomplete = false;
  char damage[1024] = "";
  c->kept = false;
  for (int index = 0; index < roles_used(&c->own.role); index++) {
    int64_t held = may_hold(q, index) ? held_in(q, index) : -1;
    if (held == c->told[index]) { /* nothing, or what is damaged */
      continue;
    }
    c->letters_damaged = false;
    int result = is_worth_it(c, index);
    result = result == 1 ? adopt(c, index, m, &incomplete) : result;
    if (result == BYWASH_EDAMAGED) { /* keeps nobody from the others, and stays as it is */
      if (!c->letters_damaged) {
        c->told[index] = held;
      }
      if (!c->letters_damaged || !c->letters_told) {
        snprintf(damage, sizeof damage, "%s", bywash_error());
      }
      c->kept |= c->letters_damaged;
      c->letters_told |= c->letters_damaged;
    } else if (result != 0) {
      return result;
    }
  }
  if (damage[0] != 0) { /* told once for what a role holds; the next search is complete, and passes that by */
    return fail(BYWASH_EDAMAGED, "%s", damage);
  }
  if (!incomplete) {
    c->seen = before;
  }
  return 0;
}

/** Takes a message, if this consumer can: not while it holds what only becomes a dead letter. */
static int take_next(bywash_consumer *c, bywash_message *m) {
  if (is_held(&c->own)) { /* there was no room to give it back */
    int result = is_to_be_delivered(c, &c->own);
    if (result != 0 || is_held(&c->own)) {
      return result == 1 ? show(c, &c->own, m) : result;
    }
  }
  int result = has_changed(c) ? take_left(c, m) : 0;
  if (result == 0 && (result = exchanger_take(&c->own)) == 1) {
    result = show(c, &c->own, m);
    signal_one(c->own.role.segment, &c->own.role.row, false, &c->search_start);
  }
  return result;
}

static int take_now(bywash_consumer *c, bywash_message *m) {
  int result = exchanger_refresh(&c->own);
  result = result != 0 ? result : take_next(c, m);
  if (result == 0 && ++c->empty_takes % POLLS_A_PROBE == 0) { /* one that never waits has to notice as well */
    result = role_probe(&c->own.role);
    probe_peers(c->own.role.segment);
    look_now_and_then(c);
  }
  return result;
}

static bool message_or_end(void *context) {
  bywash_consumer *c = context;
  const exchanger *x = &c->own;
  return (is_held(x) ? can_go_on(c, own_slot(x)) != 0 : has_changed(c) || has_message(x)) || !is_ours(&x->role)
      || load_acquire(x->queue.base + REMOVED_MARK) != 0;
}

int bywash_take(bywash_consumer *consumer, bywash_message *message, int64_t timeout_ns) {
  if (consumer->taken) {
    return fail(BYWASH_ESTATE, "the last message was neither acknowledged nor given back");
  }
  int result = take_now(consumer, message);
  int64_t deadline = result == 0 && timeout_ns > 0 ? deadline_of(timeout_ns) : 0;
  while (result == 0 && deadline != 0) {
    consumer->own.role.deaf = is_held(&consumer->own); /* before there is room for a dead letter it can take nothing */
    result = role_wait(&consumer->own.role, message_or_end, consumer, deadline);
    if (result != 1) {
      return result;
    }
    look_now_and_then(consumer);
    result = take_now(consumer, message);
  }
  return result;
}

static int end_message(bywash_consumer *c, exchanger **from) {
  if (!c->taken) {
    return fail(BYWASH_ESTATE, "the message was acknowledged or given back before");
  }
  c->taken = false;
  *from = c->has_adopted ? &c->adopted : &c->own;
  return exchanger_refresh(*from);
}

static void end_adopted(bywash_consumer *c) {
  if (c->has_adopted) {
    c->has_adopted = false;
    role_end(&c->adopted.role);
  }
}

int bywash_acknowledge(bywash_consumer *consumer) {
  exchanger *from = NULL;
  int result = end_message(consumer, &from);
  result = result != 0 ? result : exchanger_acknowledge(from);
  end_adopted(consumer);
  return result;
}

int bywash_give_back(bywash_consumer *consumer) {
  exchanger *from = NULL;
  int result = end_message(consumer, &from);
  result = result != 0 ? result : is_to_be_delivered(consumer, from);
  if (result == 1 && (result = exchanger_send(from, false)) == 1) {
    signal_one(consumer->own.role.segment, &consumer->own.role.row, true, &consumer->search_start);
  } /* else there may be no room for it, here or among the dead letters: it stays where it is */
  end_adopted(consumer);
  return result < 0 ? result : 0;
}

/* ---- the role */

int bywash_consumer_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_consumer **consumer) {
  bywash_role_options own;
  row found;
  int result = read_options(&own, sizeof own, options, "bywash_role_options");
  result = result != 0 ? result : find_kind(segment, entry, BYWASH_WORK_QUEUE, "is no work queue", own.layout, &found);
  result = result != 0 || !segment->read_only ? result : require_participant(segment);
  if (result != 0) {
    return result;
  }
  bywash_consumer *c = calloc(1, sizeof *c);
  size_t told_bytes = (size_t)found.roles * sizeof *c->told;
  if (c == NULL || (c->told = malloc(told_bytes)) == NULL) {
    free(c);
    return fail(BYWASH_ENOMEM, "There is no memory left for a consumer.");
  }
  memset(c->told, 0xFF, told_bytes);
  c->seen = -1;
  c->looked_ns = now_ns();
  result = open_letters(segment, &found, &c->letters);
  result = result != 0 ? result : take_place(&c->own, segment, &found, MODE_CONSUMER, &own);
  if (result != 0) {
    role_end(&c->own.role);
    bywash_producer_close(c->letters);
    free(c->told);
    free(c);
    return result;
  }
  *consumer = c;
  return 0;
}

int bywash_consumer_close(bywash_consumer *consumer) {
  if (consumer != NULL) {
    end_adopted(consumer); /* a message that is held stays in its role, for another consumer */
    role_end(&consumer->own.role);
    bywash_producer_close(consumer->letters);
    free(consumer->told);
    free(consumer);
  }
  return 0;
}
