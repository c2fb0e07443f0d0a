/* What the programs here know of the sample samples/hello: its segment, and what a greeting is. */
#ifndef GREETING_H
#define GREETING_H

#include "hello.h"

/** The layout of the entry, whose fingerprint is compared: the same words as those of the Java record. */
#define GREETING_LAYOUT "0 40 Greeting\n 0 long process\n 8 string[32] text\n"

#define SECONDS INT64_C(1000000000)

#endif
