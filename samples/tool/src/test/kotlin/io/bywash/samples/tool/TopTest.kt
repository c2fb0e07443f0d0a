package io.bywash.samples.tool

import io.bywash.engine.BusDirectory
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.broadcast.BroadcastStatus
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.deleteExisting
import kotlin.io.path.isExecutable
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.parallel.Execution
import org.junit.jupiter.api.parallel.ExecutionMode

/** What `top` shows in terminals and pipes while processes work, stand still and die. */
@Timeout(180)
@Execution(ExecutionMode.CONCURRENT) // each has few processes
class TopTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-top-test-")
    private val feed = Feed(bus)
    private val started = mutableListOf<Process>()

    @AfterEach
    fun nothingIsLeft() {
        started.forEach { it.destroyForcibly().waitFor() }
        feed.close()
        val left = bus.listDirectoryEntries().map { it.fileName.toString() }.filter { it != ".lock" && "out" !in it }
        bus.listDirectoryEntries().plusElement(bus).forEach { it.deleteExisting() }
        assertEquals(emptyList<String>(), left)
    }

    /** A terminal with a program in it; what it shows is written to a file. */
    private inner class Shown(val columns: Int, val process: Process, private val file: Path) {
        val text get() = file.readText()

        /** What was written, without what moves the cursor and colours. */
        val lines get() = text.split('\n', '\r').map { it.replace(ESCAPE, "") }

        fun press(keys: String) {
            process.outputStream.write(keys.toByteArray())
            process.outputStream.flush()
        }

        /** Waits until this stands there, however it is broken into lines. */
        fun await(wanted: String) = await("no '$wanted'") { wanted in it }

        /** Waits until a look says for how many seconds something has lasted, and a later one says a larger number. */
        fun awaitGrowth() = await("no number of seconds that grows") { all ->
            val seconds = SECONDS.findAll(all).map { it.groupValues[1].toLong() }.toList()
            seconds.zipWithNext().any { (one, next) -> next > one }
        }

        private fun await(otherwise: String, isThere: (String) -> Boolean) {
            val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
            while (!isThere(lines.joinToString(" ") { it.trim() }.replace(Regex(" +"), " "))) {
                assertTrue(System.nanoTime() < end && process.isAlive, "$otherwise at $columns columns in:\n$text")
                Thread.sleep(50)
            }
        }
    }

    private fun start(columns: Int, environment: Map<String, String>, vararg command: String): Shown {
        val file = bus.resolve("$columns.out")
        val process = ProcessBuilder(*command).redirectErrorStream(true).redirectOutput(file.toFile()).apply {
            environment().keys.removeAll(setOf("NO_COLOR", "FORCE_COLOR", "COLORTERM", "CI", "COLUMNS", "LINES"))
            environment() += mapOf("BYWASH_DIR" to bus.toString(), "SHELL" to "/bin/sh", "TERM" to "xterm")
            environment() += environment
        }.start()
        started += process
        return Shown(columns, process, file)
    }

    private fun inTerminal(columns: Int, environment: Map<String, String>, vararg arguments: String): Shown {
        val line = javaCommand("io.bywash.samples.tool.Tool", *arguments)
            .joinToString(" ") { "'" + it.replace("'", "'\\''") + "'" }
        return start(columns, environment, "script", "-q", "-e", "-f", "-c",
            "stty cols $columns rows 60 -onlcr; exec $line", "/dev/null")
    }

    private fun archive() = ProcessBuilder(
        javaCommand("io.bywash.samples.tool.Archive", bus.resolve("market").toString()),
    ).start().also {
        started += it
        assertEquals("joined", it.inputReader().readLine())
    }

    @Test
    fun aTerminalOfAnyWidthShowsWhoHoldsWhomBackForHowLongAndWhoDiesAndObeysKeys() {
        assumeTrue(
            System.getenv("PATH").split(':').any { Path.of(it, "script").isExecutable() },
            "what a terminal shows is NOT tested: there is no command 'script' (util-linux) to make one",
        )
        val archive = archive()
        feed.start()
        val pid = archive.pid()
        val terminals = listOf(
            inTerminal(40, mapOf("NO_COLOR" to "1"), "top", "market"), inTerminal(80, emptyMap(), "top"),
            inTerminal(200, emptyMap(), "stat", "--watch", "market"),
        )
        for (terminal in terminals) {
            terminal.await("shown: all, by name")
            terminal.await("subscriber process $pid \"archive\" (block, role 1) does not go on")
            terminal.awaitGrowth()
            terminal.await("#########. 99%") // the ring of the broadcast
            terminal.press("s")
            terminal.await("by rate")
            terminal.press("j")
            terminal.await("shown: market, by rate")
            terminal.press("j")
            terminal.await("shown: market/orders, by rate")
            terminal.press("a")
        }
        archive.destroyForcibly().waitFor()
        for (terminal in terminals) {
            terminal.await("market: process $pid \"archive\" died")
            terminal.press(if (terminal.columns == 80) CONTROL_C else "q")
            assertTrue(terminal.process.waitFor(60, TimeUnit.SECONDS), "it does not end: ${terminal.text}")
            assertEquals(0, terminal.process.exitValue())
            val tooLong = terminal.lines.filter { it.length >= terminal.columns }
            assertEquals(emptyList<String>(), tooLong, "${terminal.columns} columns")
        }
        assertFalse(COLOUR in terminals[0].text, "a colour in spite of NO_COLOR")
        assertTrue(COLOUR in terminals[1].text, "no colour on a terminal that has them")
    }

    @Test
    fun aPipeAndADumbTerminalGetPlainLinesAndWhatHappens() {
        val archive = archive()
        val pipe = start(0, emptyMap(), *javaCommand("io.bywash.samples.tool.Tool", "top", "market").toTypedArray())
        val dumb = inTerminal(81, mapOf("TERM" to "dumb"), "top")
        for (shown in listOf(pipe, dumb)) {
            shown.await("segment market: ")
            shown.await("orders")
        }
        archive.destroyForcibly().waitFor()
        for (shown in listOf(pipe, dumb)) {
            shown.await("event: market: process ${archive.pid()} \"archive\" died")
            assertFalse('\u001b' in shown.text, shown.text)
        }
    }

    @Test
    fun whoJoinsIsEvictedLosesMessagesOrLeavesIsToldOnce() {
        val orders = feed.segment.directory().find("orders", Kind.BROADCAST)
        val watch = Watch(BusDirectory.at(bus), null)
        val other = Segment.attach(bus.resolve("market"), 0)
        val slow = Subscriber.open(orders, SubscriberOptions.evictAfter(1)).apply { label("slow") }
        val skipping = Subscriber.open(orders, SubscriberOptions.skip()).apply { label("hasty") }
        assertEquals(emptyList<String>(), watch.look().events)
        feed.start()
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (BroadcastStatus.of(orders).run { evictedCount == 0L || messageCount < 200 } && System.nanoTime() < end) {
            Thread.sleep(5)
        }
        skipping.poll({ }, 1)
        other.close()
        val third = Segment.attach(bus.resolve("market"), 0)
        val events = watch.look().events
        val pid = ProcessHandle.current().pid()
        for (wanted in listOf("market: process $pid left", "market: process $pid joined", "market/orders: 1 evicted",
            "market/orders: evict process $pid \"slow\" was evicted")) {
            assertEquals(1, events.count { it == wanted }, "'$wanted' in $events")
        }
        val lost = skipping.lostCount()
        assertTrue(lost > 0 && "market/orders: process $pid \"hasty\" lost $lost messages" in events, events.toString())
        listOf(slow, skipping, third).forEach { it.close() }
    }

    @Test
    fun tailUnderFullLoadShowsWholeRecordsInOrderCountsTheOthersAndEndsWithTheSegment() {
        val told = bus.resolve("tail.out")
        val tail = ProcessBuilder(javaCommand("io.bywash.samples.tool.Tool", "tail", "market", "orders"))
            .redirectError(told.toFile()).apply { environment()["BYWASH_DIR"] = bus.toString() }.start()
        started += tail
        feed.start()
        val lines = tail.inputReader().lineSequence().iterator()
        var last = -1L
        fun check(line: String) {
            val sequence = line.substringAfter(':').substringBefore(',').toLong()
            assertTrue(sequence > last, "$line behind $last")
            last = sequence
            assertEquals(
                """{"sequence":$sequence,"type":"Order","value":{"time":7,"limit":{"units":150,"scale":2},""" +
                    """"side":"SELL","symbol":"AB"}}""",
                line,
            )
        }
        repeat(2_000) { check(lines.next()) }
        feed.close()
        lines.forEach { check(it) }
        assertEquals(0, tail.waitFor())
        val gone = told.readText()
        assertTrue("messages were gone before they could be shown" in gone, gone)
        assertTrue("bywash: segment market is gone" in gone, gone)
    }

    private companion object {
        /** For how long already the subscriber holds its publisher back. */
        val SECONDS = Regex("the ring is full \\(for (\\d+) s\\)")
        val ESCAPE = Regex("\u001b\\[[0-9;?]*[A-Za-z]")
        const val CONTROL_C = "\u0003"
        const val COLOUR = "\u001b[3"
    }
}
