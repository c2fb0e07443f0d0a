package io.bywash.bus.queue

import io.bywash.bus.Bus
import io.bywash.bus.BusClosedException
import io.bywash.bus.Readiness
import io.bywash.bus.UsageGuard
import io.bywash.engine.queue.Delivery
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.selects.SelectBuilder

/**
 * Consumes the messages of a work queue. [Bus.consumer] takes one.
 *
 * A message is acknowledged when the block that got it has returned. It is given back when the block throws, also when
 * that is because the coroutine was cancelled: another consumer gets it, or this one again, or it becomes a dead letter
 * if it has failed often enough. A message is taken only after the coroutine was resumed, so a wait that is cancelled
 * has taken none. If this process dies, its message is given back for it.
 *
 * So a message whose block has done its work and then failed comes again. The block of a killed process may have done
 * its work, too. Where that matters, let the work recognise what is done already.
 *
 * A consumer is used by one coroutine at a time, in any thread; a block must not use the consumer that calls it. Where
 * that is noticed, it is an [IllegalStateException]. After [close], or after the bus was closed, [consume] returns, and
 * other operations throw [BusClosedException]; a block that runs goes on, and its message is still acknowledged or
 * given back. After [revoke] they throw [io.bywash.engine.SegmentClosedException].
 *
 * @sample io.bywash.bus.samples.consumeJobs
 */
public class Consumer<out T : Any> internal constructor(
    private val queue: WorkQueue<T>,
    private val role: ConsumerRole,
    internal val guard: UsageGuard,
    /** A bus, or what else it is taken from, is in use as long as its consumers are. */
    private val keeper: Any,
) : AutoCloseable {
    /** The message that was taken last. The engine uses one object for all of them. */
    private var delivery: Delivery? = null

    /**
     * Hands message after message to [block], until this consumer is closed. Suspends, without holding a thread, while
     * there is none.
     *
     * @throws io.bywash.bus.DecodingException when the codec could not read a message, which is given back
     * @throws io.bywash.engine.DamagedSegmentException when shared memory holds what no sender writes
     */
    public suspend fun consume(block: suspend (T) -> Unit) {
        while (isNextTaken()) {
            handle(block)
        }
    }

    /** As [consume], for one message; returns what [block] returns. */
    public suspend fun <R> consumeOne(block: suspend (T) -> R): R {
        currentCoroutineContext().ensureActive()
        if (!guard.use { take() }) {
            awaitMessage(UsageGuard.FOREVER)
        }
        return handle(block)
    }

    /** As [consumeOne], if there is a message now, without waiting for one. Returns false when there is none. */
    public suspend fun tryConsume(block: suspend (T) -> Unit): Boolean {
        currentCoroutineContext().ensureActive()
        return guard.use { take() }.also { if (it) handle(block) }
    }

    private suspend fun isNextTaken(): Boolean {
        currentCoroutineContext().ensureActive()
        if (guard.isClosed) {
            return false
        }
        return takenNow() || takenSlowly()
    }

    /** Also false when it was closed just now. */
    private fun takenNow(): Boolean = guard.unlessClosed(false) { guard.use { take() } }

    private suspend fun takenSlowly(): Boolean = guard.unlessClosed(false) { awaitMessage(UsageGuard.FOREVER) }

    private fun take(): Boolean {
        val taken = role.take() ?: return false
        delivery = taken
        return true
    }

    private suspend fun awaitMessage(nanos: Long): Boolean = guard.retry(nanos) { take() }

    /** The message in hand is acknowledged or given back in whatever thread, even after this was closed. */
    private suspend inline fun <R> handle(noinline block: suspend (T) -> R): R {
        val message = delivery!!
        val result = try {
            block(queue.decode(message))
        } catch (failure: Throwable) {
            try {
                message.giveBack()
            } catch (lost: RuntimeException) {
                failure.addSuppressed(lost)
            }
            throw failure
        }
        message.ack()
        return result
    }

    /** Over when there is a message, or this consumer cannot be used. */
    internal fun whenReady(): Readiness = guard.whenReady(null, { role.waitable.isReady })

    // ---- about the message that a block got, to be read in that block

    /** How often the message was delivered, including this time; see [Delivery.deliveries]. */
    public val deliveries: Int get() = inHand().deliveries()

    /** Its sequence, the same at each delivery; see [Delivery.sequence]. */
    public val sequence: Long get() = inHand().sequence()

    /** Whether it failed too often in another queue; see [Delivery.isDeadLetter]. */
    public val isDeadLetter: Boolean get() = inHand().isDeadLetter

    private fun inHand(): Delivery = checkNotNull(delivery) { "the $this has taken no message yet" }

    // ---- the role

    /**
     * Labels this consumer for people who inspect the segment. Any thread may change the label at any time.
     *
     * @param text up to 32 bytes in UTF-8, without control characters; empty for none
     */
    public fun label(text: String) {
        guard.aside { role.label(text) }
    }

    /**
     * Takes the role away from its user at once, see [io.bywash.engine.Revocable.revoke]. Any thread may call this. A
     * message that is in a block stays there until the block ends.
     */
    public fun revoke() {
        guard.revoke()
    }

    /** Whether the role was given back, so that its place is free. Any thread may read this. */
    public val isGivenBack: Boolean
        get() = role.revocable.isGivenBack

    /**
     * Gives the role back, as soon as no block is running. Any thread may call this at any time, also a block; calling
     * it again does nothing. Loops in other coroutines end, and an operation that waits throws a [BusClosedException].
     */
    override fun close() {
        guard.close()
    }

    /** For example `Consumer("jobs")`. */
    override fun toString(): String = "Consumer(\"${queue.name}\")"
}

/**
 * A clause of `select` for the next message of a work queue. It is chosen when there is one, which [block] then gets,
 * as by [Consumer.consumeOne]: so it is acknowledged when [block] has returned, and given back when that throws. A
 * select that chooses another clause, times out or is cancelled takes no message. The clause is also chosen when the
 * consumer is closed, and then throws.
 *
 * Another consumer may take the message for which the clause was chosen. Then the select suspends until the next one.
 *
 * @sample io.bywash.bus.samples.selectOverAQueue
 */
public fun <T : Any, R> SelectBuilder<R>.onConsume(consumer: Consumer<T>, block: suspend (T) -> R) {
    consumer.whenReady().onReady(this) { consumer.consumeOne(block) }
}
