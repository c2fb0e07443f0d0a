package io.bywash.bus

import io.bywash.engine.Claim
import io.bywash.engine.broadcast.Publisher
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive

/**
 * The writer of a queue, taken with [Bus.sender]. A broadcast has one at a time, over all processes.
 *
 * Used by one coroutine at a time, in any thread; a second one gets an [IllegalStateException]. After [close], or after
 * the bus was closed, every method throws [io.bywash.engine.SegmentClosedException], also in a coroutine that waits in
 * one.
 */
public class Sender<in T : Any> internal constructor(
    private val queue: Queue<T>,
    internal val turn: Turn<Publisher>,
) : AutoCloseable {
    /** Used in the sender's turn. */
    private var lastClaim: Claim? = null

    /**
     * Sends a value: when this returns, it is in shared memory, in order, for every receiver to see, and stays there
     * even if this process is killed. Suspends, without holding a thread, while a receiver that does not skip is so far
     * behind that there is no room; one that is proven dead is not waited for.
     *
     * Cancellation ends it at once. If this throws, nothing was sent; if this returns, the value was sent, also when
     * the coroutine was cancelled meanwhile.
     *
     * @throws IllegalArgumentException when the message is longer than an eighth of the ring, or empty
     */
    public suspend fun send(value: T) {
        sendUntil(value, Turn.FOREVER)
    }

    /**
     * As [send], for [timeout] at the most; false when there was no room in that time, and nothing was sent. Unlike a
     * `withTimeout` around [send] it leaves no doubt which of the two it was.
     */
    public suspend fun sendWithin(timeout: Duration, value: T): Boolean = sendUntil(value, timeout.inWholeNanoseconds)

    private suspend fun sendUntil(value: T, nanos: Long): Boolean {
        currentCoroutineContext().ensureActive()
        return turn.use { publisher ->
            val length = queue.codec.length(value)
            turn.retry(nanos) { write(publisher, value, length) }
        }
    }

    /** Sends a value if there is room now; false when there is none. */
    public fun trySend(value: T): Boolean = turn.use { write(it, value, queue.codec.length(value)) }

    private fun write(publisher: Publisher, value: T, length: Int): Boolean {
        lastClaim?.close() // open only if a stack overflow kept it from being closed below
        val claim = publisher.tryClaim(length, queue.codec.type(value)) ?: return false
        lastClaim = claim
        try {
            queue.codec.write(value, claim)
            claim.commit()
        } finally {
            claim.close() // aborts what was not committed
        }
        return true
    }

    /**
     * Suspends until at least [count] receivers that live have joined, in whatever process; false when there were fewer
     * for [timeout]. Messages are not kept for receivers that have not joined yet, but for those that ask for the
     * oldest.
     *
     * @param count 0 up to the number of receivers that the queue has room for
     */
    public suspend fun awaitSubscribers(count: Int, timeout: Duration): Boolean {
        val start = TimeSource.Monotonic.markNow()
        while (!turn.use { it.awaitSubscribers(count, 0) }) {
            if (start.elapsedNow() >= timeout) {
                return false
            }
            delay(LOOK)
        }
        return true
    }

    /** How many receivers that live have joined now, in all processes. */
    public val subscriberCount: Int
        get() = turn.use { it.subscriberCount() }

    /**
     * Gives the writer role back; what was sent stays. Any thread may call it at any time, once is enough: an operation
     * that waits in another coroutine ends with [io.bywash.engine.SegmentClosedException], one that does not wait is
     * completed.
     */
    override fun close() {
        turn.close()
    }

    /** For example `Sender("ticks")`. */
    override fun toString(): String = "Sender(\"${queue.name}\")"

    private companion object {
        val LOOK = 1.milliseconds
    }
}
