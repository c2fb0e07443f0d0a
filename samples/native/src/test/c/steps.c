/*
 * steps OPERATION SEGMENT N [fork] : does an operation, and kills itself with SIGKILL before step N of it. A step is
 * each store to shared memory, each lock or unlock, and each change of a name. Prints "done STEPS" if it has fewer.
 * With "fork" it leaves a child, forked before that step, that lives until its input is closed.
 * Built with BYWASH_STEPS, which calls bywash_step before each step.
 */
#include "peer.h"

#include <signal.h>
#include <unistd.h>

void bywash_step(void);

static int64_t steps;
static int64_t last;  /* 0: nothing is counted */

static bool forks;

/** Forks a child that lives on, and waits until that has begun. */
static void leave_child(void) {
  int begun[2];
  char byte = 0;
  if (pipe(begun) != 0 || fork() == 0) {
    bool told = write(begun[1], &byte, 1) == 1;
    until_closed();
    _exit(told ? 0 : 1);
  }
  if (read(begun[0], &byte, 1) != 1) {
    exit(1);
  }
}

void bywash_step(void) {
  if (last != 0 && ++steps == last) {
    if (forks) {
      leave_child();
    }
    kill(getpid(), SIGKILL);
  }
}

static bywash_segment *segment;

static void arm(int64_t n) {
  steps = 0;
  last = n;
}

static int ignore(void *context, const bywash_message *m) {
  (void)context;
  checked(m);
  return 0;
}

static void publish(int64_t n, bool staged) {
  bywash_publisher *publisher;
  uint8_t message[MAX_LENGTH];
  if (!staged) {
    arm(n); /* the take-over counts as well */
  }
  must(bywash_publisher_open(segment, "q", NULL, &publisher), "publisher");
  arm(n);
  for (int i = 0; i < (staged ? 16 : 6); i++) { /* runs that follow each other turn the ring */
    void *place;
    int64_t number = bywash_publisher_sequence(publisher);
    if (staged) {
      must(bywash_claim(publisher, length_of(number), (int32_t)number, 0, &place), "claim");
      fill(place, number);
      must(i % 4 == 3 ? bywash_commit(publisher) : bywash_stage(publisher), "commit");
    } else {
      fill(message, number);
      must(bywash_offer(publisher, message, length_of(number), (int32_t)number, 0), "offer");
    }
  }
  bywash_publisher_close(publisher);
}

static void subscribe(int64_t n, uint32_t policy) {
  bywash_subscriber_options options = { .size = sizeof options, .policy = policy, .start = BYWASH_OLDEST,
    .evict_after_ns = SECOND };
  bywash_subscriber *subscriber;
  arm(n);
  must(bywash_subscriber_open(segment, "q", &options, &subscriber), "subscriber");
  must(bywash_poll(subscriber, ignore, NULL, 1000, 0), "poll");
  bywash_subscriber_close(subscriber);
}

static void send_two(int64_t n) {
  bywash_producer *producer;
  uint8_t message[MAX_LENGTH];
  arm(n);
  must(bywash_producer_open(segment, "jobs", NULL, &producer), "producer");
  for (int64_t i = 0; i < 2; i++) {
    fill(message, i);
    must(bywash_send(producer, message, length_of(i), (int32_t)i, 0), "send");
  }
  bywash_producer_close(producer);
}

static void take_two(int64_t n, bool back) {
  bywash_consumer *consumer;
  arm(n);
  must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  for (int i = 0; i < 2; i++) {
    bywash_message m;
    if (must(bywash_take(consumer, &m, 0), "take") == 1) {
      checked(&m);
      must(back ? bywash_give_back(consumer) : bywash_acknowledge(consumer), "end");
    }
  }
  bywash_consumer_close(consumer);
}

static void set_values(int64_t n) {
  bywash_writer *writer;
  bywash_cells *cells;
  arm(n);
  must(bywash_cells_open(segment, "state", &cells), "cells");
  int total = must(bywash_cell(cells, "total", BYWASH_LONG), "total");
  must(bywash_add(cells, total, 1, NULL), "add");
  must(bywash_compare_and_set(cells, total, 0, 5), "compare");
  must(bywash_set(cells, total, 7), "set");
  bywash_cells_close(cells);
  must(bywash_writer_open(segment, "price", NULL, &writer), "writer");
  for (int64_t i = 0; i < 6; i++) {
    uint8_t value[MAX_LENGTH];
    fill(value, i);
    must(bywash_write(writer, value, length_of(i), 0), "write");
  }
  bywash_writer_close(writer);
}

/* ---- calls */

static int64_t begin(bywash_caller *caller, int64_t i) {
  uint8_t message[MAX_LENGTH];
  int64_t sent = 0;
  fill(message, i);
  must(bywash_call_begin(caller, message, length_of(i), (int32_t)i, PATIENCE, &sent), "begin");
  return sent;
}

