package io.bywash.bus.cell

import io.bywash.bus.Bus
import io.bywash.bus.BusClosedException
import io.bywash.bus.EngineRole
import io.bywash.bus.HeapClaim
import io.bywash.bus.MessageWriter
import io.bywash.bus.UsageGuard
import io.bywash.engine.Kind
import io.bywash.engine.Message
import io.bywash.engine.Segment
import io.bywash.engine.record.Records
import kotlin.time.Duration
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import io.bywash.engine.cell.LatestReader as EngineReader
import io.bywash.engine.cell.LatestWriter as EngineWriter

internal class WriterRole private constructor(val writer: EngineWriter) : EngineRole {
    override val waitable: EngineWriter get() = writer
    override val revocable: EngineWriter get() = writer
    override val nextSequence: Long get() = -1

    override fun label(text: String) = writer.label(text)

    companion object {
        fun open(latest: Latest<*>, segment: Segment) =
            WriterRole(EngineWriter.open(latest.find(segment, Kind.LATEST)))
    }
}

internal class ReaderRole private constructor(val reader: EngineReader) : EngineRole {
    override val waitable: EngineReader get() = reader
    override val revocable: EngineReader get() = reader
    override val nextSequence: Long get() = reader.version() + 1

    override fun label(text: String) = reader.label(text)

    companion object {
        fun open(latest: Latest<*>, segment: Segment) =
            ReaderRole(EngineReader.open(latest.find(segment, Kind.LATEST)))
    }
}

/**
 * Sets a latest value. [Bus.writer] takes one. It is used by one coroutine at a time. After [close], or after the bus
 * was closed, [set] throws [BusClosedException].
 */
public class LatestWriter<in T : Any> internal constructor(
    private val latest: Latest<T>,
    private val role: WriterRole,
    private val guard: UsageGuard,
    /** A bus is in use as long as its writers are. */
    private val bus: Bus,
) : AutoCloseable {
    private val writer = MessageWriter()

    /**
     * Replaces the value. Readers see the one before or this one, whole. This never waits.
     *
     * @throws IllegalArgumentException when the value is longer than the entry allows
     */
    public fun set(value: T) {
        val draft = latest.codec.prepare(value)
        val claim = HeapClaim(draft.length(value), draft.type(value))
        writer.claim = claim
        try {
            draft.write(value, writer)
        } finally {
            writer.claim = null
        }
        guard.use { set(claim) }
    }

    private fun set(claim: HeapClaim) {
        val record = claim.record
        if (record == null) {
            role.writer.set(claim.bytes, 0, claim.bytes.size, claim.type)
        } else {
            @Suppress("UNCHECKED_CAST") // the codec has put it there
            role.writer.set(latest.records as Records<Any>, record)
        }
    }

    /** As the labels of senders, see [io.bywash.bus.Sender.label]. */
    public fun label(text: String) {
        guard.aside { role.label(text) }
    }

    /** Gives the role back; the value stays. Any thread may call this; calling it again does nothing. */
    override fun close() {
        guard.close()
    }

    /** For example `LatestWriter("price")`. */
    override fun toString(): String = "LatestWriter(\"${latest.name}\")"
}

/**
 * Reads a latest value. [Bus.reader] takes one. It is used by one coroutine at a time. After [close], or after the bus
 * was closed, flows end, and other operations throw [BusClosedException].
 *
 * @sample io.bywash.bus.samples.followAPrice
 */
public class LatestReader<out T : Any> internal constructor(
    private val latest: Latest<T>,
    private val role: ReaderRole,
    internal val guard: UsageGuard,
    /** A bus is in use as long as its readers are. */
    private val bus: Bus,
) : AutoCloseable {
    /**
     * The value now; null when nothing was ever set. In the rare case that writers replace the value faster than it can
     * be read, this tries again until it has one.
     *
     * @throws io.bywash.bus.DecodingException when the codec could not read the value
     */
    public fun get(): T? {
        while (true) {
            val message: Message? = guard.use { role.reader.get() }
            if (message != null) {
                return latest.decode(message)
            }
            if (!role.reader.wasBusy()) {
                return null
            }
        }
    }

    /** Suspends until there is a value that this reader has not returned; returns the one that is the latest then. */
    public suspend fun next(): T {
        awaitNewer(UsageGuard.FOREVER)
        return get()!!
    }

    /** As [next], but waits for [timeout] at most; null when the value stayed as it was. */
    public suspend fun nextWithin(timeout: Duration): T? = if (awaitNewer(timeout.inWholeNanoseconds)) get() else null

    private suspend fun awaitNewer(nanos: Long): Boolean {
        currentCoroutineContext().ensureActive()
        return guard.retry(nanos) { role.reader.awaitNewer(0) }
    }

    /**
     * The value now, if there is one, and then each newer one that is the latest when the collector is ready for it. A
     * slow collector misses those between, as that of a conflated flow does. The flow completes when this reader is
     * closed; it does not close the reader.
     */
    public fun updates(): Flow<T> = flow {
        getOrEnd { get() }?.let { emit(it) }
        while (true) {
            emit(getOrEnd { next() } ?: break)
        }
    }

    /** Null at the end, which is when this was closed. */
    private inline fun getOrEnd(get: () -> T?): T? = guard.unlessClosed(null) { get() }

    /** How often the value had been set when it was read last; 0 before the first time. Any thread may ask. */
    public val version: Long get() = role.reader.version()

    /** As the labels of receivers, see [io.bywash.bus.Receiver.label]. */
    public fun label(text: String) {
        guard.aside { role.label(text) }
    }

    /** Gives the role back. Any thread may call this at any time; calling it again does nothing. */
    override fun close() {
        guard.close()
    }

    /** For example `LatestReader("price")`. */
    override fun toString(): String = "LatestReader(\"${latest.name}\")"
}
