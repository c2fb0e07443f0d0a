/* Callers (SPEC 14.2): requests in flight, their replies, and why there is none. */
#include "calls.h"

#include <stdio.h>
#include <stdlib.h>

#define POLLS_A_PROBE 1024
#define POLLS_A_LOOK 64
#define UPDATES_A_LOOK 64
#define CALLS_A_SAMPLE 64

enum { UNUSED, PENDING, ENDED };
enum { DAMAGED_REPLY = 0 }; /* an outcome beside those of users, who get an error instead */

/** What a slot is used for. */
typedef struct flight {
  int64_t number, sent_ns, deadline_ns;
  uint64_t before;         /* the reply word before this call */
  int stage;
  uint32_t outcome;
  int32_t start, length;   /* of the reply's payload */
  bool is_free;            /* nobody uses the slot, as far as is known */
  bool is_polled;          /* bywash_call_next is to return it */
} flight;

struct bywash_caller {
  role role;
  endpoint e;
  int caller;
  int64_t next;            /* the number of the next request */
  bool claimed;            /* its payload is being written in place */
  int shown;               /* the slot whose reply the user reads; -1 for none */
  flight *flights;         /* by slot */
  int *pending;            /* slots of calls without a reply, in the order in which they were sent */
  int pending_count;
  int *ended;              /* a ring of slots whose calls have an end that is not shown yet */
  int64_t first_ended, end_ended;
  int64_t seen_left, looked_ns;
  unsigned empty_polls, updates;
  int search_start;
};

static char *slot_of(const bywash_caller *c, int index) { return call_slot(&c->e, c->caller, index); }

static int64_t left_count(const bywash_caller *c) { return load_acquire(c->role.base + LEFT); } /* [left] */

/* ---- the role */

/** The number behind the last one; each slot has one of the last numbers. 0 or an error. */
static int find_next(bywash_caller *c) {
  int64_t first = 0;
  bool behind = false;
  for (int index = 0; index < c->e.slots; index++) {
    uint64_t request = request_word(slot_of(c, index));
    int64_t turn = turn_of_word(request);
    int result = check_turn(&c->e, c->caller, request);
    if (result != 0) {
      return result;
    }
    if (index == 0) {
      first = turn;
      c->next = (first + 1) << c->e.turn_shift;
    } else if (!behind && turn == first - 1) {
      behind = true;
      c->next = (first << c->e.turn_shift) + index;
    } else if (turn != (behind ? first - 1 : first)) {
      return damaged_entry(c->e.segment, c->e.row, "the slots of caller %d are in turns %lld and %lld, which does not"
          " fit together", c->caller, (long long)first, (long long)turn);
    }
  }
  return 0;
}

/** Takes the first role that can be had and whose slots are sound: 0 or an error. */
static int take_sound_role(bywash_caller *c) {
  char text[1024] = ""; /* how the first one is damaged */
  int first = c->e.responders;
  while (true) {
    int result = take_call_role(&c->role, &c->e, first, c->e.row->roles, MODE_CALLER);
    if (result == 0) {
      c->caller = c->role.index - c->e.responders;
      result = find_next(c);
      if (result == 0) {
        return 0;
      }
      first = c->role.index + 1;
      role_release(&c->role);
      if (text[0] == 0) {
        snprintf(text, sizeof text, "%s", bywash_error());
      }
    } else {
      return result != BYWASH_EFULL || text[0] == 0 ? result : fail(BYWASH_EDAMAGED, "%s", text);
    }
  }
}

