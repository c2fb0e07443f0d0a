/* The directory (SPEC 4): rows, what is sound, holding rows, formatting, and what a dead changer left. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- reading */

static uint64_t row_word(const bywash_segment *s, int index) {
  return (uint64_t)load_acquire(row_at(s, index) + ROW_WORD); /* [row-live] */
}

static int row_state(uint64_t word) { return (int)word & 0xFF; }

static void find_damage(const bywash_segment *s, row *r, int64_t roles) {
  int64_t alignment = r->roles == 0 ? LINE_BYTES : PAGE_BYTES;
  if (!is_name(r->name, NAME_MAX_BYTES)) {
    snprintf(r->damage, sizeof r->damage, "its name is no name");
  } else if (r->offset < s->data_offset || r->offset % alignment != 0 || r->offset > s->size || r->size < alignment
      || r->size > s->size - r->offset) {
    snprintf(r->damage, sizeof r->damage, "it claims %lld bytes at %lld of a segment of %lld", (long long)r->size,
        (long long)r->offset, (long long)s->size);
  } else if (roles != r->roles || data_begin(r->roles) > r->size) {
    snprintf(r->damage, sizeof r->damage, "it claims %lld roles in %lld bytes", (long long)roles, (long long)r->size);
  } else if (r->text_bytes < 0 || r->text_bytes > MAX_LAYOUT_BYTES || r->text_offset < 0
      || r->text_offset > r->size - r->text_bytes) {
    snprintf(r->damage, sizeof r->damage, "it claims a layout of %lld bytes at %lld of %lld",
        (long long)r->text_bytes, (long long)r->text_offset, (long long)r->size);
  }
}

/** Reads a row by itself, if it is live. */
static bool load_row(const bywash_segment *s, int index, row *r) {
  const char *at = row_at(s, index);
  uint64_t word = row_word(s, index);
  while (row_state(word) == ROW_LIVE) {
    memset(r, 0, sizeof *r);
    r->index = index;
    r->word = word;
    r->kind = (int)(word >> 16) & 0xFFFF;
    r->version = (int)(word >> 8) & 0xFF;
    r->offset = load(at + ROW_OFFSET);
    r->size = load(at + ROW_SIZE);
    r->capacity = load(at + ROW_CAPACITY);
    r->element_size = load(at + ROW_ELEMENT_SIZE);
    r->fingerprint = load(at + ROW_FINGERPRINT);
    int64_t roles = load(at + ROW_ROLE_COUNT);
    r->roles = (int)(roles < 0 ? 0 : roles > MAX_ROLES ? MAX_ROLES : roles);
    memcpy(r->name, at + ROW_NAME, NAME_MAX_BYTES);
    for (int i = 0; i < PARAMETER_COUNT; i++) {
      r->parameters[i] = load(at + ROW_PARAMETERS + i * 8);
    }
    r->flags = load(at + ROW_FLAGS);
    r->text_offset = load(at + ROW_TEXT_OFFSET);
    r->text_bytes = load(at + ROW_TEXT_BYTES);
    find_damage(s, r, roles);
    acquire_fence(); /* [row-live] the row is read before its word is read again */
    uint64_t now = row_word(s, index);
    if (now == word) {
      return true;
    }
    word = now; /* the entry was removed meanwhile, and the row perhaps used again */
  }
  return false;
}

/** The first byte behind those of a row; 0 when it has none, or claims impossible ones. */
static int64_t end_of(const bywash_segment *s, int index) {
  int64_t offset = load(row_at(s, index) + ROW_OFFSET);
  int64_t size = load(row_at(s, index) + ROW_SIZE);
  return offset >= s->data_offset && offset <= s->size && size > 0 && size <= s->size - offset ? offset + size : 0;
}

/** Whether a row claims some of the bytes from `begin` to `end`. */
static bool claims(const bywash_segment *s, int index, int64_t begin, int64_t end) {
  return end_of(s, index) > begin && load(row_at(s, index) + ROW_OFFSET) < end;
}

