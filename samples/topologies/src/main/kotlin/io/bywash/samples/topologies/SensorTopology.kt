package io.bywash.samples.topologies

import io.bywash.bus.bus
import io.bywash.bus.cell.Atomics
import io.bywash.bus.cell.atomics
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.queue

/** What a sensor has measured: a raw number, which is impossible if it is negative. */
@JvmRecord
internal data class Reading(val number: Long, val raw: Int)

/** The same in degrees. */
@JvmRecord
internal data class Temperature(val number: Long, val degrees: Double)

internal val readings = WorkQueue<Reading>("readings")
internal val rejected = WorkQueue<Reading>("rejected")
internal val temperatures = WorkQueue<Temperature>("temperatures")

/** Whether the workers can go home. */
internal object Shift : Atomics("shift") {
    val isOver = boolean("isOver")
}

/** A sensor pipeline: workers share the readings; what three of them could not use is rejected. */
internal fun sensors(segment: String) = bus(segment) {
    participants = 8
    queue(readings) {
        capacity = 64
        deliveries = 3
        deadLetters = rejected
    }
    queue(rejected) { capacity = 128 }
    queue(temperatures) { capacity = 64 }
    atomics(Shift)
}
