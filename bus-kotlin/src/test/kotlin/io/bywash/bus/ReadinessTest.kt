package io.bywash.bus

import io.bywash.engine.wait.Waitable
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineStart.UNDISPATCHED
import kotlinx.coroutines.async
import kotlinx.coroutines.selects.select
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** A wake that comes while a select waits, or does not wait any more, is used or passed on. */
@Timeout(120)
class ReadinessTest {
    /** A hub that wakes when it is told to, and as the engine's passes a wake on where the future is complete. */
    private class Hub {
        private val future = CompletableFuture<Void>()
        private lateinit var executor: Executor
        private val ran = CompletableFuture<Unit>()
        private val passedOn = AtomicInteger()

        fun whenReady(executor: Executor): CompletableFuture<Void> {
            this.executor = executor
            return future
        }

        private fun complete() {
            if (!future.complete(null)) passedOn.incrementAndGet()
        }

        /** Wakes, and returns when that has had its effect. */
        fun wake() {
            val isFirst = AtomicInteger()
            executor.execute {
                complete()
                if (isFirst.getAndIncrement() == 0) ran.complete(Unit)
            }
            ran.get(60, TimeUnit.SECONDS)
        }

        val passedOnCount get() = passedOn.get()
    }

    private val hub = Hub()
    private val readiness = Readiness(listOf(Waitable { true }), null) { _, executor -> hub.whenReady(executor) }
        .apply { start() }

    @Test
    fun aWakeForWhatAnotherRoleHasTakenIsNoReasonToBeChosen() = test {
        val wakes = LinkedBlockingQueue<CompletableFuture<Void>>()
        var isThere = false
        val readiness = Readiness(listOf(Waitable { isThere }), null) { _, _ ->
            CompletableFuture<Void>().also { wakes += it }
        }
        readiness.start()
        wakes.take().complete(null)
        assertFalse(readiness.isOver)
        isThere = true
        wakes.take().complete(null)
        assertTrue(readiness.isOver)
    }

    @Test
    fun aWakeForASelectThatWaitsIsItsOwn() = test {
        val chosen = async(start = UNDISPATCHED) { select { readiness.onReady(this) { "ready" } } }
        hub.wake()
        assertEquals("ready", chosen.await())
        assertEquals(0, hub.passedOnCount)
        assertTrue(readiness.isOver)
    }

    @Test
    fun aWakeAfterAnotherClauseWasChosenIsPassedOn() = test {
        val other = CompletableDeferred<String>()
        val chosen = async(start = UNDISPATCHED) {
            select {
                readiness.onReady(this) { "ready" }
                other.onAwait { it }
            }
        }
        other.complete("other")
        assertEquals("other", chosen.await())
        hub.wake()
        assertEquals(1, hub.passedOnCount)
        assertEquals("ready", select { readiness.onReady(this) { "ready" } })
    }

    @Test
    fun aWakeThatComesWhileASelectIsMadeIsNotMissed() = test {
        val chosen = select {
            readiness.onReady(this) { "ready" }
            hub.wake()
        }
        assertEquals("ready", chosen)
    }

    @Test
    fun anEndPassesNothingOnAndHasTheSelectGoOn() = test {
        val chosen = async(start = UNDISPATCHED) { select { readiness.onReady(this) { "ready" } } }
        readiness.end()
        assertEquals("ready", chosen.await())
        assertEquals(0, hub.passedOnCount)
    }

    /** Whose tasks the test runs. */
    private class Later : CoroutineDispatcher() {
        val tasks = LinkedBlockingQueue<Runnable>()

        override fun dispatch(context: CoroutineContext, block: Runnable) {
            tasks += block
        }
    }

    @Test
    fun theWakeOfASelectThatIsCancelledBeforeItGoesOnIsPassedOn() = test {
        val later = Later()
        val chosen = async(later) { select { readiness.onReady(this) { error("it was cancelled") } } }
        later.tasks.take().run()
        hub.wake()
        val resumed = later.tasks.take()
        chosen.cancel()
        assertEquals(0, hub.passedOnCount)
        resumed.run()
        chosen.join()
        assertEquals(1, hub.passedOnCount)
    }
}
