package io.bywash.samples.bench

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import io.bywash.engine.record.Length
import io.bywash.engine.record.RecordHandler
import io.bywash.engine.record.Records
import io.bywash.engine.wait.WaitPolicy
import java.lang.invoke.MethodHandles
import java.util.concurrent.TimeUnit

private const val QUEUE = "queue"
private const val WAIT_NANOS = 1_000_000_000L
private val PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20)

/** Eight numbers, as the words of a message of 64 bytes. */
@JvmRecord
data class Words(
    val first: Long,
    val b: Long,
    val c: Long,
    val d: Long,
    val e: Long,
    val f: Long,
    val g: Long,
    val h: Long,
) {
    fun sum() = first + b + c + d + e + f + g + h
}

/** A number and an array, as a message of 256 bytes. */
@JvmRecord
@Suppress("ArrayInDataClass") // never compared
data class Bulk(val first: Long, @Length(31) val rest: LongArray)

private val WORDS = Records.of(MethodHandles.lookup(), Words::class.java)
private val BULKS = Records.of(MethodHandles.lookup(), Bulk::class.java)
private val REST = Payload.WORD_TEMPLATE.drop(1).toLongArray()

/** Bywash's broadcast queue with records for messages. */
class RecordContender : Contender("bywash.typed", WaitPolicy.entries.map { Policy.valueOf(it.name) }) {
    override val sizes get() = setOf(Long.SIZE_BYTES * 8, Long.SIZE_BYTES * 32)

    private fun waiting(policy: Policy) = WaitPolicy.valueOf(policy.name)

    override fun writer(channel: Channel, policy: Policy): Writer {
        val records = if (Payload.IN_WORDS) WORDS else BULKS
        val spec = SegmentSpec.of(records.declare(Broadcast.spec(QUEUE, channel.ringBytes)))
        val segment = Segment.open(channel.file, spec)
        val publisher = Publisher.open(segment.directory().find(QUEUE, Kind.BROADCAST), waiting(policy))
        return if (Payload.IN_WORDS) OfWords(channel, segment, publisher) else OfBulks(channel, segment, publisher)
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

    private class OfWords(channel: Channel, segment: Segment, publisher: Publisher) :
        Publishing(channel, segment, publisher) {
        override fun send(first: Long) {
            val words = Words(
                first, Payload.word(first, 1), Payload.word(first, 2), Payload.word(first, 3), Payload.word(first, 4),
                Payload.word(first, 5), Payload.word(first, 6), Payload.word(first, 7),
            )
            while (!publisher.offer(WORDS, words, WAIT_NANOS)) { // if a method got it, each would be made on the heap
                Thread.onSpinWait()
            }
        }
    }

    private class OfBulks(channel: Channel, segment: Segment, publisher: Publisher) :
        Publishing(channel, segment, publisher) {
        override fun send(first: Long) {
            val bulk = Bulk(first, REST)
            while (!publisher.offer(BULKS, bulk, WAIT_NANOS)) {
                Thread.onSpinWait()
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val segment = Segment.attach(channel.file, PATIENCE_NANOS)
        val entry = segment.directory().find(QUEUE, Kind.BROADCAST)
        return Subscribing(segment, Subscriber.open(entry, SubscriberOptions.block().waiting(waiting(policy))))
    }

    private class Subscribing(private val segment: Segment, private val subscriber: Subscriber) : Reader() {
        private val takeWords = RecordHandler<Words> { take(it.first, it.sum()) }
        private val takeBulk = RecordHandler<Bulk> { take(it.first, it.first + it.rest.sum()) }

        override val lost get() = subscriber.lostCount()

        override fun receive(limit: Int) = if (Payload.IN_WORDS) {
            subscriber.poll(WORDS, takeWords, limit, WAIT_NANOS)
        } else {
            subscriber.poll(BULKS, takeBulk, limit, WAIT_NANOS)
        }

        override fun close() {
            subscriber.close()
            segment.close()
        }
    }
}
