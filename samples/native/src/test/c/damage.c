/*
 * damage SEGMENT COPY ROUNDS SEED : copies a segment's file, writes nonsense to some of its words, and does everything
 * with the copy that the library can do. Whatever is wrong there is an error with a text, or nothing; it is never a
 * crash (a sanitizer sees what would be one), and nothing lasts for long. Prints how many rounds met damage.
 */
#include "peer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static uint64_t state;

static uint64_t next(void) { return mix(state++); }

static int errors;

/** Notes an error; true if there was none. */
static bool good(int64_t result) {
  if (result < 0 && bywash_error()[0] == 0) {
    fprintf(stderr, "damage: error %lld without a text\n", (long long)result);
    exit(1);
  }
  errors += result == BYWASH_EDAMAGED ? 1 : 0;
  return result >= 0;
}

static int ignore(void *context, const bywash_message *m) {
  volatile uint8_t sum = 0;
  (void)context;
  for (int32_t i = 0; i < m->length; i++) {
    sum = (uint8_t)(sum + ((const uint8_t *)m->data)[i]);
  }
  return 0;
}

static void use_broadcast(bywash_segment *s, bool read_only) {
  bywash_subscriber_options options = { .size = sizeof options, .start = BYWASH_OLDEST, .evict_after_ns = 1 };
  for (options.policy = read_only ? BYWASH_SKIP : BYWASH_BLOCK; options.policy <= BYWASH_EVICT; options.policy++) {
    bywash_subscriber *subscriber;
    options.start = (uint32_t)(next() % 4);
    options.start_number = (int64_t)(next() % 50);
    if (good(bywash_subscriber_open(s, "q", &options, &subscriber))) {
      bywash_message m;
      good(bywash_poll(subscriber, ignore, NULL, 100, 0));
      if (bywash_receive(subscriber, &m, 0) == 1) {
        ignore(NULL, &m);
      }
      bywash_subscriber_close(subscriber);
    }
  }
  bywash_publisher *publisher;
  if (!read_only && good(bywash_publisher_open(s, "q", NULL, &publisher))) {
    uint8_t message[MAX_LENGTH];
    for (int64_t i = 0; i < 60; i++) {
      fill(message, i);
      good(bywash_offer(publisher, message, length_of(i), 0, 0));
    }
    bywash_publisher_close(publisher);
  }
}

static void use_queue(bywash_segment *s) {
  bywash_producer *producer;
  bywash_consumer *consumer;
  uint8_t message[MAX_LENGTH];
  fill(message, 1);
  if (good(bywash_producer_open(s, "jobs", NULL, &producer))) {
    good(bywash_send(producer, message, length_of(1), 0, 0));
    bywash_producer_close(producer);
  }
  if (good(bywash_consumer_open(s, "jobs", NULL, &consumer))) {
    for (int i = 0; i < 5; i++) {
      bywash_message m;
      int result = bywash_take(consumer, &m, 0);
      if (good(result) && result == 1) {
        ignore(NULL, &m);
        good(i % 2 == 0 ? bywash_acknowledge(consumer) : bywash_give_back(consumer));
      }
    }
    bywash_consumer_close(consumer);
  }
}

static void use_values(bywash_segment *s, bool read_only) {
  static const char *const views[] = { "ring", "numbers", "records" };
  bywash_cells *cells;
  bywash_reader *reader;
  bywash_writer *writer;
  bywash_message m;
  if (good(bywash_cells_open(s, "state", &cells))) {
    int64_t value;
    int cell = bywash_cell(cells, "total", BYWASH_LONG);
    if (good(cell) && good(bywash_get(cells, cell, &value)) && !read_only) {
      good(bywash_add(cells, cell, value, NULL));
    }
    bywash_cells_close(cells);
  }
  if (good(bywash_reader_open(s, "price", NULL, &reader))) {
    if (bywash_read(reader, &m) == 1) {
      ignore(NULL, &m);
    }
    bywash_reader_close(reader);
  }
  if (!read_only && good(bywash_writer_open(s, "price", NULL, &writer))) {
    good(bywash_write(writer, "value", 5, 0));
    bywash_writer_close(writer);
  }
  for (int i = 0; i < 3; i++) {
    bywash_view *view;
    if (good(bywash_view_open(s, views[i], &view))) {
      int64_t size = bywash_view_element(view);
      char *elements = malloc((size_t)size * 10);
      if (elements != NULL) {
        good(i == 0 ? bywash_ring_newest(view, elements, 10, NULL)
            : bywash_array_get(view, (int64_t)(next() % (uint64_t)bywash_view_count(view)), elements, NULL));
      }
      free(elements);
      bywash_view_close(view);
    }
  }
}

