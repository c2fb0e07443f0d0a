package io.bywash.samples.topologies

import io.bywash.bus.Until
import io.bywash.bus.broadcast.ReceiverOptions
import io.bywash.bus.broadcast.receiver
import io.bywash.engine.EvictedException
import java.io.PrintStream
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** One feed for everybody. Who is too slow for too long is evicted, so that it cannot hold the others up. */
internal object MarketData {
    private const val COUNT = 100_000L

    private fun price(number: Long) = 100 + (number * 7919 % 1000) / 100.0

    /** The feed; one number may be left out. */
    object Feed : Program() {
        @JvmStatic
        fun main(arguments: Array<String>) = start(arguments)

        override suspend fun run(arguments: List<String>) = market(segment).use { bus ->
            val sender = bus.sender(ticks)
            check(sender.awaitReceivers(3, 60.seconds)) { "the readers do not come" }
            for (number in 0 until COUNT) {
                if (number != arguments[0].toLong()) sender.send(Tick(number, (number % 50).toInt(), price(number)))
            }
            println("sent=${sender.nextSequence}")
        }
    }

    /** Counts ticks, and whether one is missing or wrong, until the feed has gone. */
    object Fast : Program() {
        @JvmStatic
        fun main(arguments: Array<String>) = start(arguments)

        override suspend fun run(arguments: List<String>) = market(segment).attach(60.seconds).use { bus ->
            val receiver = bus.receiver(ticks, Until.SenderGone)
            receiver.label(arguments[0])
            var count = 0L
            var wrong = 0L
            for (tick in receiver) {
                if (tick.number != count || tick.price != price(tick.number)) wrong++
                count++
            }
            println("count=$count wrong=$wrong lost=${receiver.lostCount}")
        }
    }

    /** Takes a look at one tick and is busy with it; the feed waits for it no longer than it said. */
    object Slow : Program() {
        @JvmStatic
        fun main(arguments: Array<String>) = start(arguments)

        override suspend fun run(arguments: List<String>) = market(segment).attach(60.seconds).use { bus ->
            val receiver = bus.receiver(ticks, ReceiverOptions.evictAfter(300.milliseconds))
            receiver.label("slow reader")
            var count = 0L
            var isEvicted = 0
            try {
                receiver.receive() // on a busy machine even that may come too late
                count++
                told.await() // until the feed is done
                while (receiver.receiveWithin(1.seconds) != null) count++
            } catch (_: EvictedException) {
                isEvicted = 1
            }
            told.await()
            println("count=$count evicted=$isEvicted")
        }
    }

    suspend fun run(segment: String, drop: Boolean, out: PrintStream): Outcome {
        val feed = Child(Feed, segment, if (drop) COUNT / 2 else -1)
        val fast = List(2) { Child(Fast, segment, "fast reader ${it + 1}") }
        val slow = Child(Slow, segment)
        val sent = feed.counts().getValue("sent")
        out.println("the feed has sent $sent ticks, and did not wait for the slow reader any longer")
        val seen = fast.map { it.counts() }
        slow.tell()
        val slowly = slow.counts()
        (fast + feed + slow).forEach { it.end() }
        val isComplete = seen.all { it["count"] == COUNT && it["wrong"] == 0L && it["lost"] == 0L }
        return Outcome(
            isComplete && slowly["evicted"] == 1L,
            mapOf("sent" to sent, "fast1" to seen[0].getValue("count"), "fast2" to seen[1].getValue("count")) +
                mapOf("wrong" to seen.sumOf { it.getValue("wrong") }, "evicted" to slowly.getValue("evicted")),
        )
    }
}
