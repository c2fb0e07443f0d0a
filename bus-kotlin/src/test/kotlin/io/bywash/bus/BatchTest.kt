package io.bywash.bus

import io.bywash.bus.broadcast.ReceiverOptions
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.receiver
import io.bywash.bus.broadcast.topic
import io.bywash.engine.Message
import io.bywash.engine.OverrunException
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class BatchTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec(400))
    private val topology = bus("batch") { topic(numbers) { ring = 4.KiB } }

    @Test
    fun allOfManyValuesArriveThoughTheyDoNotFitAtOnce() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val sending = launch { sender.sendAll(0L until 500) }
            val got = mutableListOf<Long>()
            while (got.size < 500) {
                val batch = receiver.receiveBatch(3)
                assertTrue(batch.size in 1..3)
                got += batch
            }
            sending.join()
            assertEquals((0L until 500).toList(), got)
        }
    }

    @Test
    fun aFlowOfBatchesAndAFlowIntoASenderGoTogether() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            launch { (0L until 100).asFlow().map { it * 2 }.sendTo(sender) }
            val batches = receiver.batches(4).take(25).toList()
            assertTrue(batches.all { it.size in 1..4 })
            val got = batches.flatten()
            assertEquals(got.indices.map { it * 2L }, got)
        }
    }

    @Test
    fun aCancelledSendAllHasSentWhatTheSequenceSays() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val sending = launch { sender.sendAll(0L until 500) }
            eventually { sender.guard.isAwaited }
            sending.cancelAndJoin()
            val count = sender.nextSequence
            assertTrue(count in 1 until 500, "$count")
            assertEquals((0L until count).toList(), receiver.receiveBatch(1000))
            assertTrue(receiver.tryReceive().isEmpty)
        }
    }

    @Test
    fun aClaimIsWrittenInPlaceAndSentUnlessItsCodeThrows() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val thrown = runCatching { sender.claim(400) { error("its own") } }
            assertEquals("its own", thrown.exceptionOrNull()?.message)
            sender.claim(400, type = 7) {
                assertEquals(400, length)
                putLong(0, 3)
                for (index in 8 until length) putByte(index, 3)
            }
            var type = 0
            assertEquals(1, receiver.poll(10) { type = it.type() })
            assertEquals(7, type)
            assertEquals(1, sender.nextSequence)
        }
    }

    @Test
    fun tryReceiveTellsALossOnceBeforeTheMessageBehindTheGap() = test {
        topology.use(temp.directory) { bus ->
            val lost = mutableListOf<Long>()
            val receiver = bus.receiver(numbers, ReceiverOptions.skip()) { lost += it }
            val sender = bus.sender(numbers)
            for (number in 0L until 100) sender.send(number)
            val result = receiver.tryReceive()
            assertTrue(result.isLost && !result.isSuccess && !result.isEmpty)
            assertEquals(listOf(result.lostCount), lost)
            assertEquals(result.lostCount, receiver.nextSequence)
            assertEquals(result.lostCount, receiver.tryReceive().getOrThrow())
            assertThrows(IllegalStateException::class.java) { result.getOrThrow() }
            assertEquals("Lost(${lost.single()})", "$result")
        }
    }

    /** The sender overtakes the receiver in the middle of a batch. */
    @Test
    fun whatABatchHasIsNotLostWhenMoreCannotBeReceived() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers)
            var overtaken = false
            val overtaking = Topic(
                "numbers",
                object : DirectCodec<Long> by NumberCodec(400) {
                    override fun read(message: Message): Long {
                        if (message.sequence() == 6L && !overtaken) {
                            overtaken = true
                            repeat(30) { assertTrue(sender.trySend(13L + it).isSuccess) }
                        }
                        return message.getLong(0)
                    }
                },
            )
            val receiver = bus.receiver(overtaking, ReceiverOptions.fail())
            for (number in 0L until 5) sender.send(number)
            assertEquals((0L until 5).toList(), receiver.receiveBatch(1000))
            for (number in 5L until 13) sender.send(number)
            val batch = receiver.receiveBatch(1000) // up to the end of the ring
            assertEquals((5L until 5 + batch.size).toList(), batch)
            val overrun = assertThrows(OverrunException::class.java) { receiver.tryReceive() }
            assertEquals(batch.last() + 1, overrun.nextSequence() - overrun.lostCount())
            val rest = receiver.receiveBatch(1000)
            assertEquals((overrun.nextSequence() until 43).toList(), rest)
            assertEquals(43, 5 + batch.size + receiver.lostCount + rest.size)
        }
    }

    @Test
    fun aBatchHasAtLeastOneAndItsLimitIsChecked() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(numbers)
            val refused = runCatching { receiver.receiveBatch(0) }.exceptionOrNull()
            assertEquals("max=0 must be at least 1", refused?.message)
            val receiving = launch { assertEquals(listOf(5L), receiver.receiveBatch(10)) }
            eventually { receiver.guard.isAwaited }
            bus.sender(numbers).send(5)
            receiving.join()
        }
    }

    /** Wherever the sender overtakes the receiver: in a batch or behind it, in place or not. */
    @Test
    fun theGapThatIsToldIsTheOneBeforeTheMessage() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers)
            var sent = 0L
            var due = -1L
            fun send(count: Int) = repeat(count) { assertTrue(sender.trySend(sent++).isSuccess) }
            fun overtakeAt(message: Message): Long {
                if (message.sequence() == due) send(30)
                return message.getLong(0)
            }
            val codec = object : DirectCodec<Long> by NumberCodec(400) {
                override fun read(message: Message): Long = overtakeAt(message)
            }
            val receiver = bus.receiver(Topic("numbers", codec), ReceiverOptions.skip())
            val gapsInside = mutableSetOf<Boolean>()
            repeat(200) { round ->
                send(3)
                due = receiver.nextSequence
                val isInPlace = round % 2 == 0
                val batch = if (isInPlace) buildList { receiver.poll(1000) { add(overtakeAt(it)) } }
                else receiver.receiveBatch(1000)
                if (batch.last() - batch.first() >= batch.size) gapsInside += isInPlace
                due = -1
                send(1)
                val result = receiver.tryReceive()
                val next = if (result.isLost) batch.last() + 1 + result.lostCount else batch.last() + 1
                assertEquals(next, if (result.isLost) receiver.tryReceive().getOrThrow() else result.getOrThrow())
                while (!receiver.tryReceive().isEmpty) { /* to the end */ }
            }
            assertEquals(setOf(true, false), gapsInside)
        }
    }
}
