/* Pools (SPEC 13): looking, and what the dead have left. */
#include "internal.h"

#include <stdio.h>

enum {
  RECLAIMED = 384, OBJECT_LEASE = 0, OBJECT_VERSION = 8, OBJECT_DATA = 16, OBJECT_ALIGNMENT = 128,
  GENERATION_SHIFT = 28, ROLE_GENERATION_SHIFT = 12, LEASE_ROLE_SHIFT = 1, MAX_POOL_OBJECTS = 1 << 28,
  MAX_OBJECT_BYTES = 1 << 20, MAX_READS = 16
};

#define HOLDER_MASK ((UINT64_C(1) << GENERATION_SHIFT) - 1)

static int64_t words(int64_t bits) { return (bits + 63) / 64; }
static int64_t taken_offset(const row *r) { return align_to(words(words(r->capacity)) * 8, OBJECT_ALIGNMENT); }
static int64_t objects_offset(const row *r) {
  return taken_offset(r) + align_to(words(r->capacity) * 8, OBJECT_ALIGNMENT);
}
static int64_t object_bytes(const row *r) { return align_to(OBJECT_DATA + r->element_size, OBJECT_ALIGNMENT); }

bool is_sound_pool(const row *r, int64_t most) {
  return r->capacity >= 1 && r->capacity <= MAX_POOL_OBJECTS && r->element_size >= 1
      && r->element_size <= MAX_OBJECT_BYTES && r->roles >= 1
      && objects_offset(r) + r->capacity * object_bytes(r) <= most;
}

static char *object_at(const row *r, char *data, int64_t index) {
  return data + objects_offset(r) + index * object_bytes(r);
}

/** Whose an object is. */
static uint64_t lease_of(const char *object) {
  return (uint64_t)load_acquire(object + OBJECT_LEASE); /* [lease] makes visible what its last holder wrote */
}
static uint64_t generation_of(uint64_t word) { return word >> GENERATION_SHIFT; }
static bool is_free(uint64_t lease) { return (lease & HOLDER_MASK) == 0; }

/* ---- the end of a role */

/** Clears an object's bit among the taken ones, and then that of its word among the full ones. */
static void give_hint(const row *r, char *data, int64_t index) {
  char *taken = data + taken_offset(r) + index / 64 * 8;
  char *full = data + index / 64 / 64 * 8;
  uint64_t bit = UINT64_C(1) << (index & 63);
  uint64_t of_word = UINT64_C(1) << (index / 64 & 63);
  if (((uint64_t)load(taken) & bit) != 0) {
    fetch_and(taken, (int64_t)~bit);
  }
  if (((uint64_t)load(full) & of_word) != 0) {
    fetch_and(full, (int64_t)~of_word);
  }
}

void recover_user(bywash_segment *s, const row *r, int index, uint64_t word) {
  char *base = s->map + r->offset;
  char *at = base + ROLES + (int64_t)index * ROLE_BYTES + ROLE_WORD;
  char *data = base + data_begin(r->roles);
  uint64_t revoked = (word & ~UINT64_C(0xF)) | ROLE_REVOKED;
  if (owner_state(word) == ROLE_ACTIVE) {
    compare_and_set(at, (int64_t)word, (int64_t)revoked); /* nobody hands it an object any more */
  }
  if ((uint64_t)load_acquire(at) != revoked) {
    return; /* it never began, or somebody has done it, and ended the role */
  }
  full_fence(); /* [transfer] either this sees a lease handed over, or who hands it over sees the role end */
  uint64_t holder = (uint64_t)owner_generation(word) << ROLE_GENERATION_SHIFT
      | (uint64_t)(index + 1) << LEASE_ROLE_SHIFT;
  int64_t freed = 0;
  for (int64_t i = 0; i < r->capacity; i++) {
    char *object = object_at(r, data, i);
    uint64_t lease = lease_of(object);
    if (is_free(lease)) {
      give_hint(r, data, i); /* a dead one may have taken it */
    } else if ((lease & HOLDER_MASK) == holder
        && compare_and_set(object + OBJECT_LEASE, (int64_t)lease, (int64_t)(lease & ~HOLDER_MASK))) { /* [lease] */
      give_hint(r, data, i);
      freed++;
    }
  }
  if (freed > 0) {
    bywash_step();
    atomic_fetch_add_explicit(WORD(base + RECLAIMED), freed, memory_order_relaxed);
  }
}

/* ---- looking */

/** Checks the index of a handle: 0 or an error. */
static int find_object(const bywash_view *v, int64_t handle, int64_t *index) {
  int result = check_usable(v->segment);
  if (result == 0 && v->row.kind != BYWASH_POOL) {
    return fail(BYWASH_EINVAL, "entry \"%s\" is no pool", v->row.name);
  }
  *index = handle & (int64_t)HOLDER_MASK;
  return result != 0 || handle == 0 || (*index < v->row.capacity && generation_of((uint64_t)handle) != 0) ? result
      : fail(BYWASH_EINVAL, "handle=%llx: entry \"%s\" has objects 0 to %lld, and generations from 1 on",
          (unsigned long long)handle, v->row.name, (long long)v->row.capacity - 1);
}

int bywash_pool_next(bywash_view *view, int64_t *handle) {
  const row *r = &view->row;
  int64_t index;
  int result = find_object(view, *handle, &index);
  if (result != 0) {
    return result;
  }
  for (index = *handle == 0 ? 0 : index + 1; index < r->capacity; index++) {
    uint64_t lease = lease_of(object_at(r, view->base + data_begin(r->roles), index));
    int64_t role = (int64_t)(lease >> LEASE_ROLE_SHIFT & 0x7FF) - 1;
    if (!is_free(lease)) {
      result = check_present(view->segment, r);
      if (result == 0 && ((lease & 1) != 0 || role < 0 || role >= r->roles || generation_of(lease) == 0)) {
        return damaged_entry(view->segment, r, "object %lld has a lease that no user has, %llx", (long long)index,
            (unsigned long long)lease);
      }
      *handle = (int64_t)((lease & ~HOLDER_MASK) | (uint64_t)index);
      return result != 0 ? result : 1;
    }
  }
  return check_present(view->segment, r);
}

int bywash_pool_get(bywash_view *view, int64_t handle, void *object) {
  const row *r = &view->row;
  int64_t index;
  int result = find_object(view, handle, &index);
  if (result != 0 || handle == 0) {
    return result;
  }
  char *at = object_at(r, view->base + data_begin(r->roles), index);
  for (int tries = 0; tries < MAX_READS; tries++) {
    uint64_t lease = lease_of(at);
    uint64_t version = (uint64_t)load_acquire(at + OBJECT_VERSION); /* [object] makes the data visible */
    if (is_free(lease) || generation_of(lease) != generation_of((uint64_t)handle)
        || generation_of(version) != generation_of((uint64_t)handle)) {
      break;
    }
    if ((version & 1) == 0) {
      memcpy(object, at + OBJECT_DATA, (size_t)r->element_size);
      acquire_fence(); /* [object] if any of the data were written since, the version is seen to have changed */
      if ((uint64_t)load(at + OBJECT_VERSION) == version) {
        result = check_present(view->segment, r);
        return result != 0 ? result : 1;
      }
    }
    spin_pause();
  }
  return check_present(view->segment, r);
}
