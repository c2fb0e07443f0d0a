package io.bywash.bus

import io.bywash.engine.wait.WaitHub
import io.bywash.engine.wait.Waitable
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.isActive
import kotlinx.coroutines.selects.SelectBuilder

/**
 * What a select waits for: that one of some roles or conditions is ready. Waiting takes nothing from a queue, so a
 * select that chooses another clause loses nothing. A wake that no select uses goes on to another role of the queue.
 *
 * @param attempt asked whenever one is ready, in a thread of [Dispatchers.Default]: false goes on waiting. By default
 *   whether it still is: another role may have taken the message.
 */
internal class Readiness(
    private val waitables: List<Waitable>,
    private var attempt: (() -> Boolean)? = null,
    private val whenReady: (Waitable, Executor) -> CompletableFuture<Void> = WaitHub.shared()::whenReady,
) {
    /** Hands an element to a select that waits when a wake comes, and is closed then. */
    private val ready = Channel<Unit>(Channel.RENDEZVOUS, onUndeliveredElement = { passOn() })
    private var futures: List<CompletableFuture<Void>> = emptyList()

    /** The hub's task that came last. Where its future is complete, running it passes the wake on. */
    @Volatile
    private var task: Runnable? = null

    private val executor = Executor { handed ->
        task = handed
        EXECUTOR.execute(handed)
    }

    /** Whether nothing is waited for any more. */
    @Volatile
    var isOver = false
        private set

    /** Begins to wait, for all of them anew. */
    fun start() {
        val before: List<CompletableFuture<Void>>
        val started = synchronized(this) {
            if (isOver) return
            before = futures
            val begun = ArrayList<CompletableFuture<Void>>().also { futures = it }
            waitables.mapTo(begun) { whenReady(it, executor) }
        }
        before.forEach { it.cancel(false) }
        started.forEach { it.whenComplete { _, failure -> if (failure !is CancellationException) tryAgain(failure) } }
    }

    private fun tryAgain(failure: Throwable?) {
        val isReady = synchronized(this) {
            if (isOver) null else failure != null || succeeds(attempt ?: { waitables.any { it.isReady } })
        }
        if (isReady == null) {
            return passOn() // it ended while the wake came
        }
        if (!isReady) {
            try {
                return start()
            } catch (_: Throwable) {
                // nothing waits any more: the operation itself will meet the reason
            }
        }
        stop()
        val isUsed = ready.trySend(Unit).isSuccess
        ready.close() // for a select that is about to wait
        if (!isUsed) {
            passOn()
        }
    }

    private fun succeeds(attempt: () -> Boolean) =
        try {
            attempt()
        } catch (_: Throwable) {
            true // the operation itself will meet it
        }

    private fun passOn() {
        task?.run()
    }

    private fun stop() {
        val started = synchronized(this) {
            isOver = true
            attempt = null // it refers to the role's user
            futures
        }
        started.forEach { it.cancel(false) }
    }

    /** Ends the wait, also of a select that goes on then. When this returns, no attempt is being made. */
    fun end() {
        stop()
        ready.close()
    }

    /** Has something done at the end, at once if that was before. */
    @OptIn(ExperimentalCoroutinesApi::class)
    fun invokeAtEnd(action: () -> Unit) = ready.invokeOnClose { action() }

    /** A clause that is chosen when this is over. Its [block] uses no wake if the coroutine is cancelled already. */
    fun <R> onReady(select: SelectBuilder<R>, block: suspend () -> R) = with(select) {
        ready.onReceiveCatching {
            if (!currentCoroutineContext().isActive) {
                passOn()
            }
            block()
        }
    }

    companion object {
        /** That of what is ready now. */
        val NOW: Readiness = Readiness(emptyList()).apply { end() }
        private val EXECUTOR: Executor = Dispatchers.Default.asExecutor()
    }
}
