/*
 * The C side of the contract tests: one role, as its arguments say, whose other side is a Java process. It prints what
 * it has seen, and ends with 1 if that is not what the library promises.
 */
#include "peer.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static bywash_segment *segment;

static int64_t number(char **argv, int index) { return strtoll(argv[index], NULL, 10); }

/* ---- broadcast */

/** publish SEGMENT ENTRY FIRST COUNT BATCH SUBSCRIBERS : copies if BATCH is 0, else stages so many in place. */
static void publish(char **argv) {
  bywash_publisher *publisher;
  int64_t first = number(argv, 4);
  int64_t count = number(argv, 5);
  int64_t batch = number(argv, 6);
  must(bywash_publisher_open(segment, argv[3], NULL, &publisher), "publisher");
  if (must(bywash_await_subscribers(publisher, (int32_t)number(argv, 7), PATIENCE), "subscribers") == 0) {
    fprintf(stderr, "peer: nobody subscribed\n");
    exit(1);
  }
  say("ready");
  for (int64_t i = first; i < first + count; i++) {
    uint8_t message[MAX_LENGTH];
    int sent;
    if (batch == 0) {
      fill(message, i);
      sent = must(bywash_offer(publisher, message, length_of(i), (int32_t)i, PATIENCE), "offer");
    } else {
      void *place;
      sent = must(bywash_claim(publisher, length_of(i), (int32_t)i, PATIENCE, &place), "claim");
      if (sent == 1 && i % 97 == 0) { /* a claim that is given up leaves nothing behind */
        memset(place, 0xEE, (size_t)length_of(i));
        must(bywash_abort(publisher), "abort");
        sent = must(bywash_claim(publisher, length_of(i), (int32_t)i, PATIENCE, &place), "claim");
      }
      if (sent == 1) {
        fill(place, i);
        must(i % batch == 0 ? bywash_commit(publisher) : bywash_stage(publisher), "commit");
      }
    }
    if (sent == 0) {
      fprintf(stderr, "peer: no room for message %lld\n", (long long)i);
      exit(1);
    }
  }
  must(bywash_publish(publisher), "publish");
  printf("published %lld\n", (long long)bywash_publisher_sequence(publisher));
  must(bywash_publisher_close(publisher), "close");
}

typedef struct tally {
  int64_t received, lost, next, first;
  bool wrong;
} tally;

static int on_message(void *context, const bywash_message *m) {
  tally *t = context;
  int64_t i = checked(m);
  t->lost += m->lost;
  if (m->sequence != t->next + m->lost || i != m->sequence || m->type != (int32_t)i) {
    fprintf(stderr, "peer: sequence %lld with number %lld and %lld lost, where %lld was due\n", (long long)m->sequence,
        (long long)i, (long long)m->lost, (long long)t->next);
    t->wrong = true;
  }
  t->next = m->sequence + 1;
  t->received++;
  return t->wrong ? 1 : 0;
}

/** subscribe SEGMENT ENTRY POLICY COUNT HOW : until message COUNT - 1 was seen; HOW is poll or receive. */
static void subscribe(char **argv) {
  bywash_subscriber_options options = { .size = sizeof options };
  bywash_subscriber *subscriber;
  const char *policies[] = { "", "block", "skip", "fail", "evict" };
  while (strcmp(policies[options.policy], argv[4]) != 0) {
    options.policy++;
  }
  options.start = BYWASH_OLDEST;
  options.evict_after_ns = PATIENCE;
  int64_t count = number(argv, 5);
  tally t = { 0, 0, 0, 0, false };
  must(bywash_subscriber_open(segment, argv[3], &options, &subscriber), "subscriber");
  t.first = t.next = bywash_subscriber_sequence(subscriber);
  say("ready");
  while (t.next < count && !t.wrong) {
    int result;
    if (strcmp(argv[6], "poll") == 0) {
      result = bywash_poll(subscriber, on_message, &t, 256, PATIENCE);
    } else {
      bywash_message m;
      result = bywash_receive(subscriber, &m, PATIENCE);
      if (result == 1) {
        on_message(&t, &m);
      }
    }
    if (result == BYWASH_EOVERRUN) {
      int64_t lost = bywash_subscriber_sequence(subscriber) - t.next;
      t.lost += lost;
      t.next += lost;
    } else if (must(result, "poll") == 0) {
      fprintf(stderr, "peer: no message came\n");
      exit(1);
    }
  }
  if (t.wrong || t.lost != bywash_subscriber_lost(subscriber)) {
    fprintf(stderr, "peer: %lld lost, and %lld counted\n", (long long)t.lost,
        (long long)bywash_subscriber_lost(subscriber));
    exit(1);
  }
  printf("received %lld lost %lld first %lld\n", (long long)t.received, (long long)t.lost, (long long)t.first);
  must(bywash_subscriber_close(subscriber), "close");
}

