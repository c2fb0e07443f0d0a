/*
 * The C side of `./bywash bench native`: one process of a measurement, which obeys the commands that Child.kt of
 * samples/bench obeys, one a line, and answers each with a line. When its standard input ends, so does it, whatever it
 * does, and removes the directory of the measurement, in case its parent was killed.
 *
 * Arguments: "streams" or "calls", wait policy, directory, bytes of a ring, readers of a channel, bytes of a message
 * (up to 64). For calls, a writer is a caller, and a reader a responder.
 */
#include "bywash.h"

#include <ftw.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define PATIENCE (20 * SECOND)

enum { ENDS = 4, LIMIT = 1024, BEHIND = 10, REMOVALS = 10, DESCRIPTORS = 16 };

static uint32_t policy;
static const char *directory;
static int64_t ring_bytes;
static int32_t reader_count;
static int64_t words;

static bywash_segment *segments[2 * ENDS];
static int segment_count;
static bywash_publisher *writers[ENDS];
static int writer_count;
static bywash_subscriber *readers[ENDS];
static int subscriber_count;
static bool for_calls;
static bywash_caller *caller;
static bywash_responder *responder;

static int must(int result) {
  if (result < 0) {
    printf("error %s\n", bywash_error());
    exit(1);
  }
  return result;
}

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
  (void)status;
  (void)type;
  (void)at;
  remove(path); /* others do the same */
  return 0;
}

