/*
 * Participants (SPEC 3, and Remove in 7): slots, life and death, joining, burying, leaving, and the segment's state.
 *
 * A slot belongs to the holder of its lock. Nothing is ever taken from a process that is not proven dead.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define SETTLE_NS INT64_C(500000000)
#define NAME_PROBE_NS INT64_C(1000000000)
#define LOCK_TIMEOUT_NS INT64_C(10000000000)

static void set_slot_word(bywash_segment *s, int id, uint32_t epoch, int state) {
  store_fenced(slot_at(s, id) + SLOT_WORD, (int64_t)owner_word(participant(id, epoch), 0, 0, state));
}

static bool is_retired(uint64_t word) { return owner_state(word) == SLOT_FREE && owner_epoch(word) >= LAST_EPOCH; }

/* ---- life and death */

/** Whether the holder of a slot is known to run; in a copy of a segment's file the slot proves nothing. */
static bool holder_runs(const bywash_segment *s, int id) {
  const char *slot = slot_at(s, id);
  int64_t inode = load(s->map + INODE_OFFSET);
  identity who = { load(slot + SLOT_PID), load(slot + SLOT_START_TICKS), load(slot + SLOT_PID_NAMESPACE),
    load(slot + SLOT_BOOT_HIGH), load(slot + SLOT_BOOT_LOW) };
  return (inode == 0 || inode == (int64_t)s->inode) && certainly_runs(&who);
}

bool is_alive(bywash_segment *s, uint64_t word) {
  int id = owner_slot(word);
  if (id >= s->slots) {
    return false; /* no such slot: damage, and certainly nobody's */
  }
  if (s->self != 0 && owner_of(word) == s->self) {
    return true;
  }
  uint64_t now = slot_word(s, id);
  if (owner_epoch(now) != owner_epoch(word) || owner_state(now) == SLOT_FREE) {
    return false;
  }
  return is_locked(s->file.fd, SLOT_LOCKS + id, 1)
      || (holder_runs(s, id) && owner_epoch(slot_word(s, id)) == owner_epoch(word));
}

bool has_slot(const bywash_segment *s) {
  return s->self != 0 && owner_of(slot_word(s, owner_slot(s->self))) == s->self
      && owner_state(slot_word(s, owner_slot(s->self))) != SLOT_FREE;
}

int64_t pid_of(bywash_segment *s, uint64_t word) {
  int id = owner_slot(word);
  return id < s->slots && owner_epoch(slot_word(s, id)) == owner_epoch(word) ? load(slot_at(s, id) + SLOT_PID) : 0;
}

/** Whether another participant lives; those that are leaving count only if asked for. */
bool any_other_lives(bywash_segment *s, bool leaving_too) {
  for (int id = 0; id < s->slots; id++) {
    uint64_t word = slot_word(s, id);
    int state = owner_state(word);
    if (state != SLOT_FREE && (leaving_too || state != SLOT_LEAVING) && owner_of(word) != s->self
        && is_alive(s, word)) {
      return true;
    }
  }
  return false;
}

bool everybody_can_wake(bywash_segment *s) {
  for (int id = 0; id < s->slots; id++) {
    uint64_t word = slot_word(s, id);
    if (owner_state(word) != SLOT_FREE) {
      int64_t capabilities = load(slot_at(s, id) + SLOT_CAPABILITIES);
      bool wakes = (capabilities & CAN_WAKE) != 0 && ((capabilities & ASYMMETRIC) == 0 || s->asymmetric);
      if (!wakes && is_alive(s, word)) {
        return false;
      }
    }
  }
  return true;
}

void wake_slot(bywash_segment *s, int id, uint32_t bits) {
  char *doorbell = slot_at(s, id) + SLOT_DOORBELL;
  bywash_step();
  atomic_fetch_add_explicit(HALF(doorbell), 1, memory_order_acq_rel); /* whoever compares it later does not sleep */
  futex_wake(doorbell, bits);
}

