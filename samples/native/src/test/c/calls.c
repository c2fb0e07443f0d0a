/*
 * The C side of the contract tests of calls: a caller or a responder, as its arguments say. A request is message n (see
 * peer.h), its reply message reply_to(n), both with a type that depends on n. It ends with 1 if anything else comes.
 */
#include "peer.h"

#include <time.h>

static bywash_segment *segment;

static int64_t number(char **argv, int index) { return strtoll(argv[index], NULL, 10); }

static int64_t reply_to(int64_t n) { return 3 * n + 1; }

/** Whether a reply is the one to request n; ends the program if not. */
static void check_reply(const bywash_reply *reply, int64_t n) {
  bywash_message m = { .data = reply->data, .length = reply->length, .sequence = reply->number };
  if (checked(&m) != reply_to(n) || reply->type != (int32_t)n) {
    fprintf(stderr, "peer: request %lld got the reply to another one, of type %d\n", (long long)n, reply->type);
    exit(1);
  }
}

static bywash_caller *open_caller(char **argv, const char *wait) {
  bywash_role_options options = { .size = sizeof options };
  bywash_caller *caller;
  options.wait = strcmp(wait, "sleep") == 0 ? BYWASH_SLEEP : BYWASH_BACKOFF;
  must(bywash_caller_open(segment, argv[3], &options, &caller), "caller");
  return caller;
}

static bywash_responder *open_responder(char **argv, const char *wait) {
  bywash_role_options options = { .size = sizeof options };
  bywash_responder *responder;
  options.wait = strcmp(wait, "sleep") == 0 ? BYWASH_SLEEP : BYWASH_BACKOFF;
  must(bywash_responder_open(segment, argv[3], &options, &responder), "responder");
  return responder;
}

/** Sends request n; half of them written in place. 1, or 0 when all slots are in use. */
static int begin(bywash_caller *caller, int64_t n, int64_t timeout_ns, int64_t *sent) {
  uint8_t message[MAX_LENGTH];
  void *place;
  if (n % 2 == 0) {
    fill(message, n);
    return must(bywash_call_begin(caller, message, length_of(n), (int32_t)n, timeout_ns, sent), "begin");
  }
  int result = must(bywash_call_claim(caller, &place), "claim");
  if (result == 1) {
    int64_t start = bywash_caller_max(caller) - length_of(n); /* at the end, as a FlatBuffers builder does */
    fill((char *)place + start, n);
    result = must(bywash_call_commit(caller, start, length_of(n), (int32_t)n, timeout_ns, sent), "commit");
  }
  return result;
}

/** call SEGMENT ENTRY FIRST COUNT WAIT : so many calls at one time as there are slots; some are cancelled. */
static void call_all(char **argv) {
  enum { SLOTS = 1024 };
  static int64_t asked[SLOTS];
  static int64_t numbers[SLOTS];
  bywash_caller *caller = open_caller(argv, argv[6]);
  int64_t first = number(argv, 4);
  int64_t end = first + number(argv, 5);
  int64_t cancelled = 0;
  int64_t out_of_order = 0;
  int64_t last = 0;
  say("ready");
  for (int64_t n = first, done = first; done < end; done++) {
    int64_t sent;
    while (n < end && begin(caller, n, PATIENCE, &sent) == 1) {
      asked[sent % SLOTS] = n++;
      numbers[sent % SLOTS] = sent;
      if (n % 97 == 0) {
        must(bywash_call_cancel(caller, sent), "cancel");
      }
    }
    bywash_reply reply;
    if (must(bywash_call_next(caller, PATIENCE, &reply), "next") == 0) {
      fprintf(stderr, "peer: call %lld has no end\n", (long long)done);
      exit(1);
    }
    if (reply.outcome == BYWASH_REPLIED && numbers[reply.number % SLOTS] == reply.number) {
      check_reply(&reply, asked[reply.number % SLOTS]);
    } else if (reply.outcome != BYWASH_CANCELLED) {
      give_up("call");
    }
    numbers[reply.number % SLOTS] = 0;
    cancelled += reply.outcome == BYWASH_CANCELLED ? 1 : 0;
    out_of_order += reply.number < last ? 1 : 0;
    last = reply.number;
  }
  bywash_reply none;
  if (bywash_call_next(caller, 0, &none) != 0) {
    fprintf(stderr, "peer: a call ended twice\n");
    exit(1);
  }
  printf("called cancelled %lld disordered %d\n", (long long)cancelled, out_of_order > 0);
  must(bywash_caller_close(caller), "close");
}

