/* What the programs of the tests share: messages that can be checked, and giving up. */
#ifndef PEER_H
#define PEER_H

#include "bywash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define PATIENCE (60 * SECOND)

enum { MIN_LENGTH = 16, MAX_LENGTH = MIN_LENGTH + 255 };

/** Ends the program with the library's error. */
static inline void give_up(const char *what) {
  fprintf(stderr, "peer: %s: %s\n", what, bywash_error());
  exit(1);
}

/** Ends the program if a result is an error; else returns it. */
static inline int must(int result, const char *what) {
  if (result < 0) {
    give_up(what);
  }
  return result;
}

static inline uint64_t mix(uint64_t value) {
  value += UINT64_C(0x9E3779B97F4A7C15);
  value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
  return value ^ value >> 31;
}

/** The length of the message with that number: 16 bytes, and up to 255 more. */
static inline int64_t length_of(int64_t number) { return MIN_LENGTH + (int64_t)(mix((uint64_t)number) & 255); }

/** Writes message `number`: its number, a hash of what follows, and bytes that depend on it. */
static inline void fill(void *place, int64_t number) {
  uint8_t *bytes = place;
  int64_t length = length_of(number);
  uint64_t random = mix((uint64_t)number);
  uint64_t hash = (uint64_t)number;
  for (int64_t i = MIN_LENGTH; i < length; i++) {
    bytes[i] = (uint8_t)((random >> (i & 7) * 8) + (uint64_t)i);
    hash = hash * 31 + bytes[i];
  }
  memcpy(bytes, &number, 8);
  memcpy(bytes + 8, &hash, 8);
}

/** The number of a message; ends the program if it is not whole. */
static inline int64_t checked(const bywash_message *m) {
  const uint8_t *bytes = m->data;
  int64_t number;
  uint64_t expected;
  if (m->length >= MIN_LENGTH) {
    memcpy(&number, bytes, 8);
    memcpy(&expected, bytes + 8, 8);
    uint64_t hash = (uint64_t)number;
    for (int32_t i = MIN_LENGTH; i < m->length; i++) {
      hash = hash * 31 + bytes[i];
    }
    if (m->length == length_of(number) && hash == expected) {
      return number;
    }
  }
  fprintf(stderr, "peer: message %lld of %d bytes is not whole\n", (long long)m->sequence, m->length);
  exit(1);
}

/** Says something that the test waits for. */
static inline void say(const char *text) {
  puts(text);
  fflush(stdout);
}

/** Waits until the test closes this program's input. */
static inline void until_closed(void) {
  while (getchar() != EOF) {
  }
}

#endif
