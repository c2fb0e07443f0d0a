package io.bywash.bus

import io.bywash.bus.broadcast.ReceiverOptions
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.flow
import io.bywash.bus.broadcast.topic
import java.util.Collections
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class FlowTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec())
    private val topology = bus("flows") { topic(numbers) { ring = 64.KiB } }

    @Test
    fun aFlowIsColdWithACursorForEachCollector() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val flow = bus.flow(numbers)
            assertEquals(0, sender.receiverCount)
            sender.send(-1) // before anybody collects, so nobody sees it
            val fast = async { flow.take(100).toList() }
            val slow = async { flow.onEach { delayOneIn(10, it) }.take(100).toList() }
            assertTrue(sender.awaitReceivers(2, PATIENCE))
            (0L until 100).forEach { sender.send(it) }
            assertEquals((0L until 100).toList(), fast.await())
            assertEquals((0L until 100).toList(), slow.await())
            eventually { sender.receiverCount == 0 }
        }
    }

    private suspend fun delayOneIn(some: Long, number: Long) {
        if (number % some == 0L) kotlinx.coroutines.delay(1.milliseconds)
    }

    @Test
    fun aCollectorLeavesTheQueueWhenItHasEnoughIsCancelledOrFails() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val flow = bus.flow(numbers, ReceiverOptions.block().startingAtOldest())
            sender.send(1)
            assertEquals(1, flow.first())
            assertEquals(0, sender.receiverCount)
            val cancelled = launch { flow.collect {} }
            assertTrue(sender.awaitReceivers(1, PATIENCE))
            cancelled.cancelAndJoin()
            assertEquals(0, sender.receiverCount)
            val failed = runCatching { flow.collect { error("collector's own") } }
            assertEquals("collector's own", failed.exceptionOrNull()?.message)
            assertEquals(0, sender.receiverCount)
        }
    }

    @Test
    fun aFlowTellsWhatItsCollectorLost() = test {
        val small = bus("small") { topic(numbers) { ring = 4.KiB } }
        small.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val lost = Collections.synchronizedList(mutableListOf<Long>())
            val flow = bus.flow(numbers, ReceiverOptions.skip()) { lost += it }
            val got = mutableListOf<Long>()
            val first = Channel<Unit>(1)
            val collecting = launch { // to the last message: more than it may have taken out of the ring at once before
                flow.onEach {
                    got += it
                    if (got.size == 1) first.receive()
                }.first { it == 999L }
            }
            assertTrue(sender.awaitReceivers(1, PATIENCE))
            (0L until 1000).forEach { sender.send(it) }
            first.send(Unit)
            collecting.join()
            assertTrue(lost.sum() > 0)
            assertEquals(1000, got.size + lost.sum())
        }
    }

    @Test
    fun theFlowOfAReceiverGoesOnWhereItStopped() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val receiver = bus.receiver(numbers)
            (0L until 10).forEach { sender.send(it) }
            assertEquals(listOf(0L, 1, 2), receiver.asFlow().take(3).toList())
            assertEquals(3, receiver.receive())
            assertEquals((4L until 10).toList(), receiver.asFlow().take(6).toList())
            assertEquals(1, sender.receiverCount)
        }
    }

    @Test
    fun aFlowWorksInAnotherContext() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val collecting = async { bus.flow(numbers).map { it * 2 }.flowOn(Dispatchers.IO).take(50).toList() }
            assertTrue(sender.awaitReceivers(1, PATIENCE))
            (0L until 50).forEach { sender.send(it) }
            assertEquals((0L until 50).map { it * 2 }, collecting.await())
        }
    }
}
