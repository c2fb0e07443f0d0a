package io.bywash.samples.tool.recording

import io.bywash.engine.broadcast.Broadcast
import io.bywash.samples.tool.reason
import io.bywash.samples.tool.recording.RecordingHeader.Companion.checksum
import io.bywash.samples.tool.recording.RecordingHeader.Companion.littleEndian
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path

/** Reads a recording from its beginning to its end, or to where it is cut or damaged. Used by one thread. */
class Recording(private val file: Path) : AutoCloseable {
    private val input: InputStream = try {
        Files.newInputStream(file).buffered(BUFFER_BYTES)
    } catch (failure: IOException) {
        throw RecordingException("The recording $file cannot be read: ${reason(failure)}. Check its name.")
    }

    /** What was recorded. */
    val header: RecordingHeader = try {
        RecordingHeader.read(input, file.toString())
    } catch (unusable: RecordingException) {
        input.close()
        throw unusable
    }

    private var block: ByteBuffer = littleEndian(0)
    private var blockStart = header.toBytes().size.toLong()
    private var nextBlock = blockStart

    /** No recorder makes a longer one: so many bytes are not reserved for what only looks like a length. */
    private val longestBlock = maxOf(BLOCK_BYTES.toLong(), RECORD_BYTES + Broadcast.maxMessageBytes(header.ringBytes))
    private var isOver = false

    /** The sequence that the next message had when it was recorded. */
    var nextSequence: Long = header.firstSequence
        private set

    /** How many messages were read from the file. */
    var messageCount = 0L
        private set

    /** How many messages the recorder lost between those that were read so far. */
    var lostCount = 0L
        private set

    /** Why the recording ends where it ends, in a sentence; null when it is whole, or has not been read to its end. */
    var damage: String? = null
        private set

    /** Of the current message: when it came, in nanoseconds since the beginning; its type; its bytes, see [length]. */
    var timeNanos = 0L
        private set
    var type = 0
        private set
    var length = 0
        private set

    /** The array in which the current message begins at [index]. */
    val bytes: ByteArray get() = block.array()
    var index = 0
        private set

    /** Goes to the next message; false at the end. */
    fun next(): Boolean {
        while (!isOver && (block.hasRemaining() || nextBlock())) {
            if (block.remaining() < RECORD_BYTES) {
                return end("a record in it is too short")
            }
            val time = block.long
            val recordedLength = block.int
            val recordedType = block.int
            if (recordedLength == LOSS) {
                val count = if (block.remaining() < Long.SIZE_BYTES) 0 else block.long
                if (count < 1) {
                    return end("a loss in it is impossible")
                }
                lostCount += count
                nextSequence += count
                continue
            }
            if (recordedLength !in 1..block.remaining()) {
                return end("a message in it has an impossible length")
            }
            timeNanos = time
            type = recordedType
            length = recordedLength
            index = block.position()
            block.position(index + length)
            messageCount++
            nextSequence++
            return true
        }
        return false
    }

    /** Reads the next block; false at the end of the recording. */
    private fun nextBlock(): Boolean = try {
        blockStart = nextBlock
        val start = littleEndian(input.readNBytes(BLOCK_HEADER_BYTES))
        if (start.limit() < BLOCK_HEADER_BYTES) {
            end(if (start.limit() == 0) "it does not go on, and has no end" else "it is cut")
        } else {
            val size = start.int
            if (size in 0..longestBlock) readBlock(size, start.int) else end("it has an impossible length")
        }
    } catch (failure: IOException) {
        end("it cannot be read: ${failure.message}")
    }

    private fun readBlock(size: Int, sum: Int): Boolean {
        val payload = input.readNBytes(size)
        if (payload.size < size) {
            return end("it is cut")
        }
        if (checksum(payload, size) != sum) {
            return end("its checksum is wrong")
        }
        nextBlock += BLOCK_HEADER_BYTES + size
        block = littleEndian(payload)
        isOver = size == 0 // the end of a whole recording
        return !isOver
    }

    private fun end(why: String): Boolean {
        isOver = true
        val last = if (messageCount == 0L) "" else ", the last one of sequence ${nextSequence - 1}"
        damage = "The recording $file is used up to its block at byte $blockStart: $why. Before that it has " +
            "$messageCount messages$last."
        return false
    }

    override fun close() = input.close()

    internal companion object {
        const val BLOCK_HEADER_BYTES = 8

        /** A block is longer only if a single message is. */
        const val BLOCK_BYTES = 1 shl 20
        const val RECORD_BYTES = 16
        const val LOSS = 0
        private const val BUFFER_BYTES = 1 shl 16
    }
}
