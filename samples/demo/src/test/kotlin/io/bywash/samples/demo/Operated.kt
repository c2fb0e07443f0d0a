package io.bywash.samples.demo

import io.bywash.engine.Segment
import io.bywash.samples.tool.recording.Recording
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.createDirectory
import kotlin.io.path.readText
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue

/**
 * A running demo, seen by the commands of docs/OPERATING.md.
 *
 * @param builder of a JVM with this main class and these arguments, and the demo's bus directory
 */
class Operated(
    private val bus: Path, scratch: Path, private val demo: ProcessHandle,
    private val builder: (arguments: Array<String>) -> ProcessBuilder,
) {
    private val folder = scratch.resolve("commands").createDirectory()
    private val recording = folder.resolve("recording")

    /** The demo leaves its segment to these three. */
    private val pids = demo.children().map { it.pid() }.toList()
    private val feed = pids.single { "FeedKt" in Path.of("/proc/$it/cmdline").readText() }

    fun look() {
        await("the demo's processes have joined") { participants() == pids.toSet() }
        val shown = folder.resolve("watched")
        val watch = builder(arrayOf("io.bywash.samples.tool.Tool", "stat", "--watch", "demo"))
            .redirectErrorStream(true).redirectOutput(shown.toFile()).start()
        try {
            commands()
            // Each look has such lines, with what was published by then.
            await("two looks differ") {
                shown.readText().lines().filter { it.startsWith("readings ") && "broadcast" in it }.distinct().size > 1
            }
        } finally {
            watch.destroy()
            watch.waitFor()
        }
    }

    private fun await(what: String, isTrue: () -> Boolean) {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (!isTrue()) {
            assertTrue(demo.isAlive && System.nanoTime() < end, "it did not come true that $what")
            Thread.sleep(10)
        }
    }

    private fun participants(): Set<Long> =
        Segment.observe(bus.resolve("demo")).use { segment -> segment.participants().map { it.pid() }.toSet() }

    private fun commands() {
        val all = listOf(
            "ls", "stat demo", "top demo --once", "tail demo readings --limit 3",
            "tail demo readings --from last 2 --once --as json",
            "record demo readings $recording --from oldest --limit 500 --json",
            "health demo --ignore space", // of this host
            "layout demo", "verify demo", "doctor", "send demo readings", "replay $recording demo readings",
        )
        val said = folder.resolve("said")
        val process = builder(arrayOf("io.bywash.samples.demo.RunCommands", folder.toString()) + all)
            .redirectErrorStream(true).redirectOutput(said.toFile()).start()
        try {
            assertTrue(process.waitFor(120, TimeUnit.SECONDS), "the commands do not end")
            assertEquals(0, process.exitValue(), said.readText())
        } finally {
            process.destroy()
        }
        val ran = all.withIndex().associate { (index, command) -> command to RunCommands.ran(folder, index) }
        fun check(command: String, exitCode: Int, vararg wanted: String): String {
            val (name, outcome) = ran.entries.single { it.key.startsWith(command) }
            assertEquals(exitCode, outcome.exitCode, name + outcome.out + outcome.err)
            wanted.forEach { assertTrue(it in outcome.out + outcome.err, "no '$it' in: ${outcome.out}${outcome.err}") }
            return outcome.out
        }
        check("ls", 0, "demo", "live", "3 participants", *pids.map { "$it" }.toTypedArray())
        for (look in listOf("stat", "top")) {
            check(look, 0, "segment demo: ", "readings", "broadcast", "4 MiB", "PER SECOND", "alive", "$feed")
        }
        val numbers = check("tail demo readings --limit", 0).trim().lines().map { it.substringBefore(' ').toLong() }
        assertEquals(List(3) { numbers.first() + it }, numbers)
        assertEquals(2, check("tail demo readings --from", 0, "{\"sequence\":").trim().lines().size)
        check("record", 0, "\"messages\":500,\"lost\":0")
        assertRecorded()
        assertEquals("ok: segment demo, 3 participants, 1 entries\n", check("health", 0))
        check("layout", 0, "readings", "broadcast", "directory", "$feed")
        check("verify", 0, "Segment demo: every invariant holds.")
        val doctor = ran.getValue("doctor")
        check("doctor", doctor.exitCode, "native access", "file system")
        assertTrue(doctor.exitCode in 0..1, doctor.err) // this host may be sick
        for (refused in listOf("send", "replay")) {
            check(refused, 1, "bywash: ", "has a publisher already, process $feed", "end that one first")
        }
    }

    /** From the first message on, since the ring has room for all. */
    private fun assertRecorded() = Recording(recording).use {
        assertEquals(0, it.header.firstSequence)
        while (it.next()) {
            checkNotNull(ReadingCodec.read(it.bytes, it.index, it.length))
        }
        assertNull(it.damage)
        assertEquals(500, it.messageCount)
    }
}
