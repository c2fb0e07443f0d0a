package io.bywash.samples.hello.kotlin

import io.bywash.bus.Codec
import io.bywash.bus.KiB
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.bus

/**
 * What both programs know. The Java sample `hello` has the same segment, so its programs and these greet each other.
 */
internal val greetings = Topic("greetings", Codec.Text)

internal val hello = bus("hello") { topic(greetings) { ring = 64.KiB } }
