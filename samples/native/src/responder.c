/* Responders (SPEC 14.2): taking requests, answering them, and taking those of responders that are gone. */
#include "calls.h"

#include <stdlib.h>

#define POLLS_A_PROBE 1024
#define TURNS_A_SEARCH 4

enum { OWN_SLOT, OWN_TURN, OWN_CLAIM, OWN_BEFORE };

struct bywash_responder {
  role role;
  endpoint e;
  int64_t *due;              /* by caller: the number that it sends next, as far as is known; 0 when nothing is; -1 and
                                below while the first slot and those behind it have a word that no caller writes */
  uint64_t *damaged;         /* by caller: that word */
  int first_caller;          /* whose turn it is */
  int64_t seen_left;         /* LEFT when the last search found nothing; -1: search */
  int64_t looked_ns;
  bool may_be_woken;         /* waited since it last took a request: the wake may have been meant for another one */
  unsigned empty_polls;
  int search_start;
};

static int callers_used(const bywash_responder *r) {
  return (int)min64(max64(roles_used(&r->role) - r->e.responders, 0), r->e.callers);
}

static int64_t left_count(const bywash_responder *r) { return load_acquire(r->role.base + LEFT); } /* [left] */

static int enter(const bywash_responder *r) {
  int result = role_enter(&r->role);
  return result != 0 || is_ours(&r->role) ? result : taken_away(&r->role);
}

/* ---- taking */

/** Ends a claim without a reply: this responder does not touch the slot any more. */
static void finish(bywash_responder *r, int caller, char *slot, uint64_t claim) {
  change_claim(&r->e, slot, claim, (claim & ~UINT64_C(3)) | DONE);
  signal_role(r->e.segment, r->e.row, false, r->e.responders + caller);
}

/** Claims a turn: 1; 0 when another one was faster, or the caller has given it up; or an error. */
static int claim(bywash_responder *r, int caller, int index, int64_t turn, uint64_t found, int state,
    bywash_request *request) {
  const endpoint *e = &r->e;
  char *slot = call_slot(e, caller, index);
  uint64_t mine = claim_of(turn, owner_generation(r->role.word), r->role.index, state);
  if (!change_claim(e, slot, found, mine)) {
    return 0;
  }
  uint64_t before = reply_word(e, slot);
  int32_t start;
  int32_t length;
  int result = turn_of_word(before) >= turn ? 0 : 1;
  if (result == 1 && read_extent(e, slot, e->max_request, "request", &start, &length) != 0) {
    result = BYWASH_EDAMAGED;
  }
  if (result != 1) {
    finish(r, caller, slot, mine);
    return result;
  }
  memset(request, 0, sizeof *request);
  request->data = slot + AREA_PAYLOAD + start;
  request->length = length;
  request->type = load_int(slot + AREA_TYPE);
  request->number = (int64_t)((uint64_t)turn << e->turn_shift) | index;
  request->caller = caller;
  request->one_way = state == CLAIMED_ONE_WAY ? 1 : 0;
  request->deadline_ns = request->one_way ? INT64_MAX : load(slot + REQUEST_DEADLINE);
  request->own[OWN_SLOT] = slot - e->base;
  request->own[OWN_TURN] = turn;
  request->own[OWN_CLAIM] = (int64_t)mine;
  request->own[OWN_BEFORE] = (int64_t)before;
  count_call(r->role.at, ROLE_REQUESTS);
  return 1;
}

/** The lowest number of a caller that may not have an end yet: 0 or an error. */
static int find_due(bywash_responder *r, int caller, uint64_t request) {
  int result = check_turn(&r->e, caller, request);
  if (result == 0) {
    int64_t turn = turn_of_word(request);
    r->due[caller] = turn <= 1 ? r->e.slots : ((turn - 1) << r->e.turn_shift) + 1;
  }
  return result;
}

