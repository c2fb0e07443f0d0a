package io.bywash.bus

import io.bywash.engine.Entry
import io.bywash.engine.Kind
import io.bywash.engine.Message
import io.bywash.engine.Segment
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.flow.Flow

/**
 * The typed name of an entry of a segment: a plain value, which may be declared anywhere, even at top level, and used
 * in any number of topologies.
 *
 * @property name of the entry in the segment; unique there
 */
public abstract class EntryName internal constructor(public val name: String)

/**
 * The typed name of an entry whose values have a format.
 *
 * @property codec the format of its messages or values
 */
public abstract class TypedEntry<T : Any> internal constructor(name: String, public val codec: Codec<T>) :
    EntryName(name) {
    /** The records in the entry; null when its format is another one. */
    internal val records get() = (codec as? RecordCodec<T>)?.records

    /** How many bytes the longest record has; null when the format is another one. */
    internal val longestRecord: Int? get() = codec.longestRecord

    /** The entry, which must not be declared to hold other records. */
    internal fun find(segment: Segment, kind: Kind): Entry =
        segment.directory().find(name, kind).also { records?.check(it) }

    /** The value of a message, or a failure that names both. */
    internal fun decode(message: Message): T =
        try {
            codec.read(message)
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (failure: Exception) {
            throw DecodingException(name, message.sequence(), failure)
        }
}

/** Whether both have records, and these differ, so that messages of one would be misread as those of the other. */
internal fun areOtherRecords(one: TypedEntry<*>, other: TypedEntry<*>): Boolean {
    val fingerprints = listOfNotNull(one.records?.fingerprint(), other.records?.fingerprint())
    return fingerprints.distinct().size > 1
}

/**
 * The typed name of a queue of any kind, with which senders are taken from a [Bus], and routes are declared. Each kind
 * has a class of its own, for example [io.bywash.bus.broadcast.Topic].
 */
public abstract class Queue<T : Any> internal constructor(name: String, codec: Codec<T>) : TypedEntry<T>(name, codec) {
    /** Whether it has one sender at a time. */
    internal abstract val hasOneSender: Boolean

    /** Whether it has one receiver at a time. */
    internal open val hasOneReceiver: Boolean get() = false

    /** Takes the role that sends. */
    internal abstract fun takeSender(segment: Segment): SendingRole

    /** The messages for a route, which is done with each when its emission returns. */
    internal abstract fun messages(bus: Bus): Flow<T>
}

/** The typed name of a queue whose messages are received with [Bus.receiver], and need not be acknowledged. */
public abstract class ReceivedQueue<T : Any> internal constructor(name: String, codec: Codec<T>) :
    Queue<T>(name, codec) {
    /** Takes a role that receives, with the default options of the kind. */
    internal abstract fun takeReceiver(segment: Segment, until: Until): ReceivingRole

    override fun messages(bus: Bus): Flow<T> = bus.flow(this)
}