static int begin_caller(bywash_caller *c, bywash_segment *s, const row *found, const bywash_role_options *options) {
  int result = role_begin(&c->role, s, found, false, options->wait);
  if (result != 0) {
    return result;
  }
  endpoint_init(&c->e, s, &c->role.row);
  size_t slots = (size_t)c->e.slots;
  c->flights = calloc(slots, sizeof *c->flights);
  c->pending = calloc(2 * slots, sizeof *c->pending);
  if (c->flights == NULL || c->pending == NULL) {
    return fail(BYWASH_ENOMEM, "There is no memory left for a caller with %d slots.", c->e.slots);
  }
  c->ended = c->pending + slots;
  c->shown = -1;
  c->seen_left = -1;
  result = take_sound_role(c);
  if (result != 0) {
    return result;
  }
  drop_requests(&c->e, c->caller, c->role.word, false); /* of an earlier holder that forgot to close its role */
  for (int index = 0; index < c->e.slots; index++) {
    c->flights[index].is_free = is_slot_free(&c->e, slot_of(c, index));
  }
  return role_activate(&c->role, options->label);
}

static void free_caller(bywash_caller *c) {
  role_end(&c->role);
  free(c->flights);
  free(c->pending);
  free(c);
}

int bywash_caller_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_caller **caller) {
  bywash_role_options own;
  row found;
  int result = read_options(&own, sizeof own, options, "bywash_role_options");
  result = result != 0 ? result : find_kind(segment, entry, BYWASH_ENDPOINT, "is no endpoint", own.layout, &found);
  result = result != 0 || !segment->read_only ? result : require_participant(segment);
  if (result != 0) {
    return result;
  }
  bywash_caller *c = calloc(1, sizeof *c);
  if (c == NULL) {
    return fail(BYWASH_ENOMEM, "There is no memory left for a caller.");
  }
  result = begin_caller(c, segment, &found, &own);
  if (result != 0) {
    free_caller(c);
    return result;
  }
  *caller = c;
  return 0;
}

static int enter(const bywash_caller *c) {
  int result = role_enter(&c->role);
  return result != 0 || is_ours(&c->role) ? result : taken_away(&c->role);
}

/* ---- ends of calls */

static void end_flight(bywash_caller *c, int index, uint32_t outcome) {
  flight *f = &c->flights[index];
  int i = 0;
  while (c->pending[i] != index) {
    i++;
  }
  c->pending_count--;
  memmove(&c->pending[i], &c->pending[i + 1], (size_t)(c->pending_count - i) * sizeof c->pending[0]);
  f->stage = ENDED;
  f->outcome = outcome;
  if (f->is_polled) {
    c->ended[c->end_ended++ & (c->e.slots - 1)] = index;
  }
}

/** Gives up the slot of a call that has an end. */
static void release(bywash_caller *c, int index) {
  flight *f = &c->flights[index];
  f->stage = UNUSED;
  f->is_free = f->outcome == BYWASH_REPLIED || f->outcome == BYWASH_HANDLER_FAILED;
}

static void release_shown(bywash_caller *c) {
  if (c->shown >= 0) {
    release(c, c->shown);
    c->shown = -1;
  }
}

/** Takes the reply of a pending call, which ends it alone, even if damaged: 1, 0 when there is none, or an error. */
static int receive(bywash_caller *c, int index) {
  flight *f = &c->flights[index];
  char *slot = slot_of(c, index);
  uint64_t word = reply_word(&c->e, slot);
  if (word == f->before) {
    return 0;
  }
  if (word != turn_word(turn_in(&c->e, f->number), REPLIED)) {
    if (!is_ours(&c->role)) {
      return taken_away(&c->role);
    }
    end_flight(c, index, DAMAGED_REPLY);
    return 1;
  }
  char *area = reply_area(&c->e, slot);
  bool is_reply = load_int(area + REPLY_STATUS) == STATUS_OK;
  if (read_extent(&c->e, area, is_reply ? c->e.max_reply : c->e.reply_room, "reply", &f->start, &f->length) != 0) {
    end_flight(c, index, DAMAGED_REPLY);
    return 1;
  }
  end_flight(c, index, is_reply ? BYWASH_REPLIED : BYWASH_HANDLER_FAILED);
  count_call(c->role.at, ROLE_ANSWERED);
  if (((f->number - c->e.slots) & (CALLS_A_SAMPLE - 1)) == 0) { /* the first one, too */
    int64_t shown = load(c->role.at + ROLE_LATENCY);
    int64_t now = now_ns() - f->sent_ns;
    store(c->role.at + ROLE_LATENCY, shown == 0 ? now : shown + less(now, shown) / 8);
  }
  return 1;
}

