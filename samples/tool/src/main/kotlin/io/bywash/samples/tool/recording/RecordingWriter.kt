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
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Semaphore
import kotlin.concurrent.thread

/**
 * Writes a recording through a buffer of blocks, which a thread of its own brings to [channel]. Where that is slow,
 * adding waits for room: then whoever adds reads no messages meanwhile, and tells what that cost. Used by one
 * thread, but for what is marked otherwise.
 */
class RecordingWriter(
    private val channel: WritableByteChannel, header: RecordingHeader, bufferBytes: Long,
) : AutoCloseable {
    private class Block(val bytes: ByteBuffer, var messageCount: Long = 0)

    /** What all blocks may have together, in blocks of the usual size. One that is longer than that goes alone. */
    private val roomSize = (bufferBytes / BLOCK_BYTES).coerceIn(2, 1 shl 20).toInt()
    private val room = Semaphore(roomSize)
    private val free = ConcurrentLinkedQueue<Block>()
    private val full = ArrayBlockingQueue<Block>(roomSize + 1)
    private val end = Block(littleEndian(0))
    private var block: Block? = null
    private val startNanos = System.nanoTime()

    /** How many messages were added. Any thread may ask. */
    @Volatile
    var addedCount = 0L
        private set

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
            giveBack(next)
        }
    }

    fun add(message: Message) {
        val length = message.length()
        val bytes = room(RECORD_BYTES + length).bytes
        bytes.putLong(System.nanoTime() - startNanos).putInt(length).putInt(message.type())
        message.getBytes(0, bytes.array(), bytes.position(), length)
        bytes.position(bytes.position() + length)
        block!!.messageCount++
        addedCount++
    }

    /** Notes that [count] messages are missing here. */
    fun addLoss(count: Long) {
        room(RECORD_BYTES + Long.SIZE_BYTES).bytes
            .putLong(System.nanoTime() - startNanos).putInt(LOSS).putInt(0).putLong(count)
    }

    private fun room(size: Int): Block {
        block?.let { if (it.bytes.remaining() >= size) return it else flush() }
        room.acquireUninterruptibly(roomOf(size))
        if (size > BLOCK_BYTES) {
            free.clear() // it takes their place
        }
        return (free.poll()?.takeIf { size <= BLOCK_BYTES } ?: Block(littleEndian(maxOf(size, BLOCK_BYTES))))
            .also { block = it }
    }

    private fun giveBack(block: Block) {
        block.bytes.clear()
        block.messageCount = 0
        val size = block.bytes.capacity()
        if (size == BLOCK_BYTES) {
            free.add(block)
        }
        room.release(roomOf(size))
    }

    private fun roomOf(size: Int) = ((size - 1) / BLOCK_BYTES + 1).coerceAtMost(roomSize)

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
