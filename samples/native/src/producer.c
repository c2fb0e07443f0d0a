/* Producers of work queues (SPEC 9.2), and dead letters (9.4). */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

#define SENDS_A_PROBE 1024

struct bywash_producer {
  exchanger x;
  int search_start;
  unsigned sends;
};

int bywash_producer_open(bywash_segment *segment, const char *entry, const bywash_role_options *options,
    bywash_producer **producer) {
  bywash_role_options own;
  row found;
  int result = read_options(&own, sizeof own, options, "bywash_role_options");
  result = result != 0 ? result : find_kind(segment, entry, BYWASH_WORK_QUEUE, "is no work queue", own.layout, &found);
  return result != 0 ? result : open_producer(segment, &found, &own, producer);
}

int open_producer(bywash_segment *s, const row *found, const bywash_role_options *options,
    bywash_producer **producer) {
  bywash_producer *p = calloc(1, sizeof *p);
  if (p == NULL) {
    return fail(BYWASH_ENOMEM, "There is no memory left for a producer.");
  }
  int result = take_place(&p->x, s, found, MODE_PRODUCER, options);
  if (result != 0) {
    role_end(&p->x.role);
    free(p);
    return result;
  }
  *producer = p;
  return 0;
}

/** Sends the message that was written to the own slot: 1, 0 or an error. */
static int send_now(bywash_producer *p, int64_t length, int32_t type, int reason, int64_t origin) {
  char *slot = queue_slot(&p->x.queue, own_slot(&p->x));
  store(slot + SLOT_LENGTH, (int64_t)((uint64_t)length | (uint64_t)(uint32_t)type << 32));
  store(slot + SLOT_DELIVERIES, (int64_t)((uint64_t)reason << 32));
  store(slot + SLOT_ORIGIN, origin);
  int result = exchanger_send(&p->x, true);
  if (result == 1) {
    signal_one(p->x.role.segment, &p->x.role.row, true, &p->search_start);
  }
  return result;
}

static bool room_or_end(void *context) {
  const exchanger *x = context;
  return exchanger_room(x) != 0 || !is_ours(&x->role) || load_acquire(x->queue.base + REMOVED_MARK) != 0;
}

int bywash_send(bywash_producer *producer, const void *data, int64_t length, int32_t type, int64_t timeout_ns) {
  exchanger *x = &producer->x;
  if (length < 1 || length > x->queue.max) {
    return fail(BYWASH_EINVAL, "length=%lld is not between 1 and %lld, the longest message of entry \"%s\"",
        (long long)length, (long long)x->queue.max, x->role.row.name);
  }
  int result = exchanger_refresh(x);
  if (result == 0 && ++producer->sends % SENDS_A_PROBE == 0) {
    result = role_probe(&x->role);
  }
  if (result == 0) {
    copy_in(queue_slot(&x->queue, own_slot(x)) + SLOT_HEADER_BYTES, data, (size_t)length);
    result = send_now(producer, length, type, NO_DEAD_LETTER, 0);
    result = result != 0 ? result : role_probe(&x->role); /* one that never waits has to notice as well */
  }
  int64_t deadline = result == 0 && timeout_ns > 0 ? deadline_of(timeout_ns) : 0;
  while (result == 0 && deadline != 0 && (result = role_wait(&x->role, room_or_end, x, deadline)) == 1) {
    result = exchanger_refresh(x);
    result = result != 0 ? result : send_now(producer, length, type, NO_DEAD_LETTER, 0);
    if (result != 0) {
      return result;
    }
  }
  return result;
}

int bywash_producer_close(bywash_producer *producer) {
  if (producer != NULL) {
    role_end(&producer->x.role);
    free(producer);
  }
  return 0;
}

/* ---- dead letters */

int open_letters(bywash_segment *s, const row *found, bywash_producer **opened) {
  const bywash_role_options options = { .size = sizeof options };
  queue q;
  row letters = { 0 };
  queue_init(&q, s, found);
  char where[NAME_MAX_BYTES * 2 + PATH_MAX + 80];
  snprintf(where, sizeof where, "Entry \"%s\" of segment %s cannot send its dead letters to entry \"%s\": ",
      found->name, s->where.path, q.dead_letters);
  char name[DEAD_LETTERS_MAX_BYTES + 1];
  memcpy(name, q.dead_letters, sizeof name);
  for (int length = 0; name[0] != 0; length++) {
    row next;
    int result = find_row(s, name, &next);
    char how[256];
    if (result == BYWASH_ENOTFOUND && length == 0) {
      return fail(BYWASH_ENOTFOUND, "%sthere is no such entry. Add it before the first consumer is opened.", where);
    }
    if (result != 0 || next.kind != BYWASH_WORK_QUEUE || !is_known(&next)
        || check_kind(s, &next, how, sizeof how) != 0) {
      if (length == 0) {
        return result < 0 && result != BYWASH_ENOTFOUND ? result
            : fail(BYWASH_EMISMATCH, "%sit is no work queue", where);
      }
      break;
    }
    if (length == 0 && next.element_size < found->element_size) {
      return fail(BYWASH_EMISMATCH, "%sits messages have up to %lld bytes, those of this queue up to %lld", where,
          (long long)next.element_size, (long long)found->element_size);
    }
    if (strcmp(name, found->name) == 0 || length > s->rows) {
      return fail(BYWASH_EMISMATCH, "%sits own dead letters lead back to \"%s\"", where, name);
    }
    if (length == 0) {
      letters = next;
    }
    queue_init(&q, s, &next);
    memcpy(name, q.dead_letters, sizeof name);
  }
  queue_init(&q, s, found); /* opened is the entry that was checked: another one may have taken its name since */
  return q.dead_letters[0] == 0 ? 0 : open_producer(s, &letters, &options, opened);
}

int room_for_letter(bywash_producer *letters) {
  exchanger *x = &letters->x;
  if (is_gone(x->role.segment, &x->role.row) || load_acquire(x->queue.base + REMOVED_MARK) != 0
      || !is_ours(&x->role)) {
    return 0;
  }
  int result = exchanger_refresh(x);
  return result == 0 ? exchanger_room(x) : result == BYWASH_ECLOSED ? 0 : result;
}

int bury_message(bywash_producer *letters, const queue *from, int slot, uint64_t header) {
  const char *source = queue_slot(from, slot);
  int32_t length = (int32_t)header;
  int result = exchanger_refresh(&letters->x);
  result = result != 0 ? result : role_probe(&letters->x.role); /* the dead letter would be lost in a removed queue */
  if (result == 0) {
    copy_in(queue_slot(&letters->x.queue, own_slot(&letters->x)) + SLOT_HEADER_BYTES, source + SLOT_HEADER_BYTES,
        (size_t)length);
    result = send_now(letters, length, (int32_t)(header >> 32), DELIVERED_TOO_OFTEN, load(source + SLOT_SEQUENCE));
  }
  return result == BYWASH_EREMOVED || result == BYWASH_ECLOSED ? 0 : result;
}
