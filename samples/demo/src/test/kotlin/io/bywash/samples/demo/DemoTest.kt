package io.bywash.samples.demo

import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.Kind
import io.bywash.samples.tool.recording.Recording
import io.bywash.samples.tool.recording.RecordingHeader
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.isExecutable
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeFalse
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource

/** Runs the demo as its users do, in a bus directory of its own. */
@Timeout(180)
class DemoTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-demo-test-")
    private val scratch: Path = Files.createTempDirectory("bywash-demo-test-")

    private class Outcome(val exitCode: Int, val out: String, val err: String) {
        fun number(name: String) = Regex("\"${Regex.escape(name)}\": (-?\\d+)").find(out)?.groupValues?.get(1)?.toLong()
    }

    private fun command(vararg arguments: String): List<String> = listOf(
        ProcessHandle.current().info().command().get(), "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC", "-Dbywash.container=" + Path.of("../container/target/felix").toAbsolutePath().normalize(),
        "-Djava.io.tmpdir=$scratch", "-cp", System.getProperty("java.class.path"),
    ) + arguments

    private fun builder(command: List<String>) = ProcessBuilder(command).apply {
        environment().keys.removeAll(setOf("NO_COLOR", "FORCE_COLOR", "COLORTERM", "CI", "COLUMNS", "LINES"))
        environment()["BYWASH_DIR"] = bus.toString()
    }

    private fun start(
        command: List<String>, environment: Map<String, String> = emptyMap(), name: String = "",
    ): Process = builder(command).apply { environment() += environment }
        .redirectOutput(scratch.resolve("out$name").toFile()).redirectError(scratch.resolve("err$name").toFile())
        .start()

    private fun start(vararg arguments: String): Process = start(command("io.bywash.samples.demo.Demo", *arguments))

    /**
     * In a terminal of that width, whose output becomes the standard output; without a terminal where no tool can make
     * one.
     */
    private fun startInTerminal(
        columns: Int, environment: Map<String, String>, name: String, vararg arguments: String,
    ): Process {
        val command = command("-Dbywash.terminal=$hasTerminals", "io.bywash.samples.demo.Demo", *arguments)
        val line = command.joinToString(" ") { "'" + it.replace("'", "'\\''") + "'" }
        val script = listOf("script", "-q", "-e", "-f", "-c", "stty cols $columns rows 50 -onlcr; exec $line",
            "/dev/null")
        return start(if (hasTerminals) script else command, mapOf("SHELL" to "/bin/sh") + environment, name)
    }

    private val hasTerminals = System.getenv("PATH").split(':').any { Path.of(it, "script").isExecutable() }

    private fun sayWhatWasNotTested() = assumeTrue(
        hasTerminals, "what a terminal shows is NOT tested: there is no command 'script' (util-linux) to make one",
    )

    private fun outcome(process: Process, name: String = ""): Outcome {
        try {
            assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the demo does not end")
        } finally {
            process.destroy()
        }
        return Outcome(process.exitValue(), scratch.resolve("out$name").readText(),
            scratch.resolve("err$name").readText())
    }

    private fun demo(vararg arguments: String): Outcome = outcome(start(*arguments))

    @AfterEach
    fun nothingIsLeft() {
        val left = bus.listDirectoryEntries().map { it.fileName.toString() }.filter { it != ".lock" }
        val storages = scratch.listDirectoryEntries("bywash-demo-*").map { it.fileName.toString() }
        listOf(bus, scratch).forEach { it.toFile().deleteRecursively() }
        assertEquals(emptyList<String>(), left + storages)
    }

    private fun assertAllReceived(outcome: Outcome) {
        assertEquals(0, outcome.exitCode, outcome.err)
        val published = outcome.number("published")!!
        assertTrue(published > 0, outcome.out)
        assertEquals(published, outcome.number("received.coroutine"))
        assertEquals(published, outcome.number("received.osgi"))
        assertEquals(0, outcome.number("lost.coroutine"))
        assertEquals(0, outcome.number("lost.osgi"))
        assertTrue(outcome.number("latency.count")!! < 2 * published, outcome.out) // not those of the warm-up
        if (outcome.number("latency.count") == 0L) { // the two feeds stood still but for their first seconds
            assertTrue(published < MOST_IN_WARM_UP && "\"latency.p50Nanos\": null" in outcome.out, outcome.out)
        } else if (outcome.number("blocked") == 0L) {
            assertTrue(outcome.number("latency.p50Nanos")!! in 1..outcome.number("latency.p99Nanos")!!, outcome.out)
        } else {
            assertTrue("\"latency.p50Nanos\": null" in outcome.out, outcome.out)
        }
        assertTrue(outcome.number("withdrawnAfterMillis")!! >= 0 && outcome.number("returnedAfterMillis")!! >= 0,
            outcome.out)
        assertTrue("\"ok\": true" in outcome.out, outcome.out)
    }

    private fun assertRecorded(file: Path, published: Long) = Recording(file).use { recording ->
        var loads = 0
        while (recording.next()) {
            val (source, value) = ReadingCodec.read(recording.bytes, recording.index, recording.length)!!
            loads += if (source == "cpu0.load" && value in 0.0..1.0) 1 else 0
        }
        assertNull(recording.damage)
        assertEquals(published, recording.messageCount + recording.lostCount)
        assertTrue(loads > 0)
    }

    /** Nothing is wrapped or printed twice, and what remains is what is true at the end. */
    private fun assertReadable(screen: Screen) {
        val text = screen.toString()
        assertEquals(0, screen.wraps, text)
        assertTrue(screen.redraws > 3, text)
        val names = listOf("feed      (Kotlin)", "container (OSGi)", "receiver  (coroutine)")
        for (once in names + listOf("with SIGKILL", "service back")) {
            assertEquals(1, text.windowed(once.length).count { it == once }, "'$once' in:\n$text")
        }
        assertTrue(Regex("[1-9][0-9,]* published\\s+ended").containsMatchIn(text), text)
        assertTrue(Regex("-[0-9,]+/s").find(text) == null, text)
    }

    @Test
    fun bothConsumersGetEveryLiveReadingOnceAlthoughTheFeedIsKilledAndFortyColumnsAreEnoughToShowIt() {
        val foreign = bus.resolve("foreign").apply { writeText("this is no segment, but somebody put it here") }
        val recording = scratch.resolve("recording")
        val environment = mapOf("TERM" to "xterm-256color", "NO_COLOR" to "1")
        val started = startInTerminal(
            40, environment, "", "--seconds", "4", "--rate", "2000", "--record", recording.toString(), "--json",
        )
        val outcome = outcome(started)
        assertAllReceived(outcome)
        val shown = outcome.out + outcome.err
        val words = shown.replace(Regex("\\s+"), " ")
        assertTrue("SIGKILL" in words && "withdrawn the queue's" in words && "service is back" in words, shown)
        assertRecorded(recording, outcome.number("published")!!)
        foreign.deleteExisting()
        sayWhatWasNotTested()
        assertReadable(Screen(40, outcome.out.substringBefore("{\"published\"")))
        assertTrue(Regex("${Screen.ESC}\\[[0-9;]*m").find(outcome.out) == null, "a colour in spite of NO_COLOR")
    }

    @Test
    fun ofTwoDemosThatStartTogetherOneIsRefusedAndTheOtherReplaysTheRecordingAtFullSpeed() {
        val recording = Path.of("host.recording").toAbsolutePath()
        assertTrue(recording.exists())
        val environment = mapOf("TERM" to "xterm-256color")
        val names = listOf("1", "2")
        val arguments = arrayOf("--seconds", "4", "--rate", "max", "--replay", recording.toString(), "--json")
        val both = names.map { startInTerminal(120, environment, it, *arguments) }
        val (winner, loser) = both.zip(names).map { (process, name) -> outcome(process, name) }.sortedBy { it.exitCode }
        assertAllReceived(winner)
        val said = (loser.out + loser.err).replace(Regex("\\s+"), " ")
        assertEquals(1, loser.exitCode, said)
        assertTrue(said.startsWith("demo: another demo is running (process "), said)
        assertFalse(" at java." in said || " at io.bywash" in said, "a stack trace: $said")
        sayWhatWasNotTested()
        assertReadable(Screen(120, winner.out.substringBefore("{\"published\"")))
        assertTrue("${Screen.ESC}[3" in winner.out, "no colour on a terminal that has them")
    }

    @Test
    fun aRecordingThatCannotBeReplayedIsRefusedBeforeAnythingStarts() {
        val file = scratch.resolve("bad")
        refused(2, demo("--replay", file.toString()), "cannot be read")
        file.writeText("a,b\n1,2\n")
        refused(2, demo("--replay", file.toString()), "is no recording")
        val header = RecordingHeader("demo", 1, "readings", "", 4096, 0, 0)
        file.writeBytes(header.toBytes())
        refused(2, demo("--replay", file.toString()), "has no end")
        file.writeBytes(header.copy(entry = "prices").toBytes())
        refused(2, demo("--replay", file.toString()), "of the broadcast \"prices\"")
        refused(2, demo("--record", file.toString()), "There is a file")
    }

    @Test
    fun aRateOfZeroIsRefused() = refused(2, demo("--rate", "0"), "'0' is no rate")

    private fun refused(exitCode: Int, outcome: Outcome, reason: String) {
        assertEquals(exitCode, outcome.exitCode, outcome.err)
        assertFalse("\tat " in outcome.err, "a stack trace: " + outcome.err)
        assertTrue(reason in outcome.err.replace(Regex("\\s+"), " "), outcome.err)
        assertEquals("", outcome.out)
    }

    @Test
    fun aSecondDemoAtTheSameTimeIsRefusedWithTheFirstOnesProcess() {
        Segment.create(bus.resolve("demo"), SegmentSpec.of(Broadcast.spec("readings", 4096))).use { segment ->
            Publisher.open(segment.directory().find("readings", Kind.BROADCAST)).use {
                refused(1, demo(), "another demo is running (process ${ProcessHandle.current().pid()}")
            }
        }
    }

    /** Who is started in the background by a shell ignores SIGINT, and so do its children. */
    @ParameterizedTest
    @ValueSource(strings = ["INT", "TERM"])
    fun anInterruptedDemoThatWasLookedAtLeavesNoProcessAndNoSegmentAndNoEscapeSequenceOnADumbTerminal(signal: String) {
        val ignored = Path.of("/proc/self/status").readText().lines().first { it.startsWith("SigIgn:") }
            .substringAfter(':').trim().toULong(16)
        assumeFalse(signal == "INT" && ignored and 2UL != 0UL, "SIGINT is NOT tested: it is ignored, as in a " +
            "background job")
        val terminal = startInTerminal(120, mapOf("TERM" to "dumb"), "", "--seconds", "600", "--rate", "1000")
        val demo = awaitLanes(terminal)
        try {
            if (signal == "TERM") {
                Operated(bus, scratch, demo) { builder(command(*it)) }.look()
            }
        } finally {
            end(demo, signal)
        }
        assertTrue(terminal.waitFor(60, TimeUnit.SECONDS))
        val shown = scratch.resolve("out").readText() + scratch.resolve("err").readText()
        assertTrue("published" in shown, shown)
        assertFalse(Screen.ESC in shown, shown)
        assertFalse("\tat " in shown, "a stack trace: $shown")
    }

    /** The demo itself, when all of its lanes have been shown twice. */
    private fun awaitLanes(started: Process): ProcessHandle {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (true) {
            val demo = (listOf(started.toHandle()) + started.descendants().toList())
                .firstOrNull { it.children().count() == 3L }
            val shown = scratch.resolve("out").readText() + scratch.resolve("err").readText()
            if (demo != null && shown.split("receiver  (coroutine)").size > 2) {
                return demo
            }
            assertTrue(started.isAlive && System.nanoTime() < end, shown)
            Thread.sleep(10)
        }
    }

    private fun end(demo: ProcessHandle, signal: String) {
        val children = demo.children().toList()
        ProcessBuilder("kill", "-$signal", demo.pid().toString()).start().waitFor()
        (children + demo).forEach { it.onExit().get(60, TimeUnit.SECONDS) }
    }

    private companion object {
        /** More than two feeds publish in their first seconds at 2,000 a second. */
        const val MOST_IN_WARM_UP = 5_000L
    }
}
