package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.queue.Consumer
import io.bywash.bus.queue.WorkQueue
import io.bywash.bus.queue.consumer
import io.bywash.bus.queue.onConsume
import io.bywash.bus.queue.queue
import io.bywash.engine.Kind
import io.bywash.engine.SpecMismatchException
import io.bywash.engine.queue.QueueStatus
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.random.Random
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

@OptIn(ExperimentalCoroutinesApi::class) // onTimeout
@Timeout(120)
class WorkQueueTest {
    @RegisterExtension
    val temp = TempBus()

    @JvmRecord
    private data class Job(val number: Long)

    private val jobs = WorkQueue<Job>("jobs")
    private val failed = WorkQueue<Job>("failed")
    private val news = Topic("news", Codec.Int64)
    private val topology = bus("work") {
        queue(jobs) {
            capacity = 8
            deliveries = 1000
            deadLetters = failed
        }
        queue(failed) { capacity = 8 }
        topic(news) { ring = 64.KiB }
    }

    private fun Bus.status(queue: WorkQueue<*> = jobs) =
        QueueStatus.of(segment.directory().find(queue.name, Kind.WORK_QUEUE))

    private fun Bus.isDone(queue: WorkQueue<*> = jobs) =
        status(queue).let { it.readyCount() == 0 && it.heldCount() == 0 && it.leftCount() == 0 }

    @Test
    fun aMessageIsHeldUntilItsBlockHasReturnedAndIsGoneThen() = test {
        topology.use(temp.directory) { bus ->
            bus.sender(jobs).send(Job(7))
            val consumer = bus.consumer(jobs)
            val twice = consumer.consumeOne { job ->
                yield()
                assertEquals(1, bus.status().heldCount())
                assertEquals(1, consumer.deliveries)
                job.number * 2
            }
            assertEquals(14, twice)
            assertTrue(bus.isDone())
            assertFalse(consumer.tryConsume {})
        }
    }

    @Test
    fun aMessageWhoseBlockThrowsGoesToAnotherConsumer() = test {
        topology.use(temp.directory) { bus ->
            bus.sender(jobs).send(Job(7))
            val thrown = runCatching { bus.consumer(jobs).consume { error("no") } }
            assertEquals("no", thrown.exceptionOrNull()?.message)
            val other = bus.consumer(jobs)
            assertEquals(Job(7) to 2, other.consumeOne { it to other.deliveries })
            assertTrue(bus.isDone())
        }
    }

    @Test
    fun aMessageThatCannotBeDecodedIsGivenBackAndBecomesADeadLetter() = test {
        val texts = WorkQueue("texts", Codec.Text)
        val numbers = WorkQueue("texts", Codec.Int64) // somebody is wrong about the format
        val rest = WorkQueue("rest", Codec.Text)
        val topology = bus("undecodable") {
            queue(texts) {
                deliveries = 2
                deadLetters = rest
            }
            queue(rest)
        }
        topology.use(temp.directory) { bus ->
            bus.sender(texts).send("abc")
            val consumer = bus.consumer(numbers)
            repeat(2) {
                val failure = runCatching { consumer.consumeOne {} }.exceptionOrNull() as DecodingException
                assertEquals("texts" to 0L, failure.queue to failure.sequence)
            }
            assertFalse(consumer.tryConsume {})
            val dead = bus.consumer(rest)
            assertEquals("abc" to true, dead.consumeOne { it to dead.isDeadLetter })
        }
    }

    @Test
    fun aConsumerThatHasTakenNothingYetIsChosenForAMessageOnly() = test {
        topology.use(temp.directory) { bus ->
            suspend fun next(consumer: Consumer<Job>): Long? = select {
                onConsume(consumer) { it.number }
                onTimeout(1.milliseconds) { null }
            }
            val waiting = bus.consumer(jobs)
            assertNull(next(waiting))
            bus.sender(jobs).send(Job(7))
            eventually { waiting.whenReady() === Readiness.NOW } // the first select's wait is over
            bus.consumer(jobs).use { leaving ->
                val failure = runCatching { leaving.consumeOne { leaving.close() } }
                assertTrue(failure.isSuccess)
            }
            assertNull(next(waiting))
            assertNull(next(bus.consumer(jobs)))
            bus.sender(jobs).send(Job(8))
            assertEquals(8L, select { onConsume(waiting) { it.number } })
        }
    }

