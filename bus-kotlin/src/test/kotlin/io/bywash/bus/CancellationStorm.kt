package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import java.nio.file.Path
import java.util.Collections
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue

/**
 * Cancels every operation that may suspend, at random moments, again and again. Each message holds its own sequence, so
 * what was sent twice, not at all, or received twice is seen at once.
 */
object CancellationStorm : ChildProgram {
    private val numbers = Topic("numbers", NumberCodec(400))
    private val doubled = Topic("doubled", NumberCodec(400))
    private val topology = bus("storm") {
        topic(numbers) { ring = 4.KiB }
        topic(doubled) { ring = 4.KiB }
        route(numbers, doubled) { flow -> flow.map { it * 2 } }
    }

    /** In a process of its own: the directory, how many rounds, and the seed. */
    override suspend fun run(arguments: List<String>) {
        run(Path.of(arguments[0]), arguments[1].toInt(), arguments[2].toLong())
        println("done")
    }

    suspend fun run(directory: Path, rounds: Int, seed: Long) = withContext(Dispatchers.Default) {
        println("seed $seed")
        val random = Random(seed)
        topology.open(directory).use { bus ->
            val storm = Storm(bus, random)
            var round = 0
            while (round < rounds || storm.count <= rounds) storm.round(round++)
            storm.check()
            repeat(rounds / 10) { routes(bus, random) }
            repeat(rounds / 10) { attaches(bus, directory, random) }
        }
    }

    private suspend fun moment(random: Random) {
        when (random.nextInt(4)) {
            0 -> yield()
            1 -> repeat(random.nextInt(20_000)) { Thread.onSpinWait() }
            2 -> delay(1.milliseconds)
        }
    }

    private class Storm(private val bus: Bus, private val random: Random) {
        private val sender = bus.sender(numbers)
        private val shared = sender.shared()
        private val receiver = bus.receiver(numbers)
        private val got = mutableListOf<Long>()

        /** How many messages have arrived. */
        val count get() = got.size

        private val sends = mapOf<String, suspend (Long) -> Unit>(
            "send" to { sender.send(it) },
            "sendWithin" to { sender.sendWithin(500.microseconds, it) },
            "shared" to { shared.send(it) },
            "claim" to { number ->
                sender.claim(400) {
                    putLong(0, number)
                    for (index in Long.SIZE_BYTES until length) putByte(index, number.toByte())
                }
            },
            "onSend" to { number -> select { onSend(sender, number) {} } },
            "awaitReceivers" to { sender.awaitReceivers(2, Duration.INFINITE) },
            "sendTo" to { number -> flow { emit(number) }.sendTo(sender) },
        )

        /** These may have sent some of several when they are cancelled. */
        private val manySends = mapOf<String, suspend (Long) -> Unit>(
            "sendAll" to { sender.sendAll(it until it + 12) },
            "shared.sendAll" to { shared.sendAll(it until it + 12) },
            "channelIn" to { sendByChannel(it) },
        )

        private val receives = mapOf<String, suspend () -> Unit>(
            "receive" to { got += receiver.receive() },
            "receiveWithin" to { receiver.receiveWithin(500.microseconds)?.let { got += it } },
            "receiveResult" to { got += receiver.receiveResult().getOrThrow() },
            "loop" to { for (number in receiver) got += number },
            "asFlow" to { receiver.asFlow().collect { got += it } },
            "receiveBatch" to { got += receiver.receiveBatch(3) },
            "batches" to { receiver.batches(3).collect { got += it } },
            "poll" to { // not in place what a loop has found
                receiver.tryReceive().getOrNull()?.let { got += it } ?: receiver.poll(3) { got += it.getLong(0) }
            },
            "onReceive" to { select { onReceive(receiver) { got += it } } },
            "onReceiveResult" to { select { onReceiveResult(receiver) { got += it.getOrThrow() } } },
            "channelIn" to { receiveByChannel() },
        )

        private suspend fun receiveByChannel() {
            val undelivered = Collections.synchronizedList(mutableListOf<Long>())
            val scope = CoroutineScope(Dispatchers.Default + Job())
            try {
                for (number in receiver.channelIn(scope, got.size % 3) { undelivered += it }) got += number
            } finally {
                withContext(NonCancellable) { scope.coroutineContext.job.cancelAndJoin() }
                got += undelivered.sorted()
            }
        }

        private suspend fun sendByChannel(first: Long) {
            val undelivered = Collections.synchronizedList(mutableListOf<Long>())
            val scope = CoroutineScope(Dispatchers.Default + Job())
            var next = first
            try {
                val channel = sender.channelIn(scope, (first % 3).toInt()) { undelivered += it }
                while (true) channel.send(next++)
            } finally {
                withContext(NonCancellable) { scope.coroutineContext.job.cancelAndJoin() }
                assertEquals((sender.nextSequence until next).toList(), undelivered.sorted())
            }
        }

        suspend fun round(number: Int) = coroutineScope {
            val isMany = number % 3 == 0
            val (sendName, send) = (if (isMany) manySends else sends).entries.random(random)
            val (receiveName, receive) = receives.entries.random(random)
            var current = sender.nextSequence
            var isOver = false
            val sending = launch {
                while (true) {
                    current = sender.nextSequence
                    isOver = false
                    send(current)
                    isOver = true // not reached if it was cancelled
                    if (number % 4 == 1) delay(1.milliseconds) // the receiver waits
                }
            }
            val receiving = launch {
                while (true) {
                    receive()
                    if (number % 4 == 2) delay(1.milliseconds) // the sender waits
                }
            }
            moment(random)
            val both = listOf(sending, receiving).shuffled(random)
            both[0].cancelAndJoin()
            moment(random)
            both[1].cancelAndJoin()
            if (!isMany && !isOver) {
                assertEquals(current, sender.nextSequence, "a $sendName that was cancelled has sent nothing")
            }
            assertEquals(got.size.toLong(), receiver.nextSequence, "what $receiveName took")
        }

        fun check() {
            generateSequence { receiver.tryReceive().getOrNull() }.forEach { got += it }
            assertEquals((0L until sender.nextSequence).toList(), got)
            sender.close()
            receiver.close()
        }
    }

    /** A route that is cancelled gives its roles back; what it has sent is whole, in order and never doubled. */
    private suspend fun routes(bus: Bus, random: Random) = coroutineScope {
        val sender = bus.sender(numbers)
        val receiver = bus.receiver(doubled)
        val running = launch { bus.runRoutes() }
        val feeding = launch {
            var next = 1L
            while (true) sender.send(next++)
        }
        var last = 0L
        val receiving = launch {
            for (number in receiver) {
                assertTrue(number > last && number % 2 == 0L, "$number after $last")
                last = number
            }
        }
        moment(random)
        listOf(running, feeding, receiving).shuffled(random).forEach {
            it.cancelAndJoin()
            moment(random)
        }
        assertEquals(0, sender.receiverCount)
        sender.close()
        receiver.close()
        bus.sender(doubled).close() // the route's own was given back
    }

    /** Who is cancelled while it attaches has attached nothing, or closes what it got. */
    private suspend fun attaches(bus: Bus, directory: Path, random: Random) = coroutineScope {
        val other = bus("other") { topic(numbers) { ring = 4.KiB } }
        val attaching = launch { other.attach(Duration.INFINITE, directory).close() }
        moment(random)
        val creating = launch { other.use(directory) { moment(random) } }
        attaching.cancelAndJoin()
        creating.join()
        assertEquals(1, bus.segment.participants().size)
    }
}
