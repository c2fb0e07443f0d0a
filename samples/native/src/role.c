/* Roles (SPEC 4.3): how they are taken, revoked and given back; and waiting (SPEC 5). */
#include "internal.h"

#include <sched.h>
#include <stdio.h>

#define SPINS 1000
#define MAX_TRIES 1000
#define NAP_NS 50000
#define DEAF_NAP_NS 5000000 /* of who waits for something that is rare, and takes long */

static char *base_of(const bywash_segment *s, const row *r) { return s->map + r->offset; }

static char *role_of(const bywash_segment *s, const row *r, int index) {
  return base_of(s, r) + ROLES + (int64_t)index * ROLE_BYTES;
}

static uint64_t word_of(const bywash_segment *s, const row *r, int index) {
  return (uint64_t)load_acquire(role_of(s, r, index) + ROLE_WORD); /* [role-active] */
}

static char *bits_of(const bywash_segment *s, const row *r, bool for_data, int word) {
  return base_of(s, r) + (for_data ? WAITING_FOR_DATA : WAITING_FOR_SPACE) + word * 8;
}

static char *summary_of(const bywash_segment *s, const row *r, bool for_data) {
  return base_of(s, r) + (for_data ? SUMMARY_FOR_DATA : SUMMARY_FOR_SPACE);
}

/* ---- the waker's side */

/** The slot of a role's holder, read after the role's bit was taken; -1 when nobody holds it. */
static int holder(const bywash_segment *s, const row *r, int index) {
  if (index >= r->roles) {
    return -1; /* damage */
  }
  uint64_t word = word_of(s, r, index);
  return owner_state(word) == ROLE_FREE || owner_slot(word) >= s->slots ? -1 : owner_slot(word);
}

static uint32_t doorbell_bit(int index) { return UINT32_C(1) << (index & 31); }

static bool ring_bell(bywash_segment *s, const row *r, int index) {
  int id = holder(s, r, index);
  if (id >= 0) {
    wake_slot(s, id, doorbell_bit(index));
  }
  return id >= 0;
}

/** Wakes the holders of roles in one word of bits, each participant once. */
static void ring_word(bywash_segment *s, const row *r, int word, uint64_t taken) {
  for (uint64_t bits = taken; bits != 0;) {
    int first = word * 64 + __builtin_ctzll(bits);
    bits &= bits - 1;
    int id = holder(s, r, first);
    uint32_t doorbell = doorbell_bit(first);
    for (uint64_t others = id < 0 ? 0 : bits; others != 0; others &= others - 1) {
      int other = word * 64 + __builtin_ctzll(others);
      if (holder(s, r, other) == id) {
        doorbell |= doorbell_bit(other);
        bits &= ~(others & (~others + 1));
      }
    }
    if (id >= 0) {
      wake_slot(s, id, doorbell);
    }
  }
}

/** Clears a summary bit whose word was zero; true when a role was announced after all, and was woken. */
static bool clear_summary(bywash_segment *s, const row *r, bool for_data, int word) {
  int64_t bit = INT64_C(1) << word;
  fetch_and(summary_of(s, r, for_data), ~bit); /* [summary] whoever set this bit set its own bit before */
  if (load_acquire(bits_of(s, r, for_data, word)) == 0) { /* [summary] so its own bit is seen here */
    return false;
  }
  fetch_or(summary_of(s, r, for_data), bit);
  ring_word(s, r, word, (uint64_t)fetch_and(bits_of(s, r, for_data, word), 0));
  return true;
}

void signal_roles(bywash_segment *s, const row *r, bool for_data) {
  if (!any_waits(s, base_of(s, r), for_data)) {
    return;
  }
  for (int word = 0; word < (r->roles + 63) / 64; word++) {
    if ((load(summary_of(s, r, for_data)) & INT64_C(1) << word) != 0) { /* [waiting] */
      if (load_acquire(bits_of(s, r, for_data, word)) == 0) {
        clear_summary(s, r, for_data, word);
      } else {
        ring_word(s, r, word, (uint64_t)fetch_and(bits_of(s, r, for_data, word), 0));
      }
    }
  }
}