/** Finds another row that claims some of a row's bytes: nobody knows whose they are. */
static void find_rival(const bywash_segment *s, row *r) {
  row other;
  int64_t end = r->offset + r->size;
  for (int index = 0; index < s->rows && r->damage[0] == 0; index++) {
    if (index != r->index && claims(s, index, r->offset, end) && load_row(s, index, &other) && other.damage[0] == 0
        && r->offset < other.offset + other.size && other.offset < end) {
      snprintf(r->damage, sizeof r->damage, "it claims bytes that entry \"%s\" claims too", other.name);
    }
  }
}

/** Reads a row if it is live, sound or not. */
static bool read_row(const bywash_segment *s, int index, row *r) {
  while (load_row(s, index, r)) {
    if (r->damage[0] != 0) {
      return true;
    }
    find_rival(s, r);
    if (r->damage[0] == 0 || !is_gone(s, r)) {
      return true;
    } /* else the entry was removed, and its bytes are another one's */
  }
  return false;
}

int damaged_entry(const bywash_segment *s, const row *r, const char *format, ...) {
  char how[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(how, sizeof how, format, arguments);
  va_end(arguments);
  return fail(BYWASH_EDAMAGED, "Entry \"%s\" of segment %s is damaged: %s. The other entries are not affected; create"
      " the segment again when no process needs it.", r->name, s->where.path, how);
}

int find_row(bywash_segment *s, const char *name, row *found) {
  int result = check_name("name", name);
  char names[1024] = "";
  size_t length = 0;
  for (int index = 0; result == 0 && index < s->rows; index++) {
    if (!read_row(s, index, found)) {
      continue;
    }
    if (strcmp(found->name, name) == 0) {
      return found->damage[0] == 0 ? 0 : damaged_entry(s, found, "%s", found->damage);
    }
    if (found->damage[0] == 0 && length < sizeof names) {
      length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", length == 0 ? "" : ", ", found->name);
    }
  }
  return result != 0 ? result : fail(BYWASH_ENOTFOUND, "Segment %s has no entry \"%s\"; it has [%s]. Check the name, or"
      " add the entry with findOrAdd.", s->where.path, name, names);
}

static const char *kind_name(int kind, int version) {
  static const char *const names[] = { "UNKNOWN", "BROADCAST", "WORK_QUEUE", "CELLS", "LATEST", "RING", "POOL",
    "ENDPOINT" };
  return kind >= BYWASH_BROADCAST && kind <= BYWASH_ENDPOINT && version == KIND_VERSION ? names[kind] : names[0];
}

/** The layout's text, allocated; NULL without memory. */
static char *read_text(const bywash_segment *s, const row *r) {
  char *text = malloc((size_t)r->text_bytes + 1);
  if (text != NULL) {
    memcpy(text, s->map + r->offset + r->text_offset, (size_t)r->text_bytes);
    text[r->text_bytes] = 0;
  }
  return text;
}

int find_kind(bywash_segment *s, const char *name, int kind, const char *otherwise, const char *layout, row *found) {
  char how[256];
  int result = check_usable(s);
  result = result != 0 ? result : find_row(s, name, found);
  if (result != 0) {
    return result;
  }
  if (found->kind != kind || found->version != KIND_VERSION) {
    return fail(BYWASH_EMISMATCH, "Entry \"%s\" of segment %s %s: 1 difference: kind is %s, wanted %s", name,
        s->where.path, otherwise, kind_name(found->kind, found->version), kind_name(kind, KIND_VERSION));
  }
  if (check_kind(s, found, how, sizeof how) != 0) {
    return damaged_entry(s, found, "%s", how);
  }
  if (layout != NULL && found->fingerprint != bywash_fingerprint(layout)) {
    char *text = read_text(s, found);
    result = fail(BYWASH_EMISMATCH, "Entry \"%s\" of segment %s is declared to carry other records: its layout is"
        " \"%s\", wanted \"%s\"", name, s->where.path, text == NULL ? "" : text, layout);
    free(text);
  }
  return result;
}

int bywash_find(bywash_segment *segment, const char *name, bywash_entry *entry, int64_t *fingerprint) {
  row found;
  uint32_t size = entry->size;
  int result = size < sizeof *entry ? fail(BYWASH_EINVAL, "size=%u is not the size of bywash_entry", size) : 0;
  result = result != 0 ? result : check_usable(segment);
  result = result != 0 ? result : find_row(segment, name, &found);
  if (result == 0) {
    memset(entry, 0, sizeof *entry);
    entry->size = size;
    entry->kind = (uint32_t)found.kind;
    snprintf(entry->name, sizeof entry->name, "%s", found.name);
    entry->capacity = found.capacity;
    entry->element_size = found.element_size;
    entry->data_bytes = (found.text_offset != 0 ? found.text_offset : found.size) - data_begin(found.roles);
    entry->roles = found.roles;
    memcpy(entry->parameters, found.parameters, sizeof entry->parameters);
    if (fingerprint != NULL) {
      *fingerprint = found.fingerprint;
    }
  }
  return result;
}

int64_t bywash_layout(bywash_segment *segment, const char *name, char *text, size_t text_bytes) {
  row found;
  int result = check_usable(segment);
  result = result != 0 ? result : find_row(segment, name, &found);
  if (result != 0) {
    return result;
  }
  if ((size_t)found.text_bytes < text_bytes) {
    memcpy(text, segment->map + found.offset + found.text_offset, (size_t)found.text_bytes);
    text[found.text_bytes] = 0;
  }
  return found.text_bytes;
}

/* ---- comparing with a description */

/** A list of differences, one sentence each, with semicolons between them. */
typedef struct list {
  char *text;
  size_t bytes;
  int count;
} list;

static void differ(list *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void differ(list *l, const char *format, ...) {
  size_t length = strlen(l->text);
  if (l->count++ > 0) {
    length += (size_t)snprintf(l->text + length, l->bytes - length, "; ");
  }
  if (length < l->bytes) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(l->text + length, l->bytes - length, format, arguments);
    va_end(arguments);
  }
}

static void differ_in(list *l, const char *entry, const char *what, int64_t found, int64_t wanted) {
  if (found != wanted) {
    differ(l, "%s%s%s%s is %lld, wanted %lld", entry == NULL ? "" : "entry \"", entry == NULL ? "" : entry,
        entry == NULL ? "" : "\": ", what, (long long)found, (long long)wanted);
  }
}

static const char *policy_text(const int64_t *parameters, char *text, size_t bytes) {
  int policy;
  int64_t limit;
  char letters[DEAD_LETTERS_MAX_BYTES + 1];
  char most[48] = "";
  if (!read_policy(parameters, &policy, &limit, letters)) {
    return "impossible";
  }
  if (limit != 0) {
    snprintf(most, sizeof most, " up to %lld times", (long long)limit);
  }
  snprintf(text, bytes, "\"%s%s%s%s%s\"", policy == DROP ? "drop" : "redeliver", most, letters[0] == 0 ? "" : ", then"
      " to ",
      letters, policy == REDELIVER_OR_DROP ? " or drop" : "");
  return text;
}

static const char *form_text(int64_t form) {
  return form == ATOMICS ? "atomics" : form == NUMBERS ? "numbers" : form == RECORDS ? "records" : "unknown";
}

static const char *numbers_text(const int64_t *p, char *text, size_t bytes) {
  snprintf(text, bytes, "%lld, %lld, %lld, %lld, %lld", (long long)p[0], (long long)p[1], (long long)p[2],
      (long long)p[3], (long long)p[4]);
  return text;
}

static void differ_in_parameters(list *l, const row *found, const bywash_entry *wanted) {
  char one[160];
  char other[160];
  if (found->kind == BYWASH_WORK_QUEUE) {
    differ(l, "entry \"%s\": delivery policy is %s, wanted %s", wanted->name,
        policy_text(found->parameters, one, sizeof one), policy_text(wanted->parameters, other, sizeof other));
  } else if (found->kind == BYWASH_CELLS) {
    differ(l, "entry \"%s\": form is %s, wanted %s", wanted->name, form_text(found->parameters[PARAMETER_FORM]),
        form_text(wanted->parameters[PARAMETER_FORM]));
  } else if (found->kind == BYWASH_ENDPOINT) {
    differ(l, "entry \"%s\": callers, slots, longest request, longest reply and redelivery are %s, wanted %s",
        wanted->name, numbers_text(found->parameters, one, sizeof one),
        numbers_text(wanted->parameters, other, sizeof other));
  } else {
    differ(l, "entry \"%s\": %s is %lld, wanted %lld", wanted->name,
        found->kind == BYWASH_LATEST ? "writers" : "the first parameter", (long long)found->parameters[0],
        (long long)wanted->parameters[0]);
  }
}

static void compare_entry(bywash_segment *s, const row *found, const bywash_entry *wanted, list *l) {
  if (found->kind != (int)wanted->kind || found->version != KIND_VERSION) {
    differ(l, "entry \"%s\": kind is %s, wanted %s", wanted->name, kind_name(found->kind, found->version),
        kind_name((int)wanted->kind, KIND_VERSION));
  }
  differ_in(l, wanted->name, "capacity", found->capacity, wanted->capacity);
  differ_in(l, wanted->name, "elementSizeBytes", found->element_size, wanted->element_size);
  if (found->fingerprint != bywash_fingerprint(wanted->layout)) {
    char *layout = read_text(s, found);
    differ(l, "entry \"%s\": layout is \"%s\", wanted \"%s\"", wanted->name, layout == NULL ? "" : layout,
        wanted->layout == NULL ? "" : wanted->layout);
    free(layout);
  }
  differ_in(l, wanted->name, "roleCount", found->roles, wanted->roles);
  if (found->kind == (int)wanted->kind
      && memcmp(found->parameters, wanted->parameters, sizeof found->parameters) != 0) {
    differ_in_parameters(l, found, wanted);
  }
}

int differences(bywash_segment *s, const bywash_segment_spec *spec, char *text, size_t bytes) {
  list l = { text, bytes, 0 };
  text[0] = 0;
  differ_in(&l, NULL, "participantCapacity", s->slots, spec->participants);
  differ_in(&l, NULL, "entryCapacity", s->rows, spec->rows);
  if (s->lifetime != spec->lifetime) {
    differ(&l, "lifetime is %s, wanted %s", s->lifetime == BYWASH_KEPT ? "KEPT" : "WHILE_USED",
        spec->lifetime == BYWASH_KEPT ? "KEPT" : "WHILE_USED");
  }
  if (spec->size_bytes != 0) {
    differ_in(&l, NULL, "sizeBytes", s->size, align_to(spec->size_bytes, PAGE_BYTES));
  }
  for (size_t i = 0; i < spec->entry_count; i++) {
    const bywash_entry *wanted = &spec->entries[i];
    row found;
    int result = find_row(s, wanted->name, &found);
    if (result == BYWASH_ENOTFOUND) {
      differ(&l, "entry \"%s\" does not exist, wanted %s", wanted->name, kind_name((int)wanted->kind, KIND_VERSION));
    } else if (result != 0) {
      return result;
    } else {
      compare_entry(s, &found, wanted, &l);
    }
  }
  return l.count;
}

/* ---- formatting */

void format_rows(bywash_segment *s, const bywash_segment_spec *spec) {
  int64_t next = s->data_offset;
  for (size_t i = 0; i < spec->entry_count; i++) {
    const bywash_entry *entry = &spec->entries[i];
    char *at = row_at(s, (int)i);
    int64_t text_bytes = entry->layout == NULL ? 0 : (int64_t)strlen(entry->layout);
    int64_t text = align_to(data_begin(entry->roles) + entry->data_bytes, LINE_BYTES) + data_end(entry->roles);
    int64_t alignment = entry->roles == 0 ? LINE_BYTES : PAGE_BYTES;
    int64_t size = align_to(text + text_bytes, alignment);
    char name[NAME_MAX_BYTES] = { 0 };
    memcpy(name, entry->name, strlen(entry->name));
    next = align_to(next, alignment);
    store(at + ROW_OFFSET, next);
    store(at + ROW_SIZE, size);
    store(at + ROW_CAPACITY, entry->capacity);
    store(at + ROW_ELEMENT_SIZE, entry->element_size);
    store(at + ROW_FINGERPRINT, bywash_fingerprint(entry->layout));
    store(at + ROW_ROLE_COUNT, entry->roles);
    store(at + ROW_CREATOR, (int64_t)s->self);
    copy_in(at + ROW_NAME, name, sizeof name);
    for (int p = 0; p < PARAMETER_COUNT; p++) {
      store(at + ROW_PARAMETERS + p * 8, entry->parameters[p]);
    }
    store(at + ROW_FLAGS, entry->kind == BYWASH_WORK_QUEUE ? RETAINS : 0);
    store(at + ROW_TEXT_OFFSET, text_bytes == 0 ? 0 : text);
    store(at + ROW_TEXT_BYTES, text_bytes);
    if (text_bytes > 0) {
      copy_in(s->map + next + text, entry->layout, (size_t)text_bytes);
    }
    next += size;
    store(s->map + NEXT_FREE_OFFSET, next);
    store_release(at + ROW_WORD, /* [row-live] */
        (int64_t)(UINT64_C(1) << 32 | (uint64_t)entry->kind << 16 | (uint64_t)KIND_VERSION << 8 | ROW_LIVE));
  }
}

/* ---- holding */

bool is_gone(const bywash_segment *s, const row *r) { return row_word(s, r->index) != r->word; }

int check_present(const bywash_segment *s, const row *r) {
  return !is_gone(s, r) ? 0 : fail(BYWASH_EREMOVED, "Entry \"%s\" of segment %s was removed while it was in use. Find"
      " or"
      " add it again.", r->name, s->where.path);
}

static char *held_word(const bywash_segment *s, int slot, int row) {
  return slot_at(s, slot) + SLOT_HELD_ROWS + (row >> 6) * 8;
}

int hold_row(bywash_segment *s, const row *r) {
  pthread_mutex_lock(&s->mutex);
  s->open_roles++;
  if (!s->read_only && s->row_uses[r->index]++ == 0) {
    fetch_or(held_word(s, owner_slot(s->self), r->index), (int64_t)(UINT64_C(1) << (r->index & 63)));
    full_fence(); /* [row-held] either a remover sees the hold, or this sees that the row is no longer live */
  }
  pthread_mutex_unlock(&s->mutex);
  int result = check_present(s, r);
  if (result != 0) {
    let_go(s, r);
  }
  return result;
}

void let_go(bywash_segment *s, const row *r) {
  pthread_mutex_lock(&s->mutex);
  s->open_roles--;
  if (!s->read_only && !s->forked && --s->row_uses[r->index] == 0 && has_slot(s)) {
    /* [row-held] what the holder did to the structure comes before this */
    fetch_and(held_word(s, owner_slot(s->self), r->index), (int64_t)~(UINT64_C(1) << (r->index & 63)));
  }
  pthread_mutex_unlock(&s->mutex);
}

int sweep(bywash_segment *s, int id) {
  int freed = 0;
  row found;
  const row *r = &found;
  for (int i = 0; i < s->rows; i++) {
    if (!read_row(s, i, &found) || r->damage[0] != 0 || r->roles == 0) {
      continue;
    }
    fetch_or(held_word(s, id, r->index), (int64_t)(UINT64_C(1) << (r->index & 63)));
    full_fence(); /* [row-held] */
    int here = 0;
    for (int index = 0; index < r->roles && !is_gone(s, r); index++) {
      uint64_t word = (uint64_t)load_acquire(s->map + r->offset + ROLES + (int64_t)index * ROLE_BYTES);
      if (owner_state(word) != ROLE_FREE && owner_slot(word) == id && free_role(s, r, index, word)) {
        here++;
      }
    }
    if (here > 0) {
      wake_all(s, r);
    }
    freed += here;
  }
  return freed;
}

/* ---- what a dead changer of the directory left */

/** Whether no other row claims any bytes of this one: bytes that are claimed twice are not written to. */
static bool has_bytes_alone(const bywash_segment *s, int index) {
  int64_t offset = load(row_at(s, index) + ROW_OFFSET);
  for (int other = 0; other < s->rows; other++) {
    if (other != index && claims(s, other, offset, end_of(s, index))) {
      return false;
    }
  }
  return true;
}

static void free_row(bywash_segment *s, int index, uint64_t word) {
  char *at = row_at(s, index);
  int64_t offset = load(at + ROW_OFFSET);
  int64_t end = end_of(s, index);
  if (end != 0 && end == load(s->map + NEXT_FREE_OFFSET) && has_bytes_alone(s, index)) {
    bywash_step();
    memset(s->map + offset, 0, (size_t)(end - offset));
    store(s->map + NEXT_FREE_OFFSET, offset);
  }
  if (load(s->map + NEXT_FREE_OFFSET) <= offset) {
    store(at + ROW_SIZE, 0);
    store(at + ROW_OFFSET, 0);
  }
  store_release(at + ROW_WORD, (int64_t)(word & UINT64_C(0xFFFFFFFF00000000)));
}

bool put_right(bywash_segment *s) {
  if (load_acquire(s->map + INTENT_OFFSET) == 0 || lock_byte(s->file.fd, DIRECTORY_LOCK) != 0) {
    return false;
  }
  uint64_t intent = (uint64_t)load_acquire(s->map + INTENT_OFFSET);
  int index = (int)owner_generation(intent);
  if (intent != 0 && index < s->rows) {
    uint64_t word = row_word(s, index);
    if (row_state(word) == ROW_ADDING || row_state(word) == ROW_FREE) {
      free_row(s, index, word);
    } else if (row_state(word) == ROW_TOMBSTONE) {
      int64_t end = end_of(s, index);
      bool has_bytes = end != 0 && end <= load(s->map + NEXT_FREE_OFFSET);
      int64_t roles = load(row_at(s, index) + ROW_ROLE_COUNT);
      if (!has_bytes) {
        free_row(s, index, word); /* it was being freed, and nobody held it */
      } else if (has_bytes_alone(s, index) && roles > 0 && roles <= MAX_ROLES) {
        row gone;
        memset(&gone, 0, sizeof gone);
        gone.index = index;
        gone.offset = load(row_at(s, index) + ROW_OFFSET);
        gone.size = end - gone.offset;
        gone.roles = (int)roles;
        if (data_begin(gone.roles) <= gone.size && gone.offset % PAGE_BYTES == 0) {
          store_release(s->map + gone.offset + REMOVED_MARK, 1);
          wake_all(s, &gone);
        }
      }
    }
    store_release(s->map + CHANGES_OFFSET, plus_one(load(s->map + CHANGES_OFFSET)));
  }
  if (intent != 0) {
    store_fenced(s->map + INTENT_OFFSET, 0);
  }
  unlock_byte(s->file.fd, DIRECTORY_LOCK);
  return intent != 0;
}

/* ---- what has to stay */

bool retains(bywash_segment *s, char *why, size_t why_bytes) {
  bool found = false;
  char how[256];
  row here;
  const row *r = &here;
  for (int index = 0; index < s->rows && !found; index++) {
    if (!read_row(s, index, &here) || r->damage[0] != 0) {
      continue;
    }
    bool known = is_known(r);
    if (!known && (r->flags & RETAINS) != 0) {
      found = true;
      snprintf(how, sizeof how, "is of a kind that this version does not know, and may hold something");
    } else if (known && r->kind == BYWASH_WORK_QUEUE && check_kind(s, r, how, sizeof how) == 0) {
      queue q;
      queue_init(&q, s, r);
      int64_t messages = queue_messages(&q);
      found = messages > 0;
      snprintf(how, sizeof how, "holds %lld message%s that nobody has acknowledged", (long long)messages,
          messages == 1 ? "" : "s");
    }
    if (found && why != NULL) {
      snprintf(why, why_bytes, "entry \"%s\" %s", r->name, how);
    }
  }
  return found;
}