static void use_calls(bywash_segment *s) {
  bywash_caller *caller = NULL;
  bywash_responder *responder = NULL;
  bywash_request requests[8];
  bywash_reply reply;
  int64_t number = 0;
  int count = 0;
  uint8_t message[MAX_LENGTH];
  if (good(bywash_responder_open(s, "calls", NULL, &responder))) {
    for (int result; count < 8; count++) { /* what is there already */
      result = bywash_request_next(responder, &requests[count], 0);
      if (!good(result) || result == 0) {
        break;
      }
    }
  }
  if (good(bywash_caller_open(s, "calls", NULL, &caller))) {
    fill(message, 1);
    for (int i = 0; i < 6; i++) {
      good(bywash_call_begin(caller, message, length_of(1), 0, 1 + (i % 3) * SECOND, &number));
    }
    good(bywash_call_one_way(caller, message, length_of(1), 0));
    good(bywash_call_cancel(caller, number));
  }
  for (int i = 0; responder != NULL && i < 8; i++) {
    int result = count > 0 ? 1 : bywash_request_next(responder, &requests[0], 0);
    if (good(result) && result == 1) {
      bywash_request *request = &requests[count > 0 ? --count : 0];
      bywash_message m = { .data = request->data, .length = request->length };
      ignore(NULL, &m);
      good(bywash_request_is_cancelled(responder, request));
      good(i % 3 == 0 ? bywash_request_fail(responder, request, "A", "B")
          : bywash_request_reply(responder, request, message, length_of(1), 0));
    }
  }
  for (int i = 0; caller != NULL && i < 8; i++) {
    if (bywash_call_next(caller, 0, &reply) == 1 && reply.data != NULL) {
      bywash_message m = { .data = reply.data, .length = reply.length };
      ignore(NULL, &m);
    }
  }
  if (caller != NULL) {
    good(bywash_call(caller, message, length_of(1), 0, 1000, &reply));
  }
  bywash_caller_close(caller);
  bywash_responder_close(responder);
}

static void use_pool(bywash_segment *s) {
  bywash_view *view;
  if (good(bywash_view_open(s, "pool", &view))) {
    char *object = malloc((size_t)bywash_view_element(view));
    int64_t handle = 0;
    for (int i = 0; object != NULL && i < 20 && bywash_pool_next(view, &handle) == 1; i++) {
      good(bywash_pool_get(view, handle, object));
    }
    free(object);
    bywash_view_close(view);
  }
}

static void use(const char *path, bool read_only) {
  bywash_segment *s;
  char layout[64];
  if (!good(read_only ? bywash_observe(path, &s) : bywash_attach(path, 0, &s))) {
    return;
  }
  if (!read_only) {
    good(bywash_recover(s, NULL));
  }
  good(bywash_layout(s, "records", layout, sizeof layout));
  use_broadcast(s, read_only);
  if (!read_only) {
    use_queue(s);
    use_calls(s);
  }
  use_pool(s);
  use_values(s, read_only);
  good(bywash_close(s));
}

int main(int argc, char **argv) {
  struct stat found;
  if (argc != 5) {
    fprintf(stderr, "usage: damage SEGMENT COPY ROUNDS SEED\n");
    return 2;
  }
  int original = open(argv[1], O_RDONLY);
  if (original < 0 || fstat(original, &found) != 0) {
    perror(argv[1]);
    return 1;
  }
  size_t size = (size_t)found.st_size;
  const uint64_t *words = mmap(NULL, size, PROT_READ, MAP_SHARED, original, 0);
  int damaged = 0;
  for (int64_t round = 0; round < strtoll(argv[3], NULL, 10); round++) {
    state = (uint64_t)(strtoll(argv[4], NULL, 10) * 1000003 + round * 1009);
    int copy = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (copy < 0 || write(copy, words, size) != (ssize_t)size) {
      perror(argv[2]);
      return 1;
    }
    uint64_t *here = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
    for (uint64_t count = 1 + next() % 3; count > 0; count--) {
      size_t at = next() % (size / 8);
      while (at < 16 || (words[at] == 0 && next() % 50 != 0)) { /* mostly a word that means something */
        at = next() % (size / 8);
      }
      const uint64_t nonsense[] = { 0, 1, ~UINT64_C(0), next(), next() % 100000, words[at] + 16, words[at] - 1,
        words[next() % (size / 8)], words[at] ^ UINT64_C(1) << next() % 64, INT64_MAX };
      here[at] = nonsense[next() % 10];
    }
    munmap(here, size);
    close(copy);
    errors = 0;
    struct timespec start;
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    use(argv[2], round % 3 == 0);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (end.tv_sec - start.tv_sec > 60) {
      fprintf(stderr, "damage: round %lld lasted %lld s\n", (long long)round, (long long)(end.tv_sec - start.tv_sec));
      return 1;
    }
    damaged += errors > 0 ? 1 : 0;
    unlink(argv[2]);
  }
  printf("damaged %d\n", damaged);
  return 0;
}
