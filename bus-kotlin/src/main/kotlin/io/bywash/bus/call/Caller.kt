package io.bywash.bus.call

import io.bywash.bus.Bus
import io.bywash.bus.Codec
import io.bywash.bus.DecodingException
import io.bywash.bus.EngineRole
import io.bywash.bus.MessageWriter
import io.bywash.bus.UsageGuard
import io.bywash.engine.Claim
import io.bywash.engine.Message
import io.bywash.engine.Segment
import io.bywash.engine.call.Call
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import io.bywash.engine.call.Caller as EngineCaller

internal class CallerRole(val caller: EngineCaller) : EngineRole {
    override val waitable: EngineCaller get() = caller
    override val revocable: EngineCaller get() = caller
    override val nextSequence: Long get() = -1

    override fun label(text: String) = caller.label(text)

    companion object {
        fun open(endpoint: Endpoint<*, *>, segment: Segment) =
            CallerRole(EngineCaller.open(endpoint.find(segment)))
    }
}

/**
 * Takes a caller's role of an endpoint.
 *
 * @param failsFast whether calls fail at once while nobody answers, instead of waiting for a responder
 * @throws io.bywash.engine.TableFullException when living callers have taken all places
 * @throws io.bywash.engine.EntryNotFoundException when the segment has no such endpoint
 * @throws io.bywash.engine.SpecMismatchException when the entry of that name is of another kind, or is
 * declared to carry other records
 * @throws io.bywash.bus.BusClosedException when this bus is closed
 */
public fun <Q : Any, R : Any> Bus.caller(endpoint: Endpoint<Q, R>, failsFast: Boolean = false): Caller<Q, R> =
    open("caller of endpoint \"${endpoint.name}\"", { CallerRole.open(endpoint, segment) }) { role, guard ->
        role.caller.failFast(failsFast)
        Caller(endpoint, role, guard, this)
    }

/**
 * Calls an endpoint. [Bus.caller] takes one. It is used by one coroutine at a time, in any thread; take one for each
 * that calls at the same time. After [close], or after the bus was closed, [call] throws
 * [io.bywash.bus.BusClosedException], also one that waits.
 *
 * @sample io.bywash.bus.samples.callForAPrice
 */
public class Caller<in Q : Any, out R : Any> internal constructor(
    private val endpoint: Endpoint<Q, R>,
    private val role: CallerRole,
    internal val guard: UsageGuard,
    /** A bus, or what else it is taken from, is in use as long as its callers are. */
    private val keeper: Any,
) : AutoCloseable {
    private val writer = MessageWriter()

    /**
     * Sends a request, and suspends, without holding a thread, until its reply is there. Cancellation ends the call at
     * once; a responder that has not taken the request never will, and the block of one that has is cancelled.
     *
     * @param timeout how long to wait for a slot and the reply, in real time
     * @throws io.bywash.engine.call.CallFailedException when there is no reply: nobody answered in time, the responder
     * has gone, or its block has thrown
     * @throws DecodingException when the codec could not read the reply
     * @throws IllegalArgumentException when the request is longer than the endpoint allows
     * @throws IllegalStateException when all slots of this caller were in use for so long, since responders still had
     * requests that were given up
     */
    public suspend fun call(request: Q, timeout: Duration = 10.seconds): R {
        currentCoroutineContext().ensureActive()
        val draft = endpoint.request.prepare(request)
        val start = TimeSource.Monotonic.markNow()
        val sent = guard.use { send(request, draft, timeout) } ?: sendWhenThereIsASlot(request, draft, start, timeout)
        sent.use { call ->
            while (!guard.retry(atLeastAMoment(timeout - start.elapsedNow())) { call.isDone }) {
                // the call's own deadline, which isDone judges, is a moment away
            }
            return guard.use { decode(call.reply()) }
        }
    }

    private fun atLeastAMoment(left: Duration): Long = maxOf(left.inWholeNanoseconds, MOMENT_NANOS)

    /** Nobody rings a bell for a slot. What is left of the time then is the call's. */
    private suspend fun sendWhenThereIsASlot(
        request: Q,
        draft: Codec.Draft<Q>,
        start: TimeSource.Monotonic.ValueTimeMark,
        timeout: Duration,
    ): Call {
        var sent: Call? = null
        while (sent == null) {
            check(start.elapsedNow() < timeout) { "all slots of the $this were in use for $timeout" }
            guard.retry(SLOT_LOOK_NANOS) {
                sent = send(request, draft, (timeout - start.elapsedNow()).coerceAtLeast(1.nanoseconds))
                sent != null
            }
        }
        return checkNotNull(sent)
    }

    private fun send(request: Q, draft: Codec.Draft<Q>, timeout: Duration): Call? {
        val claim = role.caller.claim(draft.length(request), draft.type(request)) ?: return null
        claim.use {
            writer.write(it) { guard.foreign { draft.write(request, writer) } }
            return it.send(timeout.inWholeNanoseconds)
        }
    }

    private fun decode(message: Message): R =
        try {
            endpoint.reply.read(message)
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (failure: Exception) {
            throw DecodingException(endpoint.name, message.sequence(), failure)
        }

    /** As the labels of senders, see [io.bywash.bus.Sender.label]. */
    public fun label(text: String) {
        guard.aside { role.label(text) }
    }

    /** Gives the role back; a call in flight is cancelled. Any thread may call this; again, it does nothing. */
    override fun close() {
        guard.close()
    }

    /** For example `Caller("prices")`. */
    override fun toString(): String = "Caller(\"${endpoint.name}\")"

    private companion object {
        const val SLOT_LOOK_NANOS = 5_000_000L
        const val MOMENT_NANOS = 100_000L
    }
}

/** Lets a codec fill a claim. */
internal inline fun MessageWriter.write(room: Claim, fill: () -> Unit) {
    claim = room
    try {
        fill()
    } finally {
        claim = null
    }
}