/** Goes on behind the number one turn before what is now in its slot, all up to which have an end: 0 or an error. */
static int catch_up(bywash_responder *r, int caller, uint64_t request) {
  const endpoint *e = &r->e;
  int result = check_turn(e, caller, request);
  if (result != 0) {
    return result;
  }
  int64_t number = (turn_of_word(request) - 1) << e->turn_shift | index_in(e, r->due[caller]);
  int64_t next = number + 1;
  if (turn_of_word(request_word(call_slot(e, caller, index_in(e, next)))) < turn_in(e, next)) {
    return damaged_entry(e->segment, e->row, "request %lld of caller %d has an end, but a slot is in turn %lld",
        (long long)number, caller, (long long)turn_of_word(request_word(call_slot(e, caller, index_in(e, next)))));
  }
  r->due[caller] = next;
  return 0;
}

/** Whether what is known to be damaged has not changed: the caller is left alone until it does. */
static bool is_still_damaged(const bywash_responder *r, int caller) {
  int64_t due = r->due[caller];
  return due < 0 && request_word(call_slot(&r->e, caller, (int)(-1 - due))) == r->damaged[caller];
}

/** Finds out what is due from what is in a slot: 0 or an error, which is told once. */
static int look_again(bywash_responder *r, int caller, int index, uint64_t request) {
  int result = r->due[caller] <= 0 ? find_due(r, caller, request) : catch_up(r, caller, request);
  if (result != 0) {
    r->due[caller] = -1 - index;
    r->damaged[caller] = request;
  }
  return result;
}

/** Takes the next request of a caller: 1, 0 when it has none, or an error. */
static int take_due(bywash_responder *r, int caller, bywash_request *request) {
  const endpoint *e = &r->e;
  if (is_still_damaged(r, caller)) {
    return 0;
  }
  int result = r->due[caller] > 0 ? 0 : look_again(r, caller, 0, request_word(call_slot(e, caller, 0)));
  for (int tries = 0; result == 0 && tries < TURNS_A_SEARCH * (e->slots + 1); tries++) {
    int64_t number = r->due[caller];
    int64_t turn = turn_in(e, number);
    char *slot = call_slot(e, caller, index_in(e, number));
    uint64_t word = request_word(slot);
    if (turn_of_word(word) < turn) {
      return 0;
    }
    if (turn_of_word(word) > turn) { /* others have served this caller */
      result = look_again(r, caller, index_in(e, number), word);
      continue;
    }
    if (state_of_word(word) != SKIPPED) {
      uint64_t found = claim_word(e, slot);
      if (request_word(slot) != word) {
        continue; /* only if it is still this one, the claim word that was read is not of a later turn */
      }
      if (!is_of_turn(found, turn)) {
        int state = state_of_word(word) == ONE_WAY ? CLAIMED_ONE_WAY : CLAIMED;
        result = claim(r, caller, index_in(e, number), turn, found, state, request);
        if (result == 0 && !is_of_turn(claim_word(e, slot), turn)) {
          continue; /* somebody has taken what was left of an earlier turn */
        }
      }
    }
    r->due[caller] = number + 1;
  }
  return result; /* 0: others take them all */
}

/** Takes a request whose responder is gone: 1, 0 when there is none, or an error. */
static int take_left(bywash_responder *r, bywash_request *request) {
  const endpoint *e = &r->e;
  int64_t before = left_count(r);
  for (int caller = 0; caller < callers_used(r); caller++) {
    for (int index = 0; index < e->slots; index++) {
      char *slot = call_slot(e, caller, index);
      uint64_t found = claim_word(e, slot);
      if (is_claimed(found) && is_claimer_gone(e, found)) {
        int64_t turn = used_turn(found, request_word(slot));
        if (is_of_turn(found, turn) && !is_of_turn(found, turn_of_word(reply_word(e, slot)))) {
          int result = claim(r, caller, index, turn, found, claim_state(found), request);
          if (result != 0) {
            return result;
          }
        }
      }
    }
  }
  r->seen_left = before;
  return 0;
}

/** Makes the next search complete now and then, since nobody announces a death. */
static void look_now_and_then(bywash_responder *r) {
  int64_t now = now_ns();
  if (now - r->looked_ns >= PROBE_NS) {
    r->looked_ns = now;
    r->seen_left = -1;
  }
}

static bool has_work(const bywash_responder *r) {
  const endpoint *e = &r->e;
  if (e->redelivers && left_count(r) != r->seen_left) {
    return true;
  }
  for (int caller = 0; caller < callers_used(r); caller++) {
    int64_t number = r->due[caller];
    if (number <= 0 ? !is_still_damaged(r, caller)
        : turn_of_word(request_word(call_slot(e, caller, index_in(e, number)))) >= turn_in(e, number)) {
      return true;
    }
  }
  return false;
}

