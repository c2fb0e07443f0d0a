/* What serve.c and call.c agree on: segment "text" with endpoint "upper", which either of them may create. */
#ifndef LINES_H
#define LINES_H

#include "bywash.h"

enum { LINE_BYTES = 240 };
#define SECOND INT64_C(1000000000)

/** Opens the segment: 0 or an error. */
static inline int open_text(bywash_segment **segment) {
  bywash_entry upper;
  bywash_segment_spec spec;
  int result = bywash_endpoint(&upper, "upper", LINE_BYTES, LINE_BYTES, NULL);
  bywash_spec(&spec, &upper, 1);
  return result != 0 ? result : bywash_open("text", &spec, segment);
}

#endif
