package io.bywash.samples.service

import io.bywash.bus.Bus
import io.bywash.bus.cell.reader
import io.bywash.bus.cell.writer
import io.bywash.bus.queue.consumer

/** Buys what is cheap and sells what is dear, and publishes its position. */
internal object Strategy {
    /** What to do about a quote; null for nothing. */
    fun decide(quote: Quote): Order? = when {
        quote.cents < 9_800 -> Order(quote.number, 10, quote.cents)
        quote.cents > 10_200 -> Order(quote.number, -10, quote.cents)
        else -> null
    }

    /** @param forgotten the number of a quote whose order is not sent, for the sample's sabotage */
    suspend fun run(bus: Bus, forgotten: Long = -1) {
        val consumer = bus.consumer(quotes)
        consumer.label("strategy")
        val sender = bus.sender(orders)
        var now = bus.reader(position).use { it.get() } ?: Position(0, 0)
        val writer = bus.writer(position)
        consumer.consume { quote ->
            decide(quote)?.takeIf { it.quote != forgotten }?.let { order ->
                sender.send(order) // a quote is acknowledged when its order was sent
                now = Position(now.quantity + order.quantity, now.cents - order.quantity * order.cents)
                writer.set(now)
            }
        }
    }

    @JvmStatic
    fun main(arguments: Array<String>) = serve { run(it, arguments[0].toLong()) }
}
