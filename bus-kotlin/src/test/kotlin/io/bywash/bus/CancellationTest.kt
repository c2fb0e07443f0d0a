package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@Timeout(120)
class CancellationTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec(400))
    private val topology = bus("cancel") { topic(numbers) { ring = 4.KiB } }
    private val random = Random(7)

    @Test
    fun aWaitingReceiveEndsWhenItIsCancelled() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            for (round in 0L until 200) {
                val receiving = launch { receiver.receive() }
                eventually { receiver.guard.isAwaited }
                receiving.cancelAndJoin()
                sender.send(round)
                assertEquals(round, receiver.receive())
            }
        }
    }

    @Test
    fun aWaitingSendEndsWhenItIsCancelledAndHasSentNothing() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            repeat(200) {
                var count = 0L
                while (sender.trySend(count).isSuccess) {
                    count++
                }
                val sending = launch { sender.send(-1) }
                eventually { sender.guard.isAwaited }
                sending.cancelAndJoin()
                for (number in 0 until count) {
                    assertEquals(number, receiver.receive())
                }
                assertTrue(receiver.tryReceive().isEmpty)
            }
        }
    }

    /** Lets a moment pass that ends before, in or after a wait of the other side. */
    private suspend fun moment() {
        when (random.nextInt(4)) {
            0 -> yield()
            1 -> repeat(random.nextInt(20_000)) { Thread.onSpinWait() }
            2 -> delay(1)
        }
    }

    @Test
    fun everyNumberArrivesOnceHoweverOftenBothSidesAreCancelled() = test {
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            val got = mutableListOf<Long>()
            var sent = 0L
            var cancelledWaits = 0
            var rounds = 0
            // On a busy machine a round may pass in which nobody got to do anything.
            while (rounds < 1500 || sent <= 1000 || cancelledWaits <= 10) {
                val round = rounds++
                val sending = launch {
                    while (true) {
                        sender.send(sent)
                        sent++ // not reached if it was cancelled
                        if (round % 3 == 0) delay(1) // the receiver waits
                    }
                }
                val receiving = launch {
                    while (true) {
                        got += receiver.receive()
                        if (round % 3 == 1) delay(1) // the sender waits
                    }
                }
                moment()
                if (receiver.guard.isAwaited || sender.guard.isAwaited) {
                    cancelledWaits++
                }
                receiving.cancelAndJoin()
                moment()
                sending.cancelAndJoin()
            }
            generateSequence { receiver.tryReceive().getOrNull() }.forEach { got += it }
            assertEquals((0 until sent).toList(), got)
        }
    }

    /** Repeat one with `-Dbywash.storm.seed`. */
    private val seed = java.lang.Long.getLong("bywash.storm.seed", System.nanoTime())

    @Test
    fun everyOperationCanBeCancelledAtAnyTime() = test {
        CancellationStorm.run(temp.directory, 600, seed)
    }

    @Test
    fun soItCanWithoutNativeAccess() = test {
        ChildJvm(CancellationStorm, temp.directory, 150, seed, native = false).use { it.await("done") }
    }

    @Test
    @Tag("stress")
    @Timeout(540)
    fun everyOperationCanBeCancelledVeryOften() = runBlocking {
        CancellationStorm.run(temp.directory, 20_000, seed)
    }

    @Test
    fun aReceiverWhoseQueueNeverRunsDryCanBeCancelled() = test {
        val topology = bus("stream") { topic(numbers) { ring = 1.MiB } }
        topology.open(temp.directory).use { bus ->
            val receiver = bus.receiver(numbers)
            val sender = bus.sender(numbers)
            while (sender.trySend(0).isSuccess) { /* until it is full */ }
            val count = AtomicInteger()
            val receiving = launch {
                try {
                    while (true) {
                        receiver.receive()
                        sender.trySend(0)
                        count.incrementAndGet()
                    }
                } catch (cancelled: CancellationException) {
                    ensureActive()
                    throw AssertionError("the receiver was closed instead", cancelled)
                }
            }
            eventually { count.get() > 0 }
            delay(10)
            receiving.cancelAndJoin()
        }
    }
}
