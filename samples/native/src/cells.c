/* Atomics (SPEC 10.1), latest values (11), and looks at arrays (10.2, 10.3) and rings (12). */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_READS 16
#define USES_A_PROBE 1024

/* ---- atomics */

typedef struct cell {
  char name[CELL_NAME_MAX_BYTES + 1];
  int type;
} cell;

struct bywash_cells {
  bywash_segment *segment;
  row row;
  char *base;
  _Atomic unsigned uses;
  int count;
  cell cells[];
};

static const char *const TYPES[] = { "long", "int", "boolean", "double" };

/** Reads the layout's text, whose first line is that of the type, and each other one that of a cell. */
static int read_cells(bywash_cells *c, char *text) {
  bywash_segment *s = c->segment;
  int count = -1;
  for (char *line = text, *next; *line != 0; line = next) {
    next = strchr(line, '\n');
    if (next == NULL) {
      return damaged_entry(s, &c->row, "its layout ends within a line");
    }
    *next++ = 0;
    long long offset;
    char type[16];
    char name[CELL_NAME_MAX_BYTES + 1];
    int end = 0;
    if (++count == 0) {
      continue;
    }
    if (count > c->count || sscanf(line, " %18lld %15s %40[A-Za-z0-9_$]%n", &offset, type, name, &end) != 3
        || line[end] != 0 || offset != (count - 1) * (long long)CELL_BYTES) {
      return damaged_entry(s, &c->row, "line \"%s\" of its layout is not that of cell %d", line, count - 1);
    }
    cell *each = &c->cells[count - 1];
    each->type = -1;
    for (int t = 0; t < 4; t++) {
      each->type = strcmp(type, TYPES[t]) == 0 ? t : each->type;
    }
    if (each->type < 0) {
      return damaged_entry(s, &c->row, "cell \"%s\" is said to be \"%s\" at byte %lld", name, type, offset);
    }
    memcpy(each->name, name, sizeof name);
  }
  return count == c->count ? 0 : damaged_entry(s, &c->row, "its layout names %d cells, and it has %d", count, c->count);
}

int bywash_cells_open(bywash_segment *segment, const char *entry, bywash_cells **cells) {
  row found;
  int result = find_kind(segment, entry, BYWASH_CELLS, "holds no cells", NULL, &found);
  if (result != 0) {
    return result;
  }
  if (found.parameters[PARAMETER_FORM] != ATOMICS) {
    return fail(BYWASH_EMISMATCH, "Entry \"%s\" of segment %s holds no atomics", entry, segment->where.path);
  }
  bywash_cells *c = calloc(1, sizeof *c + (size_t)found.capacity * sizeof c->cells[0]);
  char *text = malloc((size_t)found.text_bytes + 1);
  if (c == NULL || text == NULL) {
    free(c);
    free(text);
    return fail(BYWASH_ENOMEM, "There is no memory left for %lld cells.", (long long)found.capacity);
  }
  c->segment = segment;
  c->row = found;
  c->base = segment->map + found.offset;
  c->count = (int)found.capacity;
  result = segment->read_only ? 0 : require_participant(segment);
  result = result != 0 ? result : hold_row(segment, &found);
  if (result == 0) {
    memcpy(text, c->base + found.text_offset, (size_t)found.text_bytes);
    text[found.text_bytes] = 0;
    result = read_cells(c, text);
    if (result != 0) {
      let_go(segment, &found);
    }
  }
  free(text);
  if (result != 0) {
    free(c);
    return result;
  }
  *cells = c;
  return 0;
}

int bywash_cell(const bywash_cells *cells, const char *name, int type) {
  if (type < BYWASH_LONG || type > BYWASH_DOUBLE) {
    return fail(BYWASH_EINVAL, "type=%d is none", type);
  }
  for (int i = 0; i < cells->count; i++) {
    if (strcmp(cells->cells[i].name, name) == 0) {
      return cells->cells[i].type == type ? i
          : fail(BYWASH_EMISMATCH, "Entry \"%s\" of segment %s has other cells: 1 difference: cell \"%s\" is %s,"
              " wanted %s",
              cells->row.name, cells->segment->where.path, name, TYPES[cells->cells[i].type], TYPES[type]);
    }
  }
  return fail(BYWASH_EMISMATCH, "Entry \"%s\" of segment %s has other cells: 1 difference: cell \"%s\" is missing,"
      " wanted %s",
      cells->row.name, cells->segment->where.path, name, TYPES[type]);
}

