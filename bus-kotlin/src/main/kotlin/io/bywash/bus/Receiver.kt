package io.bywash.bus

import io.bywash.engine.Message
import io.bywash.engine.MessageHandler
import kotlin.time.Duration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map

/** When a receiver comes to its end. */
public enum class Until {
    /** When it is closed in this process. A sender that goes may be followed by another one. */
    Closed,

    /**
     * When the sender has closed, or is proven dead, and all its messages were received; or when it is closed. It has
     * to be there first: the end of a sender that was gone before this receiver joined, and of which it has received
     * nothing, does not count.
     */
    SenderGone,
}

/**
 * Receives the messages of a queue, taken with [Bus.receiver].
 *
 * Used by one coroutine at a time, in any thread; another one gets an [IllegalStateException]. After [close], or after
 * the bus was closed, loops and flows end, and other operations throw [BusClosedException], also those that wait; after
 * [revoke] all of them throw [io.bywash.engine.SegmentClosedException].
 *
 * A message is taken from the queue only by a coroutine that runs, after it was resumed. So cancellation, which ends
 * any waiting here at once, never loses one: what throws because of it has taken nothing.
 *
 * @sample io.bywash.bus.samples.loopUntilTheSenderHasGone
 */
public class Receiver<out T : Any> internal constructor(
    private val queue: Queue<T>,
    private val role: ReceivingRole,
    internal val guard: UsageGuard,
    private val onLost: (Long) -> Unit,
    /** A bus is in use as long as its receivers are. */
    private val bus: Bus,
) : AutoCloseable {
    /** Taken from the queue, and not yet handed to the user. */
    private var received: T? = null

    /** Of messages that were lost before [received], and that no result has told. */
    private var untoldLost = 0L

    /** Of a message that was taken after others, which were handed to the user first. */
    private var failure: DecodingException? = null

    private val taking = handler { received = decode(it) }

    private fun handler(onMessage: (Message) -> Unit) = object : MessageHandler {
        override fun onMessage(message: Message) = onMessage.invoke(message)

        override fun onLost(messageCount: Long) {
            untoldLost += messageCount
            this@Receiver.onLost.invoke(messageCount)
        }
    }

    private fun decode(message: Message): T =
        try {
            queue.codec.read(message)
        } catch (cancelled: CancellationException) {
            throw cancelled
        } catch (failure: Exception) {
            throw DecodingException(queue.name, message.sequence(), failure)
        }

    // ---- one by one

    /**
     * The next message. Suspends, without holding a thread, while there is none.
     *
     * A `withTimeout` around this may drop a message that comes at the last moment, as around any function that returns
     * something; [receiveWithin] does not.
     *
     * @throws DecodingException when the codec could not read the message; the next call goes on with the next one
     * @throws SenderGoneException when the sender has gone, with [Until.SenderGone]
     * @throws io.bywash.engine.OverrunException when messages were lost, with a receiver that does not tolerate that
     * @throws io.bywash.engine.EvictedException when this receiver was cut off, since it held the sender back too long
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

    /** As [receive], for [timeout] at the most; null when no message came in that time. */
    public suspend fun receiveWithin(timeout: Duration): T? {
        currentCoroutineContext().ensureActive()
        val isOver = awaitMessage(timeout.inWholeNanoseconds)
        return if (received != null) handOver() else if (isOver) throw senderGone() else null
    }

    /** The next message if it is there now, or why there is none: empty, lost, sender gone, or closed. */
    public fun tryReceive(): BusResult<T> = if (guard.isClosed) BusResult.CLOSED else result(guard.use { takeOrEnd() })

    /**
     * As [receive], with the outcome as a value: a message, lost, sender gone, or closed. Other failures are thrown, as
     * there.
     */
    public suspend inline fun receiveResult(): BusResult<T> = BusResult(receiveContent())

    /** What is in a [BusResult]: as a suspending call returns it without a box. */
    @PublishedApi
    internal suspend fun receiveContent(): Any? {
        currentCoroutineContext().ensureActive()
        if (guard.isClosed) {
            return BusResult.CLOSED.content
        }
        if (guard.use { take() }) {
            return result(true).content
        }
        return receiveContentSlowly()
    }

    private suspend fun receiveContentSlowly(): Any? =
        try {
            result(awaitMessage(UsageGuard.FOREVER)).content
        } catch (_: BusClosedException) {
            BusResult.CLOSED.content
        }

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
            failure?.let {
                failure = null
                throw it
            }
            role.poll(taking, 1)
        }
        return received != null
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
     * Messages one after the other, for a `for` loop. It ends when this receiver is closed or, with
     * [Until.SenderGone], when the sender has gone. Leaving it, also between two steps, takes nothing from the queue.
     */
    public operator fun iterator(): Iterator<T> = Iterator(this)

    /** See [Receiver.iterator]. */
    public class Iterator<out T : Any> internal constructor(private val receiver: Receiver<T>) {
        /** Whether there is another message; suspends until that is known. */
        public suspend operator fun hasNext(): Boolean = receiver.hasNext()

        /** The message that [hasNext] has found. */
        public operator fun next(): T = receiver.next()
    }

    private suspend fun hasNext(): Boolean {
        currentCoroutineContext().ensureActive()
        if (guard.isClosed) {
            return false
        }
        if (guard.use { take() }) {
            return true
        }
        return hasNextSlowly()
    }

    private suspend fun hasNextSlowly(): Boolean =
        try {
            awaitMessage(UsageGuard.FOREVER)
            received != null
        } catch (_: BusClosedException) {
            false
        }

    private fun next(): T = if (received != null) handOver() else throw NoSuchElementException("hasNext was not called")

    /**
     * The messages from this receiver's place on. Collecting it again goes on where it stopped, and nothing is lost in
     * between; closing the receiver is its owner's. It completes as a loop over this receiver ends. [Bus.flow] has a
     * receiver of its own for each collector instead.
     */
    public fun asFlow(): Flow<T> = found().map { next() }

    /** Emits whenever there is a message. An emission may throw because of cancellation: so it carries nothing yet. */
    private fun found(): Flow<Unit> = flow {
        while (hasNext()) {
            emit(Unit)
        }
    }

    /**
     * The next messages, at least one and at most [max]. Suspends while there is none. When a message after the first
     * cannot be decoded, those before it are returned, and the next call throws.
     *
     * @param max at least 1
     * @throws SenderGoneException as [receive], which lists the other failures, too
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
                guard.use { role.poll(handler { batch += decode(it) }, max - 1) }
            } catch (undecodable: DecodingException) {
                failure = undecodable
            }
        }
        return batch
    }

    /** The messages in batches, see [receiveBatch]; a flow like [asFlow]. */
    public fun batches(max: Int): Flow<List<T>> = found().map { receiveBatch(max) }

    /**
     * Hands a batch of messages to [handler] in place, without the codec and without copying: the fastest way. Suspends
     * while there is none. A message counts as received even when [handler] throws.
     *
     * @param limit the most messages, at least 1
     * @param handler gets each message in order; it is valid during that call only, and this receiver must not be used
     * there
     * @throws IllegalStateException when a loop or flow was left after it had found a message, which [tryReceive] has
     * @return how many messages were handed over; 0 when the sender has gone, with [Until.SenderGone]
     */
    public suspend fun poll(limit: Int, handler: (Message) -> Unit): Int {
        currentCoroutineContext().ensureActive()
        check(received == null) { "hasNext has taken a message, which cannot be read in place any more" }
        val inPlace = handler(handler)
        var count = 0
        guard.retry(UsageGuard.FOREVER, role.waitable, role.senderGone) {
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

    /** Completes when there is a message, or the end has come. */
    internal fun whenReady(): Job = guard.whenReady(
        role.senderGone,
        { received != null || failure != null || role.waitable.isReady || role.senderGone?.isReady == true },
    )

    // ---- its place in the queue

    /** How many messages were lost since this receiver joined. May be read at any time, also after [close]. */
    public val lostCount: Long
        get() = role.lostCount

    /** The sequence of the next message, unless that is lost. May be read at any time, also after [close]. */
    public val nextSequence: Long
        get() = role.nextSequence - if (received != null) 1 else 0

    /**
     * Says what this receiver is, for people who look at the segment.
     *
     * @param text up to 32 bytes in UTF-8, without control characters; empty for none
     */
    public fun label(text: String) {
        guard.use { role.label(text) }
    }

    /**
     * Takes the role away from its user at once, see [io.bywash.engine.Revocable.revoke]: it holds nobody back any
     * more, even if the handler of a [poll] never returns. Any thread may call it.
     */
    public fun revoke() {
        guard.revoke()
    }

    /** Whether the role was given back: its place is free. Any thread may ask. */
    public val isGivenBack: Boolean
        get() = role.revocable.isGivenBack

    /**
     * Leaves the queue; no sender waits for it any more. Any thread may call it at any time, once is enough: loops and
     * flows in other coroutines end, and an operation that waits throws a [BusClosedException].
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
