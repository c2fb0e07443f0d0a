package io.bywash.samples.bench

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.ring.Ring
import io.bywash.engine.ring.RingPopper
import io.bywash.engine.ring.RingWriter
import io.bywash.engine.wait.WaitPolicy
import java.lang.foreign.MemorySegment
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.concurrent.TimeUnit

/** Bywash's ring, with gated pushes of one element or of [bulk] of them, whose words are written by the sender. */
class RingContender(name: String, private val bulk: Int) : Contender(name, listOf(Policy.SPIN, Policy.BACKOFF)) {
    override val streams get() = false

    private fun waiting(policy: Policy) = WaitPolicy.valueOf(policy.name)

    override fun writer(channel: Channel, policy: Policy): Writer {
        val spec = SegmentSpec.of(Ring.spec(RING, (channel.ringBytes / Payload.SIZE).toInt(), Payload.SIZE))
        val segment = Segment.open(channel.file, spec)
        val writer = RingWriter.open(segment.directory().find(RING, Kind.RING), waiting(policy))
        return if (bulk == 1) Pushing(segment, writer) else PushingBulk(segment, writer, bulk)
    }

    private class Pushing(private val segment: Segment, private val ring: RingWriter) : Writer() {
        private val element = ByteArray(Payload.SIZE)
        private val words = ByteBuffer.wrap(element).order(ByteOrder.nativeOrder())

        override fun send(first: Long) {
            for (i in 0 until Payload.WORDS) {
                words.putLong(i * Long.SIZE_BYTES, Payload.word(first, i))
            }
            while (!ring.push(element, WAIT_NANOS)) {
                Thread.onSpinWait()
            }
        }

        override fun close() {
            ring.close()
            segment.close()
        }
    }

    private class PushingBulk(private val segment: Segment, private val ring: RingWriter, private val bulk: Int) :
        Writer() {
        private val words = LongArray(bulk * Payload.WORDS)
        private val elements = MemorySegment.ofArray(words)

        override fun send(first: Long) = sendAll(first, first + 1)

        override fun sendAll(from: Long, until: Long) {
            var next = from
            while (next < until) {
                val count = minOf(bulk.toLong(), until - next).toInt()
                var at = 0
                for (first in next until next + count) {
                    for (i in 0 until Payload.WORDS) {
                        words[at++] = Payload.word(first, i)
                    }
                }
                var pushed = 0
                while (pushed < count) {
                    val offset = pushed.toLong() * Payload.SIZE
                    pushed += ring.pushBulk(elements, offset, count - pushed, WAIT_NANOS)
                }
                next += count
            }
        }

        override fun close() {
            ring.close()
            segment.close()
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val segment = Segment.attach(channel.file, PATIENCE_NANOS)
        val popper = RingPopper.open(segment.directory().find(RING, Kind.RING), waiting(policy))
        return if (bulk == 1) Popping(segment, popper) else PoppingBulk(segment, popper, bulk)
    }

    private class Popping(private val segment: Segment, private val ring: RingPopper) : Reader() {
        private val element = ByteArray(Payload.SIZE)
        private val words = ByteBuffer.wrap(element).order(ByteOrder.nativeOrder())

        override fun receive(limit: Int): Int {
            if (!ring.pop(element, WAIT_NANOS)) {
                return 0
            }
            var sum = 0L
            for (i in 0 until Payload.WORDS) {
                sum += words.getLong(i * Long.SIZE_BYTES)
            }
            take(words.getLong(0), sum)
            return 1
        }

        override fun close() {
            ring.close()
            segment.close()
        }
    }

    private class PoppingBulk(private val segment: Segment, private val ring: RingPopper, private val bulk: Int) :
        Reader() {
        private val words = LongArray(bulk * Payload.WORDS)
        private val elements = MemorySegment.ofArray(words)

        override fun receive(limit: Int): Int {
            val count = ring.popBulk(elements, 0, minOf(limit, bulk), WAIT_NANOS)
            var at = 0
            for (element in 0 until count) {
                val first = words[at]
                var sum = 0L
                for (i in 0 until Payload.WORDS) {
                    sum += words[at++]
                }
                take(first, sum)
            }
            return count
        }

        override fun close() {
            ring.close()
            segment.close()
        }
    }

    companion object {
        const val SINGLE = "bywash.ring"
        const val BULK100 = "bywash.ring.bulk100"
        private const val RING = "ring"
        private const val WAIT_NANOS = 10_000_000L
        private val PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20)
    }
}

/** Eight floats: a sample of eight channels. */
private const val ELEMENT_BYTES = 32
private const val RING_BYTES = 8L shl 20

/** One by one, and in bulk. */
fun ringGroups(): List<Group> = listOf(Group("structures.ring", listOf(RingContender.SINGLE, RingContender.BULK100)
    .map { name -> { workspace: Workspace -> StreamLane(workspace, ringSetting(name)) } }))

private fun ringSetting(name: String) =
    Setting(contender(name), Policy.BACKOFF, ELEMENT_BYTES, RING_BYTES, label = name)

fun ringRatios(report: Report): Map<String, Double> = buildMap {
    fun rate(name: String) = report["structures.ring"].firstOrNull { it.label == name }?.median("rate")

    val single = rate(RingContender.SINGLE)
    val bulk = rate(RingContender.BULK100)
    if (single != null && bulk != null) {
        put("ring.single.nanos", 1e9 / single)
        put("ring.bulk100.nanos", 1e9 / bulk)
        put("ring.bulk100.vsSingle", bulk / single)
    }
}
