package io.bywash.samples.demo

import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.Kind
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import kotlin.io.path.writeText
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** Runs the demo as its users do, in a bus directory of its own. */
@Timeout(180)
class DemoTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-demo-test-")
    private val scratch: Path = Files.createTempDirectory("bywash-demo-test-")

    private class Outcome(val exitCode: Int, val out: String, val err: String) {
        fun number(name: String) = Regex("\"${Regex.escape(name)}\": (-?\\d+)").find(out)?.groupValues?.get(1)?.toLong()
    }

    private fun start(vararg arguments: String): Process = ProcessBuilder(
        listOf(
            ProcessHandle.current().info().command().get(), "--enable-native-access=ALL-UNNAMED",
            "-Dbywash.container=" + Path.of("../container/target/felix").toAbsolutePath().normalize(),
            "-cp", System.getProperty("java.class.path"), "io.bywash.samples.demo.Demo",
        ) + arguments,
    ).apply { environment()["BYWASH_DIR"] = bus.toString() }
        .redirectOutput(scratch.resolve("out").toFile()).redirectError(scratch.resolve("err").toFile()).start()

    private fun demo(vararg arguments: String): Outcome {
        val process = start(*arguments)
        try {
            assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the demo does not end")
        } finally {
            process.destroy()
        }
        return Outcome(process.exitValue(), scratch.resolve("out").readText(), scratch.resolve("err").readText())
    }

    @AfterEach
    fun nothingIsLeft() {
        val left = bus.listDirectoryEntries().map { it.fileName.toString() }.filter { it != ".lock" }
        (bus.listDirectoryEntries() + scratch.listDirectoryEntries() + listOf(bus, scratch)).forEach { it.deleteExisting() }
        assertEquals(emptyList<String>(), left)
    }

    private fun assertAllReceived(outcome: Outcome) {
        assertEquals(0, outcome.exitCode, outcome.err)
        val published = outcome.number("published")!!
        assertTrue(published > 0, outcome.out)
        assertEquals(published, outcome.number("received.coroutine"))
        assertEquals(published, outcome.number("received.osgi"))
        assertEquals(0, outcome.number("lost.coroutine"))
        assertEquals(0, outcome.number("lost.osgi"))
        assertTrue(outcome.number("latency.p50Nanos")!! in 1..outcome.number("latency.p99Nanos")!!, outcome.out)
        assertTrue(outcome.number("withdrawnAfterMillis")!! >= 0 && outcome.number("returnedAfterMillis")!! >= 0, outcome.out)
        assertTrue("\"ok\": true" in outcome.out, outcome.out)
        assertEquals(1, outcome.out.lines().count { it.isNotBlank() }, "more than one line on the standard output")
    }

    @Test
    fun bothConsumersGetEveryLiveReadingOnceAlthoughTheFeedIsKilledAndTheDirectoryHoldsADamagedFile() {
        val foreign = bus.resolve("foreign").apply { writeText("this is no segment, but somebody put it here") }
        val recording = scratch.resolve("recording.csv")
        val outcome = demo("--seconds", "4", "--rate", "2000", "--record", recording.toString(), "--json")
        assertAllReceived(outcome)
        assertTrue("SIGKILL" in outcome.err && "withdrawn" in outcome.err && "service is back" in outcome.err, outcome.err)
        assertTrue(recording.readText().lines().first().startsWith("timeMillis,cpu0.load"), "the recording's first line")
        foreign.deleteExisting()
    }

    @Test
    fun theRecordingThatShipsWithTheSampleIsReplayed() {
        val recording = Path.of("recording.csv").toAbsolutePath()
        assertTrue(recording.exists())
        assertAllReceived(demo("--seconds", "4", "--rate", "max", "--replay", recording.toString(), "--json"))
    }

    @Test
    fun aRecordingThatCannotBeReplayedIsRefusedBeforeAnythingStarts() {
        val file = scratch.resolve("bad.csv")
        refused(demo("--replay", file.toString()), "cannot be read")
        file.writeText("")
        refused(demo("--replay", file.toString()), "is empty")
        file.writeText("a,b\n")
        refused(demo("--replay", file.toString()), "has no readings")
        file.writeText("a,b\n1,2\n3\n")
        refused(demo("--replay", file.toString()), "line 3")
        file.writeText("a,b\nx,y\n")
        refused(demo("--replay", file.toString()), "line 2")
    }

    @Test
    fun aRateOfZeroIsRefused() = refused(demo("--rate", "0"), "'0' is no rate")

    private fun refused(outcome: Outcome, reason: String) {
        assertEquals(1, outcome.exitCode, outcome.err)
        assertTrue(reason in outcome.err.replace(Regex("\\s+"), " "), outcome.err)
        assertEquals("", outcome.out)
    }

    @Test
    fun aSecondDemoAtTheSameTimeIsRefusedWithTheFirstOnesProcess() {
        Segment.create(bus.resolve("demo"), SegmentSpec.of(Broadcast.spec("readings", 4096))).use { segment ->
            Publisher.open(segment.directory().find("readings", Kind.BROADCAST)).use {
                refused(demo(), "another demo is running (process ${ProcessHandle.current().pid()}")
            }
        }
    }

    @Test
    fun anInterruptedDemoLeavesNoProcessAndNoSegment() {
        val process = start("--seconds", "60")
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (!bus.resolve("demo").exists() && System.nanoTime() < end) {
            Thread.onSpinWait()
        }
        val children = process.descendants().toList()
        assertEquals(3, children.size)
        ProcessBuilder("kill", "-INT", process.pid().toString()).start().waitFor()
        assertTrue(process.waitFor(60, TimeUnit.SECONDS))
        children.forEach { it.onExit().get(60, TimeUnit.SECONDS) }
    }
}