/** Gives a pending call up: 1, 0 when it was answered meanwhile, or an error. */
static int give_up(bywash_caller *c, int index, uint32_t outcome) {
  const flight *f = &c->flights[index];
  if (!abandon_call(&c->e, slot_of(c, index), turn_in(&c->e, f->number), f->before)) {
    int result = receive(c, index);
    return result < 0 ? result : 0;
  }
  end_flight(c, index, outcome);
  if (outcome == BYWASH_TIMED_OUT) {
    count_call(c->role.at, ROLE_MISSED);
  }
  return 1;
}

static bool is_lost(const bywash_caller *c, int index) {
  uint64_t claim = claim_word(&c->e, slot_of(c, index));
  return !c->e.redelivers && is_of_turn(claim, turn_in(&c->e, c->flights[index].number)) && is_claimed(claim)
      && is_claimer_lost(&c->e, claim);
}

/** Looks at all pending calls: replies, deadlines, and responders that are gone. 0 or an error. */
static int update(bywash_caller *c, bool thoroughly) {
  bool found = false;
  for (int i = 0; i < c->pending_count;) {
    int result = receive(c, c->pending[i]);
    if (result < 0) {
      return result;
    }
    found |= result == 1;
    i += 1 - result;
  }
  if (c->pending_count == 0 || (found && ++c->updates % UPDATES_A_LOOK != 0)) {
    return 0; /* calls that are answered all the time do not keep another from its deadline */
  }
  int64_t left = left_count(c);
  int64_t now = now_ns();
  bool looks = thoroughly || left != c->seen_left || now - c->looked_ns >= PROBE_NS;
  c->looked_ns = looks ? now : c->looked_ns;
  for (int i = 0; i < c->pending_count;) {
    int index = c->pending[i];
    bool late = now >= c->flights[index].deadline_ns;
    if (late || (looks && is_lost(c, index))) {
      int result = give_up(c, index, late ? BYWASH_TIMED_OUT : BYWASH_RESPONDER_GONE);
      if (result < 0) {
        return result;
      }
    } else {
      i++;
    }
  }
  c->seen_left = left;
  return 0;
}

/** Shows how a call ended, and says why if there is no reply: 1 or the error of one that is damaged. */
static int show(bywash_caller *c, int index, bywash_reply *reply) {
  const flight *f = &c->flights[index];
  const char *area = reply_area(&c->e, slot_of(c, index));
  bool has_data = f->outcome == BYWASH_REPLIED || f->outcome == BYWASH_HANDLER_FAILED;
  memset(reply, 0, sizeof *reply);
  reply->number = f->number;
  reply->outcome = f->outcome;
  reply->data = has_data ? area + AREA_PAYLOAD + f->start : NULL;
  reply->length = has_data ? f->length : 0;
  reply->type = has_data ? load_int(area + AREA_TYPE) : 0;
  c->shown = index;
  long long number = (long long)f->number;
  const char *name = c->e.row->name;
  const char *path = c->e.segment->where.path;
  if (f->outcome == BYWASH_HANDLER_FAILED) {
    const char *text = reply->data;
    const char *end = memchr(text, '\n', (size_t)reply->length);
    int of_type = end == NULL ? reply->length : (int)(end - text);
    int said = end == NULL ? of_type : of_type + 1;
    fail(0, "The handler of endpoint \"%s\" failed request %lld: %.*s%s%.*s", name, number, of_type, text,
        of_type > 0 ? ": " : "", reply->length - said, text + said);
  } else if (f->outcome == BYWASH_TIMED_OUT) {
    fail(0, "Request %lld to endpoint \"%s\" of segment %s got no reply within %lld ns", number, name, path,
        (long long)(f->deadline_ns - f->sent_ns));
  } else if (f->outcome == BYWASH_CANCELLED) {
    fail(0, "Request %lld to endpoint \"%s\" of segment %s was cancelled", number, name, path);
  } else if (f->outcome == BYWASH_RESPONDER_GONE) {
    fail(0, "Request %lld to endpoint \"%s\" of segment %s is not answered: the responder that had taken it died, or"
        " gave its role back", number, name, path);
  } else if (f->outcome == DAMAGED_REPLY) {
    uint64_t word = reply_word(&c->e, slot_of(c, index));
    return damaged_entry(c->e.segment, c->e.row, "the reply to request %lld of caller %d is none that a responder"
        " writes: it has turn %lld, state %d, and %d bytes from byte %d on", number, c->caller,
        (long long)turn_of_word(word), state_of_word(word), load_int(area + AREA_LENGTH), load_int(area + AREA_START));
  }
  return 1;
}

