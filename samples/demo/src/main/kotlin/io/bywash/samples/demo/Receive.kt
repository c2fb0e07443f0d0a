package io.bywash.samples.demo

import io.bywash.samples.demo.listener.Tally
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking

/** Process 3: receives readings in a coroutine, and tells what it got ten times a second. */
object Receive {
    private const val REPORT_NANOS = 100_000_000L

    @JvmStatic
    fun main(arguments: Array<String>) {
        val stop = StopRequest()
        val tally = Tally()
        runBlocking {
            demoBus.attach(60.seconds).use { bus ->
                bus.receiver(readings).use { receiver ->
                    var reported = 0L
                    while (!stop.isMade) {
                        receiver.receiveWithin(50.milliseconds)?.let { tally.count(it.sequence, it.sentNanos) }
                        if (System.nanoTime() - reported > REPORT_NANOS) {
                            reported = System.nanoTime()
                            println("counts ${tally.counts()}")
                        }
                    }
                }
            }
        }
        println("counts ${tally.countsAndLatencies()}")
    }
}