/** Clears a role's bit if it is set; whether it was. */
static bool withdraw(bywash_segment *s, const row *r, bool for_data, int index) {
  char *word = bits_of(s, r, for_data, index >> 6);
  int64_t bit = (int64_t)(UINT64_C(1) << (index & 63));
  return (load_acquire(word) & bit) != 0 && (fetch_and(word, ~bit) & bit) != 0;
}

bool signal_one(bywash_segment *s, const row *r, bool for_data, int *search_start) {
  if (!any_waits(s, base_of(s, r), for_data)) {
    return false;
  }
  int words = (r->roles + 63) / 64;
  int first = *search_start;
  for (int i = 0; i <= words; i++) { /* the first word twice: its upper part first, its lower part last */
    int word = (first / 64 + i) % words;
    if ((load(summary_of(s, r, for_data)) & INT64_C(1) << word) != 0) { /* [waiting] */
      uint64_t bits = (uint64_t)load_acquire(bits_of(s, r, for_data, word));
      if (bits == 0 && clear_summary(s, r, for_data, word)) {
        return true;
      }
      uint64_t upper = ~UINT64_C(0) << (first & 63);
      for (bits &= i == 0 ? upper : i == words ? ~upper : ~UINT64_C(0); bits != 0; bits &= bits - 1) {
        int index = word * 64 + __builtin_ctzll(bits);
        if (withdraw(s, r, for_data, index) && ring_bell(s, r, index)) {
          *search_start = (index + 1) % (words * 64);
          return true;
        }
      }
    }
  }
  return false;
}

bool signal_role(bywash_segment *s, const row *r, bool for_data, int index) {
  return any_waits(s, base_of(s, r), for_data) && withdraw(s, r, for_data, index) && ring_bell(s, r, index);
}

void wake_all(bywash_segment *s, const row *r) {
  signal_roles(s, r, true);
  signal_roles(s, r, false);
}

/* ---- freeing and revoking */

static void raise_left(const bywash_segment *s, const row *r) {
  char *left = base_of(s, r) + LEFT;
  int64_t seen;
  int tries = 0;
  do {
    seen = load_acquire(left);
  } while (!compare_and_set(left, seen, (int64_t)((uint64_t)seen + 1)) && ++tries < MAX_TRIES); /* [left] */
}

static bool leaves_something(bywash_segment *s, const row *r, int index) {
  char how[256];
  bool may = r->kind == BYWASH_WORK_QUEUE || r->kind == BYWASH_ENDPOINT;
  if (!may || r->version != KIND_VERSION || check_kind(s, r, how, sizeof how) != 0) {
    return false;
  }
  if (r->kind == BYWASH_ENDPOINT) {
    return leaves_claim(s, r, index);
  }
  queue q;
  queue_init(&q, s, r);
  return may_hold(&q, index);
}

/** What comes before the role of a dead holder is freed, or taken by another one. */
static void recover_role(bywash_segment *s, const row *r, int index, uint64_t word) {
  char how[256];
  if ((r->kind == BYWASH_POOL || r->kind == BYWASH_ENDPOINT) && r->version == KIND_VERSION
      && check_kind(s, r, how, sizeof how) == 0) {
    (r->kind == BYWASH_POOL ? recover_user : recover_caller)(s, r, index, word);
  }
}

bool free_role(bywash_segment *s, const row *r, int index, uint64_t word) {
  if (owner_of(word) != s->self) {
    recover_role(s, r, index, word);
    uint64_t revoked = (word & ~UINT64_C(0xF)) | ROLE_REVOKED;
    word = word_of(s, r, index) == revoked ? revoked : word; /* as the recovery of some kinds does */
  }
  if (word_of(s, r, index) != word) {
    return false;
  }
  bool waited = withdraw(s, r, true, index);
  waited |= withdraw(s, r, false, index);
  bool leaves = leaves_something(s, r, index);
  if (leaves) {
    raise_left(s, r); /* others learn of it even if this process dies behind the next step */
  }
  /* [role-free] the owner's last position is visible to the next taker */
  bool freed = compare_and_set(role_of(s, r, index), (int64_t)word,
      (int64_t)owner_word(0, owner_generation(word), 0, ROLE_FREE));
  if (!freed && waited) {
    ring_bell(s, r, index); /* another participant was faster: that may have been the next holder's bit */
  }
  if (freed && leaves) {
    int start = 0;
    raise_left(s, r); /* whoever searched behind the first raise may have found the role still taken */
    signal_one(s, r, true, &start);
  }
  return freed;
}