/** stand SEGMENT ENTRY POLICY : subscribes, and reads nothing. */
static void stand(char **argv) {
  bywash_subscriber_options options = { .size = sizeof options, .evict_after_ns = 1000000 };
  bywash_subscriber *subscriber;
  options.policy = strcmp(argv[4], "evict") == 0 ? BYWASH_EVICT : BYWASH_BLOCK;
  must(bywash_subscriber_open(segment, argv[3], &options, &subscriber), "subscriber");
  say("ready");
  until_closed();
  bywash_message m;
  int result = bywash_receive(subscriber, &m, PATIENCE);
  printf("%d %s\n", result, result < 0 ? bywash_error() : "");
  bywash_subscriber_close(subscriber);
}

/** echo SEGMENT FROM TO COUNT : sleeps until a message comes, and publishes it again. */
static void echo(char **argv) {
  bywash_subscriber_options options = { .size = sizeof options, .wait = BYWASH_SLEEP };
  bywash_subscriber *subscriber;
  bywash_publisher *publisher;
  must(bywash_subscriber_open(segment, argv[3], &options, &subscriber), "subscriber");
  must(bywash_publisher_open(segment, argv[4], NULL, &publisher), "publisher");
  must(bywash_await_subscribers(publisher, 1, PATIENCE), "subscribers");
  say("ready");
  for (int64_t i = 0; i < number(argv, 5); i++) {
    bywash_message m;
    if (must(bywash_receive(subscriber, &m, PATIENCE), "receive") == 0
        || must(bywash_offer(publisher, m.data, m.length, m.type, PATIENCE), "offer") == 0) {
      fprintf(stderr, "peer: message %lld did not come, or there was no room\n", (long long)i);
      exit(1);
    }
  }
  say("echoed");
  bywash_publisher_close(publisher);
  bywash_subscriber_close(subscriber);
}

/* ---- work queue */

/** send SEGMENT ENTRY FIRST COUNT */
static void send_all(char **argv) {
  bywash_producer *producer;
  uint8_t message[MAX_LENGTH];
  must(bywash_producer_open(segment, argv[3], NULL, &producer), "producer");
  say("ready");
  for (int64_t i = number(argv, 4); i < number(argv, 4) + number(argv, 5); i++) {
    fill(message, i);
    if (must(bywash_send(producer, message, length_of(i), (int32_t)i, PATIENCE), "send") == 0) {
      fprintf(stderr, "peer: no room for message %lld\n", (long long)i);
      exit(1);
    }
  }
  say("sent");
  must(bywash_producer_close(producer), "close");
}

/** take SEGMENT ENTRY COUNT WAIT : prints how many, the sum of their numbers, and how many were delivered again. */
static void take_all(char **argv) {
  bywash_role_options options = { .size = sizeof options };
  bywash_consumer *consumer;
  bywash_message m;
  int64_t sum = 0;
  int64_t again = 0;
  int64_t dead = 0;
  options.wait = strcmp(argv[5], "sleep") == 0 ? BYWASH_SLEEP : BYWASH_BACKOFF;
  must(bywash_consumer_open(segment, argv[3], &options, &consumer), "consumer");
  say("ready");
  for (int64_t i = 0; i < number(argv, 4); i++) {
    if (must(bywash_take(consumer, &m, PATIENCE), "take") == 0) {
      fprintf(stderr, "peer: no message came\n");
      exit(1);
    }
    int64_t taken = checked(&m); /* not valid any more when it is ended */
    again += m.deliveries > 1 ? 1 : 0;
    dead += m.dead;
    if (i % 50 == 49 && m.deliveries == 1) { /* now and then it is given back, and comes again */
      must(bywash_give_back(consumer), "give back");
      i--;
    } else {
      sum += taken;
      must(bywash_acknowledge(consumer), "acknowledge");
    }
  }
  printf("taken %lld again %lld dead %lld\n", (long long)sum, (long long)again, (long long)dead);
  must(bywash_consumer_close(consumer), "close");
}

/** hold SEGMENT ENTRY : takes a message, and keeps it until the input is closed. */
static void hold(char **argv) {
  bywash_consumer *consumer;
  bywash_message m;
  must(bywash_consumer_open(segment, argv[3], NULL, &consumer), "consumer");
  if (must(bywash_take(consumer, &m, PATIENCE), "take") == 1) {
    printf("holding %lld\n", (long long)checked(&m));
    fflush(stdout);
  }
  until_closed();
  must(bywash_consumer_close(consumer), "close");
}

