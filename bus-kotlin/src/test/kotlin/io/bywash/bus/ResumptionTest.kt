package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** In which thread a coroutine goes on that waited; never in the hub's, which all others wait for. */
@Timeout(120)
class ResumptionTest {
    @RegisterExtension
    val temp = TempBus()

    private val first = Topic("first", Codec.Text)
    private val second = Topic("second", Codec.Text)
    private val topology = bus("resumption") {
        topic(first) { ring = 4.KiB }
        topic(second) { ring = 4.KiB }
    }

    /** Runs a coroutine in a context without dispatcher, as `suspend fun main` does. */
    private fun <T> undispatched(block: suspend () -> T): CompletableFuture<T> {
        val result = CompletableFuture<T>()
        block.startCoroutine(
            Continuation(EmptyCoroutineContext) { outcome ->
                outcome.fold(result::complete, result::completeExceptionally)
            },
        )
        return result
    }

    private fun isHub() = Thread.currentThread().name == "bywash-wait-hub"

    @Test
    fun whoHasNoDispatcherMayBlockForAnotherMessage() = test {
        topology.open(temp.directory).use { bus ->
            val one = bus.receiver(first)
            val other = bus.receiver(second)
            val waiting = undispatched {
                val received = one.receive()
                assertFalse(isHub())
                received + runBlocking { other.receive() }
            }
            eventually { one.guard.isAwaited }
            bus.sender(first).send("a")
            eventually { other.guard.isAwaited }
            bus.sender(second).send("b")
            assertEquals("ab", waiting.get(60, TimeUnit.SECONDS))
        }
    }

    @Test
    fun anUnconfinedCoroutineMayBlockForAnotherMessageHoweverItsWaitEnds() = test {
        topology.open(temp.directory).use { bus ->
            val one = bus.receiver(first)
            val other = bus.receiver(second)
            val threads = mutableSetOf<String>()
            val waiting = async(Dispatchers.Unconfined) {
                assertNull(one.receiveWithin(20.milliseconds))
                threads += Thread.currentThread().name
                val received = one.receive()
                threads += Thread.currentThread().name
                received + runBlocking { other.receive() }
            }
            eventually { one.guard.isAwaited && threads.size > 0 }
            bus.sender(first).send("a")
            eventually { other.guard.isAwaited }
            bus.sender(second).send("b")
            assertEquals("ab", waiting.await())
            assertTrue(threads.all { it.startsWith("DefaultDispatcher") }, "$threads")
        }
    }

    /** Its wake would be lost if it could be cancelled between two dispatches. */
    @Test
    fun whoIsNotDispatchedGoesOnRightWhereTheHubsTaskRuns() = test {
        val elsewhere = Executors.newSingleThreadExecutor { Thread(it, "elsewhere") }
        val cancelling = object : CoroutineDispatcher() {
            @Volatile
            var job: Job? = null

            /** Cancels whoever would be dispatched a second time. */
            override fun isDispatchNeeded(context: CoroutineContext): Boolean {
                if (Thread.currentThread().name.startsWith("DefaultDispatcher")) job?.cancel()
                return false
            }

            override fun dispatch(context: CoroutineContext, block: Runnable) = elsewhere.execute(block) // for yields
        }
        elsewhere.use {
            topology.open(temp.directory).use { bus ->
                val receiver = bus.receiver(first)
                val waiting = async(cancelling) { receiver.receive() }
                eventually { receiver.guard.isAwaited }
                cancelling.job = waiting
                bus.sender(first).send("a")
                assertEquals("a", waiting.await())
            }
        }
    }

    @Test
    fun theCloseOfABusRunsNoCoroutineOfItsReceivers() = test {
        val bus = topology.open(temp.directory)
        val receiver = bus.receiver(first)
        val ended = CompletableFuture<Thread>()
        undispatched { runCatching { receiver.receive() } }.thenAccept { ended.complete(Thread.currentThread()) }
        eventually { receiver.guard.isAwaited }
        bus.close()
        assertTrue(ended.get(60, TimeUnit.SECONDS) !== Thread.currentThread())
    }

    @Test
    fun aCoroutineGoesOnInItsOwnDispatcher() = test {
        val own = Executors.newSingleThreadExecutor { Thread(it, "own") }.asCoroutineDispatcher()
        own.use {
            topology.open(temp.directory).use { bus ->
                val receiver = bus.receiver(first)
                val sender = bus.sender(first)
                val waiting = async(own) {
                    List(50) { receiver.receive().also { assertEquals("own", Thread.currentThread().name.take(3)) } }
                }
                repeat(50) {
                    eventually { receiver.guard.isAwaited || waiting.isCompleted }
                    sender.send("$it")
                }
                assertEquals(List(50) { "$it" }, waiting.await())
            }
        }
    }

    /** Which runs tasks in the thread that hands them over, if it likes. */
    @Test
    fun anExecutorThatRunsTasksAtOnceDoesNotGetHoldOfTheHub() = test {
        topology.open(temp.directory).use { bus ->
            val one = bus.receiver(first)
            val other = bus.receiver(second)
            val waiting = async({ task: Runnable -> task.run() }.let { java.util.concurrent.Executor(it) }
                .asCoroutineDispatcher()) {
                val received = one.receive()
                assertFalse(isHub())
                received + runBlocking { other.receive() }
            }
            eventually { one.guard.isAwaited }
            bus.sender(first).send("a")
            eventually { other.guard.isAwaited }
            bus.sender(second).send("b")
            assertEquals("ab", waiting.await())
        }
    }
}
