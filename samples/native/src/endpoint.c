/* Endpoints (SPEC 14): descriptions, what the words of slots say, and what the dead have left. */
#include "calls.h"

#include <stdio.h>

/* ---- descriptions */

static int64_t slot_size(int64_t max_request, int64_t max_reply) {
  return area_bytes(max_request) + area_bytes(max_reply) + CLAIM_BYTES;
}

int bywash_endpoint(bywash_entry *entry, const char *name, int64_t max_request_bytes, int64_t max_reply_bytes,
    const bywash_endpoint_options *options) {
  bywash_endpoint_options own;
  int result = read_options(&own, sizeof own, options, "bywash_endpoint_options");
  result = result != 0 ? result : start_entry(entry, BYWASH_ENDPOINT, name);
  int64_t callers = own.callers == 0 ? 16 : own.callers;
  int64_t slots = own.slots == 0 ? 32 : own.slots;
  int64_t responders = own.responders == 0 ? 16 : own.responders;
  if (result != 0) {
    return result;
  }
  if (max_request_bytes < 1 || max_request_bytes > 1 << 30 || max_reply_bytes < 1 || max_reply_bytes > 1 << 30) {
    return fail(BYWASH_EINVAL, "maxRequestBytes=%lld and maxReplyBytes=%lld are not between 1 and %d",
        (long long)max_request_bytes, (long long)max_reply_bytes, 1 << 30);
  }
  if (slots < 1 || slots > MAX_CALL_SLOTS || (slots & (slots - 1)) != 0) {
    return fail(BYWASH_EINVAL, "slots=%lld is not a power of two from 1 to %d", (long long)slots, MAX_CALL_SLOTS);
  }
  if (callers < 1 || responders < 1 || callers + responders > MAX_ROLES) {
    return fail(BYWASH_EINVAL, "callers=%lld and responders=%lld are not at least 1 each, and at most %d together",
        (long long)callers, (long long)responders, MAX_ROLES);
  }
  if (own.redelivers > 1) {
    return fail(BYWASH_EINVAL, "redelivers=%u is neither 0 nor 1", own.redelivers);
  }
  int64_t bytes = callers * slots * slot_size(max_request_bytes, max_reply_bytes);
  if (bytes > INT64_C(1) << 37) {
    return fail(BYWASH_EINVAL, "callers=%lld x slots=%lld x (maxRequestBytes=%lld + maxReplyBytes=%lld) take %lld"
        " bytes; %lld are possible", (long long)callers, (long long)slots, (long long)max_request_bytes,
        (long long)max_reply_bytes, (long long)bytes, (long long)(INT64_C(1) << 37));
  }
  entry->capacity = callers * slots;
  entry->element_size = max64(max_request_bytes, max_reply_bytes);
  entry->roles = (int32_t)(responders + callers);
  entry->data_bytes = bytes;
  entry->parameters[PARAMETER_CALLERS] = callers;
  entry->parameters[PARAMETER_SLOTS] = slots;
  entry->parameters[PARAMETER_MAX_REQUEST] = max_request_bytes;
  entry->parameters[PARAMETER_MAX_REPLY] = max_reply_bytes;
  entry->parameters[PARAMETER_LOST] = own.redelivers;
  return 0;
}

bool is_sound_endpoint(const row *r, char *how, size_t how_bytes) {
  const int64_t *p = r->parameters;
  int64_t callers = p[PARAMETER_CALLERS];
  int64_t slots = p[PARAMETER_SLOTS];
  int64_t request = p[PARAMETER_MAX_REQUEST];
  int64_t reply = p[PARAMETER_MAX_REPLY];
  int64_t most = min64(r->size - data_begin(r->roles) - data_end(r->roles), INT64_C(1) << 37);
  bool fits = callers >= 1 && callers < r->roles && slots >= 1 && slots <= MAX_CALL_SLOTS
      && (slots & (slots - 1)) == 0 && r->capacity == callers * slots && request >= 1 && request <= 1 << 30
      && reply >= 1 && reply <= 1 << 30 && r->element_size == max64(request, reply)
      && callers * slots * slot_size(request, reply) <= most;
  if (!fits) {
    snprintf(how, how_bytes, "%lld callers among %d roles, with %lld slots for requests of up to %lld and replies of up"
        " to %lld bytes, do not fit its %lld bytes", (long long)callers, r->roles, (long long)slots,
        (long long)request, (long long)reply, (long long)r->size);
  } else {
    snprintf(how, how_bytes, "its parameters are no policy for lost responders");
  }
  return fits && (p[PARAMETER_LOST] == LOST_FAILS || p[PARAMETER_LOST] == LOST_IS_REDELIVERED);
}

void endpoint_init(endpoint *e, bywash_segment *s, const row *r) {
  e->segment = s;
  e->row = r;
  e->base = s->map + r->offset;
  e->data = e->base + data_begin(r->roles);
  e->callers = (int)r->parameters[PARAMETER_CALLERS];
  e->responders = r->roles - e->callers;
  e->slots = (int)r->parameters[PARAMETER_SLOTS];
  e->turn_shift = bit_length((uint64_t)e->slots) - 1;
  e->max_request = (int32_t)r->parameters[PARAMETER_MAX_REQUEST];
  e->max_reply = (int32_t)r->parameters[PARAMETER_MAX_REPLY];
  e->redelivers = r->parameters[PARAMETER_LOST] == LOST_IS_REDELIVERED;
  e->reply_offset = area_bytes(e->max_request);
  e->claim_offset = e->reply_offset + area_bytes(e->max_reply);
  e->reply_room = (int32_t)(e->claim_offset - e->reply_offset) - AREA_PAYLOAD;
  e->slot_bytes = e->claim_offset + CLAIM_BYTES;
}

