package io.bywash.samples.tool.recording

import io.bywash.engine.BusException
import io.bywash.engine.Kind
import io.bywash.engine.Message
import io.bywash.engine.MessageHandler
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import io.bywash.samples.tool.reason
import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.channels.WritableByteChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import java.util.concurrent.locks.LockSupport
import kotlin.io.path.exists
import kotlin.io.path.isRegularFile

/** What became of a recording; [failure] is a sentence when it ended because it had to. */
data class Recorded(val messages: Long, val lost: Long, val bytes: Long, val failure: String?) {
    val isWhole: Boolean get() = failure == null && lost == 0L
}

/**
 * Records a broadcast: every message of it from now on, or from the oldest one that is there. It only observes: nobody
 * sees it, and the publisher never waits for it. What it cannot read or write in time it loses, and counts.
 */
class Recorder(private val observed: Segment, private val entry: String) {
    @Volatile
    private var isStopped = false

    @Volatile
    private var writer: RecordingWriter? = null

    /** Ends the recording soon. Any thread may call this. */
    fun stop() {
        isStopped = true
    }

    /** How many messages are certainly in the file, and how many are on their way there. Any thread may ask. */
    val progress: Pair<Long, Long>
        get() = writer?.run { writtenCount.let { it to addedCount - it } } ?: (0L to 0L)

    /**
     * Records until it is stopped, has [limit] messages, [nanos] have passed, or the segment is gone and read to its
     * end. Closes [channel].
     */
    fun record(
        channel: WritableByteChannel, name: String, fromOldest: Boolean = false, limit: Long = Long.MAX_VALUE,
        nanos: Long = Long.MAX_VALUE, bufferBytes: Long = BUFFER_BYTES,
    ): Recorded {
        val queue = observed.directory().find(entry, Kind.BROADCAST)
        val options = SubscriberOptions.skip().let { if (fromOldest) it.startingAtOldest() else it }
        Subscriber.open(queue, options).use { subscriber ->
            val counted = CountedChannel(channel)
            val header = RecordingHeader.of(observed, queue, subscriber.nextSequence())
            val writer = RecordingWriter(counted, header, bufferBytes)
            this.writer = writer
            val ended = writer.use { copy(subscriber, it, limit, nanos) }
            val failure = writer.failure?.let {
                "The recording $name cannot be continued: ${it.message}. It holds ${writer.writtenCount} messages " +
                    "and can be replayed up to there. Make room, or record to another disk."
            }
            return Recorded(writer.writtenCount, subscriber.lostCount(), counted.bytes, failure ?: ended)
        }
    }

    /** Why it ended, if it had to. */
    private fun copy(subscriber: Subscriber, writer: RecordingWriter, limit: Long, nanos: Long): String? {
        val handler = object : MessageHandler {
            override fun onMessage(message: Message) = writer.add(message)

            override fun onLost(count: Long) = writer.addLoss(count)
        }
        val start = System.nanoTime()
        var left = limit
        var idleNanos = 0L
        var flushedNanos = start
        var isGone = false
        try {
            while (!isStopped && left > 0 && writer.failure == null && System.nanoTime() - start < nanos) {
                val count = subscriber.poll(handler, minOf(left, MOST_A_POLL).toInt())
                left -= count
                if (count > 0) {
                    idleNanos = 0
                } else if (isGone) {
                    break // what was published before the segment's end has been read
                } else {
                    idleNanos = minOf(2 * idleNanos + SHORTEST_PARK_NANOS, LONGEST_PARK_NANOS)
                    LockSupport.parkNanos(idleNanos)
                }
                if (System.nanoTime() - flushedNanos > FLUSH_NANOS) {
                    flushedNanos = System.nanoTime()
                    writer.flush()
                    isGone = isGone()
                }
            }
        } catch (ended: BusException) { // the entry was removed, or is damaged
            return ended.message
        }
        return null
    }

    /** Whether nobody can publish any more. */
    private fun isGone(): Boolean = try {
        Segment.observe(observed.path()).use { it.id() != observed.id() }
    } catch (gone: SegmentNotFoundException) {
        true
    } catch (unknown: BusException) {
        false
    }

    private class CountedChannel(private val channel: WritableByteChannel) : WritableByteChannel by channel {
        var bytes = 0L

        override fun write(source: java.nio.ByteBuffer): Int = channel.write(source).also { bytes += it }

        override fun close() {
            channel.use { if (it is FileChannel && it.size() > 0) it.force(true) }
        }
    }

    companion object {
        const val BUFFER_BYTES = 64L shl 20
        private const val MOST_A_POLL = 1024L
        private const val SHORTEST_PARK_NANOS = 10_000L
        private const val LONGEST_PARK_NANOS = 1_000_000L
        private const val FLUSH_NANOS = 100_000_000L

        /**
         * Opens [file] to be recorded to. It is made, or may be empty, a pipe or a device.
         *
         * @throws RecordingException when there is a file that something may be lost with, or none can be made
         */
        fun create(file: Path): FileChannel {
            try {
                if (file.isRegularFile() && Files.size(file) > 0) {
                    throw RecordingException("There is a file $file already. Remove it, or choose another name for " +
                        "the recording.")
                }
                val option = if (file.exists()) StandardOpenOption.WRITE else StandardOpenOption.CREATE_NEW
                return FileChannel.open(file, StandardOpenOption.WRITE, option)
            } catch (refused: IOException) {
                throw RecordingException("The recording $file cannot be made: ${reason(refused)}. Choose another " +
                    "place.")
            }
        }
    }
}
