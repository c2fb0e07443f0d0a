package io.bywash.samples.service

import io.bywash.bus.Bus
import io.bywash.bus.bus
import io.bywash.bus.cell.Atomics
import io.bywash.bus.cell.Latest
import io.bywash.bus.cell.atomics
import io.bywash.bus.cell.latest
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.queue
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

@JvmRecord
internal data class Quote(val number: Long, val cents: Long)

@JvmRecord
internal data class Order(val quote: Long, val quantity: Int, val cents: Long)

@JvmRecord
internal data class Position(val quantity: Long, val cents: Long)

internal val quotes = WorkQueue<Quote>("quotes")
internal val orders = WorkQueue<Order>("orders")
internal val position = Latest<Position>("position")

internal object Progress : Atomics("progress") {
    val nextQuote = long("nextQuote")
}

/**
 * What the three processes agree on. Queues, and not a topic: what one process has sent waits there until the next one
 * comes back, and the segment stays as long as it holds a message.
 */
internal fun trading(segment: String = "trading") = bus(segment) {
    participants = 8
    queue(quotes) { capacity = 128 }
    queue(orders) { capacity = 128 }
    latest(position)
    atomics(Progress)
}

/** Names the segment of a run of the sample. */
internal const val SEGMENT_VARIABLE = "BYWASH_SERVICE_SEGMENT"

/**
 * Runs one of the processes, until it has nothing more to do or is told to end, with SIGTERM or Ctrl-C. Then it is
 * cancelled: it takes no other message, gives back what it could not finish, and leaves the bus.
 */
internal fun serve(run: suspend (Bus) -> Unit) = runBlocking(Dispatchers.Default) {
    val segment = System.getenv(SEGMENT_VARIABLE)
    if (segment != null) { // it was started by the sample, and ends with it
        ProcessHandle.current().parent().ifPresent { it.onExit().thenRun { Runtime.getRuntime().halt(1) } }
    }
    val running = launch { trading(segment ?: "trading").use { bus -> run(bus) } }
    Runtime.getRuntime().addShutdownHook(Thread { runBlocking { running.cancelAndJoin() } })
    running.join()
}
