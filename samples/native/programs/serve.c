/*
 * Answers calls in C: each request is a line, and the reply is the same line in capital letters. An empty line is
 * refused. Ends when it is interrupted. In Java, this is a Responder of endpoint "upper" in segment "text".
 */
#include "lines.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
  (void)signal;
  interrupted = 1;
}

static int answer(bywash_responder *responder, bywash_request *request) {
  void *place;
  if (request->length == 0) {
    return bywash_request_fail(responder, request, NULL, "an empty line has no capital letters");
  }
  int result = bywash_request_claim(responder, request, &place); /* the reply is written where the caller reads it */
  for (int32_t i = 0; result == 0 && i < request->length; i++) {
    ((char *)place)[i] = (char)toupper(((const unsigned char *)request->data)[i]);
  }
  result = result != 0 ? result : bywash_request_commit(responder, request, 0, request->length, 0);
  if (result == 0) {
    fprintf(stderr, "serve: the caller of request %lld no longer waited\n", (long long)request->number);
  }
  return result;
}

int main(void) {
  bywash_segment *segment = NULL;
  bywash_responder *responder = NULL;
  bywash_request request;
  signal(SIGINT, interrupt);
  signal(SIGTERM, interrupt);
  int result = open_text(&segment);
  result = result != 0 ? result : bywash_responder_open(segment, "upper", NULL, &responder);
  while (result >= 0 && !interrupted) {
    result = bywash_request_next(responder, &request, SECOND / 10);
    result = result == 1 ? answer(responder, &request) : result;
  }
  if (result < 0) {
    fprintf(stderr, "serve: %s\n", bywash_error());
  }
  bywash_responder_close(responder);
  bywash_close(segment);
  return result < 0 ? 1 : 0;
}
