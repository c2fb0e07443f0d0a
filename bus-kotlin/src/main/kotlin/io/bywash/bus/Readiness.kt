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
internal class Readiness(private val waitables: List<Waitable>, private var attempt: (() -> Boolean)? = null) {
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
            attempt?.let(::succeeds) ?: true
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

    /** Completes the job. When this returns, no attempt is being made. */
    fun end() {
        val started = synchronized(this) {
            over = true
            attempt = null // it refers to the role's user
            futures
        }
        started.forEach { it.cancel(false) }
        job.complete()
    }

    companion object {
        /** The job of what is ready now. */
        val NOW: Job = Job().apply { complete() }
        private val EXECUTOR: Executor = Dispatchers.Default.asExecutor()
    }
}