/** call-one SEGMENT ENTRY FIRST COUNT WAIT TIMEOUT : blocking calls, some of which may time out; prints the replies. */
static void call_one_by_one(char **argv) {
  bywash_caller *caller = open_caller(argv, argv[6]);
  int64_t replied = 0;
  uint8_t message[MAX_LENGTH];
  bywash_reply reply;
  say("ready");
  for (int64_t n = number(argv, 4); n < number(argv, 4) + number(argv, 5); n++) {
    fill(message, n);
    int result = must(bywash_call(caller, message, length_of(n), (int32_t)n, number(argv, 7), &reply), "call");
    if (result == 1) {
      check_reply(&reply, n);
      replied++;
    } else if (reply.outcome != BYWASH_TIMED_OUT) {
      printf("%u %s\n", reply.outcome, bywash_error());
    }
  }
  printf("replied %lld\n", (long long)replied);
  must(bywash_caller_close(caller), "close");
}

/** call-leave SEGMENT ENTRY CALLS ONE_WAY : sends so many of each, and waits to be killed. */
static void call_and_leave(char **argv) {
  bywash_caller *caller = open_caller(argv, "backoff");
  uint8_t message[MAX_LENGTH];
  for (int64_t n = 0; n < number(argv, 4) + number(argv, 5); n++) {
    fill(message, n);
    if (n < number(argv, 4)) {
      must(begin(caller, n, PATIENCE, NULL), "begin");
    } else {
      must(bywash_call_one_way(caller, message, length_of(n), (int32_t)n), "one way");
    }
  }
  say("sent");
  until_closed();
  must(bywash_caller_close(caller), "close");
}

/** What a request asks for. */
static int64_t asked_in(const bywash_request *request) {
  bywash_message m = { .data = request->data, .length = request->length, .sequence = request->number };
  int64_t n = checked(&m);
  if (request->type != (int32_t)n) {
    fprintf(stderr, "peer: request %lld has type %d\n", (long long)n, request->type);
    exit(1);
  }
  return n;
}

/** Answers a request: 1, or 0 when it was too late. */
static int answer(bywash_responder *responder, bywash_request *request) {
  int64_t n = asked_in(request);
  uint8_t message[MAX_LENGTH];
  void *place;
  if (n % 2 == 0) {
    fill(message, reply_to(n));
    return must(bywash_request_reply(responder, request, message, length_of(reply_to(n)), (int32_t)n), "reply");
  }
  must(bywash_request_claim(responder, request, &place), "claim");
  int64_t start = bywash_responder_max(responder) - length_of(reply_to(n));
  fill((char *)place + start, reply_to(n));
  return must(bywash_request_commit(responder, request, start, length_of(reply_to(n)), (int32_t)n), "commit");
}

/**
 * serve SEGMENT ENTRY COUNT HELD WAIT DELAY : has up to HELD requests in its hands, and answers them in any order, each
 * after up to DELAY ns, until it has answered COUNT, or its input is closed.
 */
static void serve(char **argv) {
  enum { MOST = 64 };
  bywash_request held[MOST];
  bywash_responder *responder = open_responder(argv, argv[6]);
  int64_t most = number(argv, 5);
  int count = 0;
  int64_t late = 0;
  int64_t one_way = 0;
  uint64_t random = 1;
  say("ready");
  for (int64_t done = 0; done < number(argv, 4);) {
    int result = must(bywash_request_next(responder, &held[count], count == 0 ? PATIENCE : 0), "next");
    count += result;
    if (result == 0 && count == 0) {
      fprintf(stderr, "peer: no request came\n");
      exit(1);
    }
    if (count > 0 && (result == 0 || count == most)) {
      random = mix(random);
      int index = (int)(random % (uint64_t)count);
      if (number(argv, 7) > 0) {
        struct timespec pause = { 0, (long)(mix(random) % (uint64_t)number(argv, 7)) };
        nanosleep(&pause, NULL);
      }
      one_way += held[index].one_way;
      int cancelled = must(bywash_request_is_cancelled(responder, &held[index]), "is cancelled");
      int in_time = answer(responder, &held[index]);
      if (in_time == 1 && cancelled == 1) {
        fprintf(stderr, "peer: a cancelled call was answered in time\n");
        exit(1);
      }
      late += 1 - in_time;
      held[index] = held[--count];
      done++;
    }
  }
  while (count > 0) {
    must(bywash_request_fail(responder, &held[--count], "Full", "enough"), "fail");
  }
  printf("served late %lld one way %lld\n", (long long)late, (long long)one_way);
  must(bywash_responder_close(responder), "close");
}

