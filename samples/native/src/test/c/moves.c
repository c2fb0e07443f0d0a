/* moves CASE SEGMENT : whether the library overlooks a message that moves; it calls what looks for messages itself. */
#include "../../internal.h"
#include "faults.h"

#include <signal.h>

enum { CAPACITY = 1 << 15 }; /* cells on several pages, however large these are */

static bywash_consumer *consumer;
static char *guarded; /* a page of cells that may not be read yet */
static size_t page_bytes;
static int moves;

static void guard(int protection) {
  if (mprotect(guarded, page_bytes, protection) != 0) {
    perror("mprotect");
    _exit(1);
  }
}

/** Called when a look has come to the guarded page: the message in the last cell is given back to the first one. */
static void move_message(int number) {
  bywash_message m;
  (void)number;
  guard(PROT_READ | PROT_WRITE);
  moves++;
  expect(1, bywash_take(consumer, &m, 0), "take");
  expect(CAPACITY - 1, m.sequence, "sequence");
  expect(0, bywash_give_back(consumer), "give back");
}

/** A message that was not seen yet, and moves to where no look will come any more, is not overlooked. */
static void two_moves(const char *name) {
  bywash_entry entry;
  bywash_producer *producer;
  bywash_message m;
  row found;
  queue q;
  must(bywash_work_queue(&entry, "jobs", CAPACITY, 16, NULL, 2), "jobs");
  create(name, &entry, 1);
  must(bywash_producer_open(segment, "jobs", NULL, &producer), "producer");
  must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  must(find_kind(segment, "jobs", BYWASH_WORK_QUEUE, "is no work queue", NULL, &found), "jobs");
  queue_init(&q, segment, &found);
  expect(0, queue_messages(&q), "messages");
  for (int i = 0; i < CAPACITY - 1; i++) {
    expect(1, bywash_send(producer, "message", 7, 0, 0), "send");
    expect(1, bywash_take(consumer, &m, 0), "take");
    expect(0, bywash_acknowledge(consumer), "acknowledge");
  }
  expect(1, bywash_send(producer, "message", 7, 0, 0), "send");
  page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  guarded = (char *)(((uintptr_t)q.cells + page_bytes) & ~(uintptr_t)(page_bytes - 1));
  signal(SIGSEGV, move_message);
  guard(PROT_NONE);
  expect(1, queue_messages(&q), "messages");
  expect(1, moves, "moves");
  expect(1, bywash_take(consumer, &m, 0), "take");
  expect(1, queue_messages(&q), "messages with the one that is held");
  expect(0, bywash_acknowledge(consumer), "acknowledge");
  expect(0, queue_messages(&q), "messages");
  bywash_consumer_close(consumer);
  bywash_producer_close(producer);
}

int main(int argc, char **argv) {
  static const fault cases[] = { { "two-moves", two_moves } };
  return run_fault(cases, sizeof cases / sizeof cases[0], argc, argv);
}
