package io.bywash.samples.topologies

import io.bywash.bus.bus
import io.bywash.bus.ring.Ring
import io.bywash.bus.ring.ring

/** A message of a producer. */
@JvmRecord
internal data class Note(val timestampNanos: Long, val producer: Int, val value: Double)

internal val notes = Ring<Note>("notes")

/** A producer and a consumer, with room for 100 messages between them. */
internal fun producing(segment: String) = bus(segment) {
    participants = 4
    ring(notes) { capacity = 100 }
}
