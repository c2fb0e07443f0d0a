/*
 * What the programs share whose cases are faults: one process alone creates a segment, and ends with 1 if anything is
 * not as promised.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include "peer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bywash_segment *segment;

/** Ends the program unless a result is the expected one. */
static inline void expect(int64_t expected, int64_t result, const char *what) {
  if (result != expected) {
    fprintf(stderr, "faults: %s: %lld, and %lld was expected: %s\n", what, (long long)result, (long long)expected,
        result < 0 ? bywash_error() : "");
    exit(1);
  }
}

static inline void create(const char *name, const bywash_entry *entries, size_t count) {
  bywash_segment_spec spec;
  bywash_small_spec(&spec, entries, count);
  must(bywash_create(name, &spec, &segment), "create");
}

/** The bytes of the segment, to be damaged. */
static inline char *bytes_of(const char *name, size_t *count) {
  struct stat found;
  int file = open(name, O_RDWR);
  if (file < 0 || fstat(file, &found) != 0) {
    perror(name);
    exit(1);
  }
  *count = (size_t)found.st_size;
  char *bytes = mmap(NULL, *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return bytes;
}

/** The first byte of the structure of a row. */
static inline char *structure_of(char *bytes, int row) {
  int64_t offset;
  memcpy(&offset, bytes + 4096 + 8 * 256 + 256 * row + 8, sizeof offset); /* docs/SPEC.md 4.1, of a small segment */
  return bytes + offset;
}

static inline void put(char *at, int64_t word) { memcpy(at, &word, sizeof word); }

typedef struct fault {
  const char *name;
  void (*run)(const char *segment);
} fault;

/** Runs the case that the arguments name: CASE SEGMENT. */
static inline int run_fault(const fault *cases, size_t count, int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s CASE SEGMENT\n", argv[0]);
    return 2;
  }
  for (size_t i = 0; i < count; i++) {
    if (strcmp(argv[1], cases[i].name) == 0) {
      cases[i].run(argv[2]);
      expect(0, bywash_close(segment), "close");
      say("as promised");
      return 0;
    }
  }
  fprintf(stderr, "%s: case %s is none\n", argv[0], argv[1]);
  return 2;
}

#endif
