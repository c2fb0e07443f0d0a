package io.bywash.bus

import io.bywash.engine.wait.WaitHub
import io.bywash.engine.wait.Waitable
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.asExecutor

/**
 * What a select waits for: a job that completes as soon as one of some roles or conditions is ready. Waiting takes
 * nothing from a queue, so a select that chooses another clause loses nothing.
 *
 * @param attempt asked whenever one is ready, in a thread of [Dispatchers.Default]: false goes on waiting
 */
internal class Readiness(private val waitables: List<Waitable>, private val attempt: (() -> Boolean)?) {
    val job: CompletableJob = Job()
    private var futures: List<CompletableFuture<Void>> = emptyList()
    private var over = false

    /** Begins to wait. */
    fun start() {
        val started = synchronized(this) {
            if (over) return
            waitables.map { WaitHub.shared().whenReady(it, EXECUTOR) }.also { futures = it }
        }
        started.forEach { it.whenComplete { _, _ -> tryAgain() } }
    }

    private fun tryAgain() {
        val isReady = synchronized(this) {
            if (over) return
            attempt == null || succeeds(attempt)
        }
        if (isReady) {
            end()
        } else {
            start()
        }
    }

    private fun succeeds(attempt: () -> Boolean) =
        try {
            attempt()
        } catch (_: Throwable) {
            true // the operation itself will meet it
        }

    /** Completes the job. */
    fun end() {
        cancel()
        job.complete()
    }

    /** Nobody waits any more. When this returns, no attempt is being made. */
    fun cancel() {
        val started = synchronized(this) {
            over = true
            futures
        }
        started.forEach { it.cancel(false) }
    }

    companion object {
        /** The job of what is ready now. */
        val NOW: Job = Job().apply { complete() }
        private val EXECUTOR: Executor = Dispatchers.Default.asExecutor()
    }
}
