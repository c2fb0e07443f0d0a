package io.bywash.bus

import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.engine.SegmentNotFoundException
import java.lang.management.ManagementFactory
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.extension.RegisterExtension

/** Under `runTest` time is virtual; the waits of this library are real, and leave the core alone. */
@OptIn(ExperimentalCoroutinesApi::class) // currentTime
@Timeout(120)
class VirtualTimeTest {
    @RegisterExtension
    val temp = TempBus()

    private val numbers = Topic("numbers", NumberCodec(400))
    private val topology = bus("virtual") { topic(numbers) { ring = 4.KiB } }

    /** Takes [LONG] of real time and no virtual time, most of it without the core. */
    private suspend fun TestScope.assertWaits(name: String, wait: suspend () -> Unit) {
        val threads = ManagementFactory.getThreadMXBean()
        val virtual = currentTime
        val real = TimeSource.Monotonic.markNow()
        val cpu = threads.currentThreadCpuTime
        wait()
        val used = (threads.currentThreadCpuTime - cpu) / 1_000_000
        assertTrue(real.elapsedNow() >= LONG, "$name took only ${real.elapsedNow()}")
        assertEquals(virtual, currentTime, name)
        assertTrue(used < LONG.inWholeMilliseconds / 2, "$name used the core for $used ms")
    }

    @Test
    fun waitingTakesRealTimeAndNoCore() = runTest(timeout = PATIENCE) {
        assertWaits("attach") {
            val failure = runCatching { topology.attach(LONG, temp.directory) }.exceptionOrNull()
            assertTrue(failure is SegmentNotFoundException, "$failure")
        }
        topology.open(temp.directory).use { bus ->
            val sender = bus.sender(numbers)
            assertWaits("awaitReceivers") { assertFalse(sender.awaitReceivers(1, LONG)) }
            val receiver = bus.receiver(numbers)
            assertWaits("receiveWithin") { assertNull(receiver.receiveWithin(LONG)) }
            while (sender.trySend(0).isSuccess) { /* until it is full */ }
            assertWaits("sendWithin") { assertFalse(sender.sendWithin(LONG, 0)) }
        }
    }

    @Test
    fun whoWaitsGoesOnInTheTestsOwnThread() = runTest(timeout = PATIENCE) {
        val attaching = async { topology.attach(PATIENCE, temp.directory) }
        topology.open(temp.directory).use { bus ->
            attaching.await().use { other ->
                val sender = bus.sender(numbers)
                val receiving = async { other.receiver(numbers).receive() to Thread.currentThread() }
                assertTrue(sender.awaitReceivers(1, PATIENCE))
                sender.send(7)
                assertEquals(7L to Thread.currentThread(), receiving.await())
            }
        }
    }

    private companion object {
        val LONG = 700.milliseconds
    }
}
