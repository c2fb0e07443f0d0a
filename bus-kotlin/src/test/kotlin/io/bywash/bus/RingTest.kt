package io.bywash.bus

import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.consumer
import io.bywash.bus.queue.queue
import io.bywash.bus.ring.Ring
import io.bywash.bus.ring.newest
import io.bywash.bus.ring.ring
import io.bywash.bus.ring.sender
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class RingTest {
    @RegisterExtension
    val temp = TempBus()

    @JvmRecord
    private data class Sample(val number: Long)

    private val samples = Ring<Sample>("samples")
    private val topology = bus("rings") { ring(samples) { capacity = 100 } }

    private fun samples(range: LongRange) = range.map { Sample(it) }

    @Test
    fun aFullRingMakesItsSenderWaitAndNothingIsLost() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(samples)
            for (number in 0L until 100) assertTrue(sender.trySend(Sample(number)).isSuccess)
            assertTrue(sender.trySend(Sample(100)).isFull)
            val rest = launch { sender.sendAll(samples(100L..999L)) }
            eventually { sender.guard.isAwaited }
            val receiver = bus.receiver(samples)
            val got = mutableListOf<Sample>()
            repeat(300) { got += receiver.receive() }
            while (got.size < 1000) got += receiver.receiveBatch(64)
            rest.join()
            assertEquals(samples(0L..999L), got)
            assertEquals(1000L to 1000L, sender.nextSequence to receiver.nextSequence)
            assertEquals(samples(990L..999L), bus.newest(samples, 10))
        }
    }

    @Test
    fun aSenderThatOverwritesNeverWaitsAndTheReceiverKnowsWhatThatCost() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(samples, overwrites = true)
            sender.sendAll(samples(0L..499L))
            repeat(50) { sender.send(Sample(500L + it)) }
            val receiver = bus.receiver(samples)
            val result = receiver.tryReceive()
            assertTrue(result.isLost && result.lostCount == 450L, "$result")
            assertEquals(samples(450L..549L), receiver.batches(7).take(15).toList().flatten())
            assertEquals(450, receiver.lostCount)
        }
    }

    /** What was popped is gone from the ring for everybody. */
    @Test
    fun whatWasPoppedIsReceivedThoughSomebodyFailsAtHearingOfALoss() = test {
        topology.use(temp.directory) { bus ->
            bus.sender(samples, overwrites = true).sendAll(samples(0L..149L))
            fun take() = samples.takeReceiver(bus.segment, Until.Closed)
            val receiver = bus.receiver(samples, { error("$it lost") }, ::take)
            assertEquals("50 lost", runCatching { receiver.receive() }.exceptionOrNull()?.message)
            assertEquals(samples(50L..149L), receiver.receiveBatch(100))
        }
    }

    @Test
    fun whatWasReceivedBeforeACancellationIsNotReceivedAgain() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(samples)
            val receiver = bus.receiver(samples)
            val got = mutableListOf<Long>()
            for (round in 0L until 50) {
                val receiving = launch { receiver.asFlow().collect { got += it.number } }
                sender.send(Sample(round))
                if (round % 2 == 0L) eventually { receiver.guard.isAwaited }
                receiving.cancelAndJoin()
            }
            while (true) got += receiver.tryReceive().getOrNull()?.number ?: break
            assertEquals((0L until 50).toList(), got)
        }
    }

    @Test
    fun aRouteLeadsFromARingToAWorkQueue() = test {
        val sums = WorkQueue("sums", Codec.Int64)
        val routed = bus("routed") {
            ring(samples)
            queue(sums)
            route(samples, sums) { flow -> flow.map { it.number * 10 } }
        }
        routed.use(temp.directory) { bus ->
            launch { bus.runRoutes() }
            bus.sender(samples).sendAll(samples(1L..3L))
            val consumer = bus.consumer(sums)
            assertEquals(listOf(10L, 20L, 30L), List(3) { consumer.consumeOne { it } })
        }
    }

    @Test
    fun aRingCannotBeReadInPlaceAndSaysSo() = test {
        topology.use(temp.directory) { bus ->
            bus.sender(samples).send(Sample(1))
            val receiver = bus.receiver(samples)
            val refused = runCatching { receiver.poll(1) {} }.exceptionOrNull()
            assertTrue(refused is UnsupportedOperationException && "\"samples\"" in refused.message!!, "$refused")
            assertEquals(Sample(1), async { receiver.receive() }.await())
            val until = runCatching { bus.receiver(samples, Until.SenderGone) }.exceptionOrNull()
            assertTrue(until is IllegalArgumentException, "$until")
            assertTrue(runCatching { Ring("texts", Codec.Text) }.exceptionOrNull() is IllegalArgumentException)
        }
    }
}
