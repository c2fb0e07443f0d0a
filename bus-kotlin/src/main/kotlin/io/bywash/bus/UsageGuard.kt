package io.bywash.bus

import io.bywash.engine.BusException
import io.bywash.engine.Segment
import io.bywash.engine.SegmentClosedException
import io.bywash.engine.wait.WaitHub
import io.bywash.engine.wait.Waitable
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.yield

/**
 * One role of the engine, used by one coroutine at a time, waited for without a thread, and closed from anywhere at any
 * time.
 *
 * ```
 *  IDLE --enter--> BUSY --close--> LEAVING
 *   | ^             |                 |
 *   | +----exit-----+               exit
 *   +--------------close----------> CLOSED
 * ```
 * A role is closed by whoever has it: by [close] itself when nobody uses it, else by the user at the end of its
 * operation, since the engine's roles must not be closed while a thread is in them. A waiting user is resumed for that.
 */
internal class Turn<R>(
    private val role: R,
    private val name: String,
    private val segment: Segment,
    private val onClosed: (Turn<R>) -> Unit,
) where R : Waitable, R : AutoCloseable {
    private val state = AtomicInteger(IDLE)

    /** What the user waits for just now. */
    @Volatile
    private var waiting: CompletableFuture<Void>? = null

    inline fun <V> use(operation: (R) -> V): V {
        enter()
        try {
            return operation(role)
        } catch (fault: InternalError) {
            throw damage(fault)
        } finally {
            exit()
        }
    }

    /** The virtual machine's word for a file that was cut while it was mapped, as the segment says it. */
    private fun damage(fault: InternalError): Throwable =
        try {
            segment.participants()
            fault
        } catch (typed: BusException) {
            typed.addSuppressed(fault)
            typed
        }

    /** Reads what the role only counts, which needs no turn. */
    inline fun <V> peek(question: (R) -> V): V = question(role)

    private fun enter() {
        if (!state.compareAndSet(IDLE, BUSY)) {
            checkOpen()
            throw IllegalStateException("The $name is in use by another coroutine. Take one for each of them.")
        }
    }

    private fun exit() {
        if (!state.compareAndSet(BUSY, IDLE)) {
            state.set(CLOSED)
            leave()
        }
    }

    /** False when it was closed before. */
    fun close(): Boolean {
        while (state.get() < LEAVING) {
            if (state.compareAndSet(IDLE, CLOSED)) {
                leave()
                return true
            }
            if (state.compareAndSet(BUSY, LEAVING)) {
                waiting?.complete(null)
                return true
            }
        }
        return false
    }

    private fun leave() {
        try {
            role.close()
        } catch (fault: InternalError) {
            throw damage(fault)
        } finally {
            onClosed(this)
        }
    }

    /** Whether a coroutine is suspended here until the role is ready. */
    val isAwaited: Boolean
        get() = waiting != null

    private fun checkOpen() {
        if (state.get() >= LEAVING) {
            throw SegmentClosedException("The $name is closed in this process. Take it again.")
        }
    }

    /** Makes an attempt, and again whenever the role is ready, until one succeeds; false after [nanos] without one. */
    suspend inline fun retry(nanos: Long, attempt: () -> Boolean): Boolean {
        if (attempt()) {
            return true
        }
        val start = System.nanoTime()
        do {
            val left = if (nanos == FOREVER) FOREVER else nanos - (System.nanoTime() - start)
            if (left <= 0) {
                return false
            }
            await(left)
        } while (!attempt())
        return true
    }

    /**
     * Waits until the role is ready or [nanos] have passed, or for no reason a shorter time. Cancellation ends it at
     * once; waiting takes nothing from the queue, so nothing can be lost.
     */
    private suspend fun await(nanos: Long) {
        val start = System.nanoTime()
        do {
            if (role.isReady) {
                return
            }
            Thread.onSpinWait()
        } while (System.nanoTime() - start < SPIN_NANOS)
        yield() // perhaps the peer is a coroutine of this very thread
        if (!role.isReady) {
            suspendUntilReady(nanos)
        }
        checkOpen()
    }

    private suspend fun suspendUntilReady(nanos: Long) {
        val resumption = Resumption(currentCoroutineContext())
        val ready = WaitHub.shared().whenReady(role, resumption)
        if (nanos != FOREVER) {
            ready.completeOnTimeout(null, nanos, TimeUnit.NANOSECONDS)
        }
        waiting = ready
        try {
            if (state.get() == BUSY) { // else a close came before it could see what to complete
                suspendCancellableCoroutine { continuation ->
                    continuation.invokeOnCancellation { ready.cancel(false) }
                    ready.whenComplete { _, _ -> resumption.resume(continuation) }
                }
            }
        } finally {
            waiting = null
            ready.cancel(false)
        }
    }

    companion object {
        const val FOREVER: Long = Long.MAX_VALUE

        /** About what suspending and resuming costs: whoever waits less than that, is better off not suspending. */
        private const val SPIN_NANOS = 5_000L

        private const val IDLE = 0
        private const val BUSY = 1
        private const val LEAVING = 2
        private const val CLOSED = 3
    }
}
