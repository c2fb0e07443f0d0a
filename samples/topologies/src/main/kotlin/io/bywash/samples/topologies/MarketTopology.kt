package io.bywash.samples.topologies

import io.bywash.bus.KiB
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.bus

/** A price of an instrument. */
@JvmRecord
internal data class Tick(val number: Long, val instrument: Int, val price: Double)

internal val ticks = Topic<Tick>("ticks")

/** Market data fan-out: one feed, and everybody sees every tick. */
internal fun market(segment: String) = bus(segment) {
    participants = 8
    topic(ticks) {
        ring = 64.KiB
        receivers = 4
    }
}