/** open-take SEGMENT ENTRY : opens a consumer at each line of its input, says what came of that, and closes it. */
static void open_consumers(char **argv) {
  char line[16];
  say("ready");
  while (fgets(line, sizeof line, stdin) != NULL) {
    bywash_consumer *consumer = NULL;
    printf("%d\n", bywash_consumer_open(segment, argv[3], NULL, &consumer));
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
      break;
    }
    must(bywash_consumer_close(consumer), "close");
    say("closed");
  }
}

/** give-back SEGMENT ENTRY : at each line of its input takes a message, if there is one, and gives it back. */
static void give_back_each(char **argv) {
  char line[16];
  bywash_consumer *consumer;
  bywash_message m;
  must(bywash_consumer_open(segment, argv[3], NULL, &consumer), "consumer");
  say("ready");
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (must(bywash_take(consumer, &m, 0), "take") == 1) {
      printf("%lld delivered %d\n", (long long)checked(&m), (int)m.deliveries);
      fflush(stdout);
      must(bywash_give_back(consumer), "give back");
    } else {
      say("nothing");
    }
  }
  must(bywash_consumer_close(consumer), "close");
}

/**
 * take-two SEGMENT ENTRY : at a line of its input, two consumers take by turns; prints how often each was told of
 * damage, and how many messages came.
 */
static void take_by_turns(char **argv) {
  char line[16];
  bywash_consumer *consumers[2];
  bywash_message m;
  int told[2] = { 0, 0 };
  int taken = 0;
  for (int i = 0; i < 2; i++) {
    must(bywash_consumer_open(segment, argv[3], NULL, &consumers[i]), "consumer");
  }
  say("ready");
  for (int i = fgets(line, sizeof line, stdin) == NULL ? 20 : 0; i < 20; i++) {
    int result = bywash_take(consumers[i % 2], &m, 0);
    if (result == BYWASH_EDAMAGED) {
      told[i % 2]++;
    } else if (must(result, "take") == 1) {
      checked(&m);
      taken++;
      must(bywash_acknowledge(consumers[i % 2]), "acknowledge");
    }
  }
  printf("told %d and %d taken %d\n", told[0], told[1], taken);
  fflush(stdout);
  until_closed();
  for (int i = 0; i < 2; i++) {
    must(bywash_consumer_close(consumers[i]), "close");
  }
}

/** offer SEGMENT ENTRY FIRST NEXT : sends so many messages at each line of its input, and says what came of them. */
static void offer_each(char **argv) {
  char line[16];
  uint8_t message[MAX_LENGTH];
  bywash_producer *producer;
  int count = 4;
  must(bywash_producer_open(segment, argv[3], NULL, &producer), "producer");
  say("ready");
  while (fgets(line, sizeof line, stdin) != NULL) {
    int result = 1;
    for (int64_t i = 0; i < number(argv, count) && result == 1; i++) {
      fill(message, i);
      result = bywash_send(producer, message, length_of(i), (int32_t)i, 0);
    }
    count = 5;
    printf("%s\n", result == BYWASH_EREMOVED ? "removed" : result == 1 ? "sent" : result == 0 ? "full" : bywash_error());
    fflush(stdout);
  }
  must(bywash_producer_close(producer), "close");
}

/* ---- cells */

/** values SEGMENT COUNT : adds to a long, toggles, and answers each new latest value by one that is one more. */
static void values(char **argv) {
  bywash_cells *cells;
  bywash_reader *reader;
  bywash_writer *writer;
  bywash_message m;
  must(bywash_cells_open(segment, "state", &cells), "cells");
  must(bywash_reader_open(segment, "asked", NULL, &reader), "reader");
  must(bywash_writer_open(segment, "answered", NULL, &writer), "writer");
  int total = must(bywash_cell(cells, "total", BYWASH_LONG), "total");
  int small = must(bywash_cell(cells, "small", BYWASH_INT), "small");
  int flag = must(bywash_cell(cells, "flag", BYWASH_BOOLEAN), "flag");
  int ratio = must(bywash_cell(cells, "ratio", BYWASH_DOUBLE), "ratio");
  say("ready");
  for (int64_t i = 0; i < number(argv, 3); i++) {
    must(bywash_add(cells, total, 1, NULL), "add");
    must(bywash_add(cells, small, -1, NULL), "add");
    if (must(bywash_await_newer(reader, PATIENCE), "await") == 0 || must(bywash_read(reader, &m), "read") == 0) {
      fprintf(stderr, "peer: no value came\n");
      exit(1);
    }
    uint8_t answer[MAX_LENGTH];
    fill(answer, checked(&m) + 1);
    must(bywash_write(writer, answer, length_of(checked(&m) + 1), m.type), "write");
  }
  int64_t set = 0;
  double half = 0;
  must(bywash_get(cells, flag, &set), "flag");
  must(bywash_get_double(cells, ratio, &half), "ratio");
  int changed = must(bywash_compare_and_set(cells, flag, 1, 0), "flag");
  must(bywash_set_double(cells, ratio, half * 2), "ratio");
  printf("flag %lld changed %d ratio %g wrong %d\n", (long long)set, changed, half,
      bywash_cell(cells, "total", BYWASH_INT));
  bywash_writer_close(writer);
  bywash_reader_close(reader);
  bywash_cells_close(cells);
}

