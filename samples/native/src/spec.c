/* Descriptions of segments and entries, with the defaults of SPEC 7. */
#include "internal.h"

#include <stdio.h>

int start_entry(bywash_entry *entry, uint32_t kind, const char *name) {
  int result = check_name("name", name);
  if (result == 0) {
    memset(entry, 0, sizeof *entry);
    entry->size = sizeof *entry;
    entry->kind = kind;
    snprintf(entry->name, sizeof entry->name, "%s", name);
  }
  return result;
}

int bywash_broadcast(bywash_entry *entry, const char *name, int64_t ring_bytes, int32_t subscribers) {
  if (ring_bytes < 4096 || ring_bytes > INT64_C(1) << 37) {
    return fail(BYWASH_EINVAL, "ringBytes=%lld is not between 4096 and %lld", (long long)ring_bytes,
        (long long)(INT64_C(1) << 37));
  }
  if (subscribers < 0 || subscribers >= MAX_ROLES) {
    return fail(BYWASH_EINVAL, "subscribers=%d is not between 1 and %d", subscribers, MAX_ROLES - 1);
  }
  int result = start_entry(entry, BYWASH_BROADCAST, name);
  if (result == 0) {
    entry->capacity = INT64_C(1) << bit_length((uint64_t)ring_bytes - 1);
    entry->element_size = min64(entry->capacity / 8, 1 << 30);
    entry->roles = 1 + (subscribers == 0 ? 64 : subscribers);
    entry->data_bytes = entry->capacity;
  }
  return result;
}

static int set_policy(bywash_entry *entry, const bywash_delivery_policy *given) {
  bywash_delivery_policy policy;
  int result = read_options(&policy, sizeof policy, given, "bywash_delivery_policy");
  const char *letters = policy.dead_letters == NULL ? "" : policy.dead_letters;
  if (result != 0) {
    return result;
  }
  if (letters[0] != 0 && !is_name(letters, NAME_MAX_BYTES)) {
    return check_name("queue", letters);
  }
  size_t length = strlen(letters);
  if (length > DEAD_LETTERS_MAX_BYTES) {
    return fail(BYWASH_EINVAL, "queue=%s has %zu characters; a queue of dead letters has up to %d", letters, length,
        DEAD_LETTERS_MAX_BYTES);
  }
  if (strcmp(letters, entry->name) == 0) {
    return fail(BYWASH_EINVAL, "policy sends the dead letters of queue %s to itself", entry->name);
  }
  entry->parameters[PARAMETER_POLICY] = policy.policy;
  entry->parameters[PARAMETER_LIMIT] = policy.limit;
  memcpy(&entry->parameters[PARAMETER_DEAD_LETTERS], letters, length);
  int kind;
  int64_t limit;
  char name[DEAD_LETTERS_MAX_BYTES + 1];
  return read_policy(entry->parameters, &kind, &limit, name) ? 0
      : fail(BYWASH_EINVAL, "policy=%u with limit=%lld and dead letters \"%s\" is none: nothing becomes a dead letter"
          " without a limit, and a policy that drops messages has neither", policy.policy, (long long)policy.limit,
          letters);
}

int bywash_work_queue(bywash_entry *entry, const char *name, int64_t capacity, int64_t max_message_bytes,
    const bywash_delivery_policy *policy, int32_t roles) {
  int32_t count = roles == 0 ? 64 : roles;
  if (capacity < 1 || capacity > MAX_CAPACITY || (capacity & (capacity - 1)) != 0) {
    return fail(BYWASH_EINVAL, "capacity=%lld is not a power of two from 1 to %d", (long long)capacity, MAX_CAPACITY);
  }
  if (max_message_bytes < 1 || max_message_bytes > 1 << 30) {
    return fail(BYWASH_EINVAL, "maxMessageBytes=%lld is not between 1 and %d", (long long)max_message_bytes, 1 << 30);
  }
  if (count < 2 || count > MAX_ROLES) {
    return fail(BYWASH_EINVAL, "roles=%d is not between 2 and %d", roles, MAX_ROLES);
  }
  int64_t bytes = queue_bytes(capacity, count, max_message_bytes);
  if (bytes > INT64_C(1) << 37) {
    return fail(BYWASH_EINVAL, "capacity=%lld, roles=%d and maxMessageBytes=%lld take %lld bytes; %lld are possible",
        (long long)capacity, count, (long long)max_message_bytes, (long long)bytes, (long long)(INT64_C(1) << 37));
  }
  int result = start_entry(entry, BYWASH_WORK_QUEUE, name);
  if (result == 0) {
    entry->capacity = capacity;
    entry->element_size = max_message_bytes;
    entry->roles = count;
    entry->data_bytes = bytes;
    result = set_policy(entry, policy);
  }
  return result;
}

