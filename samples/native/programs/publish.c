/* HelloPublisher of samples/hello in C: creates the segment, waits for a subscriber, and greets it. */
#include "bywash.h"
#include "greeting.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int failed(const char *what) {
  fprintf(stderr, "publish: %s: %s\n", what, bywash_error());
  return 1;
}

int main(void) {
  bywash_entry greetings;
  bywash_segment_spec spec;
  bywash_segment *segment = NULL;
  bywash_publisher *publisher = NULL;
  if (bywash_broadcast(&greetings, "greetings", 64 * 1024, 0) != 0) {
    return failed("greetings");
  }
  greetings.element_size = sizeof(struct greetings_Greeting);
  greetings.layout = GREETING_LAYOUT;
  bywash_spec(&spec, &greetings, 1);
  if (bywash_open("hello", &spec, &segment) != 0
      || bywash_publisher_open(segment, "greetings", NULL, &publisher) != 0) {
    return failed("hello");
  }
  int result = bywash_await_subscribers(publisher, 1, 60 * SECONDS);
  if (result == 0) {
    fprintf(stderr, "publish: nobody subscribed for 60 s; start a subscriber in another terminal\n");
  }
  if (result == 1) {
    void *place;
    result = bywash_claim(publisher, sizeof(struct greetings_Greeting), greetings_Greeting_TYPE, SECONDS, &place);
    if (result == 1) {
      struct greetings_Greeting *greeting = place;
      memset(greeting, 0, sizeof *greeting);
      greeting->process = getpid();
      strcpy(greeting->text, "Hello");
      bywash_commit(publisher);
      printf("greeted\n");
    } else if (result == 0) {
      fprintf(stderr, "publish: a subscriber holds the publisher back, and there is no room for a greeting\n");
    }
  }
  if (result < 0) {
    failed("greetings");
  }
  bywash_publisher_close(publisher);
  bywash_close(segment);
  return result == 1 ? 0 : 1;
}
