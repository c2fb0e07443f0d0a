/* An attachment (SPEC 1, 7): creating, opening, attaching, observing and leaving a segment. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SETTLE_NS INT64_C(10000000000)
#define RACE_NS INT64_C(3000000000)
#define ALLOCATED_BYTES (INT64_C(64) << 20)

/* ---- the header */

int damaged_segment(const place *where, const char *format, ...) {
  char how[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(how, sizeof how, format, arguments);
  va_end(arguments);
  return fail(BYWASH_EDAMAGED, "Segment %s is damaged: %s. Nothing in it can be used; remove the file when no process"
      " needs it.", where->path, how);
}

static void set_geometry(bywash_segment *s) {
  s->rows_offset = HEADER_BYTES + (int64_t)s->slots * SLOT_BYTES;
  s->data_offset = align_to(s->rows_offset + (int64_t)s->rows * ROW_BYTES, PAGE_BYTES);
}

static void write_header(bywash_segment *s) {
  identity self;
  struct timespec now;
  identify_self(&self);
  clock_gettime(CLOCK_REALTIME, &now);
  store(s->map + MAGIC_OFFSET, MAGIC);
  store_int(s->map + VERSION_OFFSET, VERSION);
  store_int(s->map + HEADER_BYTES_OFFSET, HEADER_BYTES);
  store(s->map + SIZE_OFFSET, s->size);
  store(s->map + ID_OFFSET, s->id);
  store_int(s->map + SLOT_COUNT_OFFSET, s->slots);
  store_int(s->map + ROW_COUNT_OFFSET, s->rows);
  store(s->map + SLOTS_OFFSET_OFFSET, HEADER_BYTES);
  store(s->map + ROWS_OFFSET_OFFSET, s->rows_offset);
  store(s->map + DATA_OFFSET_OFFSET, s->data_offset);
  store_int(s->map + LIFETIME_OFFSET, (int32_t)s->lifetime);
  store(s->map + CREATED_OFFSET, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
  store(s->map + BOOT_HIGH_OFFSET, self.boot_high);
  store(s->map + BOOT_LOW_OFFSET, self.boot_low);
  store(s->map + INODE_OFFSET, (int64_t)s->inode);
  store_int(s->map + CHECKSUM_OFFSET, (int32_t)crc32c(s->map, CHECKSUM_OFFSET));
  store(s->map + NEXT_FREE_OFFSET, s->data_offset);
  store(s->map + STATE_OFFSET, OPEN);
}

static int read_header(bywash_segment *s) {
  const char *map = s->map;
  int64_t magic = load(map + MAGIC_OFFSET);
  if (magic != MAGIC) {
    return fail(BYWASH_EFORMAT, "File %s is not a Bywash segment: it begins with 0x%016llX, a segment with 0x%016llX."
        " Choose another name, or remove the file.", s->where.path, (unsigned long long)magic,
        (unsigned long long)MAGIC);
  }
  int32_t version = load_int(map + VERSION_OFFSET);
  if (version != VERSION) {
    return fail(BYWASH_EFORMAT, "Segment %s has layout version %d, this program uses version %d. Use the same Bywash"
        " version in all processes, or remove the segment when nobody uses it.", s->where.path, version, VERSION);
  }
  if (load_int_acquire(map + READY_OFFSET) != 1) { /* [ready] makes the whole header and all tables visible */
    return damaged_segment(&s->where, "it was never made ready");
  }
  if ((uint32_t)load_int(map + CHECKSUM_OFFSET) != crc32c(map, CHECKSUM_OFFSET)) {
    return damaged_segment(&s->where, "the checksum of its header is wrong");
  }
  int64_t features = load(map + REQUIRED_FEATURES_OFFSET);
  if (features != 0) {
    return fail(BYWASH_EFORMAT, "Segment %s needs features 0x%llx, which this program does not know. Use a newer Bywash"
        " version here.", s->where.path, (unsigned long long)features);
  }
  int64_t size = load(map + SIZE_OFFSET);
  if (size != s->size) {
    return damaged_segment(&s->where, "its header says %lld bytes, the file has %lld", (long long)size,
        (long long)s->size);
  }
  s->id = load(map + ID_OFFSET);
  s->slots = load_int(map + SLOT_COUNT_OFFSET);
  s->rows = load_int(map + ROW_COUNT_OFFSET);
  s->lifetime = load_int(map + LIFETIME_OFFSET) == BYWASH_KEPT ? BYWASH_KEPT : BYWASH_WHILE_USED;
  if (s->slots < 1 || s->slots > MAX_SLOTS || s->rows < 1 || s->rows > MAX_ROWS) {
    return damaged_segment(&s->where, "it claims %d participant slots and %d directory rows", s->slots, s->rows);
  }
  set_geometry(s);
  if (load(map + SLOTS_OFFSET_OFFSET) != HEADER_BYTES || load(map + ROWS_OFFSET_OFFSET) != s->rows_offset
      || load(map + DATA_OFFSET_OFFSET) != s->data_offset || s->data_offset > s->size) {
    return damaged_segment(&s->where, "its tables are not where the layout puts them");
  }
  return 0;
}

/* ---- objects */

static bywash_segment *new_segment(const place *where, bool read_only) {
  bywash_segment *s = calloc(1, sizeof *s);
  if (s == NULL) {
    fail(BYWASH_ENOMEM, "There is no memory left for an attachment.");
    return NULL;
  }
  s->where = *where;
  s->where.name = strrchr(s->where.path, '/') + 1;
  s->file = (own_file){ .fd = -1, .segment = s };
  s->read_only = read_only;
  s->name_probed_ns = now_ns();
  pthread_mutex_init(&s->mutex, NULL);
  return s;
}

static int map_file(bywash_segment *s) {
  s->map = map_own(&s->file, s->size, s->read_only);
  return s->map != NULL ? 0 : system_error(&s->where, s->where.path, errno);
}

static void free_segment(bywash_segment *s) {
  if (s->map != NULL) {
    munmap(s->map, (size_t)s->size);
  }
  close_own(&s->file); /* and with it the slot's lock */
  pthread_mutex_destroy(&s->mutex);
  free(s);
}

/* ---- creating */

static int already_there(const place *where) {
  return fail(BYWASH_EEXISTS, "Segment %s exists already. Use open to attach to it, or choose another name.",
      where->path);
}

static int allocate(bywash_segment *s) {
  int64_t free = free_bytes(&s->where);
  if (free < s->size) {
    return lacking_space(&s->where, free, s->size);
  }
  bywash_step();
  int error = 0;
  for (int64_t at = 0; at < s->size && error == 0;) { /* in pieces: a signal ends a call, which then has done nothing */
    int64_t piece = min64(s->size - at, ALLOCATED_BYTES);
    error = posix_fallocate(s->file.fd, at, piece);
    at += error == 0 ? piece : 0;
    error = error == EINTR ? 0 : error;
  }
  if (error == ENOSPC) {
    return lacking_space(&s->where, free_bytes(&s->where), s->size);
  }
  return error == 0 ? 0 : system_error(&s->where, s->where.path, error);
}

static int identify_file(bywash_segment *s) {
  struct stat found;
  if (fstat(s->file.fd, &found) != 0) {
    return system_error(&s->where, s->where.path, errno);
  }
  s->inode = found.st_ino;
  s->device = found.st_dev;
  return 0;
}

static int format(bywash_segment *s, const bywash_segment_spec *spec) {
  int result = allocate(s);
  if (result != 0 || (result = map_file(s)) != 0) {
    return result;
  }
  write_header(s);
  join_first(s);
  format_rows(s, spec);
  bywash_step();
  atomic_store_explicit(HALF(s->map + READY_OFFSET), 1, memory_order_release); /* [ready] */
  return 0;
}

static int create(const place *where, const bywash_segment_spec *spec, int64_t size, bywash_segment **segment) {
  int directory = open_directory(where);
  if (directory < 0) {
    return directory;
  }
  if (exists(where)) {
    close(directory);
    return already_there(where);
  }
  bywash_segment *s = new_segment(where, false);
  if (s == NULL) {
    close(directory);
    return BYWASH_ENOMEM;
  }
  char hidden[NAME_MAX_BYTES + 32];
  s->id = random_id();
  s->size = size;
  s->slots = (int)spec->participants;
  s->rows = (int)spec->rows;
  s->lifetime = spec->lifetime;
  set_geometry(s);
  int result = create_hidden(s, directory, spec->mode, hidden, sizeof hidden);
  if (result == 0) {
    result = identify_file(s);
    result = result != 0 ? result : format(s, spec);
    result = result != 0 ? result : link_name(directory, where, hidden);
    bywash_step();
    unlinkat(directory, hidden, 0);
  }
  close(directory);
  if (result == 0) {
    *segment = s;
    return 0;
  }
  free_segment(s);
  if (result == BYWASH_EEXISTS || (result == BYWASH_ENOSPACE && exists(where))) {
    return already_there(where); /* another creator was faster, or took the space for the same segment */
  }
  return result;
}

/* ---- attaching */

/** The mapped file with its header read: 0, or an error. */
static int open_mapped(const place *where, bool read_only, bywash_segment **segment) {
  bywash_segment *s = new_segment(where, read_only);
  if (s == NULL) {
    return BYWASH_ENOMEM;
  }
  int result = open_segment(where, s);
  if (result == 0) {
    result = s->size < HEADER_BYTES
        ? fail(BYWASH_EFORMAT, "File %s is not a Bywash segment: it has %lld bytes, a segment has at least %d. Choose"
            " another name, or remove the file.", where->path, (long long)s->size, HEADER_BYTES)
        : map_file(s);
    result = result != 0 ? result : read_header(s);
  }
  if (result < 0) {
    free_segment(s);
    return result;
  }
  *segment = s;
  return 0;
}

/** Attaches to what is there: 1, 0 when there is nothing, or somebody is removing it just now; or an error. */
static int try_attach(const place *where, const bywash_segment_spec *spec, bywash_segment **segment) {
  bywash_segment *s;
  int result = open_mapped(where, false, &s);
  if (result != 0) {
    return result == BYWASH_ENOTFOUND ? 0 : result;
  }
  if (spec != NULL) { /* whoever is refused never joined: nobody has relied on it to remove the file */
    char found[2048];
    result = differences(s, spec, found, sizeof found);
    if (result > 0) {
      bool leaving = is_leaving(s);
      result = leaving ? 0 : fail(BYWASH_EMISMATCH, "Segment %s differs from what was asked for. Use the same"
          " specification in all processes, attach without one, or remove the segment when nobody uses it. %d"
          " difference%s: %s", where->path, result, result == 1 ? "" : "s", found);
      free_segment(s);
      return result;
    }
  }
  result = result != 0 ? result : join(s);
  if (result == 0) {
    result = open_again(s);
    if (result == 1 && is_at(where->path, s->device, s->inode)) {
      *segment = s;
      return 1;
    }
    char text[2048]; /* leaving may have errors of its own */
    snprintf(text, sizeof text, "%s", bywash_error());
    leave(s); /* not just the slot: a remover that saw this participant has left the removal to it */
    result = result < 0 ? fail(result, "%s", text) : 0;
  }
  free_segment(s);
  return result;
}

static int look(const place *where, bywash_segment **segment) {
  int result = open_mapped(where, true, segment);
  return result == BYWASH_ENOTFOUND ? not_found(where, 0) : result;
}

/** Removes a segment that differs, if nobody uses it and it need not stay; whether it is gone. Else says why. */
static bool remove_if_stale(const place *where, char *why, size_t why_bytes) {
  bywash_segment *s;
  why[0] = 0;
  int result = look(where, &s);
  if (result != 0) {
    return result == BYWASH_ENOTFOUND;
  }
  bool stale = !any_other_lives(s, true) && !is_locked(s->file.fd, SLOT_LOCKS, MAX_SLOTS);
  stale = stale && s->lifetime == BYWASH_WHILE_USED && !retains(s, why, why_bytes);
  free_segment(s);
  if (!stale) {
    return false;
  }
  result = try_attach(where, NULL, &s);
  if (result != 1) {
    return result == 0;
  }
  remove_if_unused(s);
  bool removed = is_removed(s);
  leave(s);
  free_segment(s);
  return removed;
}

static int attach_or_create(const place *where, const bywash_segment_spec *spec, int64_t size,
    bywash_segment **segment) {
  int64_t start = now_ns();
  int64_t pause = 1000000;
  while (true) {
    int result = try_attach(where, spec, segment);
    if (result == BYWASH_EMISMATCH) {
      char text[3072];
      char why[256];
      snprintf(text, sizeof text, "%s", bywash_error());
      if (!remove_if_stale(where, why, sizeof why)) {
        const char *list = strstr(text, "nobody uses it. ");
        return why[0] == 0 ? fail(BYWASH_EMISMATCH, "%s", text)
            : fail(BYWASH_EMISMATCH, "Segment %s differs from what was asked for, and stays though nobody uses it,"
                " since"
                " %s. Take that out with the specification that it was made with, or remove it with all that is in it:"
                " bywash doctor --remove %s. %s", where->path, why, where->name,
                list == NULL ? "" : list + strlen("nobody uses it. "));
      }
      result = 0;
    }
    if (result != 0) {
      return result < 0 ? result : 0;
    }
    int64_t waited = now_ns() - start; /* before creating, which may take long by itself */
    result = create(where, spec, size, segment);
    if (result != BYWASH_EEXISTS) { /* else another creator was faster, or somebody is removing it just now */
      return result;
    }
    if (waited > SETTLE_NS) {
      return fail(BYWASH_EACCESS, "Segment %s has been about to be removed for %lld s by a living process that does not"
          " go on. Resume or end that process.", where->path, (long long)(SETTLE_NS / 1000000000));
    }
    sleep_ns(pause);
    pause = min64(2 * pause, 50000000);
  }
}

/** Whether it is worth trying again after there was no space. */
static bool may_fit_soon(const place *where, int64_t size, int64_t waited) {
  return is_being_created(where) || (waited < RACE_NS && free_bytes(where) >= size)
      || is_being_created(where); /* by one that has taken the space since */
}

/** For those that found no space, perhaps since they took it from each other: one after the other. */
static int open_one_by_one(const place *where, const bywash_segment_spec *spec, int64_t size,
    bywash_segment **segment) {
  int directory = open_directory(where);
  if (directory < 0) {
    return directory;
  }
  own_file lock;
  int result = lock_names(directory, where, 1, SETTLE_NS, &lock);
  int64_t start = now_ns();
  while (lock.fd >= 0) {
    result = attach_or_create(where, spec, size, segment);
    int64_t waited = now_ns() - start;
    if (result != BYWASH_ENOSPACE || waited > SETTLE_NS || !may_fit_soon(where, size, waited)) {
      break;
    }
    sleep_ns(PROBE_NS);
  }
  close_own(&lock);
  close(directory);
  return result;
}

/* ---- the public functions */

static int own_spec(const bywash_segment_spec *given, bywash_segment_spec *own, int64_t *size) {
  if (given == NULL) {
    return fail(BYWASH_EINVAL, "spec=NULL");
  }
  int result = read_options(own, sizeof *own, given, "bywash_segment_spec");
  return result != 0 ? result : check_spec(own, size);
}

int bywash_create(const char *name, const bywash_segment_spec *spec, bywash_segment **segment) {
  place where;
  bywash_segment_spec own;
  int64_t size;
  int result = own_spec(spec, &own, &size);
  result = result != 0 ? result : find_place(name, true, &where);
  return result != 0 ? result : create(&where, &own, size, segment);
}

int bywash_open(const char *name, const bywash_segment_spec *spec, bywash_segment **segment) {
  place where;
  bywash_segment_spec own;
  int64_t size;
  int result = own_spec(spec, &own, &size);
  result = result != 0 ? result : find_place(name, true, &where);
  result = result != 0 ? result : attach_or_create(&where, &own, size, segment);
  return result == BYWASH_ENOSPACE && may_fit_soon(&where, size, 0) ? open_one_by_one(&where, &own, size, segment)
      : result;
}

int bywash_attach(const char *name, int64_t timeout_ns, bywash_segment **segment) {
  place where;
  int result = find_place(name, false, &where);
  int64_t deadline = deadline_of(timeout_ns);
  while (result == 0) {
    result = try_attach(&where, NULL, segment);
    if (result != 0) {
      return result < 0 ? result : 0;
    }
    int64_t left = deadline - now_ns();
    if (left <= 0) {
      return not_found(&where, max64(timeout_ns, 0));
    }
    sleep_ns(min64(left, 2000000));
  }
  return result;
}

int bywash_observe(const char *name, bywash_segment **segment) {
  place where;
  int result = find_place(name, false, &where);
  return result != 0 ? result : look(&where, segment);
}

int bywash_close(bywash_segment *segment) {
  if (segment == NULL) {
    return 0;
  }
  if (segment->open_roles > 0 && !segment->forked) {
    return fail(BYWASH_ESTATE, "segment %s has %d roles that are still open: close them first", segment->where.path,
        segment->open_roles);
  }
  if (!segment->forked && !segment->read_only) {
    leave(segment);
  }
  free_segment(segment);
  return 0;
}

int64_t bywash_id(const bywash_segment *segment) { return segment->id; }

const char *bywash_path(const bywash_segment *segment) { return segment->where.path; }

int bywash_recover(bywash_segment *segment, bywash_recovery *recovery) {
  bywash_recovery done = { .size = recovery == NULL ? sizeof done : recovery->size };
  if (done.size < sizeof done.size || done.size > 4096) {
    return fail(BYWASH_EINVAL, "size=%u is not the size of bywash_recovery", done.size);
  }
  int result = require_participant(segment);
  result = result != 0 ? result : recover(segment, &done);
  if (result == 0 && recovery != NULL) {
    memset(recovery, 0, done.size);
    memcpy(recovery, &done, done.size < sizeof done ? done.size : sizeof done);
  }
  return result;
}

int check_usable(const bywash_segment *s) {
  return s->forked ? fail(BYWASH_ECLOSED, "This is a child that was forked after its parent attached segment %s. Attach"
      " it again.", s->where.path) : 0;
}