/** look SEGMENT : the newest elements of a ring of longs, and some of two arrays, from a read-only attachment. */
static void look(void) {
  bywash_view *ring;
  bywash_view *numbers;
  bywash_view *records;
  int64_t newest[4] = { 0 };
  int64_t first = -1;
  double second = 0;
  struct { int64_t a; int32_t b; int32_t c; } record = { 0, 0, 0 };
  int64_t version = -1;
  must(bywash_view_open(segment, "ring", &ring), "ring");
  must(bywash_view_open(segment, "numbers", &numbers), "numbers");
  must(bywash_view_open(segment, "records", &records), "records");
  int count = must(bywash_ring_newest(ring, newest, 4, &first), "newest");
  must(bywash_array_get(numbers, 1, &second, NULL), "number");
  int set = must(bywash_array_get(records, 2, &record, &version), "record");
  int unset = must(bywash_array_get(records, 1, &record, NULL), "record");
  printf("ring %d at %lld from %lld to %lld number %g record %d %lld %d version %lld unset %d\n", count,
      (long long)first, (long long)newest[0], (long long)newest[count - 1], second, set, (long long)record.a, record.b,
      (long long)version, unset);
  bywash_view_close(records);
  bywash_view_close(numbers);
  bywash_view_close(ring);
}

/** pool SEGMENT : what is in a pool of the same records, while nobody changes it. */
static void look_at_pool(void) {
  bywash_view *pool;
  struct { int64_t a; int32_t b; int32_t c; } record = { 0, 0, 0 };
  int64_t handle = 0;
  int64_t last = 0;
  int64_t sum = 0;
  int used = 0;
  int written = 0;
  must(bywash_view_open(segment, "pool", &pool), "pool");
  while (must(bywash_pool_next(pool, &handle), "next") == 1) {
    used++;
    last = handle;
    if (must(bywash_pool_get(pool, handle, &record), "get") == 1) {
      written++;
      sum += record.a * record.b;
    }
  }
  int64_t other = last + (INT64_C(1) << 28);
  printf("pool of %lld: %d used, %d written, sum %lld, stale %d, forged %d\n", (long long)bywash_view_count(pool), used,
      written, (long long)sum, bywash_pool_get(pool, other, &record), bywash_pool_get(pool, 5000, &record));
  bywash_view_close(pool);
}

/** recover SEGMENT : what a recovery has done. */
static void recover_all(void) {
  bywash_recovery done = { .size = sizeof done };
  must(bywash_recover(segment, &done), "recover");
  printf("buried %d, %d roles\n", done.buried, done.roles_freed);
}

/* ---- segments */

/** The description that the tests use in both languages. */
static void describe(bywash_segment_spec *spec, bywash_entry *entries, char *text, size_t text_bytes) {
  static const char *const cells[] = { "long total", "int small", "boolean flag", "double ratio" };
  bywash_delivery_policy policy = { .size = sizeof policy, .policy = BYWASH_REDELIVER, .limit = 3,
    .dead_letters = "letters" };
  must(bywash_broadcast(&entries[0], "q", 65536, 4), "q");
  must(bywash_work_queue(&entries[1], "jobs", 64, MAX_LENGTH, &policy, 0), "jobs");
  must(bywash_work_queue(&entries[2], "letters", 16, MAX_LENGTH, NULL, 8), "letters");
  must(bywash_atomics(&entries[3], "state", cells, 4, text, text_bytes), "state");
  must(bywash_latest(&entries[4], "price", MAX_LENGTH, 2, 4), "price");
  bywash_small_spec(spec, entries, 5);
}