/** Begins a use: 0 or an error. */
static int use_cell(const bywash_cells *c, int cell, bool writes) {
  int result = check_usable(c->segment);
  if (result == 0 && (cell < 0 || cell >= c->count)) {
    return fail(BYWASH_EINVAL, "cell=%d is not between 0 and %d", cell, c->count - 1);
  }
  if (result == 0 && writes && c->segment->read_only) {
    return fail(BYWASH_ESTATE, "Segment %s is attached read-only; attach it for writing to change cells of entry"
        " \"%s\".",
        c->segment->where.path, c->row.name);
  }
  return result;
}

/** Ends a use: an observer looks whether what it read was still the entry's, others look now and then. */
static int used_cell(bywash_cells *c) {
  return c->segment->read_only || (++c->uses & (USES_A_PROBE - 1)) == 0 ? check_present(c->segment, &c->row) : 0;
}

static _Atomic int64_t *cell_word(const bywash_cells *c, int cell) {
  return WORD(c->base + (int64_t)cell * CELL_BYTES);
}

static int64_t value_of(int type, int64_t word) {
  return type == BYWASH_INT ? (int32_t)word : type == BYWASH_BOOLEAN ? (word & 0xFF) != 0 : word;
}

int bywash_get(bywash_cells *cells, int cell, int64_t *value) {
  int result = use_cell(cells, cell, false);
  if (result == 0) {
    int64_t word = atomic_load_explicit(cell_word(cells, cell), memory_order_seq_cst); /* [atomic] */
    result = used_cell(cells);
    *value = result == 0 ? value_of(cells->cells[cell].type, word) : *value;
  }
  return result;
}

int bywash_set(bywash_cells *cells, int cell, int64_t value) {
  int result = use_cell(cells, cell, true);
  if (result == 0) {
    bywash_step();
    atomic_store_explicit(cell_word(cells, cell), value_of(cells->cells[cell].type, value),
        memory_order_seq_cst); /* [atomic] */
    result = used_cell(cells);
  }
  return result;
}

int bywash_add(bywash_cells *cells, int cell, int64_t delta, int64_t *before) {
  int result = use_cell(cells, cell, true);
  if (result == 0 && cells->cells[cell].type > BYWASH_INT) {
    return fail(BYWASH_EINVAL, "cell=%d is a %s, which nothing can be added to", cell, TYPES[cells->cells[cell].type]);
  }
  if (result == 0) {
    bywash_step();
    int64_t word = atomic_fetch_add_explicit(cell_word(cells, cell), delta, memory_order_seq_cst); /* [atomic] */
    result = used_cell(cells);
    if (before != NULL) {
      *before = value_of(cells->cells[cell].type, word);
    }
  }
  return result;
}

int bywash_compare_and_set(bywash_cells *cells, int cell, int64_t expected, int64_t value) {
  int result = use_cell(cells, cell, true);
  if (result != 0) {
    return result;
  }
  int type = cells->cells[cell].type;
  int64_t word = atomic_load_explicit(cell_word(cells, cell), memory_order_seq_cst);
  bool done = false;
  while (!done && value_of(type, word) == value_of(type, expected)) { /* other bytes of the word mean nothing */
    bywash_step();
    done = atomic_compare_exchange_strong_explicit(cell_word(cells, cell), &word, value_of(type, value),
        memory_order_seq_cst, memory_order_seq_cst); /* [atomic] */
  }
  result = used_cell(cells);
  return result != 0 ? result : done ? 1 : 0;
}

static int check_double(const bywash_cells *c, int cell) {
  int result = use_cell(c, cell, false);
  return result != 0 || c->cells[cell].type == BYWASH_DOUBLE ? result
      : fail(BYWASH_EINVAL, "cell=%d is a %s, not a double", cell, TYPES[c->cells[cell].type]);
}

int bywash_get_double(bywash_cells *cells, int cell, double *value) {
  int64_t word = 0;
  int result = check_double(cells, cell);
  result = result != 0 ? result : bywash_get(cells, cell, &word);
  if (result == 0) {
    memcpy(value, &word, sizeof word);
  }
  return result;
}

int bywash_set_double(bywash_cells *cells, int cell, double value) {
  int64_t word;
  memcpy(&word, &value, sizeof word);
  int result = check_double(cells, cell);
  return result != 0 ? result : bywash_set(cells, cell, word);
}

int bywash_cells_close(bywash_cells *cells) {
  if (cells != NULL) {
    let_go(cells->segment, &cells->row);
    free(cells);
  }
  return 0;
}

/* ---- latest values */

