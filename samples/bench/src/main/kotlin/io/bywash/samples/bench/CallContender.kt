package io.bywash.samples.bench

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.call.Call
import io.bywash.engine.call.Caller
import io.bywash.engine.call.Endpoint
import io.bywash.engine.call.EndpointStatus
import io.bywash.engine.call.Responder
import io.bywash.engine.wait.WaitPolicy
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread

/** Bywash's calls: a writer calls, and readers answer with the bytes of the request. */
class CallContender : Contender(NAME, listOf(Policy.SPIN, Policy.BACKOFF, Policy.BLOCK)) {
    override val streams get() = false

    private fun waiting(policy: Policy) = WaitPolicy.valueOf(policy.name)

    override fun writer(channel: Channel, policy: Policy): Writer {
        val endpoint = Endpoint.of(ENDPOINT, Payload.SIZE, Payload.SIZE).callers(1).slots(IN_FLIGHT)
        val segment = Segment.open(channel.file, SegmentSpec.of(endpoint.responders(MAX_RESPONDERS).spec()))
        return Calling(segment, Caller.open(segment.directory().find(ENDPOINT, Kind.ENDPOINT), waiting(policy)))
    }

    private class Calling(private val segment: Segment, private val caller: Caller) : Writer() {
        private val message = Scratch()

        override fun send(first: Long): Unit = throw UnsupportedOperationException("a call has a reply")

        /** One after the other; answers how long each took. */
        fun callOneByOne(count: Long): String {
            val times = Loops.histogram()
            for (i in 0 until count) {
                val start = System.nanoTime()
                message.fill(start)
                val reply = caller.call(message.bytes, PATIENCE_NANOS)
                times.recordValue(System.nanoTime() - start)
                check(reply.getLong(0) == start) { "sent $start, got ${reply.getLong(0)} back" }
            }
            return "ok " + Loops.percentiles(times)
        }

        /** With so many under way; answers how long all took, and how many wakes there were. */
        fun callMany(count: Long, inFlight: Int): String {
            val entry = segment.directory().find(ENDPOINT, Kind.ENDPOINT)
            val before = EndpointStatus.of(entry)
            val start = System.nanoTime()
            var sent = 0L
            var done = 0L
            while (done < count) {
                while (sent < count && sent - done < inFlight) {
                    message.fill(sent)
                    caller.send(message.bytes, PATIENCE_NANOS)?.let { sent++ } ?: break
                }
                var call: Call? = caller.await(PATIENCE_NANOS)
                while (call != null) {
                    call.reply().getLong(0)
                    call.close()
                    done++
                    call = caller.poll()
                }
            }
            val nanos = System.nanoTime() - start
            val wakes = EndpointStatus.of(entry).wakeCount() - before.wakeCount()
            return "ok nanos=$nanos wakes=$wakes"
        }

        override fun close() {
            caller.close()
            segment.close()
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val segment = Segment.attach(channel.file, PATIENCE_NANOS)
        val entry = segment.directory().find(ENDPOINT, Kind.ENDPOINT)
        return Answering(segment, Responder.open(entry, waiting(policy)))
    }

    private class Answering(private val segment: Segment, private val responder: Responder) : Reader() {
        private val bytes = ByteArray(Payload.SIZE)
        private val handler = Responder.Handler { request ->
            request.getBytes(0, bytes, 0, bytes.size)
            request.reply(bytes)
        }

        override fun receive(limit: Int) = responder.poll(handler, limit, WAIT_NANOS)

        override fun close() {
            responder.close()
            segment.close()
        }
    }

    override fun obey(words: List<String>, directory: Path, writers: List<Writer>, readers: List<Reader>): String {
        val count = words[1].toLong()
        return when (words[0]) {
            "callOneByOne" -> (writers[0] as Calling).callOneByOne(count)
            "callMany" -> (writers[0] as Calling).callMany(count, words[2].toInt())
            "answer" -> answer(count, readers)
            else -> super.obey(words, directory, writers, readers)
        }
    }

    /** Says that it has started, and has each reader answer in a thread of its own until all is answered. */
    private fun answer(count: Long, readers: List<Reader>): String {
        val answered = AtomicLong()
        println("ok")
        readers.map { reader ->
            thread {
                while (answered.get() < count) {
                    answered.addAndGet(reader.receive(BATCH).toLong())
                }
            }
        }.forEach { it.join() }
        return "ok"
    }

    companion object {
        const val NAME = "bywash.call"
        const val IN_FLIGHT = 32
        private const val MAX_RESPONDERS = 4
        private const val ENDPOINT = "calls"
        private const val BATCH = 16
        private const val WAIT_NANOS = 10_000_000L
        private val PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20)
    }
}
