package io.bywash.bus

import io.bywash.bus.broadcast.ReceiverOptions
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.receiver
import io.bywash.bus.broadcast.topic
import io.bywash.engine.EntryNotFoundException
import io.bywash.engine.RoleTakenException
import io.bywash.engine.SegmentNotFoundException
import java.util.concurrent.Executors
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class SendReceiveTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec(400))
    private val texts = Topic("texts", Codec.Text)
    private val topology = bus("flow") {
        topic(numbers) { ring = 4.KiB }
        topic(texts) { ring = 4.KiB }
    }

    @Test
    fun aValueArrivesInAnotherAttachment() = test {
        topology.open(temp.directory).use { mine ->
            topology.attach(Duration.ZERO, temp.directory).use { theirs ->
                val receiver = theirs.receiver(texts)
                val sender = mine.sender(texts)
                assertTrue(sender.awaitReceivers(1, PATIENCE))
                sender.send("grüße")
                assertEquals("grüße", receiver.receive())
                assertTrue(receiver.tryReceive().isEmpty)
            }
        }
    }

    @Test
    fun sendSuspendsWhenAReceiverIsFullAndGoesOnAfterReceive() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val full = generateSequence(0L) { it + 1 }.takeWhile { sender.trySend(it).isSuccess }.last() + 1
            assertTrue(sender.trySend(full).isFull)
            assertFalse(sender.sendWithin(1.milliseconds, full))
            val sending = launch { sender.send(full) }
            eventually { sender.guard.isAwaited }
            for (number in 0..full) {
                assertEquals(number, receiver.receive())
            }
            sending.join()
            assertNull(receiver.receiveWithin(1.milliseconds))
            assertTrue(sender.sendWithin(PATIENCE, full + 1))
            assertEquals(full + 1, receiver.receiveWithin(PATIENCE))
        }
    }

    @Test
    fun aWaitingReceiverIsResumedByASend() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(texts)
            val sender = bus.sender(texts)
            for (round in 1..100) {
                val receiving = async { receiver.receive() }
                eventually { receiver.guard.isAwaited }
                sender.send("round $round")
                assertEquals("round $round", receiving.await())
            }
        }
    }

    @Test
    fun aResumedCoroutineRunsInItsOwnDispatcher() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(texts)
            val sender = bus.sender(texts)
            Executors.newSingleThreadExecutor { Thread(it, "mine") }.asCoroutineDispatcher().use { mine ->
                val thread = async(mine) {
                    receiver.receive()
                    Thread.currentThread().name
                }
                eventually { receiver.guard.isAwaited }
                sender.send("go")
                assertTrue(thread.await().startsWith("mine"))
            }
        }
    }

    @Test
    fun aSkippingReceiverLearnsExactlyHowManyItLost() = test {
        topology.open(temp.directory).use { bus ->
            val lost = mutableListOf<Long>()
            val receiver = bus.receiver(numbers, ReceiverOptions.skip()) { lost += it }
            val sender = bus.sender(numbers)
            for (number in 0L until 1000) {
                sender.send(number) // never waits
            }
            val first = receiver.receive()
            assertEquals(listOf(first), lost)
            assertEquals(first, receiver.lostCount)
            for (number in first + 1 until 1000) {
                assertEquals(number, receiver.receive())
            }
            assertTrue(receiver.tryReceive().isEmpty)
            receiver.close()
            assertEquals(first, receiver.lostCount)
        }
    }

    @Test
    fun aReceiverMayBeginWithTheOldestMessage() = test {
        topology.open(temp.directory).use { bus ->
            bus.sender(texts).use { it.send("early") }
            assertEquals("early", bus.receiver(texts, ReceiverOptions.block().startingAtOldest()).receive())
            assertTrue(bus.receiver(texts).tryReceive().isEmpty)
        }
    }

    @Test
    fun pollHandsOverABatchInPlace() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val got = mutableListOf<Long>()
            val polling = launch { assertEquals(1, receiver.poll(3) { got += it.getLong(0) }) }
            eventually { receiver.guard.isAwaited }
            sender.send(0)
            polling.join()
            for (number in 1L..5) {
                sender.send(number)
            }
            assertEquals(3, receiver.poll(3) { got += it.getLong(0) })
            assertEquals(2, receiver.poll(3) { got += it.getLong(0) })
            assertEquals(listOf(0L, 1, 2, 3, 4, 5), got)
            sender.send(6)
            val handlersOwn = runCatching { receiver.poll(1) { error("handler's own") } }
            assertEquals("handler's own", handlersOwn.exceptionOrNull()?.message)
            assertTrue(receiver.tryReceive().isEmpty)
        }
    }

    @Test
    fun aSecondUserOfOneRoleIsToldWhichQueue() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val receiving = async { receiver.receive() }
            eventually { receiver.guard.isAwaited }
            val misuse = assertThrows(IllegalStateException::class.java) { receiver.tryReceive() }
            assertTrue(misuse.message!!.startsWith("The receiver of queue \"numbers\" is in use"), misuse.message)
            sender.send(0)
            assertEquals(0, receiving.await())
            while (sender.trySend(1).isSuccess) { /* until it is full */ }
            val sending = launch { sender.send(2) }
            eventually { sender.guard.isAwaited }
            val other = runCatching { sender.send(3) }.exceptionOrNull()
            assertTrue(other is IllegalStateException && other.message!!.contains("\"numbers\""), "$other")
            sending.cancelAndJoin()
        }
    }

    @Test
    fun closingTheBusResumesEverybodyWhoWaits() = test {
        val bus = topology.open(temp.directory)
        val full = bus.receiver(numbers)
        val sender = bus.sender(numbers)
        while (sender.trySend(0).isSuccess) { /* until it is full */ }
        val receivers = List(10) { bus.receiver(texts) }
        val receiving = receivers.map { async { runCatching { it.receive() } } }
        val sending = async { runCatching { sender.send(1) } }
        eventually { sender.guard.isAwaited && receivers.all { it.guard.isAwaited } }
        bus.close()
        bus.close()
        (receiving + sending).forEach {
            val failure = it.await().exceptionOrNull()
            assertTrue(failure is BusClosedException, "$failure")
        }
        assertTrue(full.tryReceive().isClosed && sender.trySend(2).isClosed)
        assertThrows(BusClosedException::class.java) { bus.sender(numbers) }
        full.close()
    }

    @Test
    fun aRoleCanBeClosedWhileItIsUsed() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(texts)
            for (round in 1..300) {
                val receiver = bus.receiver(texts)
                val receiving = async(start = CoroutineStart.UNDISPATCHED) {
                    runCatching { while (true) receiver.receive() }.exceptionOrNull()
                }
                repeat(round % 5) { sender.send("round $round") }
                if (round % 3 == 0) {
                    eventually { receiver.guard.isAwaited }
                }
                receiver.close()
                assertTrue(receiving.await() is BusClosedException)
                assertEquals(0, sender.receiverCount)
            }
        }
    }

    @Test
    fun oneAtATimeSendsAndItsPlaceIsFreeWhenItIsClosed() = test {
        topology.open(temp.directory).use { mine ->
            topology.open(temp.directory).use { theirs ->
                val first = mine.sender(texts)
                val taken = assertThrows(RoleTakenException::class.java) { theirs.sender(texts) }
                assertEquals(ProcessHandle.current().pid(), taken.holderPid())
                first.close()
                theirs.sender(texts).close()
            }
        }
    }

    @Test
    fun awaitReceiversWaitsForReceiversThatJoin() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(texts)
            assertTrue(sender.awaitReceivers(0, Duration.ZERO))
            assertFalse(sender.awaitReceivers(1, 5.milliseconds))
            val waiting = async { sender.awaitReceivers(2, PATIENCE) }
            val receivers = listOf(bus.receiver(texts), bus.receiver(texts, ReceiverOptions.skip()))
            assertTrue(waiting.await())
            assertEquals(2, sender.receiverCount)
            receivers.forEach { it.close() }
            assertEquals(0, sender.receiverCount)
            val tooMany = runCatching { sender.awaitReceivers(65, Duration.ZERO) }.exceptionOrNull()
            assertTrue(tooMany is IllegalArgumentException && tooMany.message!!.startsWith("count=65 "), "$tooMany")
        }
    }

    @Test
    fun attachWaitsForTheSegmentAndLeavesNothingWhenItIsCancelled() = test {
        val missing = runCatching { topology.attach(3.milliseconds, temp.directory) }.exceptionOrNull()
        assertTrue(missing is SegmentNotFoundException, "$missing")
        val cancelled = launch { topology.attach(Duration.INFINITE, temp.directory).close() }
        cancelled.cancelAndJoin()
        val attaching = async { topology.attach(Duration.INFINITE, temp.directory) }
        topology.open(temp.directory).use { bus ->
            attaching.await().use { assertEquals(bus.name, it.name) }
        }
    }

    @Test
    fun mistakesNameTheArgumentAndTheValue() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(texts)
            val receiver = bus.receiver(texts)
            val long = runCatching { sender.send("x".repeat(513)) }.exceptionOrNull()
            assertTrue(long is IllegalArgumentException && long.message!!.startsWith("length=513 "), "$long")
            val limit = runCatching { receiver.poll(0) {} }.exceptionOrNull()
            assertTrue(limit is IllegalArgumentException && limit.message!!.startsWith("limit=0 "), "$limit")
            val nothing = Topic("nothing", Codec.Text)
            val missing = assertThrows(EntryNotFoundException::class.java) { bus.receiver(nothing) }
            assertTrue(missing.message!!.contains("nothing") && missing.message!!.contains("texts"), missing.message)
            sender.send("the sender is not spoilt")
            assertEquals("the sender is not spoilt", receiver.receive())
        }
    }

    @Test
    fun aReceiverThatWasForgottenHoldsNobodyBack() = test {
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            bus.receiver(numbers)
            eventually {
                System.gc()
                sender.receiverCount == 0
            }
        }
    }
}
