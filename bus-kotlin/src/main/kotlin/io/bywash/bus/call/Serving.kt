package io.bywash.bus.call

import io.bywash.bus.Bus
import io.bywash.bus.BusClosedException
import io.bywash.bus.EngineRole
import io.bywash.bus.MessageWriter
import io.bywash.bus.UsageGuard
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.call.Request
import io.bywash.engine.call.Responder
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope

/**
 * Answers the requests of an endpoint with what [block] makes of them, until this is cancelled or the bus is closed.
 * What [block] throws fails its call, whose caller gets the class and the message. When the caller gives the call up,
 * [block] is cancelled, some milliseconds later if it is suspended. If this process dies or this ends, calls that it
 * has in hand fail, or go to another responder, as the endpoint is declared.
 *
 * @param workers how many requests are handled at the same time: each worker is a coroutine, and takes a responder's
 * role
 * @throws io.bywash.engine.TableFullException when living responders have taken all places
 * @throws io.bywash.engine.EntryNotFoundException when the segment has no such endpoint
 * @throws io.bywash.engine.SpecMismatchException when the entry of that name is of another kind
 * @sample io.bywash.bus.samples.callForAPrice
 */
public suspend fun <Q : Any, R : Any> Bus.serve(
    endpoint: Endpoint<Q, R>,
    workers: Int = 1,
    block: suspend (Q) -> R,
): Unit = coroutineScope {
    require(workers >= 1) { "workers=$workers must be at least 1" }
    val name = "responder of endpoint \"${endpoint.name}\""
    repeat(workers) {
        launch {
            val worker = open(name, { ResponderRole.open(endpoint, segment) }) { role, guard ->
                Worker(endpoint, role, guard, block)
            }
            worker.use { it.run() }
        }
    }
}

private class ResponderRole private constructor(val responder: Responder) : EngineRole {
    override val waitable: Responder get() = responder
    override val revocable: Responder get() = responder
    override val nextSequence: Long get() = -1

    override fun label(text: String) = responder.label(text)

    companion object {
        fun open(endpoint: Endpoint<*, *>, segment: Segment) =
            ResponderRole(Responder.open(segment.directory().find(endpoint.name, Kind.ENDPOINT)))
    }
}

/** Handles requests one after the other. */
private class Worker<Q : Any, R : Any>(
    private val endpoint: Endpoint<Q, R>,
    private val role: ResponderRole,
    private val guard: UsageGuard,
    private val block: suspend (Q) -> R,
) : AutoCloseable {
    private val writer = MessageWriter()
    private var request: Request? = null

    suspend fun run() {
        try {
            while (true) {
                guard.retry(UsageGuard.FOREVER) {
                    request = role.responder.receive()
                    request != null
                }
                answer(request!!)
                currentCoroutineContext().ensureActive()
            }
        } catch (_: BusClosedException) {
            // the end
        }
    }

    private suspend fun answer(request: Request) {
        try {
            val value = endpoint.request.read(request)
            reply(request, handle(request) { block(value) })
        } catch (cancelled: CancellationException) {
            currentCoroutineContext().ensureActive() // else the caller has given up
            request.fail(cancelled)
        } catch (failure: Exception) {
            request.fail(failure)
        }
    }

    /** Runs a block that is cancelled when nobody waits for its result any more. */
    private suspend fun handle(request: Request, block: suspend () -> R): R = supervisorScope {
        val work = async(start = CoroutineStart.UNDISPATCHED) { block() }
        val isLong = !work.isCompleted && !request.isOneWay
        val watch = if (isLong) launch(Dispatchers.Default) { watch(request, work) } else null
        try {
            work.await()
        } finally {
            watch?.cancel()
        }
    }

    /** Nobody rings a bell for a call that was given up. In real time, since it is not the caller's dispatcher. */
    private suspend fun watch(request: Request, work: Deferred<*>) {
        while (!request.isCancelled) {
            delay(LOOK)
        }
        work.cancel()
    }

    private fun reply(request: Request, value: R) {
        val draft = endpoint.reply.prepare(value)
        request.claimReply(draft.length(value), draft.type(value)).use { room ->
            writer.write(room) { draft.write(value, writer) }
            room.send()
        }
    }

    override fun close() {
        guard.close()
    }

    private companion object {
        val LOOK = 5.milliseconds
    }
}
