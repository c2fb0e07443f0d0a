/* What makes a row of each kind sound (SPEC 6 and 9 to 14). */
#include "internal.h"

#include <stdio.h>

static bool is_sound_broadcast(const row *r) {
  return __builtin_popcountll((uint64_t)r->capacity) == 1 && r->capacity >= 4096 && r->capacity <= INT64_C(1) << 37
      && r->roles >= 2 && r->element_size >= 1 && r->element_size <= min64(r->capacity / 8, 1 << 30)
      && r->capacity <= r->size - data_begin(r->roles) - SPARE_BYTES;
}

static bool is_sound_cells(const row *r) {
  int64_t size = r->element_size;
  if (r->roles != 0 || r->capacity < 1 || r->capacity > INT32_MAX) {
    return false;
  }
  switch (r->parameters[PARAMETER_FORM]) {
    case ATOMICS:
      return size == CELL_BYTES && r->capacity <= MAX_ATOMICS && r->capacity * size <= r->size;
    case NUMBERS:
      return (size == 4 || size == 8) && r->capacity * size <= r->size;
    case RECORDS:
      return size >= 1 && size <= 1 << 30 && r->capacity <= r->size / element_bytes(size);
    default:
      return false;
  }
}

int check_kind(const bywash_segment *s, const row *r, char *how, size_t how_bytes) {
  (void)s;
  int64_t room = r->size - data_begin(r->roles) - data_end(r->roles);
  int64_t most = min64(room, INT64_C(1) << 37);
  bool sound = true;
  how[0] = 0;
  switch (r->kind) {
    case BYWASH_BROADCAST:
      sound = is_sound_broadcast(r);
      snprintf(how, how_bytes, "a ring of %lld bytes with messages of up to %lld bytes and %d roles does not fit its"
          " %lld bytes", (long long)r->capacity, (long long)r->element_size, r->roles, (long long)r->size);
      break;
    case BYWASH_WORK_QUEUE: {
      int policy;
      int64_t limit;
      char letters[DEAD_LETTERS_MAX_BYTES + 1];
      sound = __builtin_popcountll((uint64_t)r->capacity) == 1 && r->capacity >= 1 && r->capacity <= MAX_CAPACITY
          && r->roles >= 2 && r->element_size >= 1 && r->element_size <= 1 << 30
          && queue_bytes(r->capacity, r->roles, r->element_size) <= most;
      snprintf(how, how_bytes, "%lld messages of up to %lld bytes and %d roles do not fit its %lld bytes",
          (long long)r->capacity, (long long)r->element_size, r->roles, (long long)r->size);
      if (sound && !read_policy(r->parameters, &policy, &limit, letters)) {
        sound = false;
        snprintf(how, how_bytes, "its parameters are no delivery policy");
      }
      break;
    }
    case BYWASH_CELLS:
      sound = is_sound_cells(r);
      snprintf(how, how_bytes, "%lld cells of %lld bytes do not fit its %lld bytes and %d"
          " roles", (long long)r->capacity,
          (long long)r->element_size, (long long)r->size, r->roles);
      break;
    case BYWASH_LATEST: {
      int64_t writers = r->parameters[PARAMETER_WRITERS];
      sound = r->capacity == 1 && writers >= 1 && writers < r->roles && r->element_size >= 1
          && r->element_size <= 1 << 30 && writers * BUFFERS_A_WRITER * buffer_bytes(r->element_size) <= most;
      snprintf(how, how_bytes, "values of up to %lld bytes of %lld writers among %d roles do not fit its %lld bytes",
          (long long)r->element_size, (long long)writers, r->roles, (long long)r->size);
      break;
    }
    case BYWASH_RING:
      sound = r->capacity >= 1 && r->capacity <= 1 << 30 && r->element_size >= 1 && r->element_size <= 1 << 20
          && r->roles == 2 && (r->capacity + ring_block(r->capacity)) * r->element_size <= most;
      snprintf(how, how_bytes, "%lld elements of %lld bytes and %d roles do not fit its %lld bytes",
          (long long)r->capacity, (long long)r->element_size, r->roles, (long long)r->size);
      break;
    case BYWASH_POOL:
      sound = is_sound_pool(r, most);
      snprintf(how, how_bytes, "%lld objects of %lld bytes and %d roles do not fit its %lld bytes",
          (long long)r->capacity, (long long)r->element_size, r->roles, (long long)r->size);
      break;
    case BYWASH_ENDPOINT:
      sound = is_sound_endpoint(r, how, how_bytes);
      break;
    default:
      break;
  }
  return sound ? 0 : BYWASH_EDAMAGED;
}
