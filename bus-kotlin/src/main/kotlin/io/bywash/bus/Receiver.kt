package io.bywash.bus

import io.bywash.engine.Message
import io.bywash.engine.MessageHandler
import kotlin.time.Duration
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map

/** When a receiver ends. */
public enum class Until {
    /** When it is closed in this process. A sender that has gone may be followed by another one. */
    Closed,

    /**
     * When the sender has closed or is proven dead, and all its messages were received; or when the receiver is closed
     * in this process. A sender that had gone before this receiver joined does not count, unless the receiver got a
     * message of it.
     */
    SenderGone,
}

/**
 * Receives the messages of a queue. [Bus.receiver] takes one.
 *
 * A receiver is used by one coroutine at a time, in any thread; another one gets an [IllegalStateException]. After
 * [close], or after the bus was closed, loops and flows end, and other operations throw [BusClosedException], as do
 * those that are waiting; after [revoke] all of them throw [io.bywash.engine.SegmentClosedException].
 *
 * Cancellation ends every wait here at once, and never loses a message. A message is taken from the queue only after
 * the coroutine was resumed, so an operation that throws because of cancellation has taken none.
 *
 * @sample io.bywash.bus.samples.loopUntilTheSenderHasGone
 */
public class Receiver<out T : Any> internal constructor(
    private val queue: ReceivedQueue<T>,
    private val role: ReceivingRole,
    internal val guard: UsageGuard,
    private val onLost: (Long) -> Unit,
    /** A bus, or what else it is taken from, is in use as long as its receivers are. */
    private val keeper: Any,
) : AutoCloseable {
    /** Taken from the queue, and not yet handed to the user. */
    private var received: T? = null

    /** Of messages that were lost before [received], and that no result has told. */
    private var untoldLost = 0L

    /** What ended a batch after its first message; the next operation throws it. */
    private var failure: Throwable? = null

    private val taking = Taking { received = it }

    /** Takes what a role finds; the values are of this queue. */
    @Suppress("UNCHECKED_CAST")
    private inner class Taking(private val take: (T) -> Unit) : ValueHandler() {
        override fun onMessage(message: Message) = take(decode(message))

        override fun onValue(value: Any) = take(value as T)

        override fun onLost(messageCount: Long) = lost(messageCount)
    }

    private inner class InPlace(private val take: (Message) -> Unit) : MessageHandler {
        override fun onMessage(message: Message) {
            untoldLost = 0 // it was lost before this message, which no result tells
            guard.foreign { take(message) }
        }

        override fun onLost(messageCount: Long) = lost(messageCount)
    }

    private fun lost(count: Long) {
        untoldLost += count
        guard.foreign { onLost.invoke(count) }
    }

    private fun decode(message: Message): T = queue.decode(message)

    // ---- one by one

    /**
     * The next message. Suspends, without holding a thread, while there is none.
     *
     * `withTimeout` around this may drop a message that comes at the last moment, as it may drop the result of any
     * function; [receiveWithin] does not.
     *
     * @throws DecodingException when the codec could not read the message; the next call returns the next one
     * @throws SenderGoneException when the sender has gone, with [Until.SenderGone]
     * @throws io.bywash.engine.OverrunException when messages were lost and this receiver's options do not allow that
     * @throws io.bywash.engine.EvictedException when this receiver was evicted because it held the sender back too long
     * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no sender writes
     */
    public suspend fun receive(): T {
        currentCoroutineContext().ensureActive()
        if (guard.use { take() }) {
            return handOver()
        }
        return receiveSlowly()
    }

    private suspend fun receiveSlowly(): T {
        awaitMessage(UsageGuard.FOREVER)
        return if (received != null) handOver() else throw senderGone()
    }

    /** As [receive], but waits for [timeout] at most. Returns null when no message came in that time. */
    public suspend fun receiveWithin(timeout: Duration): T? {
        currentCoroutineContext().ensureActive()
        val isOver = awaitMessage(timeout.inWholeNanoseconds)
        return if (received != null) handOver() else if (isOver) throw senderGone() else null
    }

    /**
     * The next message if there is one now, or why there is none: empty, lost, sender gone, or closed. Other failures
     * are thrown, as by [receive].
     */
    public fun tryReceive(): BusResult<T> {
        if (guard.isClosed) {
            return BusResult.CLOSED
        }
        return BusResult(guard.unlessClosed(BusResult.CLOSED.content) { result(guard.use { takeOrEnd() }).content })
    }

    /**
     * As [receive], but returns the outcome as a value: a message, lost, sender gone, or closed. Other failures are
     * thrown.
     */
    public suspend inline fun receiveResult(): BusResult<T> = BusResult(receiveContent())

    /** What is in a [BusResult]: as a suspending call returns it without a box. */
    @PublishedApi
    internal suspend fun receiveContent(): Any? {
        currentCoroutineContext().ensureActive()
        if (guard.isClosed) {
            return BusResult.CLOSED.content
        }
        if (takenNow()) {
            return result(true).content
        }
        return receiveContentSlowly()
    }

    private suspend fun receiveContentSlowly(): Any? =
        guard.unlessClosed(BusResult.CLOSED.content) { result(awaitMessage(UsageGuard.FOREVER)).content }

    private fun result(isOver: Boolean): BusResult<T> = when {
        untoldLost > 0 -> BusResult.lost(untoldLost).also { untoldLost = 0 }
        received != null -> BusResult(handOver())
        isOver -> BusResult.SENDER_GONE
        else -> BusResult.EMPTY
    }

    private fun handOver(): T {
        val value = received!!
        received = null
        untoldLost = 0
        return value
    }

    /** Takes a message from the queue unless that was done before; false when there is none. */
    private fun take(): Boolean {
        if (received == null) {
            throwFailure()
            role.poll(taking, 1)
        }
        return received != null
    }

    /** As [take]; also false when this was closed just now, which the next operation finds. */
    private fun takenNow(): Boolean = guard.unlessClosed(false) { guard.use { take() } }

    private fun throwFailure() {
        failure?.let {
            failure = null
            throw it
        }
    }

    /** As [take]; also true when there will be none, since the sender has gone. */
    private fun takeOrEnd(): Boolean = take() || role.senderGone?.isReady == true && !take() || received != null

    /** Waits for [takeOrEnd]; false after [nanos] without. */
    private suspend fun awaitMessage(nanos: Long): Boolean =
        guard.retry(nanos, role.waitable, role.senderGone) { takeOrEnd() }

    private fun senderGone() =
        SenderGoneException("The sender of queue \"${queue.name}\" has gone, and all its messages were received.")

    // ---- many

    /**
     * The messages one after another, for a `for` loop. The loop ends when this receiver is closed or, with
     * [Until.SenderGone], when the sender has gone. Otherwise it throws what [receive] throws. Leaving the loop loses
     * no message.
     */
    public operator fun iterator(): Iterator<T> = Iterator(this)

    /** See [Receiver.iterator]. */
    public class Iterator<out T : Any> internal constructor(private val receiver: Receiver<T>) {
        /** Suspends until there is another message; false when the loop ends. */
        public suspend operator fun hasNext(): Boolean = receiver.hasNext()

        /** The message that [hasNext] has found. */
        public operator fun next(): T = receiver.next()
    }

    private suspend fun hasNext(): Boolean {
        currentCoroutineContext().ensureActive()
        if (guard.isClosed) {
            return false
        }
        if (takenNow()) {
            return true
        }
        return hasNextSlowly()
    }

    private suspend fun hasNextSlowly(): Boolean = guard.unlessClosed(false) {
        awaitMessage(UsageGuard.FOREVER)
        received != null
    }

    private fun next(): T = if (received != null) handOver() else throw NoSuchElementException("hasNext was not called")

    /**
     * The messages that this receiver has not handed out yet, as a flow. Collecting it again continues where the last
     * collector stopped, and loses nothing in between. The flow completes when a loop over this receiver would end. It
     * does not close the receiver. [Bus.flow], in contrast, takes a receiver for each collector.
     */
    public fun asFlow(): Flow<T> = found().map { next() }

    /** Emits whenever there is a message. An emission may throw because of cancellation: so it carries nothing yet. */
    private fun found(): Flow<Unit> = flow {
        while (hasNext()) {
            emit(Unit)
        }
    }

    /**
     * The next messages, at least one and at most [max]. Suspends while there is none. If anything fails after the
     * first message, this returns those before, and the next operation throws: when a message cannot be decoded, when
     * messages were lost, or when this receiver was evicted, for example.
     *
     * @param max at least 1
     * @throws SenderGoneException as [receive], which also lists the other failures
     */
    public suspend fun receiveBatch(max: Int): List<T> {
        require(max >= 1) { "max=$max must be at least 1" }
        currentCoroutineContext().ensureActive()
        awaitMessage(UsageGuard.FOREVER)
        if (received == null) {
            throw senderGone()
        }
        val batch = ArrayList<T>(minOf(max, INITIAL_BATCH))
        batch += handOver()
        if (max > 1) {
            try {
                guard.use {
                    role.poll(
                        Taking {
                            untoldLost = 0 // as in place
                            batch += it
                        },
                        max - 1,
                    )
                }
            } catch (thrown: Throwable) { // these were received, and nobody gets them again
                failure = thrown
            }
        }
        return batch
    }

    /** The messages in batches of at most [max], see [receiveBatch]; otherwise like [asFlow]. */
    public fun batches(max: Int): Flow<List<T>> = found().map { receiveBatch(max) }

    /**
     * Hands a batch of messages to [handler], without the codec. This is the fastest way to receive. Suspends while
     * there is no message. A message counts as received even when [handler] throws.
     *
     * @param limit the largest number of messages, at least 1
     * @param handler gets each message in order. The message is valid only during that call, in which this receiver
     * must not be used
     * @throws IllegalStateException when a loop or flow was left after it had found a message; [tryReceive] returns
     * that one
     * @throws UnsupportedOperationException when the queue is a ring, whose records are never seen in place
     * @return how many messages were handed over; 0 when the sender has gone, with [Until.SenderGone]
     */
    public suspend fun poll(limit: Int, handler: (Message) -> Unit): Int {
        currentCoroutineContext().ensureActive()
        check(received == null) { "hasNext has taken a message, which cannot be read in place any more" }
        val inPlace = InPlace(handler)
        var count = 0
        guard.retry(UsageGuard.FOREVER, role.waitable, role.senderGone) {
            throwFailure()
            count = role.poll(inPlace, limit)
            if (count == 0 && role.senderGone?.isReady == true) {
                count = role.poll(inPlace, limit)
                true
            } else {
                count > 0
            }
        }
        return count
    }

    /** Over when there is a message, or the end has come. */
    internal fun whenReady(): Readiness = guard.whenReady(
        role.senderGone,
        { received != null || failure != null || role.waitable.isReady || role.senderGone?.isReady == true },
    )

    // ---- its place in the queue

    /** How many messages this receiver has lost since it joined. May be read at any time, even after [close]. */
    public val lostCount: Long
        get() = role.lostCount

    /** The sequence of the next message, unless that is lost. May be read at any time, even after [close]. */
    public val nextSequence: Long
        get() = role.nextSequence - if (received != null) 1 else 0

    /**
     * Labels this receiver for people who inspect the segment. Any thread may change the label at any time.
     *
     * @param text up to 32 bytes in UTF-8, without control characters; empty for none
     */
    public fun label(text: String) {
        guard.aside { role.label(text) }
    }

    /**
     * Takes the role away from its user at once, see [io.bywash.engine.Revocable.revoke]. From then on it holds nobody
     * back, even if the handler of a [poll] never returns. Any thread may call this.
     */
    public fun revoke() {
        guard.revoke()
    }

    /** Whether the role was given back, so that its place is free. Any thread may read this. */
    public val isGivenBack: Boolean
        get() = role.revocable.isGivenBack

    /**
     * Leaves the queue: no sender waits for this receiver any more. Any thread may call this at any time; calling it
     * again does nothing. Loops and flows in other coroutines end, and an operation that waits throws a
     * [BusClosedException].
     */
    override fun close() {
        guard.close()
    }

    /** For example `Receiver("ticks")`. */
    override fun toString(): String = "Receiver(\"${queue.name}\")"

    private companion object {
        const val INITIAL_BATCH = 64
    }
}
