package io.bywash.samples.service

import io.bywash.bus.Bus
import io.bywash.bus.cell.get
import io.bywash.bus.cell.open

/** Sends quotes, and goes on with the one after the last that was sent. */
internal object Feed {
    const val COUNT = 3_000L

    /** The quote of that number: anywhere from 95.00 to 104.99. */
    fun quote(number: Long) = Quote(number, 9_500 + number * 7_919 % 1_000)

    suspend fun run(bus: Bus) {
        val sender = bus.sender(quotes)
        sender.label("feed")
        val next = bus.open(Progress)[Progress.nextQuote]
        while (next.get() < COUNT) {
            sender.send(quote(next.get())) // either it was sent, or this throws
            next.getAndAdd(1)
        }
    }

    @JvmStatic
    fun main(arguments: Array<String>) = serve { run(it) }
}
