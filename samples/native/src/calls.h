/* What callers and responders share (SPEC 14). */
#ifndef BYWASH_CALLS_H
#define BYWASH_CALLS_H

#include "internal.h"

enum {
  PARAMETER_CALLERS = 0, PARAMETER_SLOTS = 1, PARAMETER_MAX_REQUEST = 2, PARAMETER_MAX_REPLY = 3, PARAMETER_LOST = 4,
  LOST_FAILS = 0, LOST_IS_REDELIVERED = 1, MODE_RESPONDER = 1, MODE_CALLER = 2, MAX_CALL_SLOTS = 1024,

  ROLE_REQUESTS = 128, ROLE_MISSED = 136, ROLE_ELIDED = 144, ROLE_RUNG = 152, ROLE_LATENCY = 160, ROLE_ANSWERED = 168,

  AREA_WORD = 0, AREA_START = 8, AREA_LENGTH = 12, AREA_TYPE = 16, REPLY_STATUS = 20, REQUEST_DEADLINE = 24,
  AREA_PAYLOAD = 32, AREA_ALIGNMENT = 128, CLAIM_BYTES = 128, STATUS_OK = 0, STATUS_FAILED = 1,

  TURN_SHIFT = 2, NOTHING = 0, CALL = 1, ONE_WAY = 2, SKIPPED = 3, REPLIED = 1, ABANDONED = 2,

  DONE = 0, CLAIMED = 1, WITHDRAWN = 2, CLAIMED_ONE_WAY = 3, CLAIM_ROLE_SHIFT = 2, CLAIM_GENERATION_SHIFT = 12,
  CLAIM_TURN_SHIFT = 28
};

#define MAX_TURN (INT64_C(1) << 50)
#define CLAIM_TURN_MASK ((UINT64_C(1) << (64 - CLAIM_TURN_SHIFT)) - 1)

/** The slots of an endpoint. */
typedef struct endpoint {
  bywash_segment *segment;
  const row *row;
  char *base, *data;
  int responders, callers, slots, turn_shift;
  int32_t max_request, max_reply, reply_room;
  bool redelivers;
  int64_t reply_offset, claim_offset, slot_bytes;
} endpoint;

static inline char *call_slot(const endpoint *e, int caller, int index) {
  return e->data + ((int64_t)caller * e->slots + index) * e->slot_bytes;
}
static inline char *reply_area(const endpoint *e, const char *slot) { return (char *)slot + e->reply_offset; }
static inline int index_in(const endpoint *e, int64_t number) { return (int)number & (e->slots - 1); }
static inline int64_t turn_in(const endpoint *e, int64_t number) { return number >> e->turn_shift; }

static inline uint64_t request_word(const char *slot) {
  return (uint64_t)load_acquire(slot + AREA_WORD); /* [request] makes the request visible */
}
static inline uint64_t reply_word(const endpoint *e, const char *slot) {
  return (uint64_t)load_acquire(slot + e->reply_offset + AREA_WORD); /* [reply] makes the reply visible */
}
static inline uint64_t claim_word(const endpoint *e, const char *slot) {
  return (uint64_t)load_acquire(slot + e->claim_offset); /* [claim] what an earlier claimer did comes before this */
}
static inline bool change_reply(const endpoint *e, char *slot, uint64_t found, uint64_t next) {
  return compare_and_set(slot + e->reply_offset + AREA_WORD, (int64_t)found, (int64_t)next); /* [reply] */
}
static inline bool change_claim(const endpoint *e, char *slot, uint64_t found, uint64_t next) {
  return compare_and_set(slot + e->claim_offset, (int64_t)found, (int64_t)next); /* [claim] */
}

/** A request or reply word. */
static inline uint64_t turn_word(int64_t turn, int state) { return (uint64_t)turn << TURN_SHIFT | (uint64_t)state; }
static inline int64_t turn_of_word(uint64_t word) { return (int64_t)(word >> TURN_SHIFT); }
static inline int state_of_word(uint64_t word) { return (int)word & 3; }

static inline uint64_t claim_of(int64_t turn, uint32_t generation, int role, int state) {
  return (uint64_t)turn << CLAIM_TURN_SHIFT | (uint64_t)generation << CLAIM_GENERATION_SHIFT
      | (uint64_t)role << CLAIM_ROLE_SHIFT | (uint64_t)state;
}
static inline int claim_state(uint64_t claim) { return (int)claim & 3; }
static inline int claim_role(uint64_t claim) { return (int)(claim >> CLAIM_ROLE_SHIFT) & 0x3FF; }
static inline bool is_claimed(uint64_t claim) {
  return claim_state(claim) == CLAIMED || claim_state(claim) == CLAIMED_ONE_WAY;
}
static inline bool is_of_turn(uint64_t claim, int64_t turn) {
  return claim >> CLAIM_TURN_SHIFT == ((uint64_t)turn & CLAIM_TURN_MASK);
}
/** The turn that a slot is used for: of a number that was not used, the one that the claim word is of. */
static inline int64_t used_turn(uint64_t claim, uint64_t request) {
  int64_t turn = turn_of_word(request);
  uint64_t behind = ((uint64_t)turn - (claim >> CLAIM_TURN_SHIFT)) & CLAIM_TURN_MASK;
  return state_of_word(request) == SKIPPED ? less(turn, (int64_t)behind) : turn;
}

static inline int64_t area_bytes(int64_t max) { return align_to(AREA_PAYLOAD + max, AREA_ALIGNMENT); }

void endpoint_init(endpoint *e, bywash_segment *s, const row *r);
/** Takes the first role that can be had from `first` on, before `end`: 0 or an error. */
int take_call_role(role *r, const endpoint *e, int first, int end, int mode);
/** Whether the responder that has claimed a turn has given its role back, or died and was buried. */
bool is_claimer_gone(const endpoint *e, uint64_t claim);
/** Whether it will not answer: its role may also have been revoked. */
bool is_claimer_lost(const endpoint *e, uint64_t claim);
/** Whether nobody uses a slot any more: its last request has an end, or its claimer is gone. */
bool is_slot_free(const endpoint *e, const char *slot);
/** Gives a call up, whose reply word was `found` before it; false when there is a reply. */
bool abandon_call(const endpoint *e, char *slot, int64_t turn, uint64_t found);
/** Gives up the calls of a caller, and of a dead one (whose role has `word`) the one-way requests nobody has taken. */
void drop_requests(const endpoint *e, int caller, uint64_t word, bool one_way_too);
/** 0, or the error of an impossible request word. */
int check_turn(const endpoint *e, int caller, uint64_t request);
/** Reads where a payload is in its area: 0 or an error. */
int read_extent(const endpoint *e, const char *area, int32_t max, const char *what, int32_t *start, int32_t *length);
static inline void write_extent(char *area, int64_t start, int64_t length) {
  store(area + AREA_START, start | (int64_t)((uint64_t)length << 32));
}

/** Raises a counter for people. */
static inline void count_call(char *at, int counter) { store(at + counter, plus_one(load(at + counter))); }

#endif
