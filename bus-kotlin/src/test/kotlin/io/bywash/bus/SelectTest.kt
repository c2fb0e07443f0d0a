package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import java.lang.ref.WeakReference
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** A select takes and sends exactly what its chosen clause says. */
@OptIn(ExperimentalCoroutinesApi::class) // onTimeout
@Timeout(300)
class SelectTest {
    @RegisterExtension
    val temp = TempBus()

    private val first = Topic("first", NumberCodec(400))
    private val second = Topic("second", NumberCodec(400))
    private val topology = bus("select") {
        topic(first) { ring = 4.KiB }
        topic(second) { ring = 4.KiB }
    }

    @Test
    fun theClauseWithAMessageIsChosen() = test {
        topology.use(temp.directory) { bus ->
            val one = bus.receiver(first)
            val two = bus.receiver(second)
            val channel = Channel<Long>(1)
            suspend fun next(): String = select {
                onReceive(one) { "first $it" }
                onReceive(two) { "second $it" }
                channel.onReceive { "channel $it" }
                onTimeout(PATIENCE) { "nothing" }
            }
            val sender = bus.sender(second)
            sender.send(1)
            assertEquals("second 1", next())
            val waiting = async { next() }
            delay(5)
            sender.send(2)
            assertEquals("second 2", waiting.await())
            channel.send(3)
            assertEquals("channel 3", next())
            bus.sender(first).send(4)
            assertEquals("first 4", next())
            assertTrue(one.tryReceive().isEmpty && two.tryReceive().isEmpty)
        }
    }

