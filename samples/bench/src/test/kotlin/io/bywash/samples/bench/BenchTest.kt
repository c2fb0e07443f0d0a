package io.bywash.samples.bench

import java.util.concurrent.TimeUnit
import javax.xml.parsers.DocumentBuilderFactory
import kotlin.io.path.copyTo
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import kotlin.io.path.writeText
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test

/** The whole benchmark, the documents that it writes, its ends and its options. */
class BenchTest : BenchFixture() {
    @Test
    fun everyContenderAndScenarioGivesItsFigures() {
        val page = scratch.resolve("BENCHMARKS.md")
        page.writeText("before\n<!-- summary: begin -->\nold\n<!-- summary: end -->\nafter\n")
        assertEquals(0, bench("all", "--json"), { err })
        val lines = out.lines().filter { it.isNotBlank() }
        assertEquals(1, lines.size, out)
        val keys = Regex("\"([^\"]+)\": ").findAll(lines[0]).map { it.groupValues[1] }.toList()
        assertEquals(keys.distinct(), keys)
        for (contender in CONTENDERS.filter { it.streams && !it.mayFail }) {
            assertTrue(keys.any { it.startsWith("throughput.64.${contender.name}.") && it.endsWith(".rate.median") },
                contender.name)
        }
        val wanted = listOf(
            "throughput.64.claim.vsAeronTryClaim", "throughput.64.claim.vsBestRival",
            "throughput.64.offer.vsAeronOffer", "throughput.64.typed.vsClaim", "throughput.64.typed.vsRawCopy",
            "throughput.64.typed.vsBestRival",
            "throughput.64.claim.slowRounds", "throughput.64.block.vsSkip", "throughput.8.claim.vsBestRival",
            "throughput.64.default.vsAeronDefault", "throughput.64.default.vsAgronaDefault",
            "tutorial.slots1024.megabytesPerSecond", "tutorial.ring8MiB.claim.megabytesPerSecond",
            "latency.rtt.p50.vsAeron", "latency.rtt.p99.vsAeron", "latency.rtt.vsRawPingPong",
            "latency.paced1M.p99.vsAeron", "latency.paced1M.default.p99.vsAeron",
            "fanout.3.vsAeron", "wake.default.vsFutex", "wake.default.idleCpuPercent",
            "queue.1to1.vsJctools", "queue.1to1.vsUnixSocket", "queue.2to2.vs1to1", "queue.wake.default.vsFutex",
            "queue.recovery.a_consumer_that_holds_a_message.recoveryMillis.median",
            "recovery.a_reader_that_held_the_writer_back.recoveryMillis.median",
            "recovery.a_writer,_until_its_successor_is_there.recoveryMillis.median", "environment.cores",
            "environment.rivals", "environment.commit",
        )
        assertEquals(emptyList<String>(), wanted - keys.toSet())
        if (hasCompiler()) {
            assertTrue("tutorial.slots1024.vsTutorialC" in keys, out)
        }
        val (written, read) = Regex("\"tutorial\\.[^\"]*checksums\": \"(-?\\d+) / (-?\\d+)\"")
            .find(lines[0])!!.destructured
        assertEquals(written, read)
        val text = page.readText()
        assertTrue(text.startsWith("before\n") && text.endsWith("after\n") && "\nold\n" !in text, text)
        assertTrue("| messages of 64 bytes, million a second | " in text, text)
        assertTrue("| throughput.64.claim.vsAeronTryClaim | " in scratch.resolve("bench-data.md").readText())
        for (plot in listOf("throughput.svg", "latency.svg")) {
            val root = DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(scratch.resolve(plot).toFile()).documentElement
            assertTrue(root.getElementsByTagName("polyline").length >= 4, plot)
        }
    }

    @Test
    fun summaryAndPlotsInTheDocumentsShowTheRecordedFigures() {
        val pages = listOf("bench-data.md", "BENCHMARKS.md", "throughput.svg", "latency.svg")
        pages.forEach { docs.resolve(it).copyTo(scratch.resolve(it)) }
        assertEquals(0, bench("--redraw"), { err })
        for (page in pages) {
            assertEquals(docs.resolve(page).readText(), scratch.resolve(page).readText(),
                "$page does not show docs/bench-data.md; run ./bywash bench --redraw")
        }
    }

    private fun awaitIn(process: Process, what: String, isThere: () -> Boolean) {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120)
        while (!isThere()) {
            assertTrue(process.isAlive && System.nanoTime() < end, { "$what: $err" })
            Thread.onSpinWait()
        }
    }

    /** Once two processes of it run. */
    private fun startWithChildren(scenario: String, isMeant: (ProcessHandle) -> Boolean = ::isJava): Process {
        val process = start(scenario)
        awaitIn(process, "it starts no processes") { process.descendants().filter(isMeant).count() >= 2 }
        return process
    }

    /** SIGTERM: SIGINT is ignored by who was started in the background. */
    private fun interrupt(process: Process) {
        val children = process.descendants().toList()
        process.destroy()
        assertTrue(process.waitFor(60, TimeUnit.SECONDS))
        children.forEach { it.onExit().get(60, TimeUnit.SECONDS) }
    }

    private fun kill(process: Process) {
        val children = process.descendants().toList()
        process.destroyForcibly().waitFor()
        children.forEach { it.onExit().get(60, TimeUnit.SECONDS) }
    }

    private fun isJava(process: ProcessHandle) = process.info().command().orElse("").endsWith("/java")

    private fun isNative(process: ProcessHandle) = process.info().command().orElse("").endsWith("native-bench")

    @Test
    fun anInterruptedRunLeavesNoProcessAndNoFile() = interrupt(startWithChildren("latency"))

    @Test
    fun childrenOfAKilledRunEndAndRemoveItsFiles() = kill(startWithChildren("latency"))

    @Test
    fun aRunOfNativeProgramsLeavesNoProcessAndNoFileWhenItIsInterruptedOrKilled() {
        assumeTrue(hasCompiler(), "there is no C compiler")
        interrupt(startWithChildren("native", ::isNative))
        kill(startWithChildren("native", ::isNative))
    }

    @Test
    fun anInterruptedRunOfOsgiLeavesNoFile() {
        val process = start("osgi")
        awaitIn(process, "it makes no segment") {
            shared.listDirectoryEntries().any { it.resolve("bus/bench").exists() }
        }
        interrupt(process)
    }

    @Test
    fun theOtherProcessOfAKilledRunOfOsgiEndsAndRemovesItsFiles() {
        val process = start("osgi")
        awaitIn(process, "it starts no process") { process.descendants().filter(::isJava).count() >= 1 }
        kill(process)
    }

    @Test
    fun optionsThatMeanNothingForAScenarioAreRefused() {
        for (arguments in listOf("queue --size 128", "osgi --size 128", "osgi --against pom.xml", "--redraw --json")) {
            assertEquals(2, bench(*arguments.split(' ').toTypedArray()), arguments)
            assertTrue("Error: " in err, err)
            assertEquals("", out)
        }
    }

    @Test
    fun aSizeThatIsNoMultipleOfEightIsRefused() {
        assertEquals(2, bench("throughput", "--size", "12"))
        assertTrue("must be a multiple of 8" in err, err)
        assertEquals("", out)
    }

    @Test
    fun anUnknownOptionEndsWithTwoAndTheHelpSaysHowToStartIt() {
        assertEquals(2, bench("--bogus"))
        assertTrue("--bogus" in err, err)
        assertEquals(0, bench("--help"))
        assertTrue("bywash bench" in out && "by default all" in out, out)
    }
}
