package io.bywash.bus.broadcast

import io.bywash.bus.Bus
import io.bywash.bus.BusBuilder
import io.bywash.bus.BusDsl
import io.bywash.bus.Codec
import io.bywash.bus.Declaration
import io.bywash.bus.Faults
import io.bywash.bus.MiB
import io.bywash.bus.Picture
import io.bywash.bus.Receiver
import io.bywash.bus.ReceivedQueue
import io.bywash.bus.ReceivingRole
import io.bywash.bus.SendingRole
import io.bywash.bus.Size
import io.bywash.bus.Until
import io.bywash.bus.flowOf
import io.bywash.bus.recordCodec
import io.bywash.engine.EntrySpec
import io.bywash.engine.Segment
import io.bywash.engine.broadcast.Broadcast
import kotlinx.coroutines.flow.Flow

/**
 * The typed name of a broadcast queue: one sender at a time, over all processes, and any number of receivers, each of
 * which sees every message.
 *
 * @param name of the entry in the segment; unique there
 * @param codec the format of its messages, which have from 1 byte to an eighth of the ring
 */
public class Topic<T : Any>(name: String, codec: Codec<T>) : ReceivedQueue<T>(name, codec) {
    override val hasOneSender: Boolean get() = true

    override fun takeSender(segment: Segment): SendingRole = PublisherRole.open(this, segment)

    override fun takeReceiver(segment: Segment, until: Until): ReceivingRole =
        SubscriberRole.open(this, segment, ReceiverOptions.block(), until)

    /** For example `Topic("ticks", TickCodec)`. */
    override fun toString(): String = "Topic(\"$name\", $codec)"
}

/** The typed name of a topic of records of one class. */
public inline fun <reified T : Record> Topic(name: String): Topic<T> = Topic(name, recordCodec<T>())

/** Declares a topic of records of one class, and returns its typed name. */
@JvmName("topicOfRecords")
public inline fun <reified T : Record> BusBuilder.topic(
    name: String,
    noinline declare: TopicBuilder.() -> Unit = {},
): Topic<T> = topic(name, recordCodec<T>(), declare)

/** Declares a topic of plain bytes. */
public fun BusBuilder.topic(name: String, declare: TopicBuilder.() -> Unit = {}): Topic<ByteArray> =
    topic(name, Codec.Bytes, declare)

/** Declares a topic whose messages have the format of [codec], and returns its typed name. */
public fun <T : Any> BusBuilder.topic(
    name: String,
    codec: Codec<T>,
    declare: TopicBuilder.() -> Unit = {},
): Topic<T> = Topic(name, codec).also { topic(it, declare) }

/** Declares a topic whose typed name was made elsewhere. */
public fun BusBuilder.topic(topic: Topic<*>, declare: TopicBuilder.() -> Unit = {}) {
    declare(TopicBuilder(topic).apply(declare).build())
}

/** The block of [topic]: settings of one topic. Used by one thread. */
@BusDsl
public class TopicBuilder internal constructor(private val topic: Topic<*>) {
    /**
     * The size of the ring, which holds the messages: 4 KiB to 128 GiB, rounded up to a power of two; 4 MiB by default.
     * A message takes its length and 16 bytes, rounded up to a multiple of 16. The largest message is an eighth of the
     * ring, at most 1 GiB.
     */
    public var ring: Size = 4.MiB

    /** The largest number of receivers at one time, in all processes together, 1 to 1023; 64 by default. */
    public var receivers: Int = Broadcast.DEFAULT_SUBSCRIBERS

    internal fun build(): Declaration = TopicDeclaration(topic, ring, receivers)
}

private class TopicDeclaration(private val topic: Topic<*>, private val ring: Size, private val receivers: Int) :
    Declaration(topic) {
    override val kind: String get() = "topic"
    override val words: Map<String, String> get() = mapOf("ringBytes" to "ring", "subscribers" to "receivers")

    override fun spec(faults: Faults): EntrySpec? = spec(
        faults,
        { Broadcast.spec(topic.name, Broadcast.MIN_RING_BYTES) },
        { Broadcast.spec("any", ring.bytes) },
        { Broadcast.spec("any", Broadcast.MIN_RING_BYTES, receivers) },
    ) { Broadcast.spec(topic.name, ring.bytes, receivers) }

    override fun picture(spec: EntrySpec): Picture =
        Picture(topic.name, "sender", "${Size(spec.capacity)}", "${spec.roleCount - 1} receivers")
}

/**
 * Joins a topic as a receiver with a position of its own.
 *
 * @param options what happens when this receiver is too slow, and where it starts
 * @param until when it ends
 * @param onLost called with the exact number of lost messages before the receiver gets the first one after the gap; in
 * the receiving coroutine, and only with [ReceiverOptions.skip]
 * @throws io.bywash.engine.OverrunException when [options] ask for a sequence that was overwritten, and do not skip
 * @throws io.bywash.engine.BusException as [Bus.receiver], which lists the failures
 */
public fun <T : Any> Bus.receiver(
    topic: Topic<T>,
    options: ReceiverOptions,
    until: Until = Until.Closed,
    onLost: (Long) -> Unit = {},
): Receiver<T> = receiver(topic, onLost) { SubscriberRole.open(topic, segment, options, until) }

/** The messages of a topic as a cold flow, see [Bus.flow]. The parameters are those of [receiver]. */
public fun <T : Any> Bus.flow(
    topic: Topic<T>,
    options: ReceiverOptions,
    until: Until = Until.Closed,
    onLost: (Long) -> Unit = {},
): Flow<T> = flowOf { receiver(topic, options, until, onLost) }
