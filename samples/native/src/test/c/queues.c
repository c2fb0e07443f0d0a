/* queues CASE SEGMENT : what the library does when work queues are damaged, removed, or left by the dead. */
#include "faults.h"

#include <malloc.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

static void send(bywash_producer *producer, const char *text, int32_t type) {
  expect(1, bywash_send(producer, text, (int64_t)strlen(text), type, 0), "send");
}

static void take(bywash_consumer *consumer, int32_t type, int32_t deliveries) {
  bywash_message m;
  expect(1, bywash_take(consumer, &m, PATIENCE), "take");
  expect(type, m.type, "type");
  expect(deliveries, m.deliveries, "deliveries");
  expect(0, bywash_acknowledge(consumer), "acknowledge");
}

/** A process whose consumers take a message each, and that ends with these. */
static void die_with(const char *name, int32_t first, int32_t last) {
  pid_t child = fork();
  if (child == 0) {
    must(bywash_attach(name, 0, &segment), "attach");
    for (int32_t type = first; type <= last; type++) {
      bywash_consumer *consumer;
      bywash_message m;
      int result;
      must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
      while ((result = bywash_take(consumer, &m, PATIENCE)) == BYWASH_EDAMAGED) {
      }
      expect(1, result, "take");
      expect(type, m.type, "type");
    }
    _exit(0);
  }
  int status = 1;
  if (waitpid(child, &status, 0) != child || status != 0) {
    fprintf(stderr, "faults: the child has failed\n");
    exit(1);
  }
}

/** The length of the message with that text. */
static int32_t *length_in(char *bytes, size_t count, const char *text) {
  char *found = memmem(bytes, count, text, strlen(text));
  if (found == NULL) {
    fprintf(stderr, "faults: message %s is not there\n", text);
    exit(1);
  }
  return (int32_t *)(void *)(found - 48 + 16); /* docs/SPEC.md 9.1 */
}

/** Damaged messages that the dead have left are told of; they keep nobody from the others, and stay as they are. */
static void leftover(const char *name) {
  bywash_entry entry;
  bywash_producer *producer;
  bywash_consumer *consumer;
  bywash_message m;
  size_t count;
  must(bywash_work_queue(&entry, "jobs", 4, 16, NULL, 8), "jobs");
  create(name, &entry, 1);
  must(bywash_producer_open(segment, "jobs", NULL, &producer), "producer");
  send(producer, "first damaged", 1);
  die_with(name, 1, 1);
  char *bytes = bytes_of(name, &count);
  int32_t *first = length_in(bytes, count, "first damaged");
  *first = 0;
  must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  for (int round = 0; round < 2; round++) {
    send(producer, "sound", 2);
    send(producer, "sound", 3);
    expect(BYWASH_EDAMAGED, bywash_take(consumer, &m, 0), "a damaged message");
    take(consumer, 2, 1);
    take(consumer, 3, 1);
    expect(BYWASH_ESTATE, bywash_acknowledge(consumer), "acknowledge a damaged message");
    bywash_consumer_close(consumer);
    must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  }
  send(producer, "left and sound", 4);
  send(producer, "second damaged", 5);
  bywash_consumer_close(consumer);
  die_with(name, 4, 5);
  int32_t *second = length_in(bytes, count, "second damaged");
  *second = 17;
  must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  take(consumer, 4, 2); /* though it lies between the two */
  expect(BYWASH_EDAMAGED, bywash_take(consumer, &m, PATIENCE), "two damaged messages");
  *first = (int32_t)strlen("first damaged");
  *second = (int32_t)strlen("second damaged");
  take(consumer, 1, 2);
  take(consumer, 5, 2);
  expect(0, bywash_take(consumer, &m, 0), "one message too many");
  bywash_consumer_close(consumer);
  bywash_producer_close(producer);
  munmap(bytes, count);
}

/** Who has taken a damaged message keeps it, and takes no other one, until it is closed; others are told once. */
static void damaged(const char *name) {
  bywash_entry entry;
  bywash_producer *producer;
  bywash_consumer *first;
  bywash_consumer *second;
  bywash_message m;
  size_t count;
  must(bywash_work_queue(&entry, "jobs", 4, 16, NULL, 8), "jobs");
  create(name, &entry, 1);
  char *bytes = bytes_of(name, &count);
  must(bywash_producer_open(segment, "jobs", NULL, &producer), "producer");
  must(bywash_consumer_open(segment, "jobs", NULL, &first), "consumer");
  must(bywash_consumer_open(segment, "jobs", NULL, &second), "consumer");
  send(producer, "damaged", 1);
  send(producer, "sound", 2);
  int32_t *length = length_in(bytes, count, "damaged");
  *length = 17;
  for (int i = 0; i < 3; i++) {
    expect(BYWASH_EDAMAGED, bywash_take(first, &m, 0), "a damaged message");
    expect(BYWASH_ESTATE, bywash_acknowledge(first), "acknowledge a damaged message");
    expect(BYWASH_ESTATE, bywash_give_back(first), "give a damaged message back");
  }
  take(second, 2, 1);
  bywash_consumer_close(first);
  send(producer, "sound", 3);
  expect(BYWASH_EDAMAGED, bywash_take(second, &m, 0), "a damaged message that was left");
  take(second, 3, 1);
  expect(0, bywash_take(second, &m, 0), "one message too many");
  *length = (int32_t)strlen("damaged");
  take(second, 1, 1);
  bywash_consumer_close(second);
  bywash_producer_close(producer);
  munmap(bytes, count);
}

