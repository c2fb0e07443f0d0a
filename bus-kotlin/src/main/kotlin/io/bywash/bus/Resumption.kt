package io.bywash.bus

import java.util.concurrent.Executor
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.resume
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi

/**
 * Where a coroutine that waited goes on: in its own dispatcher. One that has none, or whose dispatcher does not
 * dispatch, goes on in [Dispatchers.Default]; never in the thread that found its role ready, whose timer ran out, or
 * that closed the role.
 */
internal class Resumption(private val context: CoroutineContext) : Executor {
    private val own = context[ContinuationInterceptor] as? CoroutineDispatcher

    /** The thread that runs the hub's task. */
    @Volatile
    private var dispatched: Thread? = null

    /** Hands over the hub's task; called in the hub's thread. */
    override fun execute(task: Runnable) {
        dispatch {
            dispatched = Thread.currentThread()
            task.run()
        }
    }

    private fun dispatch(task: Runnable) {
        val dispatcher = if (own != null && own.isDispatchNeeded(context)) own else Dispatchers.Default
        dispatcher.dispatch(context, task)
    }

    /** Resumes the coroutine; called in whatever thread ended the wait. */
    @OptIn(ExperimentalCoroutinesApi::class)
    fun resume(continuation: CancellableContinuation<Unit>) {
        if (dispatched === Thread.currentThread()) { // again would leave time for a cancellation that loses the wake
            if (own != null) with(continuation) { own.resumeUndispatched(Unit) } else continuation.resume(Unit)
        } else if (own != null && own.isDispatchNeeded(context)) {
            continuation.resume(Unit)
        } else {
            Dispatchers.Default.dispatch(context, Runnable { continuation.resume(Unit) })
        }
    }
}