/* ---- sending */

static bool is_available(const bywash_caller *c, int index) {
  return c->flights[index].stage == UNUSED && (c->flights[index].is_free || is_slot_free(&c->e, slot_of(c, index)));
}

/** Makes the next number one whose slot is free; false when there is none. */
static bool reserve(bywash_caller *c) {
  if (is_available(c, index_in(&c->e, c->next))) {
    return true;
  }
  bool any = false;
  for (int index = 0; index < c->e.slots && !any; index++) {
    any = is_available(c, index);
  }
  for (int tries = 0; any && tries < c->e.slots; tries++) {
    int index = index_in(&c->e, c->next);
    char *slot = slot_of(c, index);
    uint64_t request = request_word(slot);
    if (is_available(c, index)) {
      return true;
    }
    if (state_of_word(request) != SKIPPED && !is_of_turn(claim_word(&c->e, slot), turn_of_word(request))) {
      return false; /* nobody has taken that request, and nobody would find it any more */
    }
    store_release(slot + AREA_WORD, (int64_t)turn_word(turn_in(&c->e, c->next++), SKIPPED)); /* [request] */
  }
  return false;
}

/** Begins a request: 1 with the place for its payload, 0 when all slots are in use, or an error. */
static int begin_request(bywash_caller *c, int64_t length, char **place) {
  if (length < 0 || length > c->e.max_request) {
    return fail(BYWASH_EINVAL, "length=%lld: a request of endpoint \"%s\" has 0 to %d bytes", (long long)length,
        c->e.row->name, c->e.max_request);
  }
  int result = enter(c);
  if (result != 0 || !reserve(c)) {
    return result;
  }
  *place = slot_of(c, index_in(&c->e, c->next)) + AREA_PAYLOAD;
  return 1;
}

/** Sends what is in the slot of the next number: 1 or an error. */
static int send_request(bywash_caller *c, int64_t start, int64_t length, int32_t type, int64_t deadline, int kind) {
  int index = index_in(&c->e, c->next);
  int64_t turn = turn_in(&c->e, c->next);
  char *slot = slot_of(c, index);
  flight *f = &c->flights[index];
  c->claimed = false;
  if (kind == CALL) {
    f->before = reply_word(&c->e, slot);
    if (turn_of_word(f->before) >= turn) {
      return damaged_entry(c->e.segment, c->e.row, "caller %d is about to send request %lld, and the reply in its slot"
          " is of turn %lld", c->caller, (long long)c->next, (long long)turn_of_word(f->before));
    }
    f->number = c->next;
    f->sent_ns = now_ns();
    f->deadline_ns = deadline;
    f->stage = PENDING;
    c->pending[c->pending_count++] = index;
  }
  write_extent(slot, start, length);
  store_int(slot + AREA_TYPE, type);
  store(slot + REQUEST_DEADLINE, deadline);
  f->is_free = false;
  c->next++;
  store_release(slot + AREA_WORD, (int64_t)turn_word(turn, kind)); /* [request] */
  count_call(c->role.at, ROLE_REQUESTS);
  bool rung = signal_one(c->e.segment, c->e.row, true, &c->search_start);
  count_call(c->role.at, rung ? ROLE_RUNG : ROLE_ELIDED);
  return 1;
}

