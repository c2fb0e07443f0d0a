/* ./bywash layout hello --c, while HelloPublisher or ./publish runs. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* entry greetings */
struct greetings_Greeting {
  int64_t process;
  char text[32];
};
_Static_assert(offsetof(struct greetings_Greeting, process) == 0, "process");
_Static_assert(offsetof(struct greetings_Greeting, text) == 8, "text");
_Static_assert(sizeof(struct greetings_Greeting) == 40, "Greeting");
enum { greetings_Greeting_TYPE = 0 };