/** Whether a cell is a type, a space and a name that no cell before it has. */
static bool is_cell(const char *const *cells, int32_t index) {
  static const char *const types[] = { "long ", "int ", "boolean ", "double " };
  const char *name = NULL;
  for (int i = 0; i < 4 && name == NULL; i++) {
    name = strncmp(cells[index], types[i], strlen(types[i])) == 0 ? cells[index] + strlen(types[i]) : NULL;
  }
  size_t length = name == NULL ? 0 : strlen(name);
  bool good = length >= 1 && length <= CELL_NAME_MAX_BYTES;
  for (size_t i = 0; good && i < length; i++) {
    char c = name[i];
    good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
  }
  for (int32_t other = 0; good && other < index; other++) {
    good = strcmp(strchr(cells[other], ' ') + 1, name) != 0;
  }
  return good;
}

int bywash_atomics(bywash_entry *entry, const char *name, const char *const *cells, int32_t cell_count, char *text,
    size_t text_bytes) {
  if (cell_count < 1 || cell_count > MAX_ATOMICS) {
    return fail(BYWASH_EINVAL, "cells=%d are not between 1 and %d", cell_count, MAX_ATOMICS);
  }
  int length = snprintf(text, text_bytes, "0 %d Atomics\n", cell_count * CELL_BYTES);
  for (int32_t i = 0; i < cell_count && (size_t)length < text_bytes; i++) {
    if (!is_cell(cells, i)) {
      return fail(BYWASH_EINVAL, "cells[%d]=\"%s\" is not one of the types boolean, double, int, long, a space, and a"
          " name of 1 to %d letters, digits, _ and $ that did not come before", i, cells[i], CELL_NAME_MAX_BYTES);
    }
    length += snprintf(text + length, text_bytes - (size_t)length, " %d %s\n", i * CELL_BYTES, cells[i]);
  }
  if ((size_t)length >= text_bytes) {
    return fail(BYWASH_EINVAL, "text_bytes=%zu are too few for the layout of %d cells", text_bytes, cell_count);
  }
  int result = start_entry(entry, BYWASH_CELLS, name);
  if (result == 0) {
    entry->capacity = cell_count;
    entry->element_size = CELL_BYTES;
    entry->data_bytes = (int64_t)cell_count * CELL_BYTES;
    entry->layout = text;
    entry->parameters[PARAMETER_FORM] = ATOMICS;
  }
  return result;
}

int bywash_latest(bywash_entry *entry, const char *name, int64_t max_value_bytes, int32_t writers, int32_t readers) {
  int32_t w = writers == 0 ? 1 : writers;
  int32_t r = readers == 0 ? 63 : readers;
  if (max_value_bytes < 1 || max_value_bytes > 1 << 30) {
    return fail(BYWASH_EINVAL, "maxValueBytes=%lld is not between 1 and %d", (long long)max_value_bytes, 1 << 30);
  }
  if (w < 1 || r < 1 || w > MAX_ROLES - r) {
    return fail(BYWASH_EINVAL, "writers=%d and readers=%d are not at least 1 each, and at most %d together", w, r,
        MAX_ROLES);
  }
  int64_t bytes = w * BUFFERS_A_WRITER * buffer_bytes(max_value_bytes);
  if (bytes > INT64_C(1) << 37) {
    return fail(BYWASH_EINVAL, "writers=%d and maxValueBytes=%lld take %lld bytes; %lld are possible", w,
        (long long)max_value_bytes, (long long)bytes, (long long)(INT64_C(1) << 37));
  }
  int result = start_entry(entry, BYWASH_LATEST, name);
  if (result == 0) {
    entry->capacity = 1;
    entry->element_size = max_value_bytes;
    entry->roles = w + r;
    entry->data_bytes = bytes;
    entry->parameters[PARAMETER_WRITERS] = w;
  }
  return result;
}

static void sized(bywash_segment_spec *spec, uint32_t participants, uint32_t rows, const bywash_entry *entries,
    size_t count) {
  memset(spec, 0, sizeof *spec);
  spec->size = sizeof *spec;
  spec->participants = participants;
  spec->rows = count > rows ? (uint32_t)count : rows;
  spec->lifetime = BYWASH_WHILE_USED;
  spec->mode = 0600;
  spec->entries = entries;
  spec->entry_count = count;
}

void bywash_spec(bywash_segment_spec *spec, const bywash_entry *entries, size_t entry_count) {
  sized(spec, 64, 64, entries, entry_count);
}

void bywash_small_spec(bywash_segment_spec *spec, const bywash_entry *entries, size_t entry_count) {
  sized(spec, 8, 16, entries, entry_count);
}

void bywash_large_spec(bywash_segment_spec *spec, const bywash_entry *entries, size_t entry_count) {
  sized(spec, MAX_SLOTS, 256, entries, entry_count);
}

