package io.bywash.bus

/**
 * The typed name of a queue: what senders and receivers ask a [Bus] for. A plain value that may be declared anywhere,
 * also at top level, and be used in any number of topologies.
 *
 * @property name of the entry in the segment; unique there
 * @property codec the format of its messages
 */
public class Queue<T : Any>(public val name: String, public val codec: Codec<T>) {
    /** For example `Queue("ticks", TickCodec)`. */
    override fun toString(): String = "Queue(\"$name\", $codec)"
}
