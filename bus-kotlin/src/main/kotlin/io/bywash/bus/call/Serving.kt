package io.bywash.bus.call

import io.bywash.bus.Bus
import io.bywash.bus.BusClosedException
import io.bywash.bus.EngineRole
import io.bywash.bus.MessageWriter
import io.bywash.bus.UsageGuard
import io.bywash.engine.BusException
import io.bywash.engine.Segment
import io.bywash.engine.call.DamagedRequestException
import io.bywash.engine.call.Request
import io.bywash.engine.call.Responder
import java.lang.System.Logger.Level.WARNING
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.intrinsics.COROUTINE_SUSPENDED
import kotlin.coroutines.intrinsics.intercepted
import kotlin.coroutines.intrinsics.startCoroutineUninterceptedOrReturn
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.job
import kotlinx.coroutines.launch

/**
 * Answers the requests of an endpoint with what [block] makes of them, until this is cancelled or the bus is closed.
 * What [block] throws fails its call, whose caller gets the class and the message; for a one-way request it is logged.
 * What no caller writes is logged and passed by. When the caller gives the call up, [block] is cancelled, some
 * milliseconds later if it is suspended. If this process dies or this ends, calls that it has in hand fail, or go to
 * another responder, as the endpoint is declared.
 *
 * @param workers how many requests are handled at the same time: each worker is a coroutine, and takes a responder's
 * role
 * @throws io.bywash.engine.TableFullException when living responders have taken all places
 * @throws io.bywash.engine.EntryNotFoundException when the segment has no such endpoint
 * @throws io.bywash.engine.SpecMismatchException when the entry of that name is of another kind, or is
 * declared to carry other records
 * @sample io.bywash.bus.samples.callForAPrice
 */
public suspend fun <Q : Any, R : Any> Bus.serve(
    endpoint: Endpoint<Q, R>,
    workers: Int = 1,
    block: suspend (Q) -> R,
): Unit = serve(endpoint, workers, block) { make ->
    open("responder of endpoint \"${endpoint.name}\"", { ResponderRole.open(endpoint, segment) }, make)
}

/** @param take takes a responder's role, and returns the worker that is made of it and its guard */
internal suspend fun <Q : Any, R : Any> serve(
    endpoint: Endpoint<Q, R>,
    workers: Int,
    block: suspend (Q) -> R,
    take: ((ResponderRole, UsageGuard) -> Worker<Q, R>) -> Worker<Q, R>,
): Unit = coroutineScope {
    require(workers >= 1) { "workers=$workers must be at least 1" }
    repeat(workers) {
        launch {
            take { role, guard -> Worker(endpoint, role, guard, block) }.use { it.run() }
        }
    }
}

internal class ResponderRole(val responder: Responder) : EngineRole {
    override val waitable: Responder get() = responder
    override val revocable: Responder get() = responder
    override val nextSequence: Long get() = -1

    override fun label(text: String) = responder.label(text)

    companion object {
        fun open(endpoint: Endpoint<*, *>, segment: Segment) =
            ResponderRole(Responder.open(endpoint.find(segment)))
    }
}

/** Handles requests one after the other. */
internal class Worker<Q : Any, R : Any>(
    private val endpoint: Endpoint<Q, R>,
    private val role: ResponderRole,
    private val guard: UsageGuard,
    private val block: suspend (Q) -> R,
) : AutoCloseable {
    private val writer = MessageWriter()
    private var request: Request? = null

    /** Where blocks run: a job within the worker's. Blocks that do not suspend share one. */
    private var handling: CoroutineContext? = null

    suspend fun run() {
        try {
            while (true) {
                guard.retry(UsageGuard.FOREVER) {
                    request = receive()
                    request != null
                }
                guard.translating { answer(request!!) }
                currentCoroutineContext().ensureActive()
            }
        } catch (_: BusClosedException) {
            // the end
        }
    }

    private fun receive(): Request? =
        try {
            role.responder.receive()
        } catch (passed: DamagedRequestException) {
            log.log(WARNING, "A caller of $endpoint is at fault. Others are served.", passed)
            null
        }

    private suspend fun answer(request: Request) {
        try {
            val value = endpoint.request.read(request)
            reply(request, handle(request, value))
        } catch (cancelled: CancellationException) {
            currentCoroutineContext().ensureActive() // else the caller has given up
            fail(request, cancelled)
        } catch (failure: Throwable) { // also an Error: the worker goes on with the others' calls
            try {
                fail(request, failure)
            } catch (_: IllegalStateException) { // it is over: the answer itself could not be given
                throw failure
            }
        }
    }

    private fun fail(request: Request, why: Throwable) {
        val isOneWay = request.isOneWay
        request.fail(why)
        if (isOneWay) { // nobody gets it
            log.log(WARNING, "A one-way request to $endpoint failed. Others are served.", why)
        }
    }

    /** Runs the block. Only if that suspends, somebody watches whether its caller still waits. */
    private suspend fun handle(request: Request, value: Q): R {
        val worker = currentCoroutineContext()
        if (handling?.job?.isActive != true) {
            handling = worker + SupervisorJob(worker.job)
        }
        val context = handling!!
        return suspendCoroutineUninterceptedOrReturn { caller ->
            val result = block.startCoroutineUninterceptedOrReturn(value, Handling(context, caller))
            if (result === COROUTINE_SUSPENDED && !request.isOneWay) {
                CoroutineScope(context).launch(Dispatchers.Default) { watch(request, context.job) }
            }
            result
        }
    }

    /** Resumes the worker when a block that has suspended has ended, and ends its job, and so who watches it. */
    private class Handling<R>(
        override val context: CoroutineContext,
        private val worker: Continuation<R>,
    ) : Continuation<R> {
        override fun resumeWith(result: Result<R>) {
            context.job.cancel()
            worker.intercepted().resumeWith(result)
        }
    }

    /** Nobody rings a bell for a call that was given up. In real time, since it is not the caller's dispatcher. */
    private suspend fun watch(request: Request, handling: Job) {
        try {
            while (!request.isCancelled) {
                delay(LOOK)
            }
        } catch (_: BusException) {
            // nobody will get the reply; the worker meets it when it answers
        } catch (_: InternalError) {
            // the file was cut
        }
        handling.cancel()
    }

    private fun reply(request: Request, value: R) {
        val draft = endpoint.reply.prepare(value)
        request.claimReply(draft.length(value), draft.type(value)).use { room ->
            writer.write(room) { draft.write(value, writer) }
            room.send()
        }
    }

    override fun close() {
        handling?.cancel()
        guard.close()
    }

    private companion object {
        val LOOK = 5.milliseconds
        val log = System.getLogger("io.bywash.bus")
    }
}
