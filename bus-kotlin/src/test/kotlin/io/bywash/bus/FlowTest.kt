package io.bywash.bus

import io.bywash.engine.SegmentClosedException
import io.bywash.engine.broadcast.SubscriberOptions
import java.util.Collections
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.produceIn
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class FlowTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Queue("numbers", NumberCodec())
    private val topology = bus("flows") { broadcast(numbers) { ring = 64.KiB } }

    @Test
    fun aFlowIsColdWithACursorForEachCollector() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val flow = bus.flow(numbers)
            assertEquals(0, sender.subscriberCount)
            sender.send(-1) // before anybody collects, so nobody sees it
            val fast = async { flow.take(100).toList() }
            val slow = async { flow.onEach { delayOneIn(10, it) }.take(100).toList() }
            assertTrue(sender.awaitSubscribers(2, PATIENCE))
            (0L until 100).forEach { sender.send(it) }
            assertEquals((0L until 100).toList(), fast.await())
            assertEquals((0L until 100).toList(), slow.await())
            eventually { sender.subscriberCount == 0 }
        }
    }

    private suspend fun delayOneIn(some: Long, number: Long) {
        if (number % some == 0L) kotlinx.coroutines.delay(1.milliseconds)
    }

    @Test
    fun aCollectorLeavesTheQueueWhenItHasEnoughIsCancelledOrFails() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val flow = bus.flow(numbers, SubscriberOptions.block().startingAtOldest())
            sender.send(1)
            assertEquals(1, flow.first())
            assertEquals(0, sender.subscriberCount)
            val cancelled = launch { flow.collect {} }
            assertTrue(sender.awaitSubscribers(1, PATIENCE))
            cancelled.cancelAndJoin()
            assertEquals(0, sender.subscriberCount)
            val failed = runCatching { flow.collect { error("collector's own") } }
            assertEquals("collector's own", failed.exceptionOrNull()?.message)
            assertEquals(0, sender.subscriberCount)
        }
    }

    @Test
    fun aFlowTellsWhatItsCollectorLost() = test {
        val small = bus("small") { broadcast(numbers) { ring = 4.KiB } }
        small.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val lost = Collections.synchronizedList(mutableListOf<Long>())
            val flow = bus.flow(numbers, SubscriberOptions.skip()) { lost += it }
            val got = mutableListOf<Long>()
            val first = Channel<Unit>(1)
            val collecting = launch { // to the last message: more than it may have taken out of the ring at once before
                flow.onEach {
                    got += it
                    if (got.size == 1) first.receive()
                }.first { it == 999L }
            }
            assertTrue(sender.awaitSubscribers(1, PATIENCE))
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
            assertEquals(1, sender.subscriberCount)
        }
    }

    @Test
    fun aFlowWorksInAnotherContext() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val collecting = async { bus.flow(numbers).map { it * 2 }.flowOn(Dispatchers.IO).take(50).toList() }
            assertTrue(sender.awaitSubscribers(1, PATIENCE))
            (0L until 50).forEach { sender.send(it) }
            assertEquals((0L until 50).map { it * 2 }, collecting.await())
        }
    }

    @Test
    fun closingTheBusFailsItsFlows() = test {
        val bus = topology.open(temp.directory)
        val sender = bus.sender(numbers)
        val failure = Channel<Throwable>(1)
        val collecting = launch { bus.flow(numbers).catch { failure.send(it) }.collect {} }
        assertTrue(sender.awaitSubscribers(1, PATIENCE))
        bus.close()
        assertTrue(failure.receive() is SegmentClosedException)
        collecting.join()
    }

    @OptIn(ExperimentalCoroutinesApi::class)
    @Test
    fun selectWorksThroughAGenuineChannel() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            val receiver = bus.receiver(numbers)
            coroutineScope {
                val channel = receiver.asFlow().buffer(Channel.RENDEZVOUS).produceIn(this)
                val other = Channel<Long>(1)
                suspend fun next(): Long? = select {
                    channel.onReceive { it }
                    other.onReceive { it }
                    onTimeout(20.milliseconds) { null }
                }
                assertEquals(null, next())
                sender.send(7)
                assertEquals(7, channel.receive())
                other.send(8)
                assertEquals(8, next())
                channel.cancel()
            }
            sender.send(9)
            assertEquals(9, receiver.receive())
        }
    }
}