/** serve-hold SEGMENT ENTRY HOW : takes one request; when its input is closed, it replies, fails it, or just closes. */
static void serve_hold(char **argv) {
  bywash_responder *responder = open_responder(argv, "sleep");
  bywash_request request;
  say("ready");
  if (must(bywash_request_next(responder, &request, PATIENCE), "next") == 0) {
    exit(1);
  }
  printf("holding %lld\n", (long long)asked_in(&request));
  fflush(stdout);
  until_closed();
  int cancelled = bywash_request_is_cancelled(responder, &request);
  int result = strcmp(argv[4], "reply") == 0 ? answer(responder, &request)
      : strcmp(argv[4], "fail") == 0 ? bywash_request_fail(responder, &request, "Nonsense", "it is wrong") : 1;
  int again = strcmp(argv[4], "close") == 0 ? 0 : bywash_request_reply(responder, &request, "x", 1, 0);
  printf("cancelled %d in time %d again %d\n", cancelled, result, again);
  must(bywash_responder_close(responder), "close");
}

/**
 * call-late SEGMENT ENTRY TIMEOUT : one call that nobody answers, and others one by one, each answered before it is
 * looked for: until the first one times out.
 */
static void call_beside_others(char **argv) {
  bywash_caller *caller = open_caller(argv, "backoff");
  bywash_responder *responder = open_responder(argv, "backoff");
  bywash_request unanswered;
  bywash_request request;
  bywash_reply reply = { 0 };
  int64_t late = 0;
  int64_t answered = 0;
  struct timespec start;
  struct timespec now;
  must(begin(caller, 0, number(argv, 4), &late), "begin");
  must(bywash_request_next(responder, &unanswered, PATIENCE), "next");
  clock_gettime(CLOCK_MONOTONIC, &start);
  do {
    must(begin(caller, ++answered, PATIENCE, NULL), "begin");
    if (must(bywash_request_next(responder, &request, PATIENCE), "next") == 0 || answer(responder, &request) == 0) {
      fprintf(stderr, "peer: a request was not answered\n");
      exit(1);
    }
    if (must(bywash_call_next(caller, 0, &reply), "next") == 1 && reply.number != late) {
      check_reply(&reply, answered);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((reply.number != late || reply.outcome != BYWASH_TIMED_OUT) && now.tv_sec - start.tv_sec < 60);
  printf("outcome %u of the %s one\n", reply.outcome, reply.number == late ? "late" : "newest");
  must(bywash_responder_close(responder), "close");
  must(bywash_caller_close(caller), "close");
}

int main(int argc, char **argv) {
  if (argc < 5) {
    fprintf(stderr, "usage: calls ROLE SEGMENT ENTRY ARGUMENT...\n");
    return 2;
  }
  const char *role = argv[1];
  must(bywash_attach(argv[2], PATIENCE, &segment), "attach");
  if (strcmp(role, "call") == 0) {
    call_all(argv);
  } else if (strcmp(role, "call-one") == 0) {
    call_one_by_one(argv);
  } else if (strcmp(role, "call-leave") == 0) {
    call_and_leave(argv);
  } else if (strcmp(role, "call-late") == 0) {
    call_beside_others(argv);
  } else if (strcmp(role, "serve") == 0) {
    serve(argv);
  } else if (strcmp(role, "serve-hold") == 0) {
    serve_hold(argv);
  } else {
    fprintf(stderr, "calls: role %s is none\n", role);
    return 2;
  }
  return must(bywash_close(segment), "close");
}