static void remove_directory(void) {
  for (int i = 0; i < REMOVALS && access(directory, F_OK) == 0; i++) {
    nftw(directory, remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
  }
}

/* The parent's end of the pipe of commands is open for as long as the parent lives. */
static void *end_with_input(void *unused) {
  struct pollfd input = { .fd = STDIN_FILENO };
  (void)unused;
  do {
    poll(&input, 1, -1);
  } while ((input.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0);
  remove_directory();
  _exit(0);
}

static void path_of(int64_t channel, char *path, size_t bytes) {
  snprintf(path, bytes, "%s/channel-%" PRId64, directory, channel);
}

static void open_writer(int64_t channel) {
  bywash_entry queue;
  bywash_segment_spec spec;
  bywash_role_options options = { .size = sizeof options, .wait = policy };
  char path[4096];
  path_of(channel, path, sizeof path);
  must(bywash_broadcast(&queue, "queue", ring_bytes, 0));
  bywash_spec(&spec, &queue, 1);
  must(bywash_open(path, &spec, &segments[segment_count]));
  must(bywash_publisher_open(segments[segment_count++], "queue", &options, &writers[writer_count++]));
}

static void open_reader(int64_t channel) {
  bywash_subscriber_options options = { .size = sizeof options, .policy = BYWASH_BLOCK, .wait = policy };
  char path[4096];
  path_of(channel, path, sizeof path);
  must(bywash_attach(path, PATIENCE, &segments[segment_count]));
  must(bywash_subscriber_open(segments[segment_count++], "queue", &options, &readers[subscriber_count++]));
}

static void open_caller(int64_t channel) {
  bywash_entry endpoint;
  bywash_segment_spec spec;
  bywash_endpoint_options room = { .size = sizeof room, .callers = 1 };
  bywash_role_options options = { .size = sizeof options, .wait = policy };
  char path[4096];
  path_of(channel, path, sizeof path);
  must(bywash_endpoint(&endpoint, "calls", words * 8, words * 8, &room));
  bywash_spec(&spec, &endpoint, 1);
  must(bywash_open(path, &spec, &segments[segment_count]));
  must(bywash_caller_open(segments[segment_count++], "calls", &options, &caller));
}

static void open_responder(int64_t channel) {
  bywash_role_options options = { .size = sizeof options, .wait = policy };
  char path[4096];
  path_of(channel, path, sizeof path);
  must(bywash_attach(path, PATIENCE, &segments[segment_count]));
  must(bywash_responder_open(segments[segment_count++], "calls", &options, &responder));
}

static void send_one(bywash_publisher *writer, int64_t first) {
  void *place;
  while (must(bywash_claim(writer, words * 8, 0, SECOND, &place)) == 0) {
  }
  int64_t *message = place;
  for (int64_t i = 0; i < words; i++) {
    message[i] = first + i;
  }
  must(bywash_commit(writer));
}

typedef struct tally {
  int64_t sum, last;
} tally;

static int take(void *context, const bywash_message *m) {
  tally *t = context;
  const int64_t *message = m->data;
  int64_t sum = 0;
  for (int64_t i = 0; i < words; i++) {
    sum += message[i];
  }
  t->sum += sum;
  t->last = message[0];
  return 0;
}

static void receive_exactly(bywash_subscriber *reader, tally *t, int64_t count) {
  while (count > 0) {
    count -= must(bywash_poll(reader, take, t, count < LIMIT ? (int)count : LIMIT, SECOND));
  }
}

static int64_t sum_of(int64_t from, int64_t until) {
  int64_t count = until - from;
  int64_t firsts = count % 2 == 0 ? count / 2 * (from + until - 1) : count * ((from + until - 1) / 2);
  return firsts * words + count * (words * (words - 1) / 2);
}

static void send_all(int64_t from, int64_t until) {
  int64_t start = now_ns();
  for (int64_t first = from; first < until; first++) {
    send_one(writers[0], first);
  }
  printf("ok start=%" PRId64 " end=%" PRId64 " sum=%" PRId64 "\n", start, now_ns(), sum_of(from, until));
}

static void receive_all(int64_t from, int64_t until) {
  tally t = { 0, -1 };
  puts("ok"); /* it has begun, so that the writer begins behind it */
  fflush(stdout);
  receive_exactly(readers[0], &t, until - from);
  printf("ok end=%" PRId64 " received=%" PRId64 " sum=%" PRId64 " expected=%" PRId64 "\n", now_ns(), until - from, t.sum,
      t.sum);
}

static int by_size(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a;
  int64_t y = *(const int64_t *)b;
  return x < y ? -1 : x > y ? 1 : 0;
}

static int64_t *room_for(int64_t count) {
  int64_t *times = malloc((size_t)count * sizeof *times);
  if (times == NULL) {
    puts("error no memory");
    exit(1);
  }
  return times;
}

static void check_back(int64_t sent, int64_t got) {
  if (sent != got) {
    printf("error sent %" PRId64 ", got %" PRId64 " back\n", sent, got);
    exit(1);
  }
}

static void tell(int64_t *times, int64_t count) {
  static const char *const names[] = { "p50", "p90", "p99", "p999", "p9999" };
  static const double shares[] = { 0.5, 0.9, 0.99, 0.999, 0.9999 };
  qsort(times, (size_t)count, sizeof *times, by_size);
  printf("ok");
  for (int i = 0; i < 5; i++) {
    int64_t at = (int64_t)((double)(count - 1) * shares[i]);
    if (i > 0 && count - at < BEHIND) {
      break; /* what has fewer values behind it says nothing */
    }
    printf(" %s=%" PRId64, names[i], times[at]);
  }
  puts("");
  free(times);
}

static void ping(int64_t count) {
  int64_t *times = room_for(count);
  for (int64_t i = 0; i < count; i++) {
    tally t = { 0, -1 };
    int64_t start = now_ns();
    send_one(writers[0], start);
    receive_exactly(readers[0], &t, 1);
    times[i] = now_ns() - start;
    check_back(start, t.last);
  }
  tell(times, count);
}

static void call_one_by_one(int64_t count) {
  int64_t *times = room_for(count);
  for (int64_t i = 0; i < count; i++) {
    int64_t message[8];
    bywash_reply reply;
    int64_t start = now_ns();
    for (int64_t j = 0; j < words; j++) {
      message[j] = start + j;
    }
    if (must(bywash_call(caller, message, words * 8, 0, PATIENCE, &reply)) == 0) {
      printf("error %s\n", bywash_error());
      exit(1);
    }
    times[i] = now_ns() - start;
    check_back(start, *(const int64_t *)reply.data);
  }
  tell(times, count);
}

static void answer(int64_t count) {
  puts("ok");
  fflush(stdout);
  for (int64_t i = 0; i < count;) {
    bywash_request request;
    if (must(bywash_request_next(responder, &request, SECOND)) == 1) {
      must(bywash_request_reply(responder, &request, request.data, request.length, 0));
      i++;
    }
  }
  puts("ok");
}

static void pong(int64_t count) {
  puts("ok");
  fflush(stdout);
  for (int64_t i = 0; i < count; i++) {
    tally t = { 0, -1 };
    receive_exactly(readers[0], &t, 1);
    send_one(writers[0], t.last);
  }
  puts("ok");
}

static void close_all(void) {
  bywash_caller_close(caller);
  bywash_responder_close(responder);
  for (int i = 0; i < writer_count; i++) {
    bywash_publisher_close(writers[i]);
  }
  for (int i = 0; i < subscriber_count; i++) {
    bywash_subscriber_close(readers[i]);
  }
  for (int i = 0; i < segment_count; i++) {
    must(bywash_close(segments[i]));
  }
  puts("ok");
}

int main(int argc, char **argv) {
  char line[256];
  pthread_t watch;
  if (argc != 7) {
    fprintf(stderr, "usage: bench streams|calls POLICY DIRECTORY RING READERS SIZE\n");
    return 2;
  }
  for_calls = strcmp(argv[1], "calls") == 0;
  policy = strcmp(argv[2], "SPIN") == 0 ? BYWASH_SPIN : strcmp(argv[2], "BLOCK") == 0 ? BYWASH_SLEEP : BYWASH_BACKOFF;
  directory = argv[3];
  ring_bytes = strtoll(argv[4], NULL, 10);
  reader_count = (int32_t)strtol(argv[5], NULL, 10);
  words = strtoll(argv[6], NULL, 10) / 8;
  if (pthread_create(&watch, NULL, end_with_input, NULL) != 0) {
    puts("error no thread");
    return 1;
  }
  while (fgets(line, sizeof line, stdin) != NULL) {
    char command[32] = "";
    int64_t a = 0;
    int64_t b = 0;
    sscanf(line, "%31s %" SCNd64 " %" SCNd64, command, &a, &b);
    if (strcmp(command, "writer") == 0 || strcmp(command, "reader") == 0) {
      if (command[0] == 'w') {
        (for_calls ? open_caller : open_writer)(a);
      } else {
        (for_calls ? open_responder : open_reader)(a);
      }
      puts("ok");
    } else if (strcmp(command, "connect") == 0) {
      for (int i = 0; i < writer_count; i++) {
        if (must(bywash_await_subscribers(writers[i], reader_count, PATIENCE)) == 0) {
          puts("error the readers do not come");
          return 1;
        }
      }
      puts("ok");
    } else if (strcmp(command, "send") == 0) {
      send_all(a, b);
    } else if (strcmp(command, "receive") == 0) {
      receive_all(a, b);
    } else if (strcmp(command, "ping") == 0) {
      ping(a);
    } else if (strcmp(command, "pong") == 0) {
      pong(a);
    } else if (strcmp(command, "callOneByOne") == 0) {
      call_one_by_one(a);
    } else if (strcmp(command, "answer") == 0) {
      answer(a);
    } else if (strcmp(command, "close") == 0) {
      close_all();
    } else {
      printf("error command %s is none\n", command);
    }
    fflush(stdout);
  }
  remove_directory();
  return 0;
}
