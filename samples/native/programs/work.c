/*
 * A work queue in C: "work send" sends each line of its input, "work take" takes lines, prints each, and acknowledges
 * it when it is printed, until nothing came for a second. Java's side is a Producer or Consumer of entry "lines" in
 * segment "work", which either side may create.
 */
#include "bywash.h"

#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 240 };
#define SECOND INT64_C(1000000000)

static int failed(void) {
  fprintf(stderr, "work: %s\n", bywash_error());
  return 1;
}

static int send_lines(bywash_segment *segment) {
  bywash_producer *producer;
  char line[LINE_BYTES + 2];
  int result = bywash_producer_open(segment, "lines", NULL, &producer);
  if (result != 0) {
    return failed();
  }
  while (result >= 0 && fgets(line, sizeof line, stdin) != NULL) {
    size_t length = strcspn(line, "\n");
    for (result = length == 0 ? 1 : 0; result == 0;) {
      result = bywash_send(producer, line, (int64_t)length, 0, SECOND); /* until there is room */
    }
  }
  bywash_producer_close(producer);
  return result < 0 ? failed() : 0;
}

static int take_lines(bywash_segment *segment) {
  bywash_consumer *consumer;
  bywash_message message;
  int result = bywash_consumer_open(segment, "lines", NULL, &consumer);
  if (result != 0) {
    return failed();
  }
  while ((result = bywash_take(consumer, &message, SECOND)) == 1) {
    printf("%.*s\n", (int)message.length, (const char *)message.data);
    fflush(stdout);
    result = bywash_acknowledge(consumer); /* if this process is killed before, another one gets the line */
    if (result != 0) {
      break;
    }
  }
  bywash_consumer_close(consumer);
  return result < 0 ? failed() : 0;
}

int main(int argc, char **argv) {
  bywash_entry lines;
  bywash_segment_spec spec;
  bywash_segment *segment;
  if (argc != 2 || (strcmp(argv[1], "send") != 0 && strcmp(argv[1], "take") != 0)) {
    fprintf(stderr, "usage: work send | take\n");
    return 2;
  }
  if (bywash_work_queue(&lines, "lines", 64, LINE_BYTES, NULL, 0) != 0) {
    return failed();
  }
  bywash_spec(&spec, &lines, 1);
  if (bywash_open("work", &spec, &segment) != 0) {
    return failed();
  }
  int status = strcmp(argv[1], "send") == 0 ? send_lines(segment) : take_lines(segment);
  bywash_close(segment);
  return status;
}
