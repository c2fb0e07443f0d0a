package io.bywash.samples.bench

import io.bywash.engine.Claim
import io.bywash.engine.Kind
import io.bywash.engine.Message
import io.bywash.engine.MessageHandler
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import io.bywash.engine.wait.WaitPolicy
import java.util.concurrent.TimeUnit

private const val QUEUE = "queue"
private const val BATCH = 16
private const val WAIT_NANOS = 1_000_000_000L
private val PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20)

/** Bywash's broadcast queue, written in one of three ways and read with one of two policies. */
class BywashContender(
    private val writing: Writing,
    private val isGating: Boolean = true,
    override val jvmFlags: List<String> = NATIVE_ACCESS,
    name: String = "bywash." + writing.name.lowercase(),
    private val mostAtOnce: Int = Int.MAX_VALUE,
) : Contender(name, WaitPolicy.entries.map { Policy.valueOf(it.name) }) {
    enum class Writing { CLAIM, BATCH16, OFFER }

    override val isLossless get() = isGating

    private fun waiting(policy: Policy) = WaitPolicy.valueOf(policy.name)

    override fun writer(channel: Channel, policy: Policy): Writer {
        val spec = SegmentSpec.of(Broadcast.spec(QUEUE, channel.ringBytes))
        val segment = Segment.open(channel.file, spec)
        val publisher = Publisher.open(segment.directory().find(QUEUE, Kind.BROADCAST), waiting(policy))
        return when (writing) {
            Writing.CLAIM -> Claiming(channel, segment, publisher)
            Writing.BATCH16 -> Batching(channel, segment, publisher)
            Writing.OFFER -> Offering(channel, segment, publisher)
        }
    }

    private abstract class Publishing(
        private val channel: Channel,
        private val segment: Segment,
        protected val publisher: Publisher,
    ) : Writer() {
        override fun connect() =
            check(publisher.awaitSubscribers(channel.readers, PATIENCE_NANOS)) { "the readers do not come" }

        override fun close() {
            publisher.close()
            segment.close()
        }
    }

    private open class Claiming(channel: Channel, segment: Segment, publisher: Publisher) :
        Publishing(channel, segment, publisher) {
        override fun send(first: Long) = filled(first).commit()

        protected fun filled(first: Long): Claim {
            val claim = claim()
            if (Payload.IN_WORDS) {
                for (i in 0 until Payload.WORDS) {
                    claim.putLong(i * Long.SIZE_BYTES, Payload.word(first, i))
                }
            } else {
                claim.putBytes(0, Payload.TEMPLATE, 0, Payload.SIZE)
                claim.putLong(0, first)
            }
            return claim
        }

        private fun claim(): Claim {
            while (true) {
                return publisher.claim(Payload.SIZE, 0, WAIT_NANOS) ?: continue
            }
        }
    }

    private class Batching(channel: Channel, segment: Segment, publisher: Publisher) :
        Claiming(channel, segment, publisher) {
        private var staged = 0

        override fun send(first: Long) {
            val claim = filled(first)
            if (++staged < BATCH) {
                claim.stage()
            } else {
                claim.commit()
                staged = 0
            }
        }

        override fun flush() {
            publisher.publish()
            staged = 0
        }
    }

    private class Offering(channel: Channel, segment: Segment, publisher: Publisher) :
        Publishing(channel, segment, publisher) {
        private val message = Scratch()

        override fun send(first: Long) {
            message.fill(first)
            while (!publisher.offer(message.bytes, 0, Payload.SIZE, 0, WAIT_NANOS)) {
                Thread.onSpinWait()
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val segment = Segment.attach(channel.file, PATIENCE_NANOS)
        val options = if (isGating) SubscriberOptions.block() else SubscriberOptions.skip()
        val entry = segment.directory().find(QUEUE, Kind.BROADCAST)
        val subscriber = Subscriber.open(entry, options.waiting(waiting(policy)))
        return Subscribing(segment, subscriber, isGating, mostAtOnce)
    }

    private class Subscribing(
        private val segment: Segment,
        private val subscriber: Subscriber,
        private val isGating: Boolean,
        private val mostAtOnce: Int,
    ) : Reader(), MessageHandler {
        override val lost get() = subscriber.lostCount()

        override fun receive(limit: Int) = subscriber.poll(this, minOf(limit, mostAtOnce), WAIT_NANOS)

        override fun onMessage(message: Message) {
            var words = 0L
            for (i in 0 until Payload.WORDS) {
                words += message.getLong(i * Long.SIZE_BYTES)
            }
            val first = message.getLong(0)
            if (isGating) take(first, words) else takeChecked(first, words)
        }

        override fun close() {
            subscriber.close()
            segment.close()
        }
    }
}