typedef struct latest {
  role role;
  char *buffers;
  int64_t max;
  int writers;
} latest;

struct bywash_writer {
  latest v;
  int next;        /* the buffer for the next value */
  unsigned writes;
};

struct bywash_reader {
  latest v;
  int64_t seen;    /* the version that was read last */
  char *copy;
  unsigned reads;
};

static char *buffer_at(const latest *v, int writer, int buffer) {
  return v->buffers + ((int64_t)writer * BUFFERS_A_WRITER + buffer) * buffer_bytes(v->max);
}

static uint64_t latest_word(const latest *v) { return (uint64_t)load_acquire(v->role.base + LATEST); } /* [latest] */
static int64_t version_in(uint64_t word) { return (int64_t)(word >> VERSION_SHIFT); }
static int writer_in(uint64_t word) { return (int)(word >> ROLE_SHIFT) & 0x3FF; }

static int bad_writer(const latest *v, uint64_t word) {
  return damaged_entry(v->role.segment, &v->role.row, "the latest value is said to be of writer %d of %d",
      writer_in(word), v->writers);
}

static int open_latest(latest *v, bywash_segment *s, const char *entry, const bywash_role_options *given, int mode,
    bywash_role_options *options) {
  row found;
  int result = read_options(options, sizeof *options, given, "bywash_role_options");
  result = result != 0 ? result : find_kind(s, entry, BYWASH_LATEST, "is no latest value", options->layout, &found);
  result = result != 0 || mode == MODE_READER || !s->read_only ? result : require_participant(s);
  result = result != 0 ? result : role_begin(&v->role, s, &found, mode == MODE_READER, options->wait);
  if (result != 0) {
    return result;
  }
  v->max = found.element_size;
  v->writers = (int)found.parameters[PARAMETER_WRITERS];
  v->buffers = v->role.base + data_begin(found.roles);
  if (s->read_only) {
    return 0;
  }
  int first = mode == MODE_WRITER ? 0 : v->writers;
  int end = mode == MODE_WRITER ? v->writers : found.roles;
  for (int index = first; result == 0 && index < end; index++) {
    result = role_take(&v->role, index, mode);
  }
  if (result == 1) {
    return 0;
  }
  return result < 0 ? result : fail(BYWASH_EFULL, "Entry \"%s\" of segment %s has all its %d %s, and they live. Close"
      " one, or create it with more.", found.name, s->where.path, end - first,
      mode == MODE_WRITER ? "writers" : "readers");
}

int bywash_writer_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_writer **writer) {
  bywash_role_options own;
  bywash_writer *w = calloc(1, sizeof *w);
  if (w == NULL) {
    return fail(BYWASH_ENOMEM, "There is no memory left for a writer.");
  }
  int result = open_latest(&w->v, segment, entry, options, MODE_WRITER, &own);
  if (result == 0) {
    uint64_t word = latest_word(&w->v);
    bool mine = version_in(word) != 0 && writer_in(word) == w->v.role.index;
    w->next = mine ? (int)(word + 1) & (BUFFERS_A_WRITER - 1) : 0;
    result = role_activate(&w->v.role, own.label);
  }
  if (result != 0) {
    role_end(&w->v.role);
    free(w);
    return result;
  }
  *writer = w;
  return 0;
}

int bywash_write(bywash_writer *writer, const void *data, int64_t length, int32_t type) {
  latest *v = &writer->v;
  int result = role_enter(&v->role);
  if (result != 0) {
    return result;
  }
  if (length < 1 || length > v->max) {
    return fail(BYWASH_EINVAL, "length=%lld is not between 1 and %lld, the longest value of entry \"%s\"",
        (long long)length, (long long)v->max, v->role.row.name);
  }
  if (!is_ours(&v->role)) {
    return taken_away(&v->role);
  }
  char *buffer = buffer_at(v, v->role.index, writer->next);
  store(buffer + BUFFER_STAMP, 0);
  release_fence(); /* [stamp] who sees what is written now sees that the buffer is no longer what it was */
  copy_in(buffer + BUFFER_HEADER_BYTES, data, (size_t)length);
  store(buffer + BUFFER_LENGTH, (int64_t)((uint64_t)length | (uint64_t)(uint32_t)type << 32));
  uint64_t found;
  uint64_t next;
  do {
    found = latest_word(v);
    int64_t version = version_in(found) + 1;
    store(buffer + BUFFER_STAMP, version);
    next = (uint64_t)version << VERSION_SHIFT | (uint64_t)v->role.index << ROLE_SHIFT | (uint64_t)writer->next;
  } while (!compare_and_set(v->role.base + LATEST, (int64_t)found, (int64_t)next)); /* [latest] */
  writer->next = (writer->next + 1) & (BUFFERS_A_WRITER - 1);
  signal_roles(v->role.segment, &v->role.row, true);
  return (++writer->writes & (USES_A_PROBE - 1)) == 0 ? role_probe(&v->role) : 0;
}