int require_participant(bywash_segment *s) {
  int result = check_usable(s);
  if (result != 0) {
    return result;
  }
  if (s->read_only) {
    return fail(BYWASH_ESTATE, "Segment %s is attached read-only; attach it for writing to take roles, to add entries,"
        " or to recover it.", s->where.path);
  }
  if (!has_slot(s)) {
    return fail(BYWASH_ECLOSED, "This process was taken for dead in segment %s, since it lost its lock on the file."
        " Close the segment, and attach it again.", s->where.path);
  }
  return probe_name(s);
}

int probe_name(bywash_segment *s) {
  int64_t now = now_ns();
  if (!s->name_lost && !s->read_only && now - s->name_probed_ns >= NAME_PROBE_NS) {
    s->name_probed_ns = now;
    const char *state = s->map + STATE_OFFSET;
    s->name_lost = !is_at(s->where.path, s->device, s->inode) && owner_state((uint64_t)load_acquire(state)) == OPEN
        && !is_at(s->where.path, s->device, s->inode);
  }
  return !s->name_lost ? 0 : fail(BYWASH_EGONE, "Segment %s no longer has its name: its file was removed or replaced"
      " while it was in use, so that nobody else can find it. Close it, and open it again.", s->where.path);
}

/* ---- taking a slot's lock, burying */

/** Takes a slot's lock, unless somebody holds it or its holder certainly runs; never waits for it. */
static bool take_lock(bywash_segment *s, int id) {
  uint64_t word = slot_word(s, id);
  if (owner_state(word) != SLOT_FREE && (is_locked(s->file.fd, SLOT_LOCKS + id, 1) || holder_runs(s, id))) {
    return false;
  }
  if (lock_byte(s->file.fd, SLOT_LOCKS + id) != 0) {
    return false;
  }
  if (slot_word(s, id) == word) {
    return true;
  }
  unlock_byte(s->file.fd, SLOT_LOCKS + id); /* it has another holder or another epoch by now */
  return false;
}

/** Ends the life in a slot whose lock is held. May be cut short anywhere: the next holder of the lock begins anew. */
static int bury(bywash_segment *s, int id) {
  uint32_t epoch = owner_epoch(slot_word(s, id));
  if (owner_state(slot_word(s, id)) == SLOT_LEAVING) {
    store(slot_at(s, id) + SLOT_START_TICKS, 0); /* it left, and others shall see that */
  }
  set_slot_word(s, id, epoch == 0xFFFFFFFFu ? epoch : epoch + 1, SLOT_JOINING);
  return sweep(s, id);
}

static void free_slot(bywash_segment *s, int id) {
  uint64_t word = owner_word(participant(id, owner_epoch(slot_word(s, id))), 0, 0, SLOT_FREE);
  store_release(slot_at(s, id) + SLOT_WORD, (int64_t)word); /* [slot-free] roles are clear */
}

/** Buries the holder of a slot if it is dead; how many roles it had, -1 if there was nobody to bury. */
static int bury_if_dead(bywash_segment *s, int id) {
  if (id == owner_slot(s->self) || owner_state(slot_word(s, id)) == SLOT_FREE || !take_lock(s, id)) {
    return -1;
  }
  int freed = -1;
  if (owner_state(slot_word(s, id)) != SLOT_FREE) {
    freed = bury(s, id);
    free_slot(s, id);
  }
  unlock_byte(s->file.fd, SLOT_LOCKS + id);
  return freed;
}

void probe_peers(bywash_segment *s) {
  int64_t now = now_ns();
  int64_t last = s->probed_ns;
  if (s->read_only || now - last < PROBE_NS || !atomic_compare_exchange_strong(&s->probed_ns, &last, now)) {
    return;
  }
  int count = s->slots / 4 > 16 ? s->slots / 4 : 16;
  count = count < s->slots ? count : s->slots;
  int first = s->next_probe;
  s->next_probe = (first + count) % s->slots;
  if (pthread_mutex_trylock(&s->mutex) == 0) { /* else another thread buries */
    for (int i = 0; i < count && has_slot(s); i++) {
      bury_if_dead(s, (first + i) % s->slots);
    }
    pthread_mutex_unlock(&s->mutex);
  }
}

/* ---- joining */

