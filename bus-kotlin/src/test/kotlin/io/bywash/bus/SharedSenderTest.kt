package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import kotlin.random.Random
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.dropWhile
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class SharedSenderTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec(400))
    private val topology = bus("shared") { topic(numbers) { ring = 4.KiB } }

    @Test
    fun manyCoroutinesSendEachMessageOnceAndInTheirOrder() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers).shared()
            val receiver = bus.receiver(numbers)
            val callers = 20
            val each = 200
            val sending = List(callers) { caller ->
                launch {
                    repeat(each) {
                        sender.send((caller * each + it).toLong())
                        if (it % 13 == caller % 13) yield()
                    }
                }
            }
            val got = List(callers * each) { receiver.receive() }
            sending.joinAll()
            assertEquals((0L until callers * each).toList(), got.sorted())
            got.groupBy { it / each }.values.forEach { assertEquals(it.sorted(), it) }
            assertTrue(receiver.tryReceive().isEmpty)
        }
    }

    @Test
    fun whoeverComesFirstSendsFirst() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers).shared()
            val receiver = bus.receiver(numbers)
            while (sender.trySend(-1).isSuccess) { /* until it is full */ }
            val sending = List(10) { number ->
                launch(start = CoroutineStart.UNDISPATCHED) { sender.send(number.toLong()) }
            }
            assertTrue(sender.trySend(11).isFull)
            val got = receiver.asFlow().dropWhile { it == -1L }.take(10).toList()
            assertEquals((0L until 10).toList(), got)
            sending.joinAll()
            assertTrue(sender.trySend(11).isSuccess)
        }
    }

    @Test
    fun whoeverIsCancelledInItsTurnOrWaitingForItSendsNothingAndHoldsUpNobody() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(numbers).shared()
            val receiver = bus.receiver(numbers)
            val random = Random(3)
            var next = 0L
            val sent = mutableListOf<Long>()
            val receiving = launch { for (number in receiver) sent += number }
            val completed = mutableSetOf<Long>()
            repeat(100) {
                val sending = List(10) {
                    val number = next++
                    launch {
                        sender.send(number)
                        synchronized(completed) { completed += number }
                    }
                }
                if (random.nextBoolean()) yield()
                sending.shuffled(random).take(5).forEach { it.cancelAndJoin() }
                sending.joinAll()
            }
            eventually { receiver.nextSequence == completed.size.toLong() }
            receiving.cancelAndJoin()
            assertEquals(completed.sorted(), sent.sorted())
            assertTrue(sender.trySend(0).isSuccess, "the turn is free")
        }
    }

    @Test
    fun aCloseEndsWhoeverWaits() = test {
        topology.use(temp.directory) { bus ->
            val plain = bus.sender(numbers)
            val sender = plain.shared()
            bus.receiver(numbers)
            while (sender.trySend(-1).isSuccess) { /* until it is full */ }
            val sending = List(5) { async { runCatching { sender.send(0) } } }
            eventually { plain.guard.isAwaited }
            sender.close()
            sending.forEach { assertTrue(it.await().exceptionOrNull() is BusClosedException) }
            assertTrue(sender.trySend(0).isClosed)
        }
    }

    @Test
    fun aFailureLeavesTheTurnToTheNext() = test {
        topology.use(temp.directory) { bus ->
            val texts = Topic("numbers", Codec.Text)
            val sender = bus.sender(texts).shared()
            repeat(3) {
                assertTrue(runCatching { sender.send("x".repeat(513)) }.exceptionOrNull() is IllegalArgumentException)
                assertTrue(runCatching { sender.send("\ud800") }.exceptionOrNull() is IllegalArgumentException)
            }
            sender.send("short")
            sender.sendAll(listOf("a", "b"))
        }
    }
}
