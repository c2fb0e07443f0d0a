package io.bywash.samples.hello;

import static java.lang.invoke.MethodHandles.lookup;

import io.bywash.engine.record.*;

/** What is sent: 40 bytes, as a C compiler would lay them out. */
record Greeting(long process, @Length(32) String text) {
  static final Records<Greeting> GREETINGS = Records.of(lookup(), Greeting.class);
}
