/*
 * faults CASE SEGMENT : what the library does when its user is wrong, when memory holds nonsense, or when the operating
 * system refuses something. Cases of work queues are in queues.c.
 */
#include "faults.h"

#include <errno.h>

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

enum { CALL_BYTES = 16, CALL_SLOTS = 4, CALL_SLOT = 384 }; /* docs/SPEC.md 14.1 */

/** The first byte of a slot: its request word. Behind 128 bytes comes the reply, and behind 256 the claim word. */
static char *call_slot_of(char *bytes, int roles, int caller, int index) {
  return structure_of(bytes, 0) + (4096 + 256 * roles + 4095) / 4096 * 4096 + CALL_SLOT * (CALL_SLOTS * caller + index);
}

/** Answers what is there, but not what is damaged; returns how often something was. */
static int answer_all(bywash_responder *responder) {
  bywash_request request;
  int damaged = 0;
  int result;
  while ((result = bywash_request_next(responder, &request, 0)) != 0) {
    damaged += result == BYWASH_EDAMAGED ? 1 : 0;
    if (result != BYWASH_EDAMAGED) {
      must(result, "request");
      expect(1, bywash_request_reply(responder, &request, "reply", 5, 9), "reply");
    }
  }
  return damaged;
}

/** A damaged reply ends its own call; a caller that is damaged keeps nobody from the others, nor does its role. */
static void damaged_calls(const char *name) {
  enum { CALLERS = 3, RESPONDERS = 2, REPLY = 128 };
  const uint64_t words[] = { ((UINT64_C(1) << 50) + 1) << 2 | 1, UINT64_C(1) << 63 | 2, 7 << 2, UINT64_MAX };
  bywash_endpoint_options options = { .size = sizeof options, .slots = CALL_SLOTS, .callers = CALLERS,
    .responders = RESPONDERS };
  bywash_entry entry;
  bywash_caller *first;
  bywash_caller *second;
  bywash_caller *third;
  bywash_responder *responder;
  bywash_request request;
  bywash_reply reply;
  int64_t wrong;
  int64_t right;
  size_t count;
  must(bywash_endpoint(&entry, "calls", CALL_BYTES, CALL_BYTES, &options), "calls");
  create(name, &entry, 1);
  char *bytes = bytes_of(name, &count);
  must(bywash_caller_open(segment, "calls", NULL, &first), "first caller");
  must(bywash_responder_open(segment, "calls", NULL, &responder), "responder");
  for (int i = 0; i < 3; i++) { /* two numbers each */
    expect(1, bywash_call_begin(first, "wrong", 5, 1, PATIENCE, &wrong), "begin");
    expect(1, bywash_call_begin(first, "right", 5, 2, PATIENCE, &right), "begin");
    expect(1, bywash_request_next(responder, &request, 0), "request");
    char *area = call_slot_of(bytes, CALLERS + RESPONDERS, 0, 2 * i % CALL_SLOTS) + REPLY;
    put(area + 8, INT64_C(17) << 32);
    put(area + 16, 0);
    put(area, (4 + 2 * i) / CALL_SLOTS << 2 | 1);
    expect(1, bywash_request_next(responder, &request, 0), "request");
    expect(1, bywash_request_reply(responder, &request, "reply", 5, 9), "reply");
    expect(BYWASH_EDAMAGED, bywash_call_next(first, 0, &reply), "a damaged reply");
    expect(wrong, reply.number, "number");
    expect(0, bywash_call_cancel(first, wrong), "cancel");
    expect(1, bywash_call_next(first, 0, &reply), "a reply");
    expect(right, reply.number, "number");
    expect(0, bywash_call_next(first, PATIENCE, &reply), "one more");
  }
  for (int i = 0; i < CALL_SLOTS; i++) { /* the first caller knows then that all its slots are free */
    expect(1, bywash_call_begin(first, "sound", 5, 3, PATIENCE, NULL), "begin");
    expect(0, answer_all(responder), "what is damaged");
    expect(1, bywash_call_next(first, 0, &reply), "a reply");
    expect(BYWASH_REPLIED, reply.outcome, "outcome");
  }
  expect(0, bywash_call_next(first, PATIENCE, &reply), "one more");
  must(bywash_caller_open(segment, "calls", NULL, &second), "second caller");
  for (int i = 0; i < 12; i++) { /* the first caller's next number is 14 */
    put(call_slot_of(bytes, CALLERS + RESPONDERS, 0, (14 + i) % CALL_SLOTS), (int64_t)words[i / 3]);
    expect(1, bywash_call_begin(second, "sound", 5, 3, PATIENCE, NULL), "begin");
    expect(1, answer_all(responder), "a damaged caller");
    expect(1, bywash_call_next(second, 0, &reply), "the other one's reply");
    expect(0, answer_all(responder), "what was told");
    expect(1, bywash_call_begin(first, "healed", 6, 3, PATIENCE, NULL), "begin");
    expect(0, answer_all(responder), "what is healed");
    expect(1, bywash_call_next(first, 0, &reply), "its reply");
  }
  bywash_caller_close(second);
  put(call_slot_of(bytes, CALLERS + RESPONDERS, 1, 1), 99 << 2 | 1);
  must(bywash_caller_open(segment, "calls", NULL, &third), "third caller");
  expect(BYWASH_EDAMAGED, bywash_caller_open(segment, "calls", NULL, &second), "a damaged place");
  bywash_caller_close(third);
  must(bywash_caller_open(segment, "calls", NULL, &third), "third caller");
  bywash_caller_close(third);
  bywash_caller_close(first);
  bywash_responder_close(responder);
  munmap(bytes, count);
}

