package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.ClosedReceiveChannelException
import kotlinx.coroutines.channels.toList
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** Genuine kotlinx channels over senders and receivers: nothing is lost that is not handed back. */
@Timeout(120)
class ChannelTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec())
    private val topology = bus("channel") { topic(numbers) { ring = 64.KiB } }

    @Test
    fun everyNumberIsReceivedHandedBackOrStillInTheQueue() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers)
            val receiver = bus.receiver(numbers)
            val got = mutableListOf<Long>()
            var sent = 0L
            repeat(100) { round ->
                val scope = CoroutineScope(Dispatchers.Default + Job())
                val undelivered = mutableListOf<Long>()
                val channel = receiver.channelIn(scope, capacity = round % 4) {
                    synchronized(undelivered) { undelivered += it }
                }
                repeat(10) { sender.send(sent++) }
                repeat(round % 7) { got += channel.receive() }
                if (round % 3 == 0) delay(1)
                if (round % 2 == 0) channel.cancel() else scope.cancel()
                scope.coroutineContext.job.apply { cancel() }.join()
                got += undelivered.sorted()
                generateSequence { receiver.tryReceive().getOrNull() }.forEach { got += it }
            }
            assertEquals((0L until sent).toList(), got.sorted())
            assertEquals(sent, receiver.nextSequence)
        }
    }

    @Test
    fun theChannelEndsWithTheReceiver() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers)
            coroutineScope {
                val closed = bus.receiver(numbers)
                val gone = bus.receiver(numbers, Until.SenderGone)
                val channels = listOf(closed, gone).map { it.channelIn(this, 10) }
                sender.sendAll(listOf(1, 2))
                sender.close()
                assertEquals(listOf(1L, 2), channels[1].toList())
                assertEquals(listOf(1L, 2), List(2) { channels[0].receive() })
                closed.close()
                assertTrue(runCatching { channels[0].receive() }.exceptionOrNull() is ClosedReceiveChannelException)
            }
        }
    }

    @Test
    fun aFailureReachesTheChannelAndTheScope() = test {
        topology.use(temp.directory) { bus ->
            val texts = Topic("numbers", Codec.Text.map({ it.toInt() }, { it.toString() }))
            val sender = bus.sender(Topic("numbers", Codec.Text))
            val receiver = bus.receiver(texts)
            val failure = runCatching {
                coroutineScope {
                    val channel = receiver.channelIn(this, 10)
                    sender.sendAll(listOf("1", "no number"))
                    assertEquals(1, channel.receive())
                    channel.receive()
                }
            }.exceptionOrNull()
            assertTrue(failure is DecodingException, "$failure")
        }
    }

    @Test
    fun whatIsHandedOverIsSentOrHandedBack() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val accounted = mutableListOf<Long>()
            var next = 0L
            repeat(100) { round ->
                val scope = CoroutineScope(Dispatchers.Default + Job())
                val undelivered = mutableListOf<Long>()
                val channel = sender.channelIn(scope, capacity = round % 4) {
                    synchronized(undelivered) { undelivered += it }
                }
                val first = next
                val feeding = launch {
                    try {
                        while (true) channel.send(next++)
                    } catch (expected: CancellationException) {
                        // the channel was cancelled
                    }
                }
                eventually { sender.nextSequence > first % 5 }
                scope.cancel()
                scope.coroutineContext.job.join()
                feeding.cancelAndJoin()
                generateSequence { receiver.tryReceive().getOrNull() }.forEach { accounted += it }
                accounted += undelivered
            }
            assertEquals((0L until next).toList(), accounted.sorted())
        }
    }

    @Test
    fun closingTheChannelSendsWhatIsInIt() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            coroutineScope {
                val channel = sender.channelIn(this, 100)
                (0L until 50).forEach { channel.send(it) }
                channel.close()
            }
            assertEquals((0L until 50).toList(), receiver.receiveBatch(100))
            sender.send(50)
        }
    }
}
