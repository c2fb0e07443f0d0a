/*
 * The ring of the tutorial that this project comes from, third day: slots of one size, one writer, one reader, two indexes
 * beside each other in shared memory, all accesses to them sequentially consistent (C11's default), messages copied with memcpy.
 */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

enum { SLOTS = 1024, MESSAGE_BYTES = 64, WORDS = MESSAGE_BYTES / 8 };

struct ring {
  _Atomic uint64_t written;
  _Atomic uint64_t read;
  char slots[SLOTS][MESSAGE_BYTES];
};

/* Sends the messages whose first words are from until until. */
void tutorial_send(struct ring *ring, int64_t from, int64_t until) {
  int64_t message[WORDS];
  for (int64_t first = from; first < until; first++) {
    for (int i = 0; i < WORDS; i++) {
      message[i] = first + i;
    }
    while (ring->written - ring->read == SLOTS) {
      /* full */
    }
    memcpy(ring->slots[ring->written % SLOTS], message, MESSAGE_BYTES);
    ring->written = ring->written + 1;
  }
}

/* Takes up to limit messages; tells how many, the sum of all their words, and the first word of the last one. */
void tutorial_receive(struct ring *ring, int64_t limit, int64_t told[3]) {
  int64_t message[WORDS] = {0};
  int64_t count = 0;
  int64_t sum = 0;
  while (count < limit && ring->written != ring->read) {
    memcpy(message, ring->slots[ring->read % SLOTS], MESSAGE_BYTES);
    ring->read = ring->read + 1;
    for (int i = 0; i < WORDS; i++) {
      sum += message[i];
    }
    count++;
  }
  told[0] = count;
  told[1] = sum;
  told[2] = message[0];
}
