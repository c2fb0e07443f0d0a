package io.bywash.samples.tool.recording

import io.bywash.engine.Kind
import io.bywash.engine.Message
import io.bywash.engine.MessageHandler
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.samples.tool.recording.RecordingHeader.Companion.littleEndian
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.channels.WritableByteChannel
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.FutureTask
import java.util.concurrent.TimeUnit
import kotlin.io.path.deleteExisting
import kotlin.io.path.fileSize
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** The parts of recording and replaying, in one process. */
@Timeout(120)
class RecordingTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-recording-test-")
    private val scratch: Path = Files.createTempDirectory("bywash-recording-test-")
    private val file = scratch.resolve("file")

    @AfterEach
    fun nothingIsLeft() {
        val left = bus.listDirectoryEntries().map { it.fileName.toString() }.filter { it != ".lock" }
        (bus.listDirectoryEntries() + scratch.listDirectoryEntries() + listOf(bus, scratch))
            .forEach { it.deleteExisting() }
        assertEquals(emptyList<String>(), left)
    }

    private fun spec(ringBytes: Long) = SegmentSpec.of(Broadcast.spec("orders", ringBytes).withLayout(LAYOUT))

    private fun segment(name: String, ringBytes: Long) = Segment.create(bus.resolve(name), spec(ringBytes))

    private fun queue(segment: Segment) = segment.directory().find("orders", Kind.BROADCAST)

    /** The message of a number: each has another length, type and contents. */
    private fun fill(message: ByteArray, number: Long): Int {
        ByteBuffer.wrap(message).putLong(number * -0x61c8864680b583ebL).putLong(number)
        return 8 + (number % 9).toInt()
    }

    private fun publish(segment: Segment, count: Long) = Publisher.open(queue(segment)).use { publisher ->
        val message = ByteArray(16)
        for (number in 0 until count) {
            val length = fill(message, number)
            assertTrue(publisher.offer(message, 0, length, number.toInt(), PATIENCE_NANOS))
        }
    }

    private fun check(message: Message, number: Long, expected: ByteArray, actual: ByteArray) {
        val length = fill(expected, number)
        message.getBytes(0, actual, 0, message.length())
        if (message.length() != length || message.type() != number.toInt() ||
            !actual.contentEquals(expected, length)) {
            throw AssertionError("message $number is another one")
        }
    }

    private fun ByteArray.contentEquals(other: ByteArray, length: Int) =
        java.util.Arrays.equals(this, 0, length, other, 0, length)

    private fun create() = FileChannel.open(file, java.nio.file.StandardOpenOption.CREATE_NEW,
        java.nio.file.StandardOpenOption.WRITE)

    /** Records what [count] messages leave behind, through [channel] and a small buffer. */
    private fun record(count: Long, ringBytes: Long, channel: WritableByteChannel = create()): Recorded =
        segment("source", ringBytes).use { segment ->
            Segment.observe(segment.path()).use { observed ->
                val recorder = Recorder(observed, "orders")
                val recorded = CompletableFuture.supplyAsync {
                    recorder.record(channel, "file", fromOldest = true, bufferBytes = 0)
                }
                if (channel is SlowDisk) {
                    channel.isWriting.get(100, TimeUnit.SECONDS) // or it might begin at the end, and lose nothing
                }
                publish(segment, count)
                segment.close()
                recorded.get(100, TimeUnit.SECONDS) // it ends by itself, since the segment is gone
            }
        }

    @Test
    fun aMillionMessagesAreRecordedWithoutLossAndReplayedEqual() {
        val count = 1_000_000L
        assertEquals(count, record(count, 64L shl 20).also { assertTrue(it.isWhole, "$it") }.messages)
        Recording(file).use { recording ->
            assertEquals(LAYOUT, recording.header.layout)
            segment("target", 1L shl 20).use { target ->
                Subscriber.open(queue(target)).use { subscriber ->
                    val replaying = CompletableFuture.runAsync {
                        Replayer(recording, Double.POSITIVE_INFINITY).replay(target, "orders", 1)
                    }
                    var next = 0L
                    val expected = ByteArray(16)
                    val actual = ByteArray(16)
                    val handler = MessageHandler { message ->
                        assertEquals(next, message.sequence())
                        check(message, next++, expected, actual)
                    }
                    while (next < count && subscriber.poll(handler, 10_000, PATIENCE_NANOS) > 0) {
                        // more are to come
                    }
                    replaying.get(100, TimeUnit.SECONDS)
                    assertEquals(count, next)
                }
            }
            assertNull(recording.damage)
            assertEquals(0, recording.lostCount)
        }
    }

    /** A disk that is so slow that the publisher turns the ring many times meanwhile. */
    private class SlowDisk(private val file: WritableByteChannel) : WritableByteChannel by file {
        val isWriting = CompletableFuture<Unit>()

        override fun write(source: ByteBuffer): Int {
            isWriting.complete(Unit)
            Thread.sleep(100)
            return file.write(source)
        }
    }

    @Test
    fun aSlowDiskHoldsNobodyBackAndWhatItCostIsInTheFileExactly() {
        val count = 1_000_000L
        val recorded = record(count, 1L shl 16, SlowDisk(create()))
        assertTrue(recorded.lost > 0, "$recorded")
        assertNull(recorded.failure)
        Recording(file).use { recording ->
            assertEquals(count - recording.header.firstSequence, recorded.messages + recorded.lost)
            val expected = ByteArray(16)
            var timeNanos = 0L
            while (recording.next()) {
                val number = recording.nextSequence - 1
                val length = fill(expected, number)
                assertEquals(length, recording.length)
                assertEquals(number.toInt(), recording.type)
                assertTrue(recording.timeNanos >= timeNanos)
                timeNanos = recording.timeNanos
                val message = recording.bytes.copyOfRange(recording.index, recording.index + length)
                assertArrayEquals(expected.copyOf(length), message)
            }
            assertNull(recording.damage)
            assertEquals(recorded.messages, recording.messageCount)
            assertEquals(recorded.lost, recording.lostCount)
            assertEquals(count, recording.nextSequence)
        }
    }

    /** A pipe whose reader stands still until it goes on. */
    private class StandingPipe(private val file: WritableByteChannel) : WritableByteChannel by file {
        val goesOn = CompletableFuture<Unit>()

        override fun write(source: ByteBuffer): Int {
            goesOn.get(100, TimeUnit.SECONDS)
            return file.write(source)
        }
    }

    @Test
    fun longMessagesThatWaitTakeNoMoreMemoryThanTheBuffer() {
        Segment.create(bus.resolve("source"), SegmentSpec.of(Broadcast.spec("orders", 32L shl 20))).use { segment ->
            val pipe = StandingPipe(create())
            val header = RecordingHeader.of(segment, queue(segment), 0)
            val writer = RecordingWriter(pipe, header, 8L shl 20)
            val adding = FutureTask {
                Publisher.open(queue(segment)).use { publisher ->
                    Subscriber.open(queue(segment)).use { subscriber ->
                        repeat(12) {
                            publisher.offer(ByteArray(LONG) { 1 })
                            subscriber.poll(MessageHandler(writer::add), 1)
                        }
                    }
                }
            }
            val thread = Thread(adding).apply { start() }
            while (writer.addedCount < 2 || thread.state != Thread.State.WAITING) {
                assertTrue(thread.isAlive, "it did not wait")
                Thread.onSpinWait()
            }
            assertEquals(2 to 0L, writer.addedCount.toInt() to writer.writtenCount) // of 3 MiB each
            pipe.goesOn.complete(Unit)
            adding.get(100, TimeUnit.SECONDS)
            writer.close()
            assertEquals(12, writer.writtenCount)
        }
        Recording(file).use { recording ->
            while (recording.next()) assertEquals(LONG, recording.length)
            assertEquals(12 to null, recording.messageCount.toInt() to recording.damage)
        }
    }

    /** A disk with room for some bytes. */
    private class FullDisk(private val file: WritableByteChannel, private var room: Int) :
        WritableByteChannel by file {
        override fun write(source: ByteBuffer): Int {
            val part = source.slice().limit(minOf(room, source.remaining()))
            if (!part.hasRemaining()) {
                throw java.io.IOException("No space left on device")
            }
            room -= part.limit()
            source.position(source.position() + part.limit())
            return file.write(part)
        }
    }

    @Test
    fun aFullDiskEndsTheRecordingWithASentenceAndWhatIsInTheFileCanBeUsed() {
        val recorded = record(200_000, 1L shl 24, FullDisk(create(), 3_000_000))
        assertTrue("No space left on device. It holds ${recorded.messages} messages" in recorded.failure!!, "$recorded")
        assertTrue(recorded.messages in 1 until 200_000, "$recorded")
        Recording(file).use { recording ->
            while (recording.next()) {
                assertEquals(recording.messageCount - 1, recording.nextSequence - 1)
            }
            assertEquals(recorded.messages, recording.messageCount)
            assertTrue("it is cut" in recording.damage!!, recording.damage)
        }
    }

    /** How many messages can be read, and why no more. */
    private fun readable(bytes: ByteArray): Pair<Long, String?> {
        file.writeBytes(bytes)
        return Recording(file).use { recording ->
            while (recording.next()) {
                // on
            }
            recording.messageCount to recording.damage
        }
    }

    @Test
    fun aCutOrDamagedRecordingIsUsedUpToThereAndSaysSoWhereverItIsCut() {
        val count = 100_000L // several blocks
        record(count, 1L shl 23)
        val whole = file.readBytes()
        assertEquals(count to null, readable(whole))
        val headerBytes = Recording(file).use { it.header.toBytes().size }
        var most = 0L
        for (size in listOf(headerBytes, headerBytes + 5, whole.size / 2, whole.size - 9, whole.size - 8,
            whole.size - 1)) {
            val (messages, damage) = readable(whole.copyOf(size))
            assertTrue(messages >= most && damage != null && file.toString() in damage, "$size: $messages $damage")
            most = messages
        }
        assertEquals(count, most)
        for (at in listOf(headerBytes, headerBytes + 4, headerBytes + 8, whole.size / 2, whole.size - 8)) {
            val (messages, damage) = readable(whole.clone().also { it[at] = (it[at] + 1).toByte() })
            assertTrue(messages <= count && damage != null, "$at: $messages $damage")
        }
        file.writeBytes(whole.copyOf(headerBytes) + littleEndian(ByteArray(4)).putInt(Int.MAX_VALUE).array())
        FileChannel.open(file, java.nio.file.StandardOpenOption.WRITE).use { // a hole, so that the length may be right
            it.write(ByteBuffer.allocate(1), 3L shl 30)
        }
        Recording(file).use {
            assertFalse(it.next())
            assertTrue("at byte $headerBytes: it has an impossible length" in it.damage!!, it.damage)
        }
    }

    @Test
    fun aFileThatIsNoRecordingOrOfAnotherVersionOrCutInItsHeaderIsRefusedWithASentence() {
        segment("source", 1L shl 16).use { segment ->
            val header = RecordingHeader.of(segment, queue(segment), 7).toBytes()
            fun refused(bytes: ByteArray, reason: String) {
                file.writeBytes(bytes)
                val message = assertThrows(RecordingException::class.java) { Recording(file).close() }.message!!
                assertTrue(reason in message && file.toString() in message, message)
            }
            refused(ByteArray(0), "is no recording")
            refused("time,value\n1,2\n".toByteArray(), "is no recording")
            refused(header.clone().also { it[8] = 9 }, "has version 9")
            refused(header.copyOf(header.size - 1), "within its header")
            refused(header.clone().also { it[20]++ }, "within its header")
            refused(header.clone().also { it[48] = -1 }, "within its header")
            file.writeBytes(header)
            Recording(file).use { assertEquals(7, it.header.firstSequence) }
        }
        assertThrows(RecordingException::class.java) { Recording(scratch.resolve("missing")) }
    }

    @Test
    fun anExistingFileIsNotOverwritten() {
        file.writeBytes(ByteArray(1))
        val message = assertThrows(RecordingException::class.java) { Recorder.create(file) }.message!!
        assertTrue("already" in message, message)
        assertEquals(1, file.fileSize())
    }

    @Test
    fun recordsOfAnotherLayoutAreNotReplayed() {
        record(10, 1L shl 16)
        val other = Broadcast.spec("orders", 4096).withLayout("1 8 Order\n 0 i64 price\n")
        Segment.create(bus.resolve("other"), SegmentSpec.of(other)).use { target ->
            Recording(file).use { recording ->
                val message = assertThrows(RecordingException::class.java) {
                    Replayer(recording, 1.0).replay(target, "orders", 0)
                }.message!!
                assertTrue("\"0 i64 price\"" in message && "\"0 i64 id\"" in message, message)
            }
        }
    }

    private companion object {
        const val LAYOUT = "1 8 Order\n 0 i64 id\n"
        const val LONG = 3_000_000
        const val PATIENCE_NANOS = 60_000_000_000L
    }
}