/** Nothing is copied from a ring that is empty, whatever its writer has announced. */
static void empty_ring(const char *name) {
  enum { INTENT = 392 }; /* docs/SPEC.md 12.1 */
  const int64_t intents[] = { 24, 25, INT64_C(1) << 40, INT64_MAX, INT64_MIN, INT64_MIN + 1, -1 };
  bywash_entry entry = { .size = sizeof entry, .kind = BYWASH_RING, .name = "ring", .capacity = 16, .element_size = 8,
    .data_bytes = 24 * 8, .roles = 2 };
  bywash_view *view;
  int64_t elements[4];
  size_t count;
  create(name, &entry, 1);
  char *bytes = bytes_of(name, &count);
  must(bywash_view_open(segment, "ring", &view), "view");
  for (size_t i = 0; i < sizeof intents / sizeof intents[0]; i++) {
    int64_t position = -1;
    put(structure_of(bytes, 0) + INTENT, intents[i]);
    expect(0, bywash_ring_newest(view, elements, 4, &position), "newest");
    expect(0, position, "position");
  }
  bywash_view_close(view);
  munmap(bytes, count);
}

/** The least number, where a position or a count belongs, is nonsense as any other. */
static void least_number(const char *name) {
  enum { ROLES_USED = 0, OLDEST = 512, ROLES = 4096, ROLE_AT = 152 }; /* docs/SPEC.md 4.2, 6.1 and 9.1 */
  bywash_entry entries[3];
  bywash_publisher *publisher;
  bywash_consumer *consumer;
  bywash_responder *responder;
  size_t count;
  must(bywash_broadcast(&entries[0], "q", 4096, 1), "q");
  must(bywash_work_queue(&entries[1], "jobs", 4, 16, NULL, 2), "jobs");
  must(bywash_endpoint(&entries[2], "calls", 16, 16, NULL), "calls");
  create(name, entries, 3);
  char *bytes = bytes_of(name, &count);
  must(bywash_publisher_open(segment, "q", NULL, &publisher), "publisher");
  expect(1, bywash_offer(publisher, "message", 7, 0, 0), "offer");
  bywash_publisher_close(publisher);
  put(structure_of(bytes, 0) + OLDEST, INT64_MIN);
  must(bywash_publisher_open(segment, "q", NULL, &publisher), "publisher"); /* it gives up what was there */
  bywash_publisher_close(publisher);
  put(structure_of(bytes, 1) + ROLES + ROLE_AT, INT64_MIN);
  put(structure_of(bytes, 1) + ROLES + 256 + ROLE_AT, INT64_MIN);
  expect(BYWASH_EDAMAGED, bywash_consumer_open(segment, "jobs", NULL, &consumer), "consumer");
  put(structure_of(bytes, 1) + ROLES + ROLE_AT, 0); /* or a message may be held, and the segment stays */
  put(structure_of(bytes, 1) + ROLES + 256 + ROLE_AT, 0);
  must(bywash_responder_open(segment, "calls", NULL, &responder), "responder");
  put(structure_of(bytes, 2) + ROLES_USED, INT64_MIN);
  bywash_responder_close(responder);
  munmap(bytes, count);
}