static void activate(bywash_segment *s, int id, uint32_t epoch) {
  char *slot = slot_at(s, id);
  char label[LABEL_MAX_BYTES] = { 0 };
  identity me;
  identify_self(&me);
  s->asymmetric = register_barrier(); /* before the slot says so */
  store(slot + SLOT_PID, 0); /* one that dies before it has stored its own is not taken for the slot's last holder */
  set_slot_word(s, id, epoch, SLOT_JOINING);
  store(slot + SLOT_PID, me.pid);
  store(slot + SLOT_START_TICKS, me.start_ticks);
  store(slot + SLOT_PID_NAMESPACE, me.pid_namespace);
  store(slot + SLOT_BOOT_HIGH, me.boot_high);
  store(slot + SLOT_BOOT_LOW, me.boot_low);
  store(slot + SLOT_HEARTBEAT, now_ns());
  store(slot + SLOT_CAPABILITIES, CAN_WAKE | LOCKS_BY_DESCRIPTION | (s->asymmetric ? ASYMMETRIC : 0));
  copy_in(slot + SLOT_LABEL, label, sizeof label);
  store_int(slot + SLOT_IMPLEMENTATION, NATIVE_LIBRARY);
  store_int(slot + SLOT_IMPLEMENTATION_VERSION, NATIVE_LIBRARY_VERSION);
  for (int word = 0; word < MAX_ROWS / 64; word++) {
    store(slot + SLOT_HELD_ROWS + word * 8, 0);
  }
  s->self = participant(id, epoch);
  set_slot_word(s, id, epoch, SLOT_ACTIVE); /* [slot-active], and [closing]: the joiner reads the state next */
}

void join_first(bywash_segment *s) { activate(s, 0, 1); }

static int table_full(bywash_segment *s) {
  char pids[1024] = "";
  size_t length = 0;
  int retired = 0;
  for (int id = 0; id < s->slots; id++) {
    uint64_t word = slot_word(s, id);
    retired += is_retired(word) ? 1 : 0;
    if (owner_state(word) != SLOT_FREE && length < sizeof pids) {
      length += (size_t)snprintf(pids + length, sizeof pids - length, "%s%lld", length == 0 ? "" : ", ",
          (long long)load(slot_at(s, id) + SLOT_PID));
    }
  }
  char used[96] = "";
  if (retired > 0) {
    snprintf(used, sizeof used, "; %d were used so often that they cannot be used again", retired);
  }
  return fail(BYWASH_EFULL, "Segment %s has all its %d participant slots taken, by the processes %s%s. Close one, or"
      " create the segment with a larger participantCapacity.", s->where.path, s->slots, pids, used);
}

int join(bywash_segment *s) {
  int64_t start = now_ns();
  bool changing;
  do {
    changing = false;
    for (int id = 0; id < s->slots; id++) {
      uint64_t word = slot_word(s, id);
      if (!is_retired(word) && take_lock(s, id)) {
        if (owner_state(slot_word(s, id)) != SLOT_FREE) {
          bury(s, id);
        }
        uint32_t epoch = owner_epoch(slot_word(s, id));
        if (epoch < LAST_EPOCH) {
          activate(s, id, epoch + 1);
          return 0;
        }
        free_slot(s, id);
        unlock_byte(s->file.fd, SLOT_LOCKS + id);
      }
      word = slot_word(s, id);
      changing |= owner_state(word) != SLOT_ACTIVE && !is_retired(word);
    }
    if (changing) {
      sleep_ns(1000000);
    }
  } while (changing && now_ns() - start < SETTLE_NS);
  return table_full(s);
}

int bywash_label(bywash_segment *segment, const char *label) {
  char padded[LABEL_MAX_BYTES] = { 0 };
  int result = require_participant(segment);
  result = result != 0 ? result : check_label(label);
  if (result == 0) {
    memcpy(padded, label, strlen(label));
    copy_in(slot_at(segment, owner_slot(segment->self)) + SLOT_LABEL, padded, sizeof padded);
  }
  return result;
}

/* ---- the segment's state, and the end */

/** Whether a state is that of a removal whose remover died, or of a failed removal by this participant. */
static bool is_abandoned(bywash_segment *s, uint64_t state) {
  return owner_state(state) == CLOSING
      && ((owner_of(state) == s->self && !s->removing) || !is_alive(s, state));
}

static uint64_t read_state(const bywash_segment *s) {
  uint64_t state = (uint64_t)load_acquire(s->map + STATE_OFFSET);
  full_fence();
  return state;
}

