package io.bywash.bus

import io.bywash.engine.Claim
import kotlin.time.Duration
import kotlinx.coroutines.Job
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

/**
 * Sends the messages of a queue, taken with [Bus.sender].
 *
 * Used by one coroutine at a time, in any thread; another one gets an [IllegalStateException]. [shared] lets many use
 * it. After [close], or after the bus was closed, operations throw [BusClosedException], also those that wait; after
 * [revoke] they throw [io.bywash.engine.SegmentClosedException].
 */
public class Sender<in T : Any> internal constructor(
    private val queue: Queue<T>,
    private val role: SendingRole,
    internal val guard: UsageGuard,
    /** A bus is in use as long as its senders are. */
    private val bus: Bus,
) : AutoCloseable {
    private val writer = MessageWriter()

    /** The last claim. It is still open if a stack overflow kept it from being closed. */
    private var claim: Claim? = null

    /**
     * Sends a value: when this returns, it is in shared memory, in order, for every receiver to see, and stays there
     * even if this process is killed. Suspends, without holding a thread, while there is no room, since a receiver that
     * has to get every message is too far behind. One that is proven dead is not waited for.
     *
     * Cancellation ends it at once. If this throws, nothing was sent; if this returns, the value was sent, even if the
     * coroutine was cancelled meanwhile.
     *
     * @throws IllegalArgumentException when the message is longer than the queue allows
     */
    public suspend fun send(value: T) {
        currentCoroutineContext().ensureActive()
        val draft = prepare(value)
        if (!sendNow(value, draft)) {
            return sendSlowly(value, draft)
        }
    }

    internal fun prepare(value: T): Codec.Draft<@UnsafeVariance T> = queue.codec.prepare(value)

    internal fun sendNow(value: T, draft: Codec.Draft<@UnsafeVariance T>): Boolean = guard.use { write(value, draft) }

    internal suspend fun sendSlowly(value: T, draft: Codec.Draft<@UnsafeVariance T>) {
        guard.retry(UsageGuard.FOREVER) { write(value, draft) }
    }

    /**
     * As [send], for [timeout] at the most; false when there was no room in that time, and nothing was sent. Unlike a
     * `withTimeout` around [send] it leaves no doubt which of the two it was.
     */
    public suspend fun sendWithin(timeout: Duration, value: T): Boolean {
        currentCoroutineContext().ensureActive()
        val draft = prepare(value)
        return guard.retry(timeout.inWholeNanoseconds) { write(value, draft) }
    }

    /** Sends a value if there is room now: the result is a success, full, or closed. */
    public fun trySend(value: T): BusResult<Unit> {
        if (guard.isClosed) {
            return BusResult.CLOSED
        }
        val draft = prepare(value)
        return if (sendNow(value, draft)) BusResult.SENT else BusResult.FULL
    }

    /**
     * Sends values as [send] does, but lets receivers see several at a time, which costs less than one by one. When
     * there is no room, they see all those before. If this throws, or is cancelled, some of the first values were sent:
     * as many as [nextSequence] has moved.
     */
    public suspend fun sendAll(values: Iterable<T>) {
        currentCoroutineContext().ensureActive()
        try {
            for (value in values) {
                val draft = prepare(value)
                if (!guard.use { write(value, draft, staged = true) }) {
                    guard.retry(UsageGuard.FOREVER) { write(value, draft, staged = true) }
                }
            }
        } catch (failure: Throwable) {
            runCatching { guard.use { role.publish() } }
            throw failure
        }
        guard.use { role.publish() }
    }

    /**
     * Sends a message of exactly [length] bytes that [write] fills in place, without the codec. Suspends while there is
     * no room. Nothing is sent when [write] throws.
     *
     * @param type travels with the message, see [Codec.Draft.type]
     */
    public suspend fun claim(length: Int, type: Int = 0, write: MessageWriter.() -> Unit) {
        currentCoroutineContext().ensureActive()
        guard.retry(UsageGuard.FOREVER) { fill(length, type, false) { writer.write() } }
    }

    private fun write(value: T, draft: Codec.Draft<T>, staged: Boolean = false): Boolean =
        fill(draft.length(value), draft.type(value), staged) { draft.write(value, writer) }

    private inline fun fill(length: Int, type: Int, staged: Boolean, write: () -> Unit): Boolean {
        claim?.close()
        val room = role.tryClaim(length, type) ?: return false
        claim = room
        writer.claim = room
        try {
            write()
            if (staged) room.stage() else room.commit()
        } finally {
            writer.claim = null
            room.close() // aborts what was not committed
        }
        return true
    }

    /** Completes when [value] can be sent, or this sender cannot be used. */
    internal fun whenReady(value: T): Job {
        val draft = prepare(value)
        val hasRoom = { hasRoom(draft.length(value), draft.type(value)) }
        return guard.whenReady(null, hasRoom, hasRoom)
    }

    /** Room that was there once stays, since nobody else sends. */
    private fun hasRoom(length: Int, type: Int): Boolean {
        claim?.close()
        return role.tryClaim(length, type)?.let {
            it.abort()
            true
        } ?: false
    }

    /**
     * The same sender for many coroutines, which take turns. Use this one no more, nor take a second shared one: they
     * would not know of each other. Closing either closes both.
     */
    public fun shared(): SharedSender<T> = SharedSender(this)

    /**
     * Suspends until at least [count] receivers that live have joined, in whatever process; false when there were fewer
     * for [timeout]. Messages are kept for those who have joined; later ones get them only if they ask for old
     * messages.
     *
     * @param count 0 up to the number of receivers that the queue has room for
     */
    public suspend fun awaitReceivers(count: Int, timeout: Duration): Boolean {
        currentCoroutineContext().ensureActive()
        val present = guard.use { role.receiversPresent(count) }
        return guard.retry(timeout.inWholeNanoseconds, present) { role.receiverCount() >= count }
    }

    /** How many receivers that live have joined now, in all processes. */
    public val receiverCount: Int
        get() = guard.use { role.receiverCount() }

    /** The sequence that the next message gets. May be read at any time, also after [close]. */
    public val nextSequence: Long
        get() = role.nextSequence

    /**
     * Says what this sender is, for people who look at the segment.
     *
     * @param text up to 32 bytes in UTF-8, without control characters; empty for none
     */
    public fun label(text: String) {
        guard.use { role.label(text) }
    }

    /**
     * Takes the role away from its user at once, see [io.bywash.engine.Revocable.revoke]. Any thread may call it. What
     * is being written is not sent, and nobody else can send until the code that writes it has returned.
     */
    public fun revoke() {
        guard.revoke()
    }

    /** Whether the role was given back, so that another can take it. Any thread may ask. */
    public val isGivenBack: Boolean
        get() = role.revocable.isGivenBack

    /**
     * Gives the role back; what was sent stays. Any thread may call it at any time, once is enough: an operation that
     * waits in another coroutine ends with a [BusClosedException], and has sent nothing.
     */
    override fun close() {
        guard.close()
    }

    /** For example `Sender("ticks")`. */
    override fun toString(): String = "Sender(\"${queue.name}\")"
}