/** What a recovery has done does not depend on what its struct held, also one of a newer header. */
static void recovery(const char *name) {
  struct {
    bywash_recovery known;
    int32_t newer;
  } done;
  bywash_entry entry;
  must(bywash_broadcast(&entry, "q", 4096, 1), "q");
  create(name, &entry, 1);
  for (uint32_t size = sizeof done.known; size <= sizeof done; size += sizeof done.newer) {
    memset(&done, 0x7F, sizeof done);
    done.known.size = size;
    expect(0, bywash_recover(segment, &done.known), "recover");
    expect(size, done.known.size, "size");
    expect(0, done.known.buried | done.known.roles_freed | done.known.intent_voided | done.known.removal_reverted
        | done.known.files_removed, "what was done");
    expect(size == sizeof done ? 0 : 0x7F7F7F7F, done.newer, "what is not known here");
  }
  done.known.size = 3;
  expect(BYWASH_EINVAL, bywash_recover(segment, &done.known), "a size that is none");
}

/** A directory that may not be written to is not taken for one without the segment. */
static void forbidden(const char *name) {
  char directory[4096];
  bywash_entry entry;
  bywash_segment_spec spec;
  uid_t user = geteuid();
  must(bywash_broadcast(&entry, "q", 4096, 1), "q");
  bywash_small_spec(&spec, &entry, 1);
  snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(name, '/') - name), name);
  if (chmod(directory, 0555) != 0 || (user == 0 && seteuid(65534) != 0)) { /* root may write to it all the same */
    perror(directory);
    exit(1);
  }
  expect(BYWASH_EACCESS, bywash_create(name, &spec, &segment), "create");
  expect(BYWASH_EACCESS, bywash_open(name, &spec, &segment), "open");
  if ((user == 0 && seteuid(user) != 0) || chmod(directory, 0700) != 0) {
    perror(directory);
    exit(1);
  }
}

enum { UNINTERRUPTED = 64 << 20 };
static int interruptions;

/** Takes the place of the function of that name: a signal comes before much, and often before little, is allocated. */
int posix_fallocate(int file, off_t offset, off_t length) {
  if (interruptions > 0 && (length > UNINTERRUPTED || ++interruptions % 3 != 0)) {
    return EINTR;
  }
  return fallocate(file, 0, offset, length) == 0 ? 0 : errno;
}

/** Signals delay the allocation of a segment's space, and do not prevent it. */
static void interrupted(const char *name) {
  struct stat found;
  bywash_entry entry;
  must(bywash_broadcast(&entry, "q", UNINTERRUPTED * INT64_C(2), 1), "q");
  interruptions = 1;
  create(name, &entry, 1);
  interruptions = 0;
  if (stat(name, &found) != 0 || found.st_blocks * 512 < found.st_size) {
    fprintf(stderr, "faults: %lld of %lld bytes are allocated\n", (long long)found.st_blocks * 512,
        (long long)found.st_size);
    exit(1);
  }
}

/** A claim that finds room ends a stall, however short it is: time between long ones that find none does not add up. */
static void stall(const char *name) {
  enum { SHORT = 48, LONG = 480, FULL = 64 };
  const char message[LONG] = "";
  bywash_entry entry;
  bywash_publisher *publisher;
  bywash_subscriber *subscriber;
  bywash_subscriber_options options = { .size = sizeof options, .policy = BYWASH_EVICT, .evict_after_ns = 1 };
  bywash_message got = { .deliveries = 0 };
  int published = 0;
  must(bywash_broadcast(&entry, "queue", 4096, 2), "queue");
  create(name, &entry, 1);
  must(bywash_publisher_open(segment, "queue", NULL, &publisher), "publisher");
  must(bywash_subscriber_open(segment, "queue", &options, &subscriber), "subscriber");
  for (; published < FULL - 7; published++) {
    expect(1, bywash_offer(publisher, message, SHORT, 0, 0), "a short message");
  }
  for (; published < FULL; published++) {
    expect(0, bywash_offer(publisher, message, LONG, 0, 0), "a long message");
    expect(1, bywash_offer(publisher, message, SHORT, 0, 0), "a short message between");
  }
  for (int received = 0; received < FULL; received++) {
    expect(1, bywash_receive(subscriber, &got, 0), "receive");
  }
  bywash_subscriber_close(subscriber);
  bywash_publisher_close(publisher);
}

int main(int argc, char **argv) {
  static const fault cases[] = { { "too-long", too_long }, { "empty-ring", empty_ring },
    { "least-number", least_number }, { "recovery", recovery }, { "forbidden", forbidden },
    { "interrupted", interrupted }, { "stall", stall }, { "damaged-calls", damaged_calls } };
  return run_fault(cases, sizeof cases / sizeof cases[0], argc, argv);
}
