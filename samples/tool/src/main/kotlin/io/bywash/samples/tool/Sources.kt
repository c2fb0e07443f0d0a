package io.bywash.samples.tool

import io.bywash.engine.Entry
import io.bywash.engine.Kind
import io.bywash.engine.Message
import io.bywash.engine.MessageHandler
import io.bywash.engine.broadcast.BroadcastStatus
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import io.bywash.engine.queue.QueueView
import io.bywash.engine.ring.RingView
import java.lang.foreign.MemorySegment

/** Where to begin. */
sealed interface From {
    data object Oldest : From

    data class Last(val count: Long) : From
}

/** A message or element that was seen, at a position in its entry. */
class Seen(val position: Long, val sequence: Long, val type: Int, val bytes: ByteArray)

/** What there is to see in one entry, without being seen there. */
interface Source : AutoCloseable {
    /** The position behind all that was there in the beginning. */
    val end: Long

    /** What is new, up to so many. */
    fun next(limit: Int): List<Seen>

    /** How many were gone before they could be seen, since the last call. */
    fun takeLost(): Long

    override fun close() = Unit
}

/** What an entry of an observed segment has to show. */
fun source(entry: Entry, from: From?): Source = when (entry.kind()) {
    Kind.BROADCAST -> BroadcastSource(entry, from ?: From.Last(0))
    Kind.RING -> RingSource(entry, from ?: From.Last(0))
    Kind.WORK_QUEUE -> QueueSource(entry, from ?: From.Oldest)
    else -> throw IllegalArgumentException("Entry \"${entry.name()}\" is of kind ${entry.kind().displayName()}, and " +
        "has no messages to show. Its status is shown by stat, its bytes by layout.")
}

/** A read-only attachment's subscriber, which nobody sees. */
private class BroadcastSource(entry: Entry, from: From) : Source, MessageHandler {
    override val end = BroadcastStatus.of(entry).messageCount
    private val subscriber = Subscriber.open(entry, SubscriberOptions.skip().let {
        if (from is From.Last) it.startingAt(maxOf(end - from.count, 0)) else it.startingAtOldest()
    })
    private val seen = mutableListOf<Seen>()
    private var isFirst = true
    private var lost = 0L

    override fun onMessage(message: Message) {
        isFirst = false
        seen += Seen(message.sequence(), message.sequence(), message.type(), message.toBytes())
    }

    override fun onLost(count: Long) {
        lost += if (isFirst) 0 else count // of the last ones some may be gone already
    }

    override fun next(limit: Int): List<Seen> {
        seen.clear()
        subscriber.poll(this, limit)
        return seen
    }

    override fun takeLost() = lost.also { lost = 0 }

    override fun close() = subscriber.close()
}

private class RingSource(entry: Entry, from: From) : Source {
    private val view = RingView.of(entry)
    override val end = view.pushedCount()
    private var position = if (from is From.Last) maxOf(end - from.count, 0) else 0
    private var isFirst = true
    private var lost = 0L

    override fun next(limit: Int): List<Seen> {
        val size = view.elementBytes()
        val bytes = ByteArray(size * minOf(limit, maxOf(1, BATCH_BYTES / size)))
        val found = view.from(position, MemorySegment.ofArray(bytes), 0, bytes.size / size)
        if (found.count > 0) {
            lost += if (isFirst) 0 else found.position - position
            isFirst = false
            position = found.position + found.count
        }
        return List(found.count) {
            Seen(found.position + it, found.position + it, 0, bytes.copyOfRange(it * size, (it + 1) * size))
        }
    }

    override fun takeLost() = lost.also { lost = 0 }

    private companion object {
        const val BATCH_BYTES = 1 shl 20
    }
}

/** What waits, and then what comes to wait. What is taken between two looks is not seen. */
private class QueueSource(entry: Entry, from: From) : Source {
    private val view = QueueView.of(entry)
    override val end = view.sentCount()
    private var position = if (from is From.Last) maxOf(end - from.count, 0) else 0
    private var isFirst = true
    private var lost = 0L

    override fun next(limit: Int): List<Seen> {
        val sent = view.sentCount()
        val found = view.peek(position, limit)
        val behind = found.lastOrNull()?.run { position + 1 } ?: 0
        val next = if (found.size == limit) behind else maxOf(sent, behind)
        if (!isFirst) {
            lost += next - position - found.size
        }
        isFirst = false
        position = next
        return found.map { Seen(it.position, it.sequence, it.type, it.bytes) }
    }

    override fun takeLost() = lost.also { lost = 0 }
}
