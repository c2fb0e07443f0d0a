package io.bywash.samples.tool.recording

import io.bywash.engine.Kind
import io.bywash.engine.MessageHandler
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import java.io.FileInputStream
import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.deleteExisting
import kotlin.io.path.deleteIfExists
import kotlin.io.path.exists
import kotlin.io.path.fileSize
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readBytes
import kotlin.io.path.readText
import kotlin.io.path.writeBytes
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** The commands record and replay as their users run them, in a bus directory of its own. */
@Timeout(180)
class RecordCommandTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-record-test-")
    private val scratch: Path = Files.createTempDirectory("bywash-record-test-")
    private val file = scratch.resolve("file")
    private val spec = SegmentSpec.of(Broadcast.spec("orders", 1L shl 20))

    private fun start(prefix: String, vararg arguments: String, told: String = ""): Process {
        val java = listOf(
            ProcessHandle.current().info().command().get(), "--enable-native-access=ALL-UNNAMED",
            "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp",
            System.getProperty("java.class.path"), "io.bywash.samples.tool.Tool",
        )
        return ProcessBuilder(listOf("sh", "-c", "$prefix exec \"$@\"", "sh") + java + arguments)
            .apply { environment()["BYWASH_DIR"] = bus.toString() }
            .redirectOutput(scratch.resolve("out$told").toFile())
            .redirectError(scratch.resolve("err$told").toFile()).start()
    }

    private fun end(process: Process, exitCode: Int, vararg said: String, told: String = "") {
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the command does not end")
        } finally {
            process.destroyForcibly()
        }
        val all = scratch.resolve("out$told").readText() + scratch.resolve("err$told").readText()
        assertEquals(exitCode, process.exitValue(), all)
        said.forEach { assertTrue(it in all, "no '$it' in: $all") }
    }

    private fun bywash(exitCode: Int, said: String, vararg arguments: String) =
        end(start("", *arguments), exitCode, said)

    @AfterEach
    fun nothingIsLeft() {
        val left = bus.listDirectoryEntries().map { it.fileName.toString() }.filter { it != ".lock" }
        (bus.listDirectoryEntries() + scratch.listDirectoryEntries() + listOf(bus, scratch))
            .forEach { it.deleteExisting() }
        assertEquals(emptyList<String>(), left)
    }

    private fun eventually(what: String, isTrue: () -> Boolean) {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (!isTrue()) {
            assertTrue(System.nanoTime() < end, "it did not come true that $what")
            Thread.sleep(5)
        }
    }

    private fun queue(segment: Segment) = segment.directory().find("orders", Kind.BROADCAST)

    private fun <T> withPublisher(use: (Publisher) -> T): T =
        Segment.create(bus.resolve("market"), spec).use { segment -> Publisher.open(queue(segment)).use(use) }

    @Test
    fun whatARunningProgramPublishesIsRecordedUntilTheCommandIsToldToEndAndReplayedToANewSegment() {
        withPublisher { publisher ->
            val recording = start("", "record", "market", "orders", file.toString(), "--json")
            eventually("the recording has begun") { file.exists() && file.fileSize() > 0 }
            val before = file.fileSize()
            for (number in 0 until 1000) {
                assertTrue(publisher.offer(ByteArray(4) { number.toByte() }, 0, 4, number, 0))
            }
            eventually("all of it is in the file") { file.fileSize() >= before + 20_000 }
            recording.destroy() // SIGTERM
            end(recording, 0, "\"messages\":1000,\"lost\":0", "\"error\":null")
        }
        val replaying = start("", "replay", file.toString(), "copy", "orders", "--speed", "max")
        Segment.attach(bus.resolve("copy"), 60_000_000_000L).use { segment ->
            Subscriber.open(queue(segment), SubscriberOptions.block().startingAtOldest()).use { subscriber ->
                var next = 0
                val handler = MessageHandler { message ->
                    assertEquals(next, message.type())
                    assertEquals((next++).toByte(), message.getByte(3))
                }
                while (next < 1000) {
                    assertTrue(subscriber.poll(handler, 1000, 60_000_000_000L) > 0)
                }
            }
            end(replaying, 0, "1000 messages")
        }
    }

    @Test
    fun aFullDiskAnExceededLimitAndWhatIsNotThereEndWithASentence() {
        bywash(1, "There is no segment", "record", "market", "orders", file.toString())
        assertTrue(!file.exists())
        withPublisher { publisher ->
            repeat(2000) { assertTrue(publisher.offer(ByteArray(100))) }
            val (pipe, standing) = recordToAStandingPipe()
            bywash(1, "It holds 0 messages", "record", "market", "orders", "/dev/full", "--from", "oldest",
                "--limit", "10")
            val limited = start("ulimit -f 64;", "record", "market", "orders", file.toString(), "--from", "oldest",
                "--limit", "2000")
            end(limited, 1, "cannot be continued", "can be replayed up to there")
            assertTrue(file.fileSize() in 1..65_536)
            bywash(1, "There is a file", "record", "market", "orders", file.toString())
            bywash(1, "has a publisher already, process ${ProcessHandle.current().pid()}", "replay",
                recorded().toString(), "market", "orders")
            end(standing, 1, "nothing could be written to it for 10 s. It holds 0 messages and can be replayed up to",
                " later ones are lost.", told = "-pipe")
            pipe.close()
        }
        bywash(2, "'0' is no speed", "replay", file.toString(), "market", "orders", "--speed", "0")
    }

    /** A recording to a pipe that is full and whose reader does not read, and which was told to end. */
    private fun recordToAStandingPipe(): Pair<RandomAccessFile, Process> {
        val name = scratch.resolve("pipe").toString()
        assertEquals(0, ProcessBuilder("mkfifo", name).start().waitFor())
        val pipe = RandomAccessFile(name, "rw")
        val recording = start("", "record", "market", "orders", name, "--from", "oldest", told = "-pipe")
        eventually("a block is on its way") { FileInputStream(pipe.fd).available() > 4000 }
        recording.destroy() // SIGTERM
        return pipe to recording
    }

    /** A recording of ten messages whose end is missing. */
    private fun recorded(): Path {
        file.deleteIfExists()
        Segment.observe(bus.resolve("market")).use {
            Recorder(it, "orders").record(Recorder.create(file), "file", fromOldest = true, limit = 10)
        }
        file.writeBytes(file.readBytes().let { it.copyOf(it.size - 3) })
        return file
    }

    @Test
    fun aCutRecordingIsReplayedUpToTheCutAtItsSpeedAndTheCommandSaysSo() {
        withPublisher { publisher -> repeat(10) { assertTrue(publisher.offer(ByteArray(100))) }.also { recorded() } }
        Segment.create(bus.resolve("copy"), spec).use { segment ->
            Subscriber.open(queue(segment)).use { subscriber ->
                bywash(1, "it is cut. Before that it has 10 messages", "replay", file.toString(), "copy", "orders",
                    "--speed", "2")
                assertEquals(10, subscriber.poll(MessageHandler {}, 100))
            }
        }
    }
}
