package io.bywash.samples.tool.recording

import io.bywash.engine.Message
import io.bywash.samples.tool.recording.Recording.Companion.BLOCK_BYTES
import io.bywash.samples.tool.recording.Recording.Companion.BLOCK_HEADER_BYTES
import io.bywash.samples.tool.recording.Recording.Companion.LOSS
import io.bywash.samples.tool.recording.Recording.Companion.RECORD_BYTES
import io.bywash.samples.tool.recording.RecordingHeader.Companion.checksum
import io.bywash.samples.tool.recording.RecordingHeader.Companion.littleEndian
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.WritableByteChannel
import java.util.concurrent.ArrayBlockingQueue
import kotlin.concurrent.thread

/**
 * Writes a recording through a buffer of blocks, which a thread of its own brings to [channel]. Where that is slow,
 * adding waits for a free block: then whoever adds reads no messages meanwhile, and tells what that cost. Used by one
 * thread, but for what is marked otherwise.
 */
class RecordingWriter(
    private val channel: WritableByteChannel, header: RecordingHeader, bufferBytes: Long,
) : AutoCloseable {
    private class Block(var bytes: ByteBuffer, var messageCount: Long = 0)

    private val blockCount = (bufferBytes / BLOCK_BYTES).coerceIn(2, 1 shl 20).toInt()
    private val free = ArrayBlockingQueue<Block>(blockCount)
    private val full = ArrayBlockingQueue<Block>(blockCount + 1)
    private val end = Block(littleEndian(0))
    private var blocksMade = 0
    private var block: Block? = null
    private val startNanos = System.nanoTime()

    /** How many messages are certainly in the file. Any thread may ask. */
    @Volatile
    var writtenCount = 0L
        private set

    /** What went wrong in writing; nothing is written from then on. Any thread may ask. */
    @Volatile
    var failure: IOException? = null
        private set

    private val writing = thread(name = "recording", isDaemon = true) {
        write(ByteBuffer.wrap(header.toBytes()))
        while (true) {
            val next = full.take()
            if (next === end) {
                break
            }
            writeBlock(next)
            next.bytes.clear()
            next.messageCount = 0
            free.put(next)
        }
    }

    fun add(message: Message) {
        val length = message.length()
        val bytes = room(RECORD_BYTES + length).bytes
        bytes.putLong(System.nanoTime() - startNanos).putInt(length).putInt(message.type())
        message.getBytes(0, bytes.array(), bytes.position(), length)
        bytes.position(bytes.position() + length)
        block!!.messageCount++
    }

    /** Notes that [count] messages are missing here. */
    fun addLoss(count: Long) {
        room(RECORD_BYTES + Long.SIZE_BYTES).bytes
            .putLong(System.nanoTime() - startNanos).putInt(LOSS).putInt(0).putLong(count)
    }

    private fun room(size: Int): Block {
        block?.let { if (it.bytes.remaining() >= size) return it else flush() }
        val next = free.poll() ?: if (blocksMade < blockCount) {
            blocksMade++
            Block(littleEndian(BLOCK_BYTES))
        } else {
            free.take()
        }
        if (next.bytes.capacity() != maxOf(size, BLOCK_BYTES)) { // or it is for a message that is longer than a block
            next.bytes = littleEndian(maxOf(size, BLOCK_BYTES))
        }
        block = next
        return next
    }

    /** Sends what was added on its way to the file. */
    fun flush() {
        block?.let(full::put)
        block = null
    }

    private fun writeBlock(block: Block) {
        val size = block.bytes.position()
        val sum = checksum(block.bytes.array(), size)
        write(littleEndian(BLOCK_HEADER_BYTES).putInt(size).putInt(sum).flip())
        write(block.bytes.flip())
        if (failure == null) {
            writtenCount += block.messageCount
        }
    }

    private fun write(bytes: ByteBuffer) {
        try {
            while (failure == null && bytes.hasRemaining()) {
                channel.write(bytes)
            }
        } catch (refused: IOException) {
            failure = refused
        }
    }

    /** Waits until all that was added is in the file, and ends it. [failure] says whether that succeeded. */
    override fun close() {
        flush()
        full.put(end)
        writing.join()
        writeBlock(end)
        try {
            channel.close()
        } catch (refused: IOException) {
            failure = failure ?: refused
        }
    }
}