int take_call_role(role *r, const endpoint *e, int first, int end, int mode) {
  int result = 0;
  for (int index = first; result == 0 && index < end; index++) {
    result = role_take(r, index, mode);
  }
  return result != 0 ? min64(result, 0)
      : fail(BYWASH_EFULL, "Entry \"%s\" of segment %s has all its %d %s, and they live. Close one, or create it with"
      " more.", e->row->name, e->segment->where.path, end - first, mode == MODE_CALLER ? "callers" : "responders");
}

/* ---- what the words say */

static uint64_t word_in(const endpoint *e, int role) {
  return (uint64_t)load_acquire(e->base + ROLES + (int64_t)role * ROLE_BYTES + ROLE_WORD); /* [role-active] */
}

/** The word of the role that has claimed a turn; 0 when that is gone. */
static uint64_t claimer(const endpoint *e, uint64_t claim) {
  uint64_t word = claim_role(claim) < e->responders ? word_in(e, claim_role(claim)) : 0;
  return owner_generation(word) == ((claim >> CLAIM_GENERATION_SHIFT) & 0xFFFF) ? word : 0;
}

bool is_claimer_gone(const endpoint *e, uint64_t claim) { return owner_state(claimer(e, claim)) == ROLE_FREE; }

bool is_claimer_lost(const endpoint *e, uint64_t claim) {
  int state = owner_state(claimer(e, claim));
  return state == ROLE_FREE || state == ROLE_REVOKED;
}

/** Whether a claim is for a turn that was neither answered nor given up; one-way requests are never answered. */
static bool is_open(const endpoint *e, const char *slot, uint64_t claim) {
  return is_claimed(claim) && !is_of_turn(claim, turn_of_word(reply_word(e, slot)));
}

bool is_slot_free(const endpoint *e, const char *slot) {
  uint64_t claim = claim_word(e, slot);
  uint64_t request = request_word(slot);
  bool announced = state_of_word(request) == CALL || state_of_word(request) == ONE_WAY;
  if (announced && !is_of_turn(claim, turn_of_word(request))) {
    return false; /* a responder may still take it */
  }
  uint64_t reply = reply_word(e, slot);
  return !is_claimed(claim)
      || (is_claimer_gone(e, claim) && !(e->redelivers && is_open(e, slot, claim))) /* or another one may take it */
      || (is_of_turn(claim, turn_of_word(reply)) && state_of_word(reply) == REPLIED);
}

int check_turn(const endpoint *e, int caller, uint64_t request) {
  int64_t turn = turn_of_word(request);
  return turn <= MAX_TURN && (turn == 0) == (state_of_word(request) == NOTHING) ? 0
      : damaged_entry(e->segment, e->row, "a slot of caller %d is in turn %lld and state %d", caller, (long long)turn,
      state_of_word(request));
}

int read_extent(const endpoint *e, const char *area, int32_t max, const char *what, int32_t *start, int32_t *length) {
  uint64_t extent = (uint64_t)load(area + AREA_START);
  *start = (int32_t)extent;
  *length = (int32_t)(extent >> 32);
  return *start >= 0 && *length >= 0 && *length <= max && *start <= max - *length ? 0
      : damaged_entry(e->segment, e->row, "a %s has %d bytes from byte %d on, and %d are the most", what, *length,
      *start, max);
}

/* ---- giving up, and what the dead have left */

/** Takes a request back from the responders, unless one has claimed it. */
static void withdraw_request(const endpoint *e, char *slot, int64_t turn, uint64_t claim) {
  if (!is_of_turn(claim, turn)) {
    change_claim(e, slot, claim, claim_of(turn, 0, 0, WITHDRAWN));
  }
}

bool abandon_call(const endpoint *e, char *slot, int64_t turn, uint64_t found) {
  bool abandoned = change_reply(e, slot, found, turn_word(turn, ABANDONED));
  if (abandoned || reply_word(e, slot) == turn_word(turn, ABANDONED)) {
    withdraw_request(e, slot, turn, claim_word(e, slot));
  }
  return abandoned;
}

void drop_requests(const endpoint *e, int caller, uint64_t word, bool one_way_too) {
  for (int index = 0; index < e->slots; index++) {
    char *slot = call_slot(e, caller, index);
    uint64_t claim = claim_word(e, slot);
    uint64_t reply = reply_word(e, slot);
    uint64_t request = request_word(slot);
    int state = state_of_word(request);
    int64_t turn = used_turn(claim, request);
    bool is_call = state == CALL || (state == SKIPPED && claim_state(claim) == CLAIMED);
    if (word_in(e, e->responders + caller) != word) {
      return; /* another one has the role now */
    }
    if (is_call && turn_of_word(reply) < turn) {
      change_reply(e, slot, reply, turn_word(turn, ABANDONED));
    }
    if (is_call || (one_way_too && state == ONE_WAY)) {
      withdraw_request(e, slot, turn, claim);
    }
  }
}

void recover_caller(bywash_segment *s, const row *r, int index, uint64_t word) {
  endpoint e;
  endpoint_init(&e, s, r);
  if (index >= e.responders) {
    drop_requests(&e, index - e.responders, word, true);
  }
}

bool leaves_claim(bywash_segment *s, const row *r, int index) {
  endpoint e;
  endpoint_init(&e, s, r);
  int64_t used = less(load_acquire(e.base + ROLES_USED), e.responders);
  for (int caller = 0; index < e.responders && caller < e.callers && caller < used; caller++) {
    for (int i = 0; i < e.slots; i++) {
      const char *slot = call_slot(&e, caller, i);
      uint64_t claim = claim_word(&e, slot);
      if (claim_role(claim) == index && is_open(&e, slot, claim)) {
        return true;
      }
    }
  }
  return false;
}
