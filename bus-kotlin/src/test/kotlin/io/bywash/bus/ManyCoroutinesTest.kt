package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import java.util.concurrent.atomic.AtomicLong
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class ManyCoroutinesTest {
    @RegisterExtension
    val temp = TempBus()

    @Test
    fun tenThousandWaitingCoroutinesHoldNoThread() = test {
        val queues = List(10) { Topic("q$it", NumberCodec()) }
        val topology = bus("many") {
            queues.forEach {
                topic(it) {
                    ring = 4.KiB
                    receivers = 1000
                }
            }
        }
        topology.open(temp.directory).use { bus ->
            val receivers = queues.flatMap { queue -> List(1000) { bus.receiver(queue) } }
            val sum = AtomicLong()
            val waiting = receivers.map { launch { sum.addAndGet(it.receive()) } }
            eventually { receivers.all { it.guard.isAwaited } }
            val threads = Thread.getAllStackTraces().keys
            // The dispatcher's own, the engine's one, and what the JVM and the test have anyway.
            val usual = 50 + 2 * Runtime.getRuntime().availableProcessors()
            assertTrue(threads.size < usual, "${threads.size} threads: ${threads.map { it.name }}")
            assertEquals(1, threads.count { it.name == "bywash-wait-hub" })
            queues.forEach { bus.sender(it).send(1) }
            waiting.joinAll()
            assertEquals(10_000, sum.get())
        }
    }

    @Test
    fun cancellingThousandsOfThemLeavesNobodyBehind() = test {
        val queue = Topic("numbers", NumberCodec())
        val topology = bus("many") {
            topic(queue) {
                ring = 4.KiB
                receivers = 1000
            }
        }
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(queue)
            val collecting = launch(Dispatchers.Default) { repeat(1000) { launch { bus.flow(queue).collect {} } } }
            assertTrue(sender.awaitReceivers(1000, PATIENCE))
            collecting.cancelAndJoin()
            assertEquals(0, sender.receiverCount)
        }
    }
}