int bywash_writer_close(bywash_writer *writer) {
  if (writer != NULL) {
    role_end(&writer->v.role);
    free(writer);
  }
  return 0;
}

int bywash_reader_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_reader **reader) {
  bywash_role_options own;
  bywash_reader *r = calloc(1, sizeof *r);
  if (r == NULL) {
    return fail(BYWASH_ENOMEM, "There is no memory left for a reader.");
  }
  int result = open_latest(&r->v, segment, entry, options, MODE_READER, &own);
  if (result == 0) {
    r->copy = malloc((size_t)r->v.max);
    result = r->copy == NULL ? fail(BYWASH_ENOMEM, "There is no memory left for a value of %lld bytes.",
        (long long)r->v.max) : r->v.role.index == NO_ROLE ? 0 : role_activate(&r->v.role, own.label);
  }
  if (result != 0) {
    role_end(&r->v.role);
    free(r->copy);
    free(r);
    return result;
  }
  *reader = r;
  return 0;
}

/** Ends a look: an observer asks whether what it read was still the entry's, others ask now and then. */
static int looked(bywash_reader *r) {
  return r->v.role.index == NO_ROLE || (++r->reads & (USES_A_PROBE - 1)) == 0 ? role_probe(&r->v.role) : 0;
}

int bywash_read(bywash_reader *reader, bywash_message *message) {
  latest *v = &reader->v;
  int result = role_enter(&v->role);
  for (int tries = 0; result == 0 && tries < MAX_READS; tries++) {
    uint64_t word = latest_word(v);
    int64_t version = version_in(word);
    if (version == 0) {
      return looked(reader);
    }
    if (writer_in(word) >= v->writers) {
      return bad_writer(v, word);
    }
    const char *buffer = buffer_at(v, writer_in(word), (int)word & (BUFFERS_A_WRITER - 1));
    uint64_t header = (uint64_t)load(buffer + BUFFER_LENGTH);
    int32_t length = (int32_t)header;
    bool possible = length >= 1 && length <= v->max;
    if (possible) {
      memcpy(reader->copy, buffer + BUFFER_HEADER_BYTES, (size_t)length);
    }
    acquire_fence(); /* [stamp] the loads before come before that of the stamp */
    if (load(buffer + BUFFER_STAMP) == version) {
      result = looked(reader);
      if (result == 0 && !possible && latest_word(v) == word) {
        return damaged_entry(v->role.segment, &v->role.row, "the latest value has %d bytes, and %lld are the most",
            length, (long long)v->max);
      }
      if (result == 0 && possible) {
        memset(message, 0, sizeof *message);
        message->data = reader->copy;
        message->length = length;
        message->type = (int32_t)(header >> 32);
        message->sequence = version;
        reader->seen = version;
        return 1;
      }
    }
  }
  return result;
}

static bool is_newer(void *context) {
  const bywash_reader *r = context;
  return version_in(latest_word(&r->v)) != r->seen || load_acquire(r->v.role.base + REMOVED_MARK) != 0;
}

int bywash_await_newer(bywash_reader *reader, int64_t timeout_ns) {
  latest *v = &reader->v;
  int64_t deadline = deadline_of(timeout_ns);
  int result;
  while ((result = role_enter(&v->role)) == 0) {
    if (version_in(latest_word(v)) != reader->seen) {
      result = looked(reader);
      return result != 0 ? result : 1;
    }
    result = role_wait(&v->role, is_newer, reader, deadline);
    if (result != 1) {
      return result;
    }
  }
  return result;
}

int bywash_reader_close(bywash_reader *reader) {
  if (reader != NULL) {
    role_end(&reader->v.role);
    free(reader->copy);
    free(reader);
  }
  return 0;
}

/* ---- looks */

