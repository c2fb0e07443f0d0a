/*
 * faults CASE SEGMENT : what the library does when its user is wrong, when memory holds nonsense, or when the operating
 * system refuses something. One process alone: it creates the segment, and ends with 1 if anything is not as promised.
 */
#include "peer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bywash_segment *segment;

/** Ends the program unless a result is the expected one. */
static void expect(int64_t expected, int64_t result, const char *what) {
  if (result != expected) {
    fprintf(stderr, "faults: %s: %lld, and %lld was expected: %s\n", what, (long long)result, (long long)expected,
        result < 0 ? bywash_error() : "");
    exit(1);
  }
}

static void create(const char *name, const bywash_entry *entries, size_t count) {
  bywash_segment_spec spec;
  bywash_small_spec(&spec, entries, count);
  must(bywash_create(name, &spec, &segment), "create");
}

/** The bytes of the segment, to be damaged. */
static char *bytes_of(const char *name, size_t *count) {
  struct stat found;
  int file = open(name, O_RDWR);
  if (file < 0 || fstat(file, &found) != 0) {
    perror(name);
    exit(1);
  }
  *count = (size_t)found.st_size;
  char *bytes = mmap(NULL, *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return bytes;
}

/** A request that is refused leaves the call before it alone. */
static void too_long(const char *name) {
  enum { MOST = 16 };
  bywash_endpoint_options options = { .size = sizeof options, .slots = 1 };
  bywash_entry entry;
  bywash_caller *caller;
  bywash_responder *responder;
  bywash_request request;
  bywash_reply reply;
  char message[MOST + 1] = "";
  int64_t sent = 0;
  must(bywash_endpoint(&entry, "calls", MOST, MOST, &options), "calls");
  create(name, &entry, 1);
  must(bywash_caller_open(segment, "calls", NULL, &caller), "caller");
  must(bywash_responder_open(segment, "calls", NULL, &responder), "responder");
  expect(1, bywash_call_begin(caller, message, MOST, 7, PATIENCE, &sent), "begin");
  expect(BYWASH_EINVAL, bywash_call(caller, message, MOST + 1, 8, PATIENCE, &reply), "a call that is too long");
  expect(1, bywash_request_next(responder, &request, 0), "next request");
  expect(1, bywash_request_reply(responder, &request, "reply", 5, 9), "reply");
  expect(1, bywash_call_next(caller, PATIENCE, &reply), "next reply");
  expect(BYWASH_REPLIED, reply.outcome, "outcome");
  expect(sent, reply.number, "number");
  bywash_caller_close(caller);
  bywash_responder_close(responder);
}

/** Nothing is copied from a ring that is empty, whatever its writer has announced. */
static void empty_ring(const char *name) {
  enum { FIRST_ROW_OFFSET = 4096 + 8 * 256 + 8, INTENT = 392 }; /* docs/SPEC.md 4.1 and 12.1 */
  const int64_t intents[] = { 24, 25, INT64_C(1) << 40, INT64_MAX, INT64_MIN, INT64_MIN + 1, -1 };
  bywash_entry entry = { .size = sizeof entry, .kind = BYWASH_RING, .name = "ring", .capacity = 16, .element_size = 8,
    .data_bytes = 24 * 8, .roles = 2 };
  bywash_view *view;
  int64_t elements[4];
  int64_t offset;
  size_t count;
  create(name, &entry, 1);
  char *bytes = bytes_of(name, &count);
  memcpy(&offset, bytes + FIRST_ROW_OFFSET, sizeof offset);
  must(bywash_view_open(segment, "ring", &view), "view");
  for (size_t i = 0; i < sizeof intents / sizeof intents[0]; i++) {
    int64_t position = -1;
    memcpy(bytes + offset + INTENT, &intents[i], sizeof intents[i]);
    expect(0, bywash_ring_newest(view, elements, 4, &position), "newest");
    expect(0, position, "position");
  }
  bywash_view_close(view);
  munmap(bytes, count);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(const char *segment);
  } cases[] = { { "too-long", too_long }, { "empty-ring", empty_ring } };
  if (argc != 3) {
    fprintf(stderr, "usage: faults CASE SEGMENT\n");
    return 2;
  }
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (strcmp(argv[1], cases[i].name) == 0) {
      cases[i].run(argv[2]);
      expect(0, bywash_close(segment), "close");
      say("as promised");
      return 0;
    }
  }
  fprintf(stderr, "faults: case %s is none\n", argv[1]);
  return 2;
}
