package io.bywash.bus

import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

/**
 * A [Sender] for many coroutines, made by [Sender.shared]. They take turns in the order of their calls; while one waits
 * for room, those behind it wait as well. As long as nobody waits, that costs two atomic operations a message.
 */
public class SharedSender<in T : Any> internal constructor(private val sender: Sender<T>) : AutoCloseable {
    private val lock = FairLock()

    /** As [Sender.send], in turn. Cancellation also ends the wait for the turn. */
    public suspend fun send(value: T) {
        currentCoroutineContext().ensureActive()
        if (!lock.tryLock()) {
            return sendInTurn(value)
        }
        var isFull = false
        val draft: Codec.Draft<T>
        try {
            draft = sender.prepare(value)
            isFull = !sender.sendNow(value, draft)
        } finally {
            if (!isFull) lock.unlock()
        }
        if (isFull) {
            return sendSlowly(value, draft)
        }
    }

    private suspend fun sendSlowly(value: T, draft: Codec.Draft<T>) {
        try {
            sender.sendSlowly(value, draft)
        } finally {
            lock.unlock()
        }
    }

    private suspend fun sendInTurn(value: T) {
        lock.lock()
        try {
            sender.send(value)
        } finally {
            lock.unlock()
        }
    }

    /** As [Sender.trySend]; the result is also full while another coroutine sends or waits for its turn. */
    public fun trySend(value: T): BusResult<Unit> {
        if (!lock.tryLock()) {
            return BusResult.FULL
        }
        try {
            return sender.trySend(value)
        } finally {
            lock.unlock()
        }
    }

    /** As [Sender.sendAll]; no other message comes between the values. */
    public suspend fun sendAll(values: Iterable<T>) {
        lock.lock()
        try {
            sender.sendAll(values)
        } finally {
            lock.unlock()
        }
    }

    /** As [Sender.close]. */
    override fun close() {
        sender.close()
    }

    /** For example `Sender("ticks").shared()`. */
    override fun toString(): String = "$sender.shared()"
}
