package io.bywash.bus

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * A lock for coroutines that come in turn. Taking it and giving it back are one atomic operation each, unless somebody
 * waits.
 */
internal class FairLock {
    /** The holder and all who wait, with those who were cancelled since. */
    private val users = AtomicInteger()
    private val waiting = ConcurrentLinkedQueue<CancellableContinuation<Unit>>()

    /** Takes it if nobody has it. */
    fun tryLock(): Boolean = users.compareAndSet(0, 1)

    /** Takes it when all who came before have given it back. Cancellation ends the wait. */
    suspend fun lock() {
        if (users.getAndIncrement() > 0) {
            suspendCancellableCoroutine { waiting.add(it) }
        }
    }

    /** Gives it back, or hands it to whoever came first. */
    fun unlock() {
        while (users.decrementAndGet() > 0) {
            val next = next()
            if (!next.isCancelled) {
                next.resume(Unit) { _, _, _ -> unlock() } // also when it is cancelled just now
                return
            }
        }
    }

    /** The first one that waits. It may be counted but not there yet. */
    private fun next(): CancellableContinuation<Unit> {
        while (true) {
            waiting.poll()?.let { return it }
            Thread.yield()
        }
    }
}
