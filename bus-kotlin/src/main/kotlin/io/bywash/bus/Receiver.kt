package io.bywash.bus

import io.bywash.engine.Message
import io.bywash.engine.MessageHandler
import io.bywash.engine.broadcast.Subscriber
import kotlin.time.Duration
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * A reader of a queue with a cursor of its own, taken with [Bus.receiver]. It sees the messages in order, each once.
 *
 * Used by one coroutine at a time, in any thread; a second one gets an [IllegalStateException]. After [close], or after
 * the bus was closed, every method throws [io.bywash.engine.SegmentClosedException], also in a coroutine that waits in
 * one.
 *
 * A message is taken from the queue only by a coroutine that runs, after it was resumed. So cancellation, which ends
 * any waiting here at once, never loses one: a method that throws because of it has taken nothing.
 */
public class Receiver<out T : Any> internal constructor(
    private val queue: Queue<T>,
    internal val turn: Turn<Subscriber>,
    private val onLost: (Long) -> Unit,
) : AutoCloseable {
    private var received: T? = null
    private val receiving = messageHandler { received = queue.codec.read(it) }

    /**
     * The next message. Suspends, without holding a thread, while there is none.
     *
     * A `withTimeout` around this may drop a message that comes at the last moment, as around any function that returns
     * something; [receiveWithin] does not.
     *
     * @throws io.bywash.engine.OverrunException when messages were lost, with `SubscriberOptions.fail`
     * @throws io.bywash.engine.EvictedException when this receiver was cut off, with `SubscriberOptions.evictAfter`
     * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no sender writes
     */
    public suspend fun receive(): T = checkNotNull(receiveUntil(Turn.FOREVER))

    /** As [receive], for [timeout] at the most; null when no message came in that time. */
    public suspend fun receiveWithin(timeout: Duration): T? = receiveUntil(timeout.inWholeNanoseconds)

    private suspend fun receiveUntil(nanos: Long): T? = poll(1, nanos, receiving) { takeReceived() }

    private suspend inline fun <V> poll(limit: Int, nanos: Long, handler: MessageHandler, result: (Int) -> V): V {
        currentCoroutineContext().ensureActive()
        return turn.use { subscriber ->
            var count = 0
            turn.retry(nanos) {
                count = subscriber.poll(handler, limit)
                count > 0
            }
            result(count)
        }
    }

    /** The next message if it is there now, else null. */
    public fun tryReceive(): T? = turn.use { subscriber ->
        subscriber.poll(receiving, 1)
        takeReceived()
    }

    private fun takeReceived(): T? = received.also { received = null }

    /**
     * Hands a batch of messages to [handler] in place, without the codec and without copying: the fast way. Suspends,
     * without holding a thread, while there is none. A message counts as received even when [handler] throws.
     *
     * @param limit the most messages, at least 1
     * @param handler gets each message in order; it is valid during that call only, and this receiver must not be used
     * there
     * @return how many messages were handed over, at least 1
     */
    public suspend fun poll(limit: Int, handler: (Message) -> Unit): Int =
        poll(limit, Turn.FOREVER, messageHandler(handler)) { it }

    private fun messageHandler(onMessage: (Message) -> Unit) = object : MessageHandler {
        override fun onMessage(message: Message) = onMessage.invoke(message)

        override fun onLost(messageCount: Long) = this@Receiver.onLost.invoke(messageCount)
    }

    /** How many messages were lost since this receiver joined; always 0 unless it skips. May be read after [close]. */
    public val lostCount: Long
        get() = turn.peek { it.lostCount() }

    /**
     * The messages from this receiver's cursor on. Collecting it again goes on where it stopped, nothing is lost
     * between; closing the receiver is its owner's. It never completes by itself. [Bus.flow] has a cursor for each
     * collector instead.
     *
     * A channel for `select` is `asFlow().buffer(Channel.RENDEZVOUS).produceIn(scope)`; what is under way in a channel
     * is lost when that is cancelled.
     */
    public fun asFlow(): Flow<T> = flow {
        while (true) {
            emit(receive())
        }
    }

    /**
     * Leaves the queue; no sender waits for it any more. Any thread may call it at any time, once is enough: an
     * operation that waits in another coroutine ends with [io.bywash.engine.SegmentClosedException], one that does not
     * wait is completed.
     */
    override fun close() {
        turn.close()
    }

    /** For example `Receiver("ticks")`. */
    override fun toString(): String = "Receiver(\"${queue.name}\")"
}
