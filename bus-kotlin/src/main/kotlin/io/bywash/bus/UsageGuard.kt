package io.bywash.bus

import io.bywash.engine.BusException
import io.bywash.engine.SegmentClosedException
import io.bywash.engine.wait.WaitHub
import io.bywash.engine.wait.Waitable
import java.lang.ref.WeakReference
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.yield

/**
 * Lets one coroutine at a time use a role of the engine, wait for it without a thread, and be interrupted by a close
 * from anywhere at any time.
 *
 * ```
 *   FREE <--> SELECTING     a select may still wait; the next operation ends that
 *   FREE <--> WAITING       a coroutine waits in an operation
 *   any   --> CLOSED
 * ```
 * An operation that does not wait only reads the state. That two threads are never inside one role, and that a closed
 * role is given back when its user is outside, is the engine's.
 */
internal class UsageGuard(
    private val role: EngineRole,
    private val name: String,
    /** Looks at the segment, and throws what is wrong with its file. */
    private val look: () -> Unit,
    /** Whether the end of the role, when its user did not revoke it, is a close. */
    private val isClosedWithRole: Boolean = false,
    private val onClosed: (UsageGuard) -> Unit = {},
) {
    private val state = AtomicInteger(FREE)

    /** What the waiting coroutine waits for. */
    @Volatile
    private var waiting: CompletableFuture<*>? = null

    /** What a select waits for. */
    private val readiness = AtomicReference<Readiness?>()

    /** The select that was last given what makes attempts. */
    private var attempting = WeakReference<Any>(null)

    @Volatile
    private var isRevoked = false

    /** What the user's code has met last. */
    private var ofUser: SegmentClosedException? = null

    /** Whether the last wait was so short that it would have been better to spin. */
    private var lastWasShort = false

    val isClosed: Boolean
        get() = state.get() == CLOSED

    /** Whether a coroutine is suspended here until the role is ready. */
    val isAwaited: Boolean
        get() = waiting != null

    // ---- operations

    /** Does something with the role that does not wait. */
    inline fun <V> use(operation: () -> V): V {
        if (state.get() != FREE) {
            enterSlowly()
        }
        return translating(operation)
    }

    private fun enterSlowly() {
        val selecting = readiness.get()
        if (state.compareAndSet(SELECTING, FREE)) {
            selecting?.end() // a select that still waits goes on, perhaps right here, and meets this guard
        }
        check(state.get() != WAITING) { "The $name is in use by another coroutine, and one at a time can." }
        checkOpen()
    }

    fun checkOpen() {
        if (isClosed) {
            throw closed()
        }
    }

    fun closed(): BusClosedException = BusClosedException("The $name is closed in this process.")

    /** What [operation] returns, or [end] when this was closed. A close of something else that it met is thrown. */
    inline fun <V> unlessClosed(end: V, operation: () -> V): V =
        try {
            operation()
        } catch (closed: BusClosedException) {
            if (isClosed) end else throw closed
        }

    /** Does something with the role that disturbs nobody who uses it, in any thread. */
    inline fun <V> aside(operation: () -> V): V {
        checkOpen()
        return translating(operation)
    }

    /** Has an end of the role and a cut file said as they are said here. */
    inline fun <V> translating(operation: () -> V): V =
        try {
            operation()
        } catch (closed: SegmentClosedException) {
            if (isClosedWithRole && !isRevoked && isOwn(closed)) {
                close()
            }
            throw if (isClosed) closed() else closed
        } catch (fault: InternalError) {
            throw damage(fault)
        }

    /** Runs the user's code within an operation. It may meet the end of another role. */
    inline fun foreign(code: () -> Unit) {
        try {
            code()
        } catch (closed: SegmentClosedException) {
            ofUser = closed
            throw closed
        }
    }

    /** Whether it says that this role has ended. */
    fun isOwn(closed: SegmentClosedException): Boolean = closed !== ofUser || role.revocable.isGivenBack

    /** The virtual machine's word for a file that was cut while it was mapped, as the segment says it. */
    fun damage(fault: InternalError): Throwable =
        try {
            look()
            fault
        } catch (typed: BusException) {
            typed.addSuppressed(fault)
            typed
        }

    // ---- waiting

    /**
     * Makes an attempt, and again whenever [waitable] is ready, until one succeeds; false after [nanos] without one.
     * Cancellation ends it at once; waiting takes nothing from the queue, so nothing can be lost.
     *
     * @param other makes another attempt worthwhile as well
     */
    suspend inline fun retry(
        nanos: Long,
        waitable: Waitable = role.waitable,
        other: Waitable? = null,
        attempt: () -> Boolean,
    ): Boolean {
        if (use(attempt)) {
            return true
        }
        val start = System.nanoTime()
        var left = nanos
        while (left > 0) {
            beginWait()
            try {
                await(left, waitable, other)
            } finally {
                endWait()
            }
            if (use(attempt)) {
                return true
            }
            left = if (nanos == FOREVER) FOREVER else nanos - (System.nanoTime() - start)
        }
        return false
    }

    private fun beginWait() {
        if (!state.compareAndSet(FREE, WAITING)) {
            enterSlowly()
            check(state.compareAndSet(FREE, WAITING)) { "The $name is used by two coroutines at once." }
        }
    }

    private fun endWait() {
        state.compareAndSet(WAITING, FREE)
    }

    /** Waits until one of the two is ready or [nanos] have passed, or for no reason a shorter time. */
    private suspend fun await(nanos: Long, waitable: Waitable, other: Waitable?) {
        val start = System.nanoTime()
        val patience = if (lastWasShort) SHORT_NANOS else SPIN_NANOS
        do {
            yield() // the peer may be a coroutine of this very thread
            if (isReadySoon(waitable)) {
                lastWasShort = System.nanoTime() - start < SHORT_NANOS
                return
            }
            Thread.yield() // or a thread of this very core
        } while (System.nanoTime() - start < patience)
        suspendUntilReady(nanos, waitable, other)
        lastWasShort = System.nanoTime() - start < SHORT_NANOS
    }

    private fun isReadySoon(waitable: Waitable): Boolean {
        val start = System.nanoTime()
        do {
            if (waitable.isReady || isClosed) {
                return true
            }
            repeat(SPINS_A_LOOK) { Thread.onSpinWait() }
        } while (System.nanoTime() - start < SPIN_NANOS)
        return false
    }

    private suspend fun suspendUntilReady(nanos: Long, waitable: Waitable, other: Waitable?) {
        val resumption = Resumption(currentCoroutineContext())
        val ready = WaitHub.shared().whenReady(waitable, resumption)
        val otherReady = other?.let { WaitHub.shared().whenReady(it, resumption) }
        otherReady?.whenComplete { _, _ -> ready.complete(null) }
        if (nanos != FOREVER) {
            ready.completeOnTimeout(null, nanos, TimeUnit.NANOSECONDS)
        }
        waiting = ready
        try {
            if (!isClosed) { // else it was closed before it could be seen what to complete
                suspendCancellableCoroutine { continuation ->
                    continuation.invokeOnCancellation { ready.cancel(false) }
                    ready.whenComplete { _, _ -> resumption.resume(continuation) }
                }
            }
        } finally {
            waiting = null
            ready.cancel(false)
            otherReady?.cancel(false)
        }
    }

    // ---- selecting

    /**
     * Over when the role is worth another try, for a select to wait for. It is the same one until it is over, or the
     * role is used.
     *
     * @param isReady whether that is so now
     */
    fun whenReady(other: Waitable?, isReady: () -> Boolean): Readiness {
        if (state.get() == SELECTING) {
            readiness.get()?.let { if (!it.isOver) return it }
        }
        return if (isClosed || use(isReady)) Readiness.NOW else begin(Readiness(listOfNotNull(role.waitable, other)))
    }

    /**
     * Over when an attempt succeeds, for a select to wait for. Only the last one is waited for, so a select can have
     * one.
     *
     * @param attempt made now, and when the hub says that the role is ready, in whatever thread: false goes on waiting
     */
    fun whenSuccessful(select: Any, attempt: () -> Boolean): Readiness {
        check(attempting.get() !== select) { "The $name has a clause in this select already, and can have one." }
        attempting = WeakReference(select)
        return if (isClosed || use(attempt)) Readiness.NOW else begin(Readiness(listOf(role.waitable), attempt))
    }

    private fun begin(started: Readiness): Readiness {
        readiness.set(started)
        if (!state.compareAndSet(FREE, SELECTING)) { // closed meanwhile
            readiness.compareAndSet(started, null)
            return Readiness.NOW
        }
        started.invokeAtEnd { readiness.compareAndSet(started, null) }
        try {
            started.start()
        } catch (failure: Throwable) {
            started.end()
            throw failure
        }
        if (isClosed) {
            started.end()
        }
        return started
    }

    // ---- closing

    /** Takes the role from its user. */
    fun revoke() {
        isRevoked = true
        try {
            role.revocable.revoke() // which wakes whoever waits
        } catch (fault: InternalError) {
            throw damage(fault)
        }
    }

    /**
     * Gives the role back; false when it was closed before.
     *
     * @param byUser whether it is certain that nobody else uses it, which is faster
     */
    fun close(byUser: Boolean = false): Boolean {
        if (!beginClose()) {
            return false
        }
        try {
            if (byUser) role.revocable.close() else role.revocable.retire()
        } catch (fault: InternalError) {
            throw damage(fault)
        } finally {
            endClose()
        }
        return true
    }

    /** From now on operations fail; false when they did before. The role is still to be given back. */
    fun beginClose(): Boolean = state.getAndSet(CLOSED) != CLOSED

    /** The role was given back: ends whatever waits. */
    fun endClose() {
        waiting?.complete(null)
        readiness.get()?.end()
        onClosed(this)
    }

    companion object {
        const val FOREVER: Long = Long.MAX_VALUE

        /** About what suspending and resuming costs: whoever waits less than that is better off not suspending. */
        private const val SPIN_NANOS = 5_000L

        /**
         * A wait that ends within this time was short, and the next one then spins and yields for so long. It is more
         * than resuming a coroutine of another process takes: of two that answer each other, one would otherwise never
         * be awake when the other one's answer comes, and both would go on sleeping for each answer.
         */
        private const val SHORT_NANOS = 200_000L
        private const val SPINS_A_LOOK = 4

        private const val FREE = 0
        private const val SELECTING = 1
        private const val WAITING = 2
        private const val CLOSED = 3
    }
}
