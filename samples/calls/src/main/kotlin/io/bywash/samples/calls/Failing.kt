package io.bywash.samples.calls

import io.bywash.engine.Entry
import io.bywash.engine.call.Call
import io.bywash.engine.call.CallFailedException
import io.bywash.engine.call.CallFailedException.Reason
import io.bywash.engine.call.Caller
import io.bywash.engine.call.EndpointStatus
import io.bywash.samples.calls.wire.Work
import io.bywash.samples.kit.Programs
import java.util.concurrent.TimeUnit.MILLISECONDS

/** Calls that take long, and calls that fail. The caller always learns why, as a [Reason]. */
internal class Failing(
    private val endpoint: Entry, private val workers: Int, private val outcome: Outcome,
) : AutoCloseable {
    private val caller = Caller.open(endpoint)

    /** As many slow requests as the guest has workers. Each ends when all of them are inside the handler. */
    fun meet() {
        repeat(workers) { call(Work.MEET, workers) }
        outcome.inside = List(workers) {
            caller.await(Calling.TIMEOUT_NANOS).use { Wire.answer(it.reply()).inside() }
        }.min()
    }

    fun handlerFails(): String {
        call(Work.FAIL, 0)
        val failure = nextFailure()
        return "${failure.reason()}: ${failure.remoteType()}: ${failure.remoteMessage()}"
    }

    fun timesOut(): String {
        call(Work.MEET, workers + 1, MILLISECONDS.toNanos(50))
        return nextFailure().reason().toString()
    }

    /** Cancels a call whose request is inside the handler, which asks for that, and gives up. */
    fun cancels(): String {
        call(Work.MEET, workers + 1).use {
            Programs.await("a worker has the request") { status().takenCount() == 1 }
            it.cancel()
            outcome.failed(it.failure())
        }
        Programs.await("the guest has noticed") { status().lateCount() > 0 && status().quarantinedCount() == 0 }
        outcome.tooLate = status().lateCount()
        return "CANCELLED: its reply was too late"
    }

    /** Kills the guest while each worker has a request. Returns how long its callers did not know of that. */
    fun kill(guest: Process): Long {
        repeat(workers) { call(Work.MEET, workers + 1) }
        Programs.await("all workers have a request") { status().takenCount() == workers }
        val killedNanos = System.nanoTime()
        guest.destroyForcibly()
        repeat(workers) { nextFailure() }
        return (System.nanoTime() - killedNanos).also { guest.waitFor() }
    }

    /** A call waits for a responder, unless its caller does not want that. */
    fun callsNobody(): String {
        caller.failFast(true)
        call(Work.FAIL, 0)
        return nextFailure().reason().toString()
    }

    private fun call(work: Byte, together: Int, timeoutNanos: Long = Calling.TIMEOUT_NANOS): Call =
        caller.claim(caller.maxRequestBytes()).use { Wire.ask(it, 0, work, together).send(timeoutNanos) }

    /** Waits for the next call that ends, which has to fail. */
    private fun nextFailure(): CallFailedException = caller.await(Calling.TIMEOUT_NANOS).use { call ->
        try {
            error("${call.reply()} came, but the call should have failed")
        } catch (failure: CallFailedException) {
            outcome.failed(failure.reason())
            failure
        }
    }

    private fun status() = EndpointStatus.of(endpoint)

    override fun close() = caller.close()
}