bool is_removed(bywash_segment *s) { return owner_state(read_state(s)) == REMOVED; }

bool is_leaving(bywash_segment *s) {
  uint64_t state = read_state(s);
  return (owner_state(state) == REMOVED && !is_at(s->where.path, s->device, s->inode))
      || (owner_state(state) == CLOSING && !is_abandoned(s, state));
}

static bool revert_if_abandoned(bywash_segment *s) {
  uint64_t state = read_state(s);
  return is_abandoned(s, state) && compare_and_set(s->map + STATE_OFFSET, (int64_t)state, OPEN);
}

int open_again(bywash_segment *s) {
  for (int tries = 0; tries < 1000; tries++) {
    uint64_t state = read_state(s);
    switch (owner_state(state)) {
      case OPEN:
        return 1;
      case CLOSING:
        if (!is_abandoned(s, state)) {
          return 0;
        }
        compare_and_set(s->map + STATE_OFFSET, (int64_t)state, OPEN);
        break;
      case REMOVED:
        return is_at(s->where.path, s->device, s->inode)
            ? damaged_segment(&s->where, "it is marked as removed, but it is still there") : 0;
      default:
        return damaged_segment(&s->where, "its state is %d", owner_state(state));
    }
  }
  return damaged_segment(&s->where, "its state does not stand still: it changed 1000 times at one look");
}

static bool is_kept(bywash_segment *s) { return s->lifetime != BYWASH_WHILE_USED || retains(s, NULL, 0); }

void remove_if_unused(bywash_segment *s) {
  own_file lock;
  int directory = open_directory(&s->where);
  if (directory >= 0 && lock_names(directory, &s->where, 0, LOCK_TIMEOUT_NS, &lock) == 0) {
    revert_if_abandoned(s); /* another remover died */
    s->removing = true;     /* or a thread that recovers would revert it */
    if (compare_and_set(s->map + STATE_OFFSET, OPEN, (int64_t)owner_word(s->self, 0, 0, CLOSING))) { /* [closing] */
      full_fence(); /* [closing] */
      bool removed = false;
      if (!any_other_lives(s, false) && !is_kept(s) /* or somebody came meanwhile, left something, and is gone */
          && is_at(s->where.path, s->device, s->inode)) {
        bywash_step();
        removed = unlinkat(directory, s->where.name, 0) == 0;
      }
      store_fenced(s->map + STATE_OFFSET, removed ? REMOVED : OPEN);
    }
    s->removing = false;
    close_own(&lock);
  }
  if (directory >= 0) {
    close(directory);
  }
}

void leave(bywash_segment *s) {
  int id = owner_slot(s->self);
  if (!has_slot(s)) {
    return; /* taken for dead: whether anybody else stays is theirs to find out */
  }
  set_slot_word(s, id, owner_epoch(s->self), SLOT_LEAVING); /* [closing] */
  if (!any_other_lives(s, false) && !is_kept(s)) {
    remove_if_unused(s); /* whether or not that succeeds */
  }
  if (has_slot(s)) {
    store(slot_at(s, id) + SLOT_START_TICKS, 0); /* this process goes on, and must not veto a later holder's death */
    free_slot(s, id);
    unlock_byte(s->file.fd, SLOT_LOCKS + id);
  }
  s->self = 0;
}

int recover(bywash_segment *s, bywash_recovery *done) {
  pthread_mutex_lock(&s->mutex);
  for (int id = 0; id < s->slots; id++) {
    int freed = bury_if_dead(s, id);
    done->buried += freed >= 0 ? 1 : 0;
    done->roles_freed += freed > 0 ? freed : 0;
  }
  done->intent_voided = put_right(s) ? 1 : 0;
  done->removal_reverted = revert_if_abandoned(s) ? 1 : 0;
  pthread_mutex_unlock(&s->mutex);
  own_file lock;
  int directory = open_directory(&s->where);
  if (directory >= 0 && lock_names(directory, &s->where, 0, 0, &lock) == 0) {
    done->files_removed = clean_up(directory, &s->where);
    close_own(&lock);
  }
  if (directory >= 0) {
    close(directory);
  }
  return 0;
}
