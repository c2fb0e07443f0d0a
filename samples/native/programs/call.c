/*
 * Calls in C: sends each line of its input to endpoint "upper" of segment "text", and prints the reply, or why there is
 * none. In Java, this is a Caller. A call waits for up to 10 seconds, also for somebody who answers.
 */
#include "lines.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  bywash_segment *segment = NULL;
  bywash_caller *caller = NULL;
  bywash_reply reply;
  char line[LINE_BYTES + 2];
  int failures = 0;
  int result = open_text(&segment);
  result = result != 0 ? result : bywash_caller_open(segment, "upper", NULL, &caller);
  while (result >= 0 && fgets(line, sizeof line, stdin) != NULL) {
    result = bywash_call(caller, line, (int64_t)strcspn(line, "\n"), 0, 10 * SECOND, &reply);
    if (result == 1) {
      printf("%.*s\n", (int)reply.length, (const char *)reply.data); /* valid until the next call */
      fflush(stdout);
    } else if (result == 0) {
      fprintf(stderr, "call: %s\n", bywash_error());
      failures++;
    }
  }
  if (result < 0) {
    fprintf(stderr, "call: %s\n", bywash_error());
  }
  bywash_caller_close(caller);
  bywash_close(segment);
  return result < 0 || failures > 0 ? 1 : 0;
}
