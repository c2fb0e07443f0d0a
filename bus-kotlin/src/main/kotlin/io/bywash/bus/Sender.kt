package io.bywash.bus

import io.bywash.engine.Claim
import kotlin.time.Duration
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

/**
 * Sends the messages of a queue. [Bus.sender] takes one.
 *
 * A sender is used by one coroutine at a time, in any thread; another one gets an [IllegalStateException]. [shared]
 * lets many coroutines use it. After [close], or after the bus was closed, operations throw [BusClosedException], as do
 * those that are waiting; after [revoke] they throw [io.bywash.engine.SegmentClosedException].
 */
public class Sender<in T : Any> internal constructor(
    private val queue: Queue<T>,
    private val role: SendingRole,
    internal val guard: UsageGuard,
    /** A bus, or what else it is taken from, is in use as long as its senders are. */
    private val keeper: Any,
) : AutoCloseable {
    private val writer = MessageWriter()

    /** The last claim. It is still open if a stack overflow kept it from being closed. */
    private var claim: Claim? = null

    /**
     * Sends a value. When this returns, the message is in shared memory, where every receiver sees it in order, and it
     * stays there even if this process is killed. Suspends, without holding a thread, while there is no room: because
     * a receiver that must get every message is too far behind, or because a work queue or a ring is full. It does not
     * wait for receivers that are proven dead.
     *
     * Cancellation ends the wait at once. If this throws, nothing was sent. If it returns, the value was sent, even if
     * the coroutine was cancelled meanwhile.
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
     * As [send], but waits for room for [timeout] at most. Returns false, and sends nothing, when there was none in
     * that time. Unlike `withTimeout` around [send], it leaves no doubt whether the value was sent.
     */
    public suspend fun sendWithin(timeout: Duration, value: T): Boolean {
        currentCoroutineContext().ensureActive()
        val draft = prepare(value)
        return guard.retry(timeout.inWholeNanoseconds) { write(value, draft) }
    }

    /** Sends a value if there is room now, without suspending. The result is a success, full, or closed. */
    public fun trySend(value: T): BusResult<Unit> {
        if (guard.isClosed) {
            return BusResult.CLOSED
        }
        val draft = prepare(value)
        return BusResult(
            guard.unlessClosed(BusResult.CLOSED.content) {
                (if (sendNow(value, draft)) BusResult.SENT else BusResult.FULL).content
            },
        )
    }

    /**
     * Sends values as [send] does, but makes several visible at a time, which costs less than one by one. Whenever
     * there is no room, all values before are made visible. If this throws or is cancelled, the first values may have
     * been sent; in a topic as many as [nextSequence] has grown by.
     */
    public suspend fun sendAll(values: Iterable<T>) {
        currentCoroutineContext().ensureActive()
        val list = values as? List<T> ?: values.toList()
        val inBulk = guard.use { role.sendBulk(list) }
        if (inBulk == null) sendStaged(list) else sendRest(list, inBulk)
    }

    private suspend fun sendRest(values: List<T>, sentBefore: Int) {
        var sent = sentBefore
        while (sent < values.size) {
            guard.retry(UsageGuard.FOREVER) {
                val before = sent
                sent += role.sendBulk(values.subList(sent, values.size)) ?: 0
                sent > before
            }
        }
    }

    private suspend fun sendStaged(values: List<T>) {
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
     * no room. If [write] throws, nothing is sent, and this throws the same exception. In a work queue another sender
     * may use the room first; then [write] runs again in other room.
     *
     * @param length in bytes, 1 to the largest message of the queue
     * @param type the type that travels with the message, see [Codec.Draft.type]
     * @throws IllegalArgumentException when [length] is out of range
     */
    public suspend fun claim(length: Int, type: Int = 0, write: MessageWriter.() -> Unit) {
        currentCoroutineContext().ensureActive()
        guard.retry(UsageGuard.FOREVER) { fill(length, type, false) { guard.foreign { writer.write() } } }
    }

    private fun write(value: T, draft: Codec.Draft<T>, staged: Boolean = false): Boolean =
        fill(draft.length(value), draft.type(value), staged) { guard.foreign { draft.write(value, writer) } }

    private inline fun fill(length: Int, type: Int, staged: Boolean, write: () -> Unit): Boolean {
        claim?.close()
        val room = role.tryClaim(length, type) ?: return false
        claim = room
        writer.claim = room
        try {
            write()
            return role.trySend(room, staged)
        } finally {
            writer.claim = null
            room.close() // aborts what was not sent
        }
    }

    /** Over when [value] can be sent, or this sender cannot be used. */
    internal fun whenReady(select: Any, value: T): Readiness {
        val draft = prepare(value)
        return guard.whenSuccessful(select) { hasRoom(draft.length(value), draft.type(value)) }
    }

    /** Room that was there once stays, unless somebody else sends. */
    private fun hasRoom(length: Int, type: Int): Boolean {
        claim?.close()
        return role.tryClaim(length, type)?.let {
            it.abort()
            true
        } ?: false
    }

    /**
     * The same sender for many coroutines, which take turns. Call this only once, and no longer use this object itself:
     * the two would not take turns with each other. Closing either closes both.
     */
    public fun shared(): SharedSender<T> = SharedSender(this)

    /**
     * Suspends until at least [count] living receivers have joined, in any processes. Returns false when there were
     * fewer within [timeout]. A receiver gets the messages that are sent after it has joined; earlier ones only if it
     * asks for them.
     *
     * @param count 0 to the number of receivers that the queue has room for
     * @throws UnsupportedOperationException when the queue is no topic
     */
    public suspend fun awaitReceivers(count: Int, timeout: Duration): Boolean {
        currentCoroutineContext().ensureActive()
        val present = guard.use { role.receiversPresent(count) } ?: throw noneAwaited()
        return guard.retry(timeout.inWholeNanoseconds, present) { receiverCountNow() >= count }
    }

    private fun receiverCountNow() = role.receiverCount() ?: throw noneAwaited()

    private fun noneAwaited() =
        UnsupportedOperationException("the messages of queue \"${queue.name}\" wait for whoever comes: await nobody")

    /**
     * How many living receivers the queue has now, in all processes. Any thread may read this.
     *
     * @throws UnsupportedOperationException when the queue is no topic
     */
    public val receiverCount: Int
        get() = guard.aside { receiverCountNow() }

    /** The sequence of the next message. May be read at any time, even after [close]; -1 where many send at a time. */
    public val nextSequence: Long
        get() = role.nextSequence

    /**
     * Labels this sender for people who inspect the segment. Any thread may change the label at any time.
     *
     * @param text up to 32 bytes in UTF-8, without control characters; empty for none
     */
    public fun label(text: String) {
        guard.aside { role.label(text) }
    }

    /**
     * Takes the role away from its user at once, see [io.bywash.engine.Revocable.revoke]. Any thread may call this. A
     * message that is being written is not sent, and nobody else can send until the code that writes it has returned.
     */
    public fun revoke() {
        guard.revoke()
    }

    /** Whether the role was given back, so that somebody else can take it. Any thread may read this. */
    public val isGivenBack: Boolean
        get() = role.revocable.isGivenBack

    /**
     * Gives the role back; what was sent stays. Any thread may call this at any time; calling it again does nothing. An
     * operation that waits in another coroutine throws a [BusClosedException], and has sent nothing.
     */
    override fun close() {
        guard.close()
    }

    /** For example `Sender("ticks")`. */
    override fun toString(): String = "Sender(\"${queue.name}\")"
}