/** Lets this process have no more memory from now on, for blocks of some size. */
static void exhaust_memory(void) {
  struct rlimit none = { 0, RLIM_INFINITY };
  void *volatile block;
  mallopt(M_MMAP_THRESHOLD, 1 << 16); /* such a block takes memory from the kernel, and nowhere else */
  if (setrlimit(RLIMIT_AS, &none) != 0 || (block = malloc(1 << 17)) != NULL) {
    fprintf(stderr, "faults: there is still memory\n");
    exit(1);
  }
}

/** Who has no memory left to look at what has to stay lets it stay, and buries the dead all the same. */
static void memory(const char *name) {
  enum { ROWS = 512 };
  bywash_entry entry;
  bywash_segment_spec spec;
  bywash_producer *producer;
  bywash_consumer *consumer;
  bywash_recovery done = { .size = sizeof done };
  must(bywash_work_queue(&entry, "jobs", 4, 16, NULL, 4), "jobs");
  bywash_spec(&spec, &entry, 1);
  spec.rows = ROWS;
  must(bywash_create(name, &spec, &segment), "create");
  must(bywash_producer_open(segment, "jobs", NULL, &producer), "producer");
  send(producer, "message", 5);
  bywash_producer_close(producer);
  die_with(name, 5, 5);
  exhaust_memory();
  expect(0, bywash_recover(segment, &done), "recover");
  expect(1, done.buried, "buried");
  expect(1, done.roles_freed, "roles freed");
  expect(0, bywash_close(segment), "close");
  struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
  setrlimit(RLIMIT_AS, &all);
  must(bywash_open(name, &spec, &segment), "open");
  must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  take(consumer, 5, 2);
  bywash_consumer_close(consumer);
}

/* ---- dead letters */

enum { JOBS = 0, LETTERS = 1, ROLES = 8, REMOVED = 8, LEFT = 64, CELLS = 8192 }; /* docs/SPEC.md 4.2 and 9.1 */

/** A queue whose messages become dead letters when they were delivered once, and a queue with room for one of these. */
static char *create_with_letters(const char *name, size_t *count) {
  bywash_delivery_policy policy = { .size = sizeof policy, .policy = BYWASH_REDELIVER, .limit = 1,
    .dead_letters = "letters" };
  bywash_entry entries[2];
  must(bywash_work_queue(&entries[JOBS], "jobs", 4, 16, &policy, ROLES), "jobs");
  must(bywash_work_queue(&entries[LETTERS], "letters", 1, 16, NULL, ROLES), "letters");
  create(name, entries, 2);
  return bytes_of(name, count);
}

static int64_t left_in(char *bytes) {
  int64_t left;
  memcpy(&left, structure_of(bytes, JOBS) + LEFT, sizeof left);
  return left;
}

/** A consumer that holds a message of type 1, which is to become a dead letter, and cannot since `word` is at `at`. */
static bywash_consumer *stuck_consumer(bywash_producer *producer, char *at, int64_t word, int result) {
  bywash_consumer *consumer;
  bywash_message m;
  must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  send(producer, "stuck", 1);
  expect(1, bywash_take(consumer, &m, 0), "take");
  put(at, word);
  expect(result, bywash_give_back(consumer), "give back");
  expect(result, bywash_take(consumer, &m, 0), "take a message that is to become a dead letter");
  return consumer;
}

/** Takes in vain, over and over, which leaves what was left in its role, and wakes nobody. */
static void take_nothing(bywash_consumer *consumer, char *bytes) {
  bywash_message m;
  int64_t left = left_in(bytes);
  for (int i = 0; i < 100; i++) {
    expect(0, bywash_take(consumer, &m, 0), "a message that was left");
    expect(left, left_in(bytes), "LEFT");
  }
}

static void take_letter(void) {
  bywash_consumer *letters;
  bywash_message m;
  must(bywash_consumer_open(segment, "letters", NULL, &letters), "letters");
  expect(1, bywash_take(letters, &m, 0), "a dead letter");
  expect(1, m.type, "type");
  expect(1, m.dead, "dead");
  expect(0, bywash_acknowledge(letters), "acknowledge");
  bywash_consumer_close(letters);
}

