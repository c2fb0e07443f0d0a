package io.bywash.bus

import io.bywash.engine.Segment

/**
 * The typed name of an entry of a segment: a plain value, which may be declared anywhere, even at top level, and used
 * in any number of topologies.
 *
 * @property name of the entry in the segment; unique there
 */
public abstract class EntryName internal constructor(public val name: String)

/**
 * The typed name of a queue of any kind, with which senders and receivers are taken from a [Bus]. Each kind has a class
 * of its own, for example [io.bywash.bus.broadcast.Topic].
 *
 * @property codec the format of its messages
 */
public abstract class Queue<T : Any> internal constructor(name: String, public val codec: Codec<T>) : EntryName(name) {
    /** Whether it has one sender at a time. */
    internal abstract val hasOneSender: Boolean

    /** Takes the role that sends. */
    internal abstract fun takeSender(segment: Segment): SendingRole

    /** Takes a role that receives, with the default options of the kind. */
    internal abstract fun takeReceiver(segment: Segment, until: Until): ReceivingRole
}
