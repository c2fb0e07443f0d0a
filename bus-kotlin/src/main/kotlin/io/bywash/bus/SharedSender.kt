package io.bywash.bus

import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive

/**
 * A [Sender] for many coroutines, made by [Sender.shared]. They take turns in the order in which they came; while one
 * waits for room, those behind it wait as well. That costs two atomic operations a message, as long as nobody waits.
 */
public class SharedSender<in T : Any> internal constructor(private val sender: Sender<T>) : AutoCloseable {
    private val lock = FairLock()

    /** As [Sender.send], in turn. Cancellation ends waiting for the turn, too. */
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

    /** As [Sender.trySend]; also full while another coroutine sends. */
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

    /** As [Sender.sendAll]; nobody else sends in between. */
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
