/*
 * faults CASE SEGMENT : what the library does when its user is wrong, when memory holds nonsense, or when the operating
 * system refuses something. One process alone: it creates the segment, and ends with 1 if anything is not as promised.
 */
#include "peer.h"

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

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(const char *segment);
  } cases[] = { { "too-long", too_long } };
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