/** Calls that nobody answers: one is cancelled, one waits in vain, one stays; and a one-way request. */
static void call(int64_t n) {
  bywash_caller *caller;
  bywash_reply reply;
  uint8_t message[MAX_LENGTH];
  arm(n);
  must(bywash_caller_open(segment, "plain", NULL, &caller), "caller");
  must(bywash_call_cancel(caller, begin(caller, 0)), "cancel");
  must(bywash_call_next(caller, 0, &reply), "next");
  begin(caller, 1);
  fill(message, 2);
  must(bywash_call_one_way(caller, message, length_of(2), 2), "one way");
  must(bywash_call(caller, message, length_of(2), 2, 2000000, &reply), "call");
  bywash_caller_close(caller);
}

static void take_and_answer(bywash_responder *responder, bywash_request *request, bool fails) {
  uint8_t message[MAX_LENGTH];
  int64_t i = request->type;
  fill(message, 3 * i + 1);
  must(fails ? bywash_request_fail(responder, request, "Nonsense", "on purpose")
      : bywash_request_reply(responder, request, message, length_of(3 * i + 1), (int32_t)i), "reply");
}

/** Answers what Java has sent, the last one first. */
static void serve(int64_t n, const char *entry) {
  bywash_responder *responder;
  bywash_request requests[4];
  int count = 0;
  arm(n);
  must(bywash_responder_open(segment, entry, NULL, &responder), "responder");
  while (must(bywash_request_next(responder, &requests[count], count < 3 ? 1000000 : 0), "next") == 1) {
    count++;
  }
  while (count > 1) {
    take_and_answer(responder, &requests[--count], false);
  }
  bywash_responder_close(responder); /* with one in its hands */
}

/** Both sides: a reply that is too late, one that is a failure, and numbers that are skipped. */
static void call_and_serve(int64_t n, const char *entry) {
  bywash_caller *caller;
  bywash_responder *responder;
  bywash_request requests[4];
  bywash_reply reply;
  int64_t first = 0;
  arm(n);
  must(bywash_responder_open(segment, entry, NULL, &responder), "responder");
  must(bywash_caller_open(segment, entry, NULL, &caller), "caller");
  for (int i = 0; i < 4; i++) {
    first = i == 0 ? begin(caller, i) : (begin(caller, i), first);
    must(bywash_request_next(responder, &requests[i], 0), "take");
  }
  must(bywash_call_cancel(caller, first), "cancel");
  for (int i = 3; i > 0; i--) {
    take_and_answer(responder, &requests[i], i == 2);
  }
  for (int i = 0; i < 4; i++) {
    must(bywash_call_next(caller, 0, &reply), "next");
  }
  must(bywash_call_next(caller, 0, &reply), "none"); /* the last one is valid no more */
  begin(caller, 5); /* not in the slot of the first one, which is still in use */
  must(bywash_request_next(responder, &requests[1], 0), "take");
  take_and_answer(responder, &requests[0], false);
  take_and_answer(responder, &requests[1], false);
  must(bywash_call_next(caller, 0, &reply), "next");
  must(bywash_request_next(responder, &requests[0], 1000000), "in vain");
  bywash_caller_close(caller);
  bywash_responder_close(responder);
}

static void create(const char *name, int64_t n) {
  bywash_entry entry;
  bywash_segment_spec spec;
  must(bywash_broadcast(&entry, "made", 4096, 1), "made");
  bywash_small_spec(&spec, &entry, 1);
  arm(n);
  must(bywash_open(name, &spec, &segment), "open");
  must(bywash_close(segment), "close");
  segment = NULL;
}

int main(int argc, char **argv) {
  forks = argc == 5 && strcmp(argv[4], "fork") == 0;
  if (argc != 4 && !forks) {
    fprintf(stderr, "usage: steps OPERATION SEGMENT N [fork]\n");
    return 2;
  }
  const char *operation = argv[1];
  int64_t n = strtoll(argv[3], NULL, 10);
  if (strcmp(operation, "create") != 0) {
    if (strcmp(operation, "join") == 0) {
      arm(n);
    }
    must(bywash_attach(argv[2], 0, &segment), "attach");
  }
  if (strcmp(operation, "create") == 0) {
    create(argv[2], n);
  } else if (strcmp(operation, "publish") == 0 || strcmp(operation, "stage") == 0) {
    publish(n, operation[0] == 's');
  } else if (strcmp(operation, "block") == 0) {
    subscribe(n, BYWASH_BLOCK);
  } else if (strcmp(operation, "skip") == 0) {
    subscribe(n, BYWASH_SKIP);
  } else if (strcmp(operation, "send") == 0) {
    send_two(n);
  } else if (strcmp(operation, "take") == 0 || strcmp(operation, "return") == 0) {
    take_two(n, operation[0] == 'r');
  } else if (strcmp(operation, "values") == 0) {
    set_values(n);
  } else if (strcmp(operation, "call") == 0) {
    call(n);
  } else if (strncmp(operation, "serve-", 6) == 0) {
    serve(n, operation + 6);
  } else if (strncmp(operation, "both-", 5) == 0) {
    call_and_serve(n, operation + 5);
  } else if (strcmp(operation, "join") != 0) {
    fprintf(stderr, "steps: operation %s is none\n", operation);
    return 2;
  }
  int result = segment == NULL ? 0 : bywash_close(segment); /* counts as well where the operation is to join */
  last = 0;
  printf("done %lld\n", (long long)steps);
  return must(result, "close");
}