/** What of an entry's description has to be right for its structure to fit. */
static int check_entry(const bywash_entry *entry) {
  int result = entry->size != sizeof *entry
      ? fail(BYWASH_EINVAL, "size=%u is not the size of bywash_entry", entry->size) : check_name("name", entry->name);
  if (result == 0 && (entry->kind < BYWASH_BROADCAST || entry->kind > BYWASH_ENDPOINT)) {
    return fail(BYWASH_EINVAL, "kind=%u cannot be created", entry->kind);
  }
  if (result == 0 && (entry->capacity < 1 || entry->element_size < 1 || entry->data_bytes < 0
      || entry->data_bytes > INT64_C(1) << 60)) {
    return fail(BYWASH_EINVAL, "capacity=%lld, elementSizeBytes=%lld, dataBytes=%lld: the first two must be at least 1,"
        " the last between 0 and %lld", (long long)entry->capacity, (long long)entry->element_size,
        (long long)entry->data_bytes, (long long)(INT64_C(1) << 60));
  }
  if (result == 0 && (entry->roles < 0 || entry->roles > MAX_ROLES)) {
    return fail(BYWASH_EINVAL, "roleCount=%d is not between 0 and %d", entry->roles, MAX_ROLES);
  }
  size_t length = entry->layout == NULL ? 0 : strlen(entry->layout);
  bool printable = true;
  for (size_t i = 0; i < length; i++) {
    printable &= (entry->layout[i] >= ' ' && entry->layout[i] <= '~') || entry->layout[i] == '\n';
  }
  return result != 0 ? result : length <= MAX_LAYOUT_BYTES && printable ? 0
      : fail(BYWASH_EINVAL, "layout has %zu characters; up to %d are possible, all of them printable ASCII or line"
          " feeds", length, MAX_LAYOUT_BYTES);
}

int check_spec(const bywash_segment_spec *spec, int64_t *size) {
  if (spec->participants < 1 || spec->participants > MAX_SLOTS) {
    return fail(BYWASH_EINVAL, "participantCapacity=%u is not between 1 and %d", spec->participants, MAX_SLOTS);
  }
  if (spec->rows < 1 || spec->rows < spec->entry_count || spec->rows > MAX_ROWS) {
    return fail(BYWASH_EINVAL, "entryCapacity=%u is not between %zu (the entries given) and %d", spec->rows,
        spec->entry_count < 1 ? 1 : spec->entry_count, MAX_ROWS);
  }
  if (spec->lifetime > BYWASH_KEPT) {
    return fail(BYWASH_EINVAL, "lifetime=%u is none", spec->lifetime);
  }
  if ((spec->mode & 0600) != 0600 || (spec->mode & ~0777u) != 0) {
    return fail(BYWASH_EINVAL, "permissions=%o must contain 600: the owner of a segment reads and writes it",
        spec->mode);
  }
  int64_t bytes = align_to(HEADER_BYTES + (int64_t)spec->participants * SLOT_BYTES + (int64_t)spec->rows * ROW_BYTES,
      PAGE_BYTES);
  for (size_t i = 0; i < spec->entry_count; i++) {
    const bywash_entry *entry = &spec->entries[i];
    int result = check_entry(entry);
    if (result != 0) {
      return result;
    }
    for (size_t other = 0; other < i; other++) {
      if (strcmp(entry->name, spec->entries[other].name) == 0) {
        return fail(BYWASH_EINVAL, "entries name \"%s\" twice; names are unique in a segment", entry->name);
      }
    }
    int64_t alignment = entry->roles == 0 ? LINE_BYTES : PAGE_BYTES;
    int64_t text = align_to(data_begin(entry->roles) + entry->data_bytes, LINE_BYTES) + data_end(entry->roles);
    int64_t need = align_to(text + (entry->layout == NULL ? 0 : (int64_t)strlen(entry->layout)), alignment);
    bytes = align_to(bytes, alignment);
    if (need > INT64_MAX - PAGE_BYTES - bytes) {
      return fail(BYWASH_EINVAL, "entry \"%s\" of %lld bytes makes the segment larger than 2^63 - 1 bytes", entry->name,
          (long long)need);
    }
    bytes += need;
  }
  bytes = align_to(bytes, PAGE_BYTES);
  if (spec->size_bytes < 0 || spec->size_bytes > INT64_MAX - PAGE_BYTES) {
    return fail(BYWASH_EINVAL, "sizeBytes=%lld must be at least 1; leave it out to have it computed",
        (long long)spec->size_bytes);
  }
  if (spec->size_bytes != 0 && align_to(spec->size_bytes, PAGE_BYTES) < bytes) {
    return fail(BYWASH_EINVAL, "sizeBytes=%lld is less than the %lld that the entries and tables need",
        (long long)spec->size_bytes, (long long)bytes);
  }
  *size = spec->size_bytes != 0 ? align_to(spec->size_bytes, PAGE_BYTES) : bytes;
  return 0;
}