int bywash_view_open(bywash_segment *segment, const char *entry, bywash_view **view) {
  row found;
  char how[256];
  int result = check_usable(segment);
  result = result != 0 ? result : find_row(segment, entry, &found);
  bool fits = result == 0 && found.version == KIND_VERSION && (found.kind == BYWASH_RING
      || found.kind == BYWASH_POOL || (found.kind == BYWASH_CELLS && found.parameters[PARAMETER_FORM] != ATOMICS));
  if (result == 0 && !fits) {
    return fail(BYWASH_EMISMATCH, "Entry \"%s\" of segment %s is neither a ring, nor an array, nor a pool", entry,
        segment->where.path);
  }
  if (result == 0 && check_kind(segment, &found, how, sizeof how) != 0) {
    return damaged_entry(segment, &found, "%s", how);
  }
  result = result != 0 || segment->read_only ? result : require_participant(segment);
  result = result != 0 ? result : hold_row(segment, &found);
  if (result != 0) {
    return result;
  }
  bywash_view *v = malloc(sizeof *v);
  if (v == NULL) {
    let_go(segment, &found);
    return fail(BYWASH_ENOMEM, "There is no memory left for a view.");
  }
  v->segment = segment;
  v->row = found;
  v->base = segment->map + found.offset;
  *view = v;
  return 0;
}

int64_t bywash_view_element(const bywash_view *view) { return view->row.element_size; }

int64_t bywash_view_count(const bywash_view *view) { return view->row.capacity; }

int bywash_ring_newest(bywash_view *view, void *elements, int count, int64_t *position) {
  const row *r = &view->row;
  int result = check_usable(view->segment);
  if (result != 0 || r->kind != BYWASH_RING || count < 1) {
    return result != 0 ? result : fail(BYWASH_EINVAL, "count=%d is not at least 1, or entry \"%s\" is no ring", count,
        r->name);
  }
  int64_t places = r->capacity + ring_block(r->capacity);
  const char *data = view->base + data_begin(r->roles);
  for (int tries = 0; tries < MAX_READS; tries++) {
    int64_t tail = load_acquire(view->base + RING_TAIL); /* [tail] */
    if (tail < 0 || tail > INT64_C(1) << 60) {
      return damaged_entry(view->segment, r, "a tail of %lld is impossible", (long long)tail);
    }
    int64_t first = max64(0, tail - min64(r->capacity, count));
    int64_t size = r->element_size;
    for (int64_t at = first, run; at < tail; at += run) {
      run = min64(tail - at, places - at % places);
      memcpy((char *)elements + (at - first) * size, data + at % places * size, (size_t)(run * size));
    }
    acquire_fence(); /* [intent] */
    int64_t intent = load(view->base + RING_INTENT);
    int64_t valid = tail == 0 ? 0 : max64(first, less(intent, places)); /* an empty ring was read whole */
    if ((result = check_present(view->segment, r)) != 0) {
      return result;
    }
    if (valid < tail || tail == 0) {
      memmove(elements, (char *)elements + (valid - first) * size, (size_t)((tail - valid) * size));
      if (position != NULL) {
        *position = valid;
      }
      return (int)(tail - valid);
    }
  }
  return 0;
}

int bywash_array_get(bywash_view *view, int64_t index, void *element, int64_t *version) {
  const row *r = &view->row;
  int result = check_usable(view->segment);
  if (result != 0 || r->kind != BYWASH_CELLS || index < 0 || index >= r->capacity) {
    return result != 0 ? result : fail(BYWASH_EINVAL, "index=%lld is not between 0 and %lld, or entry \"%s\" is no"
        " array", (long long)index, (long long)r->capacity - 1, r->name);
  }
  if (r->parameters[PARAMETER_FORM] == NUMBERS) {
    const char *at = view->base + index * r->element_size;
    int64_t word = r->element_size == 8 ? load_acquire(at) : load_int_acquire(at); /* [number] */
    memcpy(element, &word, (size_t)r->element_size);
    result = check_present(view->segment, r);
    return result != 0 ? result : 1;
  }
  const char *at = view->base + index * element_bytes(r->element_size);
  for (int tries = 0; tries < MAX_READS; tries++) {
    int64_t found = load_acquire(at + ELEMENT_VERSION); /* [element] */
    if (version != NULL) {
      *version = found;
    }
    if (found != 0) {
      memcpy(element, at + ELEMENT_COPIES + (found & 1) * copy_bytes(r->element_size), (size_t)r->element_size);
      acquire_fence(); /* [element] */
    }
    if (load(at + ELEMENT_VERSION) == found) {
      result = check_present(view->segment, r);
      return result != 0 ? result : found != 0 ? 1 : 0;
    }
  }
  return 0;
}

int bywash_view_close(bywash_view *view) {
  if (view != NULL) {
    let_go(view->segment, &view->row);
    free(view);
  }
  return 0;
}