static int take_now(bywash_responder *r, bywash_request *request) {
  int result = enter(r);
  if (result == 0 && r->e.redelivers && left_count(r) != r->seen_left) {
    result = take_left(r, request);
  }
  int used = callers_used(r);
  int start = r->first_caller < used ? r->first_caller : 0;
  for (int i = 0; result == 0 && i < used; i++) {
    int caller = (start + i) % used;
    r->first_caller = caller + 1; /* also behind one that is damaged */
    result = take_due(r, caller, request);
  }
  if (result == 0 && ++r->empty_polls % POLLS_A_PROBE == 0) { /* one that never waits has to notice deaths as well */
    result = role_probe(&r->role);
    probe_peers(r->e.segment);
    look_now_and_then(r);
  } else if (result == 1 && r->may_be_woken) {
    r->may_be_woken = false;
    if (has_work(r)) { /* the wake for that may have come to this responder */
      signal_one(r->e.segment, r->e.row, true, &r->search_start);
    }
  }
  return result;
}

static bool request_or_end(void *context) {
  const bywash_responder *r = context;
  return has_work(r) || !is_ours(&r->role) || load_acquire(r->role.base + REMOVED_MARK) != 0;
}

int bywash_request_next(bywash_responder *responder, bywash_request *request, int64_t timeout_ns) {
  int result = take_now(responder, request);
  int64_t deadline = result == 0 && timeout_ns > 0 ? deadline_of(timeout_ns) : 0;
  while (result == 0 && deadline != 0) {
    responder->may_be_woken = true;
    result = role_wait(&responder->role, request_or_end, responder, deadline);
    if (result != 1) {
      return result;
    }
    look_now_and_then(responder);
    result = take_now(responder, request);
  }
  return result;
}

/* ---- answering */

/** The slot of a request that is to be answered: 0 or an error. */
static int find_slot(const bywash_responder *r, const bywash_request *request, int64_t length, char **slot) {
  int result = role_enter(&r->role);
  if (result == 0 && request->own[OWN_SLOT] == 0) {
    return fail(BYWASH_ESTATE, "request %lld was answered before", (long long)request->number);
  }
  if (result == 0 && (length < 0 || length > r->e.max_reply)) {
    return fail(BYWASH_EINVAL, "length=%lld: a reply of endpoint \"%s\" has 0 to %d bytes", (long long)length,
        r->e.row->name, r->e.max_reply);
  }
  result = result != 0 || is_ours(&r->role) ? result : taken_away(&r->role);
  *slot = r->e.base + request->own[OWN_SLOT];
  return result;
}

/** Ends a request with what is in the area for its reply: 1, or 0 when it is too late. */
static int answer(bywash_responder *r, bywash_request *request, char *slot, int64_t start, int64_t length,
    int32_t type, int status) {
  const endpoint *e = &r->e;
  char *area = reply_area(e, slot);
  int result = request->one_way;
  request->own[OWN_SLOT] = 0;
  request->data = NULL; /* it may be overwritten from here on */
  if (!request->one_way) {
    write_extent(area, start, length);
    store(area + AREA_TYPE, (int64_t)((uint64_t)(uint32_t)type | (uint64_t)status << 32));
    if (change_reply(e, slot, (uint64_t)request->own[OWN_BEFORE], turn_word(request->own[OWN_TURN], REPLIED))) {
      count_call(r->role.at, ROLE_ANSWERED);
      bool rung = signal_role(e->segment, e->row, false, e->responders + request->caller);
      count_call(r->role.at, rung ? ROLE_RUNG : ROLE_ELIDED);
      return 1;
    }
    count_call(r->role.at, ROLE_MISSED);
  }
  finish(r, request->caller, slot, (uint64_t)request->own[OWN_CLAIM]);
  return result;
}