/** What is left for a queue for dead letters that cannot take it stays as it is, and keeps nobody from the others. */
static void left_for_letters(const char *name, int place, int64_t word, int result) {
  bywash_producer *producer;
  bywash_consumer *consumer;
  bywash_message m;
  size_t count;
  char *bytes = create_with_letters(name, &count);
  char *at = structure_of(bytes, LETTERS) + place;
  must(bywash_producer_open(segment, "jobs", NULL, &producer), "producer");
  must(bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  bywash_consumer_close(stuck_consumer(producer, at, word, result));
  int64_t left = left_in(bytes);
  expect(result, bywash_take(consumer, &m, 0), "what a consumer is told once");
  expect(left, left_in(bytes), "LEFT");
  take_nothing(consumer, bytes);
  send(producer, "sound", 2);
  take(consumer, 2, 1);
  put(at, 0);
  expect(0, bywash_take(consumer, &m, 0), "a message for which there is room now");
  take_letter();
  take_nothing(consumer, bytes);
  bywash_consumer_close(consumer);
  bywash_producer_close(producer);
  munmap(bytes, count);
}

/** A queue for dead letters that was removed counts as full. */
static void removed_letters(const char *name) { left_for_letters(name, REMOVED, 1, 0); }

/** Damage of the queue for dead letters is none of the message that was to become one. */
static void damaged_letters(const char *name) { left_for_letters(name, CELLS, ROLES + 1, BYWASH_EDAMAGED); }

/** What makes room among the dead letters while a consumer that waits for that sleeps for the third time. */
static struct {
  int naps;
  char *removed;             /* the mark of that queue, to be taken away */
  bywash_consumer *letters;  /* or the one that takes what is there */
} undertaker;

/** Takes the place of the function of that name: who looks by itself, and is not to be woken, sleeps like this. */
int nanosleep(const struct timespec *time, struct timespec *rest) {
  bool now = ++undertaker.naps == 3;
  if (now && undertaker.removed != NULL) {
    put(undertaker.removed, 0);
  } else if (now && undertaker.letters != NULL) {
    take(undertaker.letters, 3, 1);
  }
  return clock_nanosleep(CLOCK_MONOTONIC, 0, time, rest);
}

/** Who waits for room among the dead letters looks for that now and then, and takes no wakes from others meanwhile. */
static void wait_for_room(const char *name, bool is_removed) {
  bywash_producer *producer;
  bywash_producer *filler;
  bywash_consumer *letters;
  bywash_consumer *stuck;
  size_t count;
  char *bytes = create_with_letters(name, &count);
  char *removed = structure_of(bytes, LETTERS) + REMOVED;
  must(bywash_producer_open(segment, "jobs", NULL, &producer), "producer");
  must(bywash_producer_open(segment, "letters", NULL, &filler), "letters");
  must(bywash_consumer_open(segment, "letters", NULL, &letters), "letters");
  if (!is_removed) {
    send(filler, "a letter", 3);
  }
  stuck = stuck_consumer(producer, removed, is_removed ? 1 : 0, 0);
  send(producer, "sound", 2);
  undertaker.naps = 0;
  undertaker.removed = is_removed ? removed : NULL;
  undertaker.letters = letters;
  take(stuck, 2, 1);
  expect(3, undertaker.naps, "naps");
  take_letter();
  bywash_consumer_close(stuck);
  bywash_consumer_close(letters);
  bywash_producer_close(filler);
  bywash_producer_close(producer);
  munmap(bytes, count);
}

static void full_for_a_while(const char *name) { wait_for_room(name, false); }

static void removed_for_a_while(const char *name) { wait_for_room(name, true); }

/** A consumer that never waits learns that its queue was removed, though it can take nothing before there is room. */
static void polling(const char *name) {
  enum { TAKES = 1 << 20 };
  bywash_producer *producer;
  bywash_message m;
  size_t count;
  int result = 0;
  char *bytes = create_with_letters(name, &count);
  must(bywash_producer_open(segment, "jobs", NULL, &producer), "producer");
  bywash_consumer *stuck = stuck_consumer(producer, structure_of(bytes, LETTERS) + REMOVED, 1, 0);
  char *removed = structure_of(bytes, JOBS) + REMOVED;
  put(removed, 1);
  for (int i = 0; i < TAKES && result == 0; i++) {
    result = bywash_take(stuck, &m, 0);
  }
  expect(BYWASH_EREMOVED, result, "take");
  put(removed, 0);
  put(structure_of(bytes, LETTERS) + REMOVED, 0);
  expect(0, bywash_take(stuck, &m, 0), "take");
  take_letter();
  bywash_consumer_close(stuck);
  bywash_producer_close(producer);
  munmap(bytes, count);
}

int main(int argc, char **argv) {
  static const fault cases[] = { { "leftover", leftover }, { "memory", memory }, { "damaged", damaged },
    { "removed-letters", removed_letters }, { "damaged-letters", damaged_letters },
    { "full-for-a-while", full_for_a_while }, { "removed-for-a-while", removed_for_a_while },
    { "polling", polling } };
  return run_fault(cases, sizeof cases / sizeof cases[0], argc, argv);
}