/** open SEGMENT : creates or attaches, says so, and leaves when the input is closed. */
static void open_segment(char **argv) {
  bywash_entry entries[5];
  bywash_segment_spec spec;
  char text[512];
  describe(&spec, entries, text, sizeof text);
  must(bywash_open(argv[2], &spec, &segment), "open");
  printf("opened %016llx\n", (unsigned long long)bywash_id(segment));
  fflush(stdout);
  until_closed();
}

/** other SEGMENT : what is said when the description differs. */
static void open_other(char **argv) {
  bywash_entry entries[5];
  bywash_segment_spec spec;
  char text[512];
  describe(&spec, entries, text, sizeof text);
  spec.participants = 9;
  entries[0].element_size = 100;
  printf("%d %s\n", bywash_open(argv[2], &spec, &segment), bywash_error());
}

/** The child of a participant: it can use nothing of its parent's, and attaches by itself. */
static void be_child(char **argv, bywash_publisher *publisher, int go) {
  bywash_segment *own;
  char none;
  int refused = bywash_offer(publisher, "x", 1, 0, 0);
  int closed = bywash_publisher_close(publisher) + bywash_close(segment);
  must(bywash_attach(argv[2], 0, &own), "attach");
  printf("child %d %d %d\n", refused, closed, bywash_publisher_open(own, argv[3], NULL, &publisher));
  fflush(stdout);
  if (read(go, &none, 1) == 0) { /* the participant was killed, while this process has what it shared with it */
    must(bywash_publisher_open(own, argv[3], NULL, &publisher), "the role of the dead parent");
    say("taken over");
    bywash_publisher_close(publisher);
  }
  bywash_close(own);
  _exit(0);
}

/** fork SEGMENT ENTRY : a participant that forks a child, goes on, and is killed when the input is closed. */
static void fork_child(char **argv) {
  int go[2];
  int told[2];
  pid_t parent = pipe(go) != 0 || pipe(told) != 0 ? -1 : fork();
  if (parent == 0) {
    bywash_publisher *publisher;
    char none;
    close(go[1]);
    must(bywash_attach(argv[2], PATIENCE, &segment), "attach");
    must(bywash_publisher_open(segment, argv[3], NULL, &publisher), "publisher");
    if (fork() == 0) {
      close(told[0]);
      be_child(argv, publisher, go[0]);
    }
    pause();
    exit(read(told[0], &none, 1) == 0);
  }
  close(told[1]);
  until_closed();
  kill(parent, SIGKILL);
  waitpid(parent, NULL, 0);
  close(go[1]);
  char none;
  while (read(told[0], &none, 1) > 0) { /* until the child has ended */
  }
}

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: peer ROLE SEGMENT [ARGUMENT...]\n");
    return 2;
  }
  const char *role = argv[1];
  if (strcmp(role, "look") == 0 || strcmp(role, "pool") == 0) {
    must(bywash_observe(argv[2], &segment), "observe");
  } else if (strcmp(role, "open") != 0 && strcmp(role, "other") != 0 && strcmp(role, "fork") != 0) {
    must(bywash_attach(argv[2], PATIENCE, &segment), "attach");
  }
  if (strcmp(role, "publish") == 0) {
    publish(argv);
  } else if (strcmp(role, "subscribe") == 0) {
    subscribe(argv);
  } else if (strcmp(role, "stand") == 0) {
    stand(argv);
  } else if (strcmp(role, "echo") == 0) {
    echo(argv);
  } else if (strcmp(role, "send") == 0) {
    send_all(argv);
  } else if (strcmp(role, "take") == 0) {
    take_all(argv);
  } else if (strcmp(role, "hold") == 0) {
    hold(argv);
  } else if (strcmp(role, "open-take") == 0) {
    open_consumers(argv);
  } else if (strcmp(role, "give-back") == 0) {
    give_back_each(argv);
  } else if (strcmp(role, "take-two") == 0) {
    take_by_turns(argv);
  } else if (strcmp(role, "offer") == 0) {
    offer_each(argv);
  } else if (strcmp(role, "values") == 0) {
    values(argv);
  } else if (strcmp(role, "look") == 0) {
    look();
  } else if (strcmp(role, "pool") == 0) {
    look_at_pool();
  } else if (strcmp(role, "recover") == 0) {
    recover_all();
  } else if (strcmp(role, "open") == 0) {
    open_segment(argv);
  } else if (strcmp(role, "other") == 0) {
    open_other(argv);
    return 0;
  } else if (strcmp(role, "fork") == 0) {
    fork_child(argv);
  } else {
    fprintf(stderr, "peer: role %s is none\n", role);
    return 2;
  }
  return must(bywash_close(segment), "close");
}