bool revoke_role(const role *r, int index, uint64_t word) {
  bool revoked = compare_and_set(role_at(r, index), (int64_t)word,
      (int64_t)((word & ~UINT64_C(0xF)) | ROLE_REVOKED));
  full_fence(); /* [revoked] */
  return revoked;
}

/* ---- taking */

int role_begin(role *r, bywash_segment *s, const row *found, bool for_data, uint32_t wait) {
  memset(r, 0, sizeof *r);
  if (wait > BYWASH_SLEEP) {
    return fail(BYWASH_EINVAL, "wait=%u is no way to wait", wait);
  }
  int result = s->read_only ? check_usable(s) : require_participant(s);
  result = result != 0 ? result : hold_row(s, found);
  if (result == 0) {
    r->segment = s;
    r->row = *found;
    r->base = s->map + found->offset;
    r->index = NO_ROLE;
    r->wait = wait;
    r->for_data = for_data;
  }
  return result;
}

int role_take(role *r, int index, int mode) {
  bywash_segment *s = r->segment;
  char label[LABEL_MAX_BYTES] = { 0 };
  int result = require_participant(s);
  for (int tries = 0; result == 0 && tries < MAX_TRIES; tries++) {
    int64_t used = load_acquire(r->base + ROLES_USED);
    if (used <= index && !compare_and_set(r->base + ROLES_USED, used, index + 1)) {
      continue;
    }
    uint64_t word = role_word(r, index); /* [role-free] */
    if (owner_state(word) != ROLE_FREE) {
      if (is_alive(s, word)) {
        return 0;
      }
      recover_role(s, &r->row, index, word);
    }
    uint64_t mine = owner_word(s->self, owner_generation(word) + 1, mode, ROLE_JOINING);
    if (compare_and_set(role_at(r, index) + ROLE_WORD, (int64_t)word, (int64_t)mine)) {
      r->index = index;
      r->at = role_at(r, index);
      r->word = mine;
      copy_in(r->at + ROLE_LABEL, label, sizeof label);
      withdraw(s, &r->row, true, index); /* a dead holder's */
      withdraw(s, &r->row, false, index);
      return 1;
    }
  }
  return result != 0 ? result : damaged_entry(s, &r->row, "the word of role %d does not stand still: it changed %d"
      " times"
      " while it was taken", index, MAX_TRIES);
}

int role_activate(role *r, const char *label) {
  char padded[LABEL_MAX_BYTES] = { 0 };
  int result = label == NULL ? 0 : check_label(label);
  if (result != 0) {
    return result;
  }
  if (label != NULL) {
    memcpy(padded, label, strlen(label));
    copy_in(r->at + ROLE_LABEL, padded, sizeof padded);
  }
  uint64_t active = (r->word & ~UINT64_C(0xF)) | ROLE_ACTIVE;
  if (!compare_and_set(r->at + ROLE_WORD, (int64_t)r->word, (int64_t)active)) { /* [role-active] */
    return taken_away(r);
  }
  r->word = active;
  full_fence(); /* [join] the compare-and-set alone does not order later acquire loads */
  return 0;
}

void role_release(role *r) {
  bywash_segment *s = r->segment;
  if (r->index != NO_ROLE && !s->forked) {
    uint64_t revoked = (r->word & ~UINT64_C(0xF)) | ROLE_REVOKED;
    if (free_role(s, &r->row, r->index, r->word) || free_role(s, &r->row, r->index, revoked)) {
      wake_all(s, &r->row); /* nobody has to wait for this role now */
    }
  }
  r->index = NO_ROLE;
}

void role_end(role *r) {
  if (r->segment != NULL) {
    role_release(r);
    let_go(r->segment, &r->row);
    r->segment = NULL;
  }
}

