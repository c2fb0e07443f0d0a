package io.bywash.bus

/**
 * The result of [Sender.trySend], [Receiver.tryReceive] or [Receiver.receiveResult]: a value, or the reason why there
 * is none. It resembles the `ChannelResult` of kotlinx, with the outcomes of a bus. Only a loss allocates an object.
 *
 * Exactly one of [isSuccess], [isEmpty], [isFull], [isLost], [isSenderGone] and [isClosed] is true.
 *
 * @sample io.bywash.bus.samples.everyOutcomeOfTryReceive
 */
@JvmInline
public value class BusResult<out T> @PublishedApi internal constructor(internal val content: Any?) {
    /** The message was sent, or received. */
    public val isSuccess: Boolean get() = content !is NoValue

    /** There is no message now. */
    public val isEmpty: Boolean get() = content === NoValue.Empty

    /** There is no room now; nothing was sent. */
    public val isFull: Boolean get() = content === NoValue.Full

    /** [lostCount] messages were lost; the next call returns the first one after the gap. */
    public val isLost: Boolean get() = content is NoValue.Lost

    /** The sender has gone, and all its messages were received. Only with [Until.SenderGone]. */
    public val isSenderGone: Boolean get() = content === NoValue.SenderGone

    /** The sender, the receiver or the bus was closed in this process. */
    public val isClosed: Boolean get() = content === NoValue.Closed

    /** How many messages were lost; 0 unless [isLost]. */
    public val lostCount: Long get() = (content as? NoValue.Lost)?.count ?: 0

    /** The value; null unless [isSuccess]. */
    @Suppress("UNCHECKED_CAST")
    public fun getOrNull(): T? = if (isSuccess) content as T else null

    /**
     * The value.
     *
     * @throws BusClosedException when [isClosed]
     * @throws SenderGoneException when [isSenderGone]
     * @throws IllegalStateException when there is no value for another reason
     */
    @Suppress("UNCHECKED_CAST")
    public fun getOrThrow(): T = when {
        isSuccess -> content as T
        isClosed -> throw BusClosedException("closed in this process")
        isSenderGone -> throw SenderGoneException("the sender has gone, and all its messages were received")
        else -> error("there is no value: $content")
    }

    /** For example `Success(7)`, `Empty` or `Lost(3)`. */
    override fun toString(): String = if (isSuccess) "Success($content)" else content.toString()

    internal companion object {
        val SENT: BusResult<Unit> = BusResult(Unit)
        val FULL: BusResult<Nothing> = BusResult(NoValue.Full)
        val EMPTY: BusResult<Nothing> = BusResult(NoValue.Empty)
        val CLOSED: BusResult<Nothing> = BusResult(NoValue.Closed)
        val SENDER_GONE: BusResult<Nothing> = BusResult(NoValue.SenderGone)

        fun lost(count: Long): BusResult<Nothing> = BusResult(NoValue.Lost(count))
    }

    private sealed interface NoValue {
        data object Empty : NoValue

        data object Full : NoValue

        data object SenderGone : NoValue

        data object Closed : NoValue

        class Lost(val count: Long) : NoValue {
            override fun toString(): String = "Lost($count)"
        }
    }
}