    @Test
    fun aWaitThatIsCancelledTakesNothing() = test {
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(jobs)
            val consumer = bus.consumer(jobs)
            for (round in 0L until 100) {
                val waiting = launch { consumer.consume { error("must not be called") } }
                eventually { consumer.guard.isAwaited }
                waiting.cancelAndJoin()
                sender.send(Job(round))
                assertEquals(round, consumer.consumeOne { it.number })
            }
        }
    }

    /** Consumers are cancelled at any time: before, in and after their blocks, and while they wait. */
    @Test
    fun whateverIsCancelledEachMessageIsAcknowledgedExactlyOnce() = test {
        val count = AtomicLong(Long.MAX_VALUE)
        val done = ConcurrentLinkedQueue<Long>()
        val cancelled = AtomicInteger()
        topology.use(temp.directory) { bus ->
            val sender = bus.sender(jobs)
            launch {
                var number = 0L
                while (number < 2_000 || cancelled.get() <= 10) sender.send(Job(number++))
                count.set(number)
            }
            val consumers = List(3) { bus.consumer(jobs) }
            val random = Random(11)
            var pause = 1L
            while (done.size < count.get()) {
                val before = done.size
                val running = consumers.map { consumer ->
                    launch {
                        consumer.consume { job ->
                            if (job.number % 3 == 0L) yield()
                            if (job.number % 100 == 0L) delay(1)
                            done += job.number // nothing in this block suspends from here on
                        }
                    }
                }
                when (random.nextInt(3)) {
                    0 -> delay(pause)
                    1 -> repeat(random.nextInt(20_000)) { Thread.onSpinWait() }
                    else -> yield()
                }
                cancelled.addAndGet(running.count { it.isActive })
                running.forEach { it.cancel() }
                running.joinAll()
                // What is given back comes first again: three that wait would never get through on a busy machine.
                pause = if (done.size > before) 1 else minOf(2 * pause, 1_000)
            }
            assertTrue(bus.isDone() && bus.isDone(failed), "${bus.status()}")
        }
        assertEquals((0 until count.get()).toList(), done.sorted())
    }

    @Test
    fun aSelectOverAQueueATopicAndATimeoutLosesAndDoublesNothing() = test {
        val count = 1_000L
        topology.use(temp.directory) { bus ->
            val consumer = bus.consumer(jobs)
            val receiver = bus.receiver(news)
            val sender = bus.sender(jobs)
            launch { for (number in 0 until count) sender.send(Job(number)) }
            launch { bus.sender(news).let { for (number in 0 until count) it.send(number) } }
            val consumed = mutableListOf<Long>()
            val received = mutableListOf<Long>()
            var timeouts = 0
            while (consumed.size < count || received.size < count) {
                withTimeoutOrNull(Random.nextLong(0, 3)) {
                    while (true) {
                        select {
                            onConsume(consumer) { consumed += it.number }
                            onReceive(receiver) { received += it }
                            onTimeout(50.microseconds) { timeouts++ }
                        }
                    }
                }
            }
            assertEquals((0 until count).toList(), consumed.sorted())
            assertEquals((0 until count).toList(), received)
            assertTrue(bus.isDone())
        }
    }

    @Test
    fun aSelectThatIsChosenByAMessageGivesItBackWhenItsBlockThrows() = test {
        topology.use(temp.directory) { bus ->
            bus.sender(jobs).send(Job(1))
            val consumer = bus.consumer(jobs)
            val failure = runCatching { select<Unit> { onConsume(consumer) { error("no") } } }
            assertEquals("no", failure.exceptionOrNull()?.message)
            assertEquals(2, select { onConsume(consumer) { consumer.deliveries } })
        }
    }

    @Test
    fun closingEndsConsumersAndWhatABlockHasInHandIsStillAcknowledged() = test {
        val bus = topology.open(temp.directory)
        val other = topology.open(temp.directory)
        val sender = bus.sender(jobs)
        val waiting = bus.consumer(jobs)
        val busy = bus.consumer(jobs)
        val ended = launch { waiting.consume { awaitCancellation() } }
        eventually { waiting.guard.isAwaited }
        waiting.close()
        ended.join()
        val begun = CompletableDeferred<Unit>()
        val closed = CompletableDeferred<Unit>()
        val working = async {
            busy.consumeOne {
                begun.complete(Unit)
                closed.await()
                it.number
            }
        }
        sender.send(Job(5))
        begun.await()
        bus.close()
        assertEquals(1, other.status().heldCount())
        closed.complete(Unit)
        assertEquals(5, working.await())
        assertTrue(other.isDone())
        busy.consume { error("must not be called") }
        assertTrue(runCatching { busy.consumeOne {} }.exceptionOrNull() is BusClosedException)
        other.close()
    }

    @Test
    fun sendersWaitForRoomAndEachMessageOfAllOfThemComesOnce() = test {
        topology.use(temp.directory) { bus ->
            val senders = List(3) { bus.sender(jobs) }
            val all = senders.mapIndexed { index, sender ->
                launch { sender.sendAll((0 until 300).map { Job(index * 1000L + it) }) }
            }
            eventually { senders.all { it.guard.isAwaited } }
            assertTrue(senders[0].runCatching { trySend(Job(-1)) }.let { it.isFailure || it.getOrThrow().isFull })
            val got = mutableListOf<Long>()
            val consumer = bus.consumer(jobs)
            repeat(900) { consumer.consumeOne { job -> got += job.number } }
            all.joinAll()
            assertEquals(900, got.toSet().size)
            for (index in 0 until 3) {
                assertEquals((0 until 300).map { index * 1000L + it }, got.filter { it / 1000 == index.toLong() })
            }
            val refused = runCatching { senders[0].awaitReceivers(1, PATIENCE) }.exceptionOrNull()
            assertTrue(refused is UnsupportedOperationException, "$refused")
        }
    }

    @Test
    fun aRouteFromAQueueAcknowledgesWhatItHasSentAndGivesBackTheRest() = test {
        val results = WorkQueue("results", Codec.Int64)
        val routed = bus("routed") {
            queue(jobs) { capacity = 64 }
            queue(results) { capacity = 64 }
            topic(news)
            route(jobs, results) { flow -> flow.map { if (it.number == 13L) error("unlucky") else it.number } }
            route(news, results) { flow -> flow.map { -it } }
        }
        routed.use(temp.directory) { bus ->
            bus.sender(jobs).sendAll((0L until 20).map { Job(it) })
            assertEquals("unlucky", runCatching { bus.runRoutes() }.exceptionOrNull()?.message)
            val consumer = bus.consumer(results)
            assertEquals((0L until 13).toList(), List(13) { consumer.consumeOne { it } })
            assertEquals(7, bus.status().readyCount())
            assertEquals("unlucky", runCatching { bus.runRoutes() }.exceptionOrNull()?.message)
            assertEquals((14L until 20).toList(), List(6) { consumer.consumeOne { it } }.sorted())
            assertEquals(13L, bus.consumer(jobs).consumeOne { it.number })
        }
    }

    @Test
    fun otherRecordsThanThoseThatAreDeclaredAreRefused() = test {
        topology.use(temp.directory) { bus ->
            val other = WorkQueue<Other>("jobs")
            assertTrue(runCatching { bus.consumer(other) }.exceptionOrNull() is SpecMismatchException)
            assertTrue(runCatching { bus.sender(other) }.exceptionOrNull() is SpecMismatchException)
        }
    }

    @JvmRecord
    private data class Other(val name: Int)

    @Test
    fun rolesThatWereTakenAndClosedLeaveNothingBehind() = test {
        topology.use(temp.directory) { bus ->
            repeat(200) { // of 64
                val consumer = bus.consumer(jobs)
                val waiting = launch { consumer.consume {} }
                if (it % 10 == 0) eventually { consumer.guard.isAwaited }
                consumer.close()
                waiting.join()
                assertTrue(consumer.isGivenBack)
                bus.sender(jobs).close()
            }
            coroutineScope { bus.status().roles().let { assertEquals(0, it.size, "$it") } }
        }
    }
}