int roles_used(const role *r) {
  int64_t used = load_acquire(r->base + ROLES_USED);
  return (int)(used < 0 ? 0 : used > r->row.roles ? r->row.roles : used);
}

bool is_revoked(const role *r) {
  return (uint64_t)load_acquire(r->at + ROLE_WORD) == ((r->word & ~UINT64_C(0xF)) | ROLE_REVOKED);
}

int taken_away(const role *r) {
  return fail(BYWASH_ECLOSED, "This role of entry \"%s\" in segment %s was taken away, because its process was taken"
      " for"
      " dead. Close the segment, and attach it again.", r->row.name, r->segment->where.path);
}

int role_probe(role *r) {
  r->probed_ns = now_ns();
  int result = check_present(r->segment, &r->row);
  if (result == 0 && r->row.roles > 0 && load_acquire(r->base + REMOVED_MARK) != 0) {
    result = fail(BYWASH_EREMOVED, "Entry \"%s\" of segment %s was removed while it was in use. Find or add it again.",
        r->row.name, r->segment->where.path);
  }
  return result != 0 ? result : probe_name(r->segment);
}

/* ---- the sleeper's side */

/** Sleeps in the kernel, for at most 50 ms, unless the wait is over. */
static void sleep_once(role *r, wait_over *over, void *context, int64_t left) {
  bywash_segment *s = r->segment;
  if (r->deaf || r->index == NO_ROLE || !everybody_can_wake(s)) { /* nobody is to wake it, or nobody would */
    int64_t end = now_ns() + min64(left, PROBE_NS);
    for (int64_t rest; !over(context) && (rest = end - now_ns()) > 0;) {
      sleep_ns(min64(rest, r->deaf ? DEAF_NAP_NS : NAP_NS));
    }
    return;
  }
  char *doorbell = slot_at(s, owner_slot(s->self)) + SLOT_DOORBELL;
  int32_t seen = load_int_acquire(doorbell);
  char *word = bits_of(s, &r->row, r->for_data, r->index >> 6);
  int64_t bit = (int64_t)(UINT64_C(1) << (r->index & 63));
  fetch_or(word, bit); /* [summary] seen if the next one is */
  fetch_or(summary_of(s, &r->row, r->for_data), INT64_C(1) << (r->index >> 6)); /* [waiting] [summary] */
  full_fence(); /* [waiting] */
  bool fenced = !s->asymmetric || barrier_on_others(); /* [waiting] */
  if (!over(context) && fenced) {
    if (has_slot(s)) {
      store(slot_at(s, owner_slot(s->self)) + SLOT_HEARTBEAT, now_ns());
    }
    futex_sleep(doorbell, seen, doorbell_bit(r->index), min64(left, PROBE_NS));
  }
  withdraw(s, &r->row, r->for_data, r->index); /* if a waker took the bit, the caller checks before it waits again */
}

int role_wait(role *r, wait_over *over, void *context, int64_t deadline) {
  if (deadline == 0) {
    return 0;
  }
  int64_t start = now_ns();
  int64_t left = deadline - start;
  if (left <= 0) {
    return 0;
  }
  if (start - r->probed_ns >= PROBE_NS) {
    int result = role_probe(r);
    if (result != 0) {
      return result;
    }
    probe_peers(r->segment);
  }
  if (r->wait == BYWASH_SPIN) {
    for (int spins = 1; !over(context); spins++) {
      spin_pause();
      if (spins % 64 == 0 && now_ns() - start > min64(left, PROBE_NS)) {
        break;
      }
    }
    return 1;
  }
  if (r->wait == BYWASH_BACKOFF) {
    for (int i = 0; i < SPINS; i++) {
      if (over(context)) {
        r->brief = true;
        return 1;
      }
      spin_pause();
    }
    for (bool yields = r->brief; yields && !over(context) && now_ns() - start <= min64(left, BRIEF_NS);) {
      sched_yield();
    }
    if (over(context)) { /* after a long yield the next wait sleeps without yielding */
      r->brief = now_ns() - start <= 2 * BRIEF_NS;
      return 1;
    }
    r->brief = false;
  }
  sleep_once(r, over, context, left);
  return 1;
}