    @Test
    fun aReceiverWhoseClauseWasNotChosenGoesOnInEveryWay() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(first)
            val receiver = bus.receiver(first)
            suspend fun inVain() {
                val chosen = select {
                    onReceive(receiver) { it }
                    onTimeout(200.microseconds) { -1 }
                }
                assertEquals(-1, chosen)
            }
            var sent = 0L
            repeat(20) {
                inVain()
                inVain()
                val receiving = async { receiver.receive() }
                eventually { receiver.guard.isAwaited }
                sender.send(sent)
                assertEquals(sent++, receiving.await())
                inVain()
                sender.send(sent)
                assertEquals(sent++, receiver.tryReceive().getOrThrow())
            }
        }
    }

    @Test
    fun aSendIsChosenWhenThereIsRoom() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(first)
            val sender = bus.sender(first)
            suspend fun send(value: Long): Boolean = select {
                onSend(sender, value) { true }
                onTimeout(2.milliseconds) { false }
            }
            var count = 0L
            while (send(count)) count++
            assertTrue(sender.trySend(count).isFull)
            val waiting = async { select { onSend(sender, count) { true } } }
            delay(5)
            for (number in 0..count) {
                assertEquals(number, receiver.receive())
            }
            waiting.await()
            assertTrue(receiver.tryReceive().isEmpty)
        }
    }

    @Test
    fun whatIsClosedIsChosenAndSaysSo() = test {
        topology.use(temp.directory) { bus ->
            for (waiting in listOf(false, true)) {
                val receiver = bus.receiver(first)
                val sender = bus.sender(second)
                val result = async { runCatching { select { onReceive(receiver) { it } } } }
                if (waiting) delay(3)
                receiver.close()
                assertTrue(result.await().exceptionOrNull() is BusClosedException)
                assertEquals(true, select { onReceiveResult(receiver) { it.isClosed } })
                sender.close()
                assertTrue(runCatching { select { onSend(sender, 1) {} } }.exceptionOrNull() is BusClosedException)
            }
            val leaving = bus.sender(first)
            val receiver = bus.receiver(first, Until.SenderGone)
            val gone = async { select { onReceiveResult(receiver) { it.isSenderGone } } }
            delay(3)
            leaving.close()
            assertTrue(gone.await())
        }
    }

    @Test
    fun lookingAtARoleDisturbsNoSelectThatWaitsForIt() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(first)
            val sender = bus.sender(first)
            val receiving = async(start = UNDISPATCHED) { select { onReceive(receiver) { it } } }
            receiver.label("watched")
            sender.send(0)
            assertEquals(0, receiving.await())
            var count = 1L
            while (sender.trySend(count).isSuccess) count++
            val sending = async(start = UNDISPATCHED) { select { onSend(sender, count) { true } } }
            sender.label("watched")
            assertEquals(1, sender.receiverCount)
            for (number in 1..count) {
                assertEquals(number, receiver.receive())
            }
            assertTrue(sending.await())
        }
    }

    @Test
    fun ofASelectThatWaitsAndWhoeverUsesItsRoleMeanwhileOneIsRefused() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(first)
            val both = listOf<suspend () -> Long>({ select { onReceive(receiver) { it } } }, { receiver.receive() })
                .map { async(start = UNDISPATCHED) { runCatching { it() } } }
            select { both.forEach { it.onAwait {} } }
            bus.sender(first).send(7)
            val (refused, received) = both.map { it.await() }.partition { it.isFailure }
            assertTrue(refused.single().exceptionOrNull() is IllegalStateException, "$refused")
            assertEquals(7, received.single().getOrThrow())
        }
    }

    @Test
    fun aSenderHasOneClauseInASelectAndTheNextSelectGoesOn() = test {
        topology.use(temp.directory) { bus ->
            val receiver = bus.receiver(first)
            val sender = bus.sender(first)
            suspend fun sendTwice(value: Long): Long = select {
                onSend(sender, value) { value }
                onSend(sender, value + 1) { value + 1 }
            }
            assertTrue(runCatching { sendTwice(0) }.exceptionOrNull() is IllegalStateException)
            var count = 0L
            while (sender.trySend(count).isSuccess) count++
            assertTrue(runCatching { withTimeoutOrNull(PATIENCE / 10) { sendTwice(count) } }.exceptionOrNull()
                is IllegalStateException)
            val sending = async(start = UNDISPATCHED) { select { onSend(sender, count) { true } } }
            for (number in 0..count) {
                assertEquals(number, receiver.receive())
            }
            assertTrue(sending.await())
            assertTrue(receiver.tryReceive().isEmpty)
        }
    }

    @Test
    fun whatASelectWaitedForKeepsNoSenderAlive() = test {
        fun waiting(): Pair<Readiness, WeakReference<Any>> {
            val sender = Any()
            return Readiness(emptyList(), { sender.hashCode() == 0 }) to WeakReference(sender)
        }
        val (readiness, sender) = waiting()
        readiness.end()
        eventually {
            System.gc()
            sender.get() == null
        }
        assertTrue(readiness.isOver)
    }

    private fun moment(random: Random) = when (random.nextInt(3)) {
        0 -> 0
        1 -> random.nextInt(200)
        else -> random.nextInt(1500)
    }.microseconds

    private suspend fun pass(random: Random) {
        val moment = moment(random)
        if (random.nextBoolean()) {
            delay(moment)
        } else {
            repeat(moment.inWholeMicroseconds.toInt() * 10) { Thread.onSpinWait() }
        }
    }

    /** Each number of both topics comes once and in order, however often scopes that select are cancelled. */
    private fun receiveStorm(scopes: Int) = runBlocking(Dispatchers.Default) {
        withTimeout(4.minutes) {
            topology.use(temp.directory) { bus ->
                val random = Random(11)
                val receivers = listOf(first, second).map { bus.receiver(it) }
                val got = List(2) { mutableListOf<Long>() }
                val sending = listOf(first, second).map { topic ->
                    val sender = bus.sender(topic)
                    launch {
                        var number = 0L
                        while (true) {
                            sender.send(number++)
                            if (number % 7 == 0L) delay(1) else yield()
                        }
                    }
                }
                var timeouts = 0
                var passed = 0
                // On a busy machine a scope may pass in which nobody got to do anything.
                while (passed++ < scopes || got.any { it.size <= scopes / 2 }) {
                    val selecting = launch {
                        coroutineScope {
                            while (true) {
                                select {
                                    onReceive(receivers[0]) { got[0] += it }
                                    onReceive(receivers[1]) { got[1] += it }
                                    onTimeout(300.microseconds) { timeouts++ }
                                }
                            }
                        }
                    }
                    pass(random)
                    selecting.cancelAndJoin()
                }
                sending.forEach { it.cancelAndJoin() }
                for ((index, receiver) in receivers.withIndex()) {
                    generateSequence { receiver.tryReceive().getOrNull() }.forEach { got[index] += it }
                    assertEquals((0L until got[index].size).toList(), got[index])
                    assertEquals(receiver.nextSequence, got[index].size.toLong(), "nothing was lost at the end")
                }
            }
        }
    }

    /** The same for scopes that send to two topics, of which the receivers are slow. */
    private fun sendStorm(scopes: Int) = runBlocking(Dispatchers.Default) {
        withTimeout(4.minutes) {
            topology.use(temp.directory) { bus ->
                val random = Random(12)
                val senders = listOf(first, second).map { bus.sender(it) }
                val got = List(2) { mutableListOf<Long>() }
                val receivers = listOf(first, second).map { bus.receiver(it) }
                val receiving = receivers.mapIndexed { index, receiver ->
                    launch {
                        for (number in receiver) {
                            got[index] += number
                            if (number % 5 == 0L) delay(1)
                        }
                    }
                }
                val sent = longArrayOf(0, 0)
                var passed = 0
                while (passed++ < scopes || sent.any { it <= scopes / 2 }) {
                    val selecting = launch {
                        coroutineScope {
                            while (true) {
                                select {
                                    onSend(senders[0], sent[0]) { sent[0]++ }
                                    onSend(senders[1], sent[1]) { sent[1]++ }
                                    onTimeout(300.microseconds) {}
                                }
                            }
                        }
                    }
                    pass(random)
                    selecting.cancelAndJoin()
                }
                assertEquals(senders.map { it.nextSequence }, sent.toList())
                eventually { receivers.indices.all { receivers[it].nextSequence == sent[it] } }
                receiving.forEach { it.cancelAndJoin() }
                got.forEachIndexed { index, numbers -> assertEquals((0L until sent[index]).toList(), numbers) }
            }
        }
    }

    @Test
    fun aFewHundredCancelledScopesLoseAndDoubleNothing() {
        receiveStorm(300)
    }

    @Test
    fun aFewHundredCancelledScopesSendNothingTwice() {
        sendStorm(200)
    }

    @Test
    @Tag("stress")
    fun tenThousandCancelledScopesLoseAndDoubleNothing() {
        receiveStorm(10_000)
    }

    @Test
    @Tag("stress")
    fun tenThousandCancelledScopesSendNothingTwice() {
        sendStorm(10_000)
    }
}
