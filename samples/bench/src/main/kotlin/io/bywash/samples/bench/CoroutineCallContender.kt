package io.bywash.samples.bench

import io.bywash.bus.Bus
import io.bywash.bus.Codec
import io.bywash.bus.bus
import io.bywash.bus.bytes
import io.bywash.bus.call.Endpoint
import io.bywash.bus.call.caller
import io.bywash.bus.call.endpoint
import io.bywash.bus.call.serve
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.call.Responder
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking
import io.bywash.bus.call.Caller as CoroutineCaller
import io.bywash.engine.call.Caller as EngineCaller
import io.bywash.engine.call.Endpoint as EngineEndpoint

private const val ENDPOINT = "endpoint"
private const val WAIT_NANOS = 10_000_000L
private val PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20)

/** The engine's calls, one after the other: a request is a message, and its reply the sum of its words. */
class SingleCallContender : QueueContender("bywash.call.single", listOf(Policy.BACKOFF)) {
    override fun writer(channel: Channel, policy: Policy): Writer {
        val segment = Segment.open(channel.file, SegmentSpec.of(EngineEndpoint.of(ENDPOINT, Payload.SIZE, 8).spec()))
        return Calling(segment, EngineCaller.open(segment.directory().find(ENDPOINT, Kind.ENDPOINT)))
    }

    private class Calling(private val segment: Segment, private val caller: EngineCaller) : Writer() {
        private val request = Scratch()

        override fun send(first: Long) {
            request.fill(first)
            val reply = caller.call(request.bytes, PATIENCE_NANOS)
            check(reply.getLong(0) == Payload.sum(first, first + 1)) { "a wrong reply" }
        }

        override fun close() = segment.close()
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val segment = Segment.attach(channel.file, PATIENCE_NANOS)
        return Answering(segment, Responder.open(segment.directory().find(ENDPOINT, Kind.ENDPOINT)))
    }

    private class Answering(private val segment: Segment, private val responder: Responder) : Reader() {
        private val handler = Responder.Handler { request ->
            var words = 0L
            for (i in 0 until Payload.WORDS) {
                words += request.getLong(i * Long.SIZE_BYTES)
            }
            take(request.getLong(0), words)
            request.claimReply(Long.SIZE_BYTES).use { it.putLong(0, words).commit() }
        }

        override fun receive(limit: Int) = responder.poll(handler, limit, WAIT_NANOS)

        override fun close() = segment.close()
    }
}

/** The same between coroutines. */
class CoroutineCallContender : QueueContender("kotlin.call", listOf(Policy.BACKOFF)) {
    private val endpoint = Endpoint(ENDPOINT, ContentCodec(isReusing = true), Codec.Int64)

    private fun topology(channel: Channel) = bus("channel-${channel.id}") {
        endpoint(endpoint) {
            maxRequest = Payload.SIZE.bytes
            maxReply = Long.SIZE_BYTES.bytes
        }
    }

    override fun writer(channel: Channel, policy: Policy): Writer {
        val bus = topology(channel).open(channel.directory)
        return Calling(bus, bus.caller(endpoint))
    }

    private class Calling(private val bus: Bus, private val caller: CoroutineCaller<Content, Long>) : Writer() {
        private val words = Content(0)

        override fun send(first: Long) = sendAll(first, first + 1)

        override fun sendAll(from: Long, until: Long) = runBlocking {
            for (first in from until until) {
                words.first = first
                check(caller.call(words, 20.seconds) == Payload.sum(first, first + 1)) { "a wrong reply" }
            }
        }

        override fun close() = bus.close()
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val bus = runBlocking { topology(channel).attach(20.seconds, channel.directory) }
        return Serving(bus, endpoint)
    }

    /** Serves in a thread of its own, all the time. Who receives sleeps meanwhile, and so takes no core from it. */
    private class Serving(private val bus: Bus, endpoint: Endpoint<Content, Long>) : Reader() {
        private val receiver = Thread.currentThread()

        /** What was served; written by the serving thread. */
        private var servedSum = 0L

        @Volatile
        private var served = 0L

        /** When to wake the receiver. */
        @Volatile
        private var wanted = Long.MAX_VALUE
        private var told = 0L
        private var toldSum = 0L

        init {
            thread(isDaemon = true) {
                runBlocking {
                    bus.serve(endpoint) { words ->
                        last = words.first
                        servedSum += words.sum
                        served++
                        if (served == wanted) {
                            LockSupport.unpark(receiver)
                        }
                        words.sum
                    }
                }
            }
        }

        override fun receive(limit: Int): Int {
            wanted = told + limit
            while (served < wanted) {
                LockSupport.park(this)
            }
            told = wanted
            val sumNow = servedSum // once: the server may be further
            sum += sumNow - toldSum
            toldSum = sumNow
            return limit
        }

        override fun close() = bus.close()
    }
}
