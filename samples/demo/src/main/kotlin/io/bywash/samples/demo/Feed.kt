package io.bywash.samples.demo

import io.bywash.samples.demo.listener.Tally
import java.nio.file.Path
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking

/** Set when the process that started this one says so, or has gone. */
class StopRequest {
    @Volatile
    var isMade: Boolean = false
        private set

    init {
        thread(isDaemon = true, name = "stop-request") {
            System.`in`.read() // a byte, or the end of a process that is no more
            isMade = true
        }
    }
}

/** Process 1: publishes readings. Arguments: readings a second or `max`, recording to replay or `-`. */
fun main(arguments: Array<String>) {
    val (rate, replay) = arguments
    val stop = StopRequest()
    val source = if (replay == "-") HostSource() else RecordedSource(Path.of(replay))
    val nanosPerReading = if (rate == "max") 0.0 else 1e9 / rate.toDouble()
    runBlocking {
        demoBus.open().use { bus ->
            bus.sender(readings).use { sender ->
                check(sender.awaitReceivers(2, 60.seconds)) { "the two consumers did not join within 60 s" }
                println("publishing")
                val warm = System.nanoTime() + WARM_UP_NANOS
                var due = System.nanoTime().toDouble()
                while (!stop.isMade) {
                    val early = due - System.nanoTime()
                    if (early > SHORTEST_PARK_NANOS) {
                        LockSupport.parkNanos(minOf(early, LONGEST_PARK_NANOS).toLong())
                        continue
                    }
                    val (name, value) = source.next()
                    val now = System.nanoTime()
                    sender.send(Reading(name, if (now < warm) Tally.UNTIMED else now, value))
                    due = maxOf(due + nanosPerReading, System.nanoTime() - MOST_BEHIND_NANOS)
                }
            }
        }
    }
}

private const val SHORTEST_PARK_NANOS = 20_000.0
private const val LONGEST_PARK_NANOS = 100_000_000.0

/** So long, three processes compile their code and start what they need; latencies would be those of that. */
private const val WARM_UP_NANOS = 1_000_000_000L

/** After a stall, the feed makes up for this much and no more. */
private const val MOST_BEHIND_NANOS = 100_000_000.0
