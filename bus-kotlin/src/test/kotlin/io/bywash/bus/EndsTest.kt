package io.bywash.bus

import io.bywash.bus.broadcast.ReceiverOptions
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.flow
import io.bywash.bus.broadcast.receiver
import io.bywash.bus.broadcast.topic
import io.bywash.bus.queue.WorkQueue
import io.bywash.engine.Message
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.retry
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** How loops, flows and single operations end; the death of a sender is in [ProcessTest]. */
@Timeout(120)
class EndsTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec())
    private val topology = bus("ends") { topic(numbers) { ring = 64.KiB } }

    @Test
    fun closingAReceiverEndsItsLoopsAndFlowsNormally() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            repeat(20) {
                val receivers = List(3) { bus.receiver(numbers) }
                val got = List(3) { mutableListOf<Long>() }
                val loops = listOf(
                    launch { for (number in receivers[0]) got[0] += number },
                    launch { receivers[1].asFlow().collect { got[1] += it } },
                    launch { receivers[2].batches(10).collect { got[2] += it } },
                )
                sender.sendAll(listOf(1, 2))
                eventually { got.all { it.size >= 2 } }
                if (it % 2 == 0) delay(1)
                receivers.forEach { it.close() }
                loops.forEach {
                    it.join()
                    assertFalse(it.isCancelled)
                }
            }
        }
    }

    @Test
    fun closingTheBusEndsItsFlowsNormally() = test {
        val bus = topology.open(temp.directory)
        val sender = bus.sender(numbers)
        val collecting = async { bus.flow(numbers).toList() }
        assertTrue(sender.awaitReceivers(1, PATIENCE))
        (0L until 10).forEach { sender.send(it) }
        delay(20) // the flow may or may not have taken all by then
        bus.close()
        assertEquals((0L until 10).toList().take(collecting.await().size), collecting.await())
    }

    @Test
    fun flowsOfAClosedBusAreEmptyAndSoTheirRetriesEnd() = test {
        val bus = topology.open(temp.directory)
        bus.close()
        assertEquals(emptyList<Long>(), bus.flow(numbers).retry().toList())
        assertEquals(emptyList<Long>(), WorkQueue("jobs", NumberCodec()).messages(bus).retry().toList())
    }

    @Test
    fun retriesOfAFlowThatFailsEachTimeAreCancelled() = test {
        topology.open(temp.directory).use { bus ->
            val begun = CompletableDeferred<Unit>()
            val retrying = launch {
                bus.flow(Topic("missing", NumberCodec())).retry { begun.complete(Unit) || true }.collect()
            }
            begun.await()
            retrying.cancelAndJoin()
        }
    }

    /** Of a negative number the codec's own code meets a close of something else. */
    private class MeetingAClose(private val closed: Receiver<*>) : DirectCodec<Long> {
        private fun meet(value: Long) = value.also { if (it < 0) closed.tryReceive().getOrThrow() }

        override fun length(value: Long): Int = Long.SIZE_BYTES

        override fun write(value: Long, writer: MessageWriter) {
            writer.putLong(0, meet(value))
        }

        override fun read(message: Message): Long = meet(message.getLong(0))
    }

    @Test
    fun aCloseOfSomethingElseThatTheCodecMeetsIsThrownAndIsNoEnd() = test {
        topology.open(temp.directory).use { bus ->
            val closed = bus.receiver(numbers).also { it.close() }
            val meeting = Topic("numbers", MeetingAClose(closed))
            val receiver = bus.receiver(meeting)
            val uses = mapOf<String, suspend () -> Any>(
                "a loop" to { for (number in receiver) error("$number") },
                "a flow" to { receiver.asFlow().collect { error("$it") } },
                "batches" to { receiver.batches(2).collect { error("$it") } },
                "receiveResult" to { receiver.receiveResult() },
                "tryReceive" to { receiver.tryReceive() },
            )
            bus.sender(numbers).use { sender ->
                for ((name, use) in uses) {
                    for (waits in listOf(false, true).take(if (name == "tryReceive") 1 else 2)) {
                        if (!waits) sender.send(-1)
                        val outcome = async { runCatching { use() } }
                        if (waits) {
                            eventually { receiver.guard.isAwaited }
                            sender.send(-1)
                        }
                        val thrown = outcome.await().exceptionOrNull()
                        assertTrue(thrown is BusClosedException, "$name, waits=$waits: ${outcome.await()}")
                        sender.send(5)
                        assertEquals(5, receiver.receive(), name)
                    }
                }
            }
            bus.sender(meeting).use { sender ->
                assertTrue(runCatching { sender.trySend(-1) }.exceptionOrNull() is BusClosedException)
                assertTrue(sender.trySend(6).isSuccess)
            }
            assertEquals(6, receiver.receive())
        }
    }

    @Test
    fun aCloseDoesNotFailTheScopeOfWhoeverWaits() = test {
        val bus = topology.open(temp.directory)
        val receiver = bus.receiver(numbers)
        val sender = bus.sender(numbers)
        while (sender.trySend(0).isSuccess) { /* until it is full */ }
        coroutineScope {
            val other = bus.receiver(numbers)
            val waiting = listOf(
                launch(start = CoroutineStart.UNDISPATCHED) { other.receive() },
                launch(start = CoroutineStart.UNDISPATCHED) { sender.send(1) },
            )
            eventually { other.guard.isAwaited && sender.guard.isAwaited }
            bus.close()
            waiting.forEach {
                it.join()
                assertTrue(it.isCancelled)
            }
        }
        assertTrue(receiver.tryReceive().isClosed)
        assertTrue(receiver.receiveResult().isClosed)
    }

    @Test
    fun aSenderThatClosesIsObservedAfterItsLastMessage() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val loop = bus.receiver(numbers, Until.SenderGone)
            val result = bus.receiver(numbers, Until.SenderGone)
            val single = bus.receiver(numbers, Until.SenderGone)
            val batch = bus.receiver(numbers, Until.SenderGone)
            val inPlace = bus.receiver(numbers, Until.SenderGone)
            val forever = bus.receiver(numbers)
            val flow = async { bus.flow(numbers, Until.SenderGone).toList() }
            assertTrue(sender.awaitReceivers(7, PATIENCE))
            val looping = async { buildList { for (number in loop) add(number) } }
            (0L until 5).forEach { sender.send(it) }
            eventually { loop.guard.isAwaited }
            sender.close()
            assertEquals((0L until 5).toList(), looping.await())
            assertEquals((0L until 5).toList(), flow.await())
            repeat(5) { assertTrue(result.receiveResult().isSuccess) }
            assertTrue(result.receiveResult().isSenderGone)
            assertTrue(result.tryReceive().isSenderGone)
            repeat(5) { single.receive() }
            assertTrue(runCatching { single.receive() }.exceptionOrNull() is SenderGoneException)
            assertTrue(runCatching { single.receiveWithin(PATIENCE) }.exceptionOrNull() is SenderGoneException)
            assertEquals(5, batch.receiveBatch(10).size)
            assertTrue(runCatching { batch.receiveBatch(10) }.exceptionOrNull() is SenderGoneException)
            assertEquals(5, inPlace.poll(10) {})
            assertEquals(0, inPlace.poll(10) {})
            repeat(5) { forever.receive() }
            assertTrue(forever.tryReceive().isEmpty)
        }
    }

    @Test
    fun aSenderThatHasNotComeYetHasNotGone() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(numbers, Until.SenderGone)
            assertTrue(receiver.tryReceive().isEmpty)
            val looping = async { buildList { for (number in receiver) add(number) } }
            assertNull(withTimeoutOrNull(20.milliseconds) { looping.await() })
            bus.sender(numbers).use { it.send(7) }
            assertEquals(listOf(7L), looping.await())
        }
    }

    @Test
    fun whatASenderHasLeftIsReceivedBeforeTheEnd() = test {
        topology.open(temp.directory).use { bus ->
            bus.sender(numbers).use { it.sendAll(listOf(1, 2, 3)) }
            val late = bus.flow(numbers, ReceiverOptions.block().startingAtOldest(), Until.SenderGone)
            assertEquals(listOf(1L, 2, 3), late.toList())
            val next = bus.receiver(numbers, ReceiverOptions.skip(), Until.SenderGone)
            assertTrue(next.tryReceive().isEmpty, "another sender may come, and nothing was received of the last one")
        }
    }

    /** A loop may be left between finding a message and taking it. */
    @Test
    fun aMessageThatALoopHasFoundIsNotLostWhenTheLoopIsLeft() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val receiver = bus.receiver(numbers)
            sender.sendAll(listOf(1, 2, 3))
            assertTrue(receiver.iterator().hasNext())
            assertEquals(0, receiver.nextSequence)
            assertEquals(1, receiver.receive())
            assertTrue(receiver.iterator().hasNext())
            assertEquals(listOf(2L, 3), receiver.receiveBatch(10))
        }
    }
}
