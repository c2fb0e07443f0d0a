/*
 * example SPEC.md PATH : does what the example in section 8 of docs/SPEC.md tells, with three participants in C, and
 * compares the segment with the bytes that the document shows. Only the implementation's number is another one.
 */
#include "peer.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 24576 };

/** What the document shows: a byte, or -1 for one that differs from run to run. */
static int expected[SIZE];

static void read_document(const char *path) {
  FILE *file = fopen(path, "r");
  char line[512];
  int inside = 0;
  long from = 0;
  int row[16];
  int repeats = 0;
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  while (fgets(line, sizeof line, file) != NULL && inside < 2) {
    if (strncmp(line, "```", 3) == 0) {
      inside = strncmp(line, "```hexdump", 10) == 0 ? 1 : inside == 1 ? 2 : inside;
    } else if (inside == 1 && line[0] == '*') {
      repeats = 1;
    } else if (inside == 1) {
      char *at;
      long offset = strtol(line, &at, 16);
      for (long i = from; repeats && i < offset; i++) {
        expected[i] = row[i % 16];
      }
      repeats = 0;
      if (offset == SIZE) {
        break;
      }
      for (int i = 0; i < 16; i++) {
        while (*at == ' ') {
          at++;
        }
        row[i] = at[0] == '.' ? -1 : (int)strtol((char[]){ at[0], at[1], 0 }, NULL, 16);
        expected[offset + i] = row[i];
        at += 2;
      }
      from = offset + 16;
    }
  }
  fclose(file);
}

/** Participant A, which is killed with two messages that it has not published. */
static void be_a(const char *name, int ready) {
  bywash_entry entry;
  bywash_segment_spec spec;
  bywash_segment *segment;
  bywash_publisher *publisher;
  uint8_t message[512];
  must(bywash_broadcast(&entry, "q", 4096, 1), "q");
  bywash_spec(&spec, &entry, 1);
  spec.participants = 2;
  spec.rows = 1;
  must(bywash_create(name, &spec, &segment), "create");
  must(bywash_publisher_open(segment, "q", NULL, &publisher), "publisher");
  must(bywash_offer(publisher, "hello", 5, 7, 0), "offer");
  for (int sequence = 1; sequence <= 8; sequence++) {
    memset(message, 0x10 + sequence, sizeof message);
    must(bywash_offer(publisher, message, sizeof message, 0, 0), "offer");
  }
  for (int i = 0; i < 2; i++) {
    void *place;
    must(bywash_claim(publisher, 48, 0, 0, &place), "claim"); /* a record of 64 bytes */
    must(bywash_stage(publisher), "stage");
  }
  if (write(ready, "r", 1) == 1) {
    pause();
  }
  exit(1);
}

int main(int argc, char **argv) {
  int ends[2];
  char ready;
  if (argc != 3 || pipe(ends) != 0) {
    fprintf(stderr, "usage: example SPEC.md PATH\n");
    return 2;
  }
  read_document(argv[1]);
  pid_t a = fork();
  if (a == 0) {
    be_a(argv[2], ends[1]);
  }
  close(ends[1]);
  if (read(ends[0], &ready, 1) != 1 || kill(a, SIGKILL) != 0 || waitpid(a, NULL, 0) != a) {
    fprintf(stderr, "example: A did not come so far\n");
    return 1;
  }
  bywash_segment *b;
  bywash_segment *c;
  bywash_publisher *publisher;
  bywash_subscriber *subscriber;
  bywash_subscriber_options oldest = { .size = sizeof oldest, .policy = BYWASH_BLOCK, .start = BYWASH_OLDEST };
  must(bywash_attach(argv[2], 0, &b), "B");
  must(bywash_publisher_open(b, "q", NULL, &publisher), "publisher");
  must(bywash_attach(argv[2], 0, &c), "C");
  must(bywash_subscriber_open(c, "q", &oldest, &subscriber), "subscriber");
  must(bywash_offer(publisher, "again", 5, 7, 0), "again");

  int fd = open(argv[2], O_RDONLY);
  const uint8_t *bytes = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
  int compared = 0;
  int wrong = 0;
  for (int i = 0; i < SIZE; i++) {
    bool implementation = i == 0x10e0 || i == 0x11e0; /* this is number 2 */
    int wanted = implementation ? 2 : expected[i];
    compared += wanted >= 0 ? 1 : 0;
    if (wanted >= 0 && bytes[i] != wanted && ++wrong <= 20) {
      fprintf(stderr, "example: byte %05x is %02x, not %02x\n", i, bytes[i], wanted);
    }
  }
  printf("compared %d wrong %d\n", compared, wrong);
  bywash_subscriber_close(subscriber);
  bywash_publisher_close(publisher);
  bywash_close(c);
  bywash_close(b);
  return wrong == 0 ? 0 : 1;
}