static int check_timeout(int64_t timeout_ns) {
  return timeout_ns >= 1 ? 0 : fail(BYWASH_EINVAL, "timeoutNanos=%lld must be at least 1", (long long)timeout_ns);
}

int bywash_call_begin(bywash_caller *caller, const void *data, int64_t length, int32_t type, int64_t timeout_ns,
    int64_t *number) {
  char *place;
  int result = check_timeout(timeout_ns);
  result = result != 0 ? result : begin_request(caller, length, &place);
  if (result != 1) {
    return result;
  }
  if (length > 0) {
    copy_in(place, data, (size_t)length);
  }
  caller->claimed = true;
  return bywash_call_commit(caller, 0, length, type, timeout_ns, number);
}

int bywash_call_claim(bywash_caller *caller, void **place) {
  char *room;
  int result = begin_request(caller, 0, &room);
  if (result == 1) {
    *place = room;
    caller->claimed = true;
  }
  return result;
}

int bywash_call_commit(bywash_caller *caller, int64_t start, int64_t length, int32_t type, int64_t timeout_ns,
    int64_t *number) {
  int result = check_timeout(timeout_ns);
  result = result != 0 ? result : enter(caller);
  if (result == 0 && !caller->claimed) {
    return fail(BYWASH_ESTATE, "there is nothing to send: bywash_call_claim comes first");
  }
  if (result == 0 && (start < 0 || length < 0 || start > caller->e.max_request - length)) {
    return fail(BYWASH_EINVAL, "start=%lld and length=%lld: a request of endpoint \"%s\" has up to %d bytes",
        (long long)start, (long long)length, caller->e.row->name, caller->e.max_request);
  }
  if (result != 0) {
    return result;
  }
  int64_t sent = caller->next;
  caller->flights[index_in(&caller->e, sent)].is_polled = true;
  result = send_request(caller, start, length, type, deadline_of(timeout_ns), CALL);
  if (result == 1 && number != NULL) {
    *number = sent;
  }
  return result;
}

int bywash_call_one_way(bywash_caller *caller, const void *data, int64_t length, int32_t type) {
  char *place;
  int result = begin_request(caller, length, &place);
  if (result == 1 && length > 0) {
    copy_in(place, data, (size_t)length);
  }
  return result != 1 ? result : send_request(caller, 0, length, type, 0, ONE_WAY);
}

/* ---- waiting */

static bool is_over(const bywash_caller *c) {
  return !is_ours(&c->role) || load_acquire(c->role.base + REMOVED_MARK) != 0;
}

static bool reply_or_end(void *context) {
  const bywash_caller *c = context;
  for (int i = 0; i < c->pending_count; i++) {
    int index = c->pending[i];
    if (reply_word(&c->e, slot_of(c, index)) != c->flights[index].before) {
      return true;
    }
  }
  return left_count(c) != c->seen_left || is_over(c);
}

static bool slot_or_end(void *context) {
  const bywash_caller *c = context;
  for (int index = 0; index < c->e.slots; index++) {
    if (is_available(c, index)) {
      return true;
    }
  }
  return is_over(c);
}