int bywash_request_reply(bywash_responder *responder, bywash_request *request, const void *data, int64_t length,
    int32_t type) {
  char *slot;
  int result = find_slot(responder, request, length, &slot);
  if (result == 0 && length > 0) {
    copy_in(reply_area(&responder->e, slot) + AREA_PAYLOAD, data, (size_t)length);
  }
  return result != 0 ? result : answer(responder, request, slot, 0, length, type, STATUS_OK);
}

int bywash_request_claim(bywash_responder *responder, const bywash_request *request, void **place) {
  char *slot;
  int result = find_slot(responder, request, 0, &slot);
  if (result == 0) {
    *place = reply_area(&responder->e, slot) + AREA_PAYLOAD;
  }
  return result;
}

int bywash_request_commit(bywash_responder *responder, bywash_request *request, int64_t start, int64_t length,
    int32_t type) {
  char *slot;
  int result = find_slot(responder, request, length, &slot);
  if (result == 0 && (start < 0 || start > responder->e.max_reply - length)) {
    return fail(BYWASH_EINVAL, "start=%lld and length=%lld: a reply of endpoint \"%s\" has up to %d bytes",
        (long long)start, (long long)length, responder->e.row->name, responder->e.max_reply);
  }
  return result != 0 ? result : answer(responder, request, slot, start, length, type, STATUS_OK);
}

int bywash_request_fail(bywash_responder *responder, bywash_request *request, const char *type, const char *message) {
  char *slot;
  int result = find_slot(responder, request, 0, &slot);
  if (result != 0) {
    return result;
  }
  char *place = reply_area(&responder->e, slot) + AREA_PAYLOAD;
  size_t room = (size_t)responder->e.reply_room;
  const char *parts[] = { type == NULL ? "" : type, "\n", message };
  size_t length = 0;
  for (int i = 0; i < 3; i++) {
    size_t bytes = strlen(parts[i]);
    if (bytes > room - length) { /* cut off, but not within a character */
      for (bytes = room - length; bytes > 0 && (parts[i][bytes] & 0xC0) == 0x80; bytes--) {
      }
    }
    copy_in(place + length, parts[i], bytes);
    length += bytes;
  }
  return answer(responder, request, slot, 0, (int64_t)length, 0, STATUS_FAILED);
}

int bywash_request_is_cancelled(bywash_responder *responder, const bywash_request *request) {
  int result = role_enter(&responder->role);
  if (result != 0 || request->one_way || request->own[OWN_SLOT] == 0) {
    return result;
  }
  return reply_word(&responder->e, responder->e.base + request->own[OWN_SLOT]) != (uint64_t)request->own[OWN_BEFORE];
}

/* ---- the role */

static void free_responder(bywash_responder *r) {
  role_end(&r->role);
  free(r->due);
  free(r);
}

int bywash_responder_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_responder **responder) {
  bywash_role_options own;
  row found;
  int result = read_options(&own, sizeof own, options, "bywash_role_options");
  result = result != 0 ? result : find_kind(segment, entry, BYWASH_ENDPOINT, "is no endpoint", own.layout, &found);
  result = result != 0 || !segment->read_only ? result : require_participant(segment);
  if (result != 0) {
    return result;
  }
  bywash_responder *r = calloc(1, sizeof *r);
  size_t callers = (size_t)found.parameters[PARAMETER_CALLERS];
  int64_t *due = calloc(2 * callers, sizeof *due);
  if (r == NULL || due == NULL) {
    free(r);
    free(due);
    return fail(BYWASH_ENOMEM, "There is no memory left for a responder.");
  }
  r->due = due;
  r->damaged = (uint64_t *)due + callers;
  r->seen_left = -1;
  r->looked_ns = now_ns();
  result = role_begin(&r->role, segment, &found, true, own.wait);
  if (result == 0) {
    endpoint_init(&r->e, segment, &r->role.row);
    result = take_call_role(&r->role, &r->e, 0, r->e.responders, MODE_RESPONDER);
  }
  result = result != 0 ? result : role_activate(&r->role, own.label);
  if (result != 0) {
    free_responder(r);
    return result;
  }
  *responder = r;
  return 0;
}

int64_t bywash_responder_max(const bywash_responder *responder) { return responder->e.max_reply; }

int bywash_responder_close(bywash_responder *responder) {
  if (responder != NULL) {
    free_responder(responder);
  }
  return 0;
}