int bywash_call(bywash_caller *caller, const void *data, int64_t length, int32_t type, int64_t timeout_ns,
    bywash_reply *reply) {
  bywash_caller *c = caller;
  char *place;
  int result = check_timeout(timeout_ns);
  if (result != 0) {
    return result;
  }
  release_shown(c);
  int64_t deadline = deadline_of(timeout_ns);
  while ((result = begin_request(c, length, &place)) == 0) {
    result = role_wait(&c->role, slot_or_end, c, deadline);
    if (result == 0) {
      memset(reply, 0, sizeof *reply);
      reply->outcome = BYWASH_TIMED_OUT;
      fail(0, "No request of up to %lld bytes and type %d was sent to endpoint \"%s\" within %lld ns: all %d slots of"
          " this caller are in use", (long long)length, type, c->e.row->name, (long long)timeout_ns, c->e.slots);
      return 0;
    }
    if (result < 0) {
      return result;
    }
  }
  if (result != 1) {
    return result; /* there is no flight: the slot of the next number may be that of another call */
  }
  if (length > 0) {
    copy_in(place, data, (size_t)length);
  }
  int index = index_in(&c->e, c->next);
  c->flights[index].is_polled = false;
  result = send_request(c, 0, length, type, deadline, CALL);
  while (result == 1 && c->flights[index].stage == PENDING) {
    result = update(c, true);
    if (result == 0 && c->flights[index].stage == PENDING) {
      result = role_wait(&c->role, reply_or_end, c, deadline);
      result = result < 0 ? result : enter(c);
    }
    result = result == 0 ? 1 : result;
  }
  if (result != 1) {
    if (c->flights[index].stage == PENDING && !c->flights[index].is_polled) {
      char text[1024]; /* what follows may have errors of its own */
      snprintf(text, sizeof text, "%s", bywash_error());
      bool ours = enter(c) == 0;
      if (ours) {
        abandon_call(&c->e, slot_of(c, index), turn_in(&c->e, c->flights[index].number), c->flights[index].before);
      }
      end_flight(c, index, BYWASH_CANCELLED);
      release(c, index);
      fail(result, "%s", text);
    }
    return result;
  }
  result = show(c, index, reply);
  return result < 0 || reply->outcome == BYWASH_REPLIED ? result : 0;
}

int bywash_call_next(bywash_caller *caller, int64_t timeout_ns, bywash_reply *reply) {
  bywash_caller *c = caller;
  int64_t deadline = deadline_of(timeout_ns);
  int result = enter(c);
  release_shown(c);
  while (result == 0) {
    result = update(c, c->empty_polls % POLLS_A_LOOK == 0);
    if (c->first_ended != c->end_ended) {
      return show(c, c->ended[c->first_ended++ & (c->e.slots - 1)], reply);
    }
    if (result == 0 && ++c->empty_polls % POLLS_A_PROBE == 0) { /* one that never waits has to notice deaths as well */
      result = role_probe(&c->role);
      probe_peers(c->e.segment);
    }
    if (result != 0 || c->pending_count == 0 || deadline == 0 || now_ns() >= deadline) {
      return result;
    }
    int64_t soonest = deadline;
    for (int i = 0; i < c->pending_count; i++) {
      soonest = min64(soonest, c->flights[c->pending[i]].deadline_ns);
    }
    result = role_wait(&c->role, reply_or_end, c, soonest);
    result = result < 0 ? result : enter(c);
  }
  return result;
}

int bywash_call_cancel(bywash_caller *caller, int64_t number) {
  int result = enter(caller);
  int index = index_in(&caller->e, number);
  const flight *f = &caller->flights[index];
  return result != 0 || f->stage != PENDING || f->number != number ? result
      : give_up(caller, index, BYWASH_CANCELLED);
}

int64_t bywash_caller_max(const bywash_caller *caller) { return caller->e.max_request; }

int bywash_caller_close(bywash_caller *caller) {
  if (caller != NULL) {
    if (!caller->e.segment->forked && is_ours(&caller->role)) {
      for (int i = 0; i < caller->pending_count; i++) {
        int index = caller->pending[i];
        abandon_call(&caller->e, slot_of(caller, index), turn_in(&caller->e, caller->flights[index].number),
            caller->flights[index].before);
      }
    }
    free_caller(caller);
  }
  return 0;
}
