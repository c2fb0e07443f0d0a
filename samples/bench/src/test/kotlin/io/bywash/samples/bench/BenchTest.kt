package io.bywash.samples.bench

import io.bywash.engine.Claim
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import javax.xml.parsers.DocumentBuilderFactory
import kotlin.io.path.copyTo
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import kotlin.io.path.writeText
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** Runs the benchmark as its users do, with rounds so short that its figures mean nothing. */
@Timeout(1200)
class BenchTest {
    private val shared: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-bench-test-")
    private val scratch: Path = Files.createTempDirectory("bywash-bench-test-")

    private fun start(vararg arguments: String): Process = ProcessBuilder(
        listOf(
            ProcessHandle.current().info().command().get(), "-XX:-UsePerfData", "-XX:+UseSerialGC",
        ) + FastStart.flags + listOf(
            "-Dbench.tiny=true", "-Dbench.tiny.flags=" + FastStart.flags.joinToString(" "),
            "-Dbywash.docs=$scratch", "-cp", FastStart.classPath, "io.bywash.samples.bench.Bench",
        ) + arguments,
    ).apply { environment()["BYWASH_DIR"] = shared.toString() }
        .redirectOutput(scratch.resolve("out").toFile()).redirectError(scratch.resolve("err").toFile()).start()

    /** However slow the machine makes it: as long as it says something, it goes on. */
    private fun bench(vararg arguments: String): Int {
        val process = start(*arguments)
        try {
            var said = -1L
            while (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                val now = listOf("out", "err").sumOf { Files.size(scratch.resolve(it)) }
                assertTrue(now > said, { "the benchmark says nothing more: $err" })
                said = now
            }
        } finally {
            process.destroy()
        }
        return process.exitValue()
    }

    private val docs = Path.of("../../docs")
    private val out get() = scratch.resolve("out").readText()
    private val err get() = scratch.resolve("err").readText()

    @AfterEach
    fun nothingIsLeft() {
        val left = shared.listDirectoryEntries().map { it.fileName.toString() }
        removeQuietly(shared)
        removeQuietly(scratch)
        assertEquals(emptyList<String>(), left)
    }

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

    @Test
    fun coroutinesAreComparedWithTheEngineAndAllocateNothing() {
        assertEquals(0, bench("coroutines", "--json"), { err })
        val figures = Regex("\"([^\"]+)\": ([0-9.]+)").findAll(out).associate { it.groupValues[1] to it.groupValues[2] }
        assertEquals(emptyList<String>(), COROUTINES - figures.keys)
        for (nothing in listOf("coroutines.bytesPerOperation", "coroutines.sleepers.threadsPerWaiter")) {
            assertTrue(figures.getValue(nothing).toDouble() < 0.5, "$nothing: ${figures[nothing]}")
        }
    }

    @Test
    fun structuresGiveTheirFigures() {
        assertEquals(0, bench("structures", "--json"), { err })
        for (key in listOf("cell.latest.readNanos", "cell.latest.inPlace.readNanos", "cell.latest.copied.readNanos",
            "cell.add.nanos", "cell.add.vsBare", "ring.single.nanos", "ring.bulk100.nanos", "ring.bulk100.vsSingle",
            "pool.acquireRelease.fill1.nanos", "pool.acquireRelease.fill50.nanos", "pool.acquireRelease.fill99.nanos",
            "pool.fill99.vsFill1", "pool.acquireRelease.pair.nanos")) {
            assertTrue("\"$key\": " in out, "$key: $out")
        }
    }

    @Test
    fun nativeProgramsAreComparedWithJava() {
        assumeTrue(hasCompiler(), "there is no C compiler")
        assertEquals(0, bench("native", "--json"), { err })
        for (key in listOf("native.throughput.cToC.backoff.rate.median", "native.rtt.javaToC.backoff.p50.median",
            "native.cToC.vsJava", "native.cToJava.vsJava", "native.javaToC.vsJava", "native.cToC.vsRawCopy",
            "native.rtt.cToC.vsJava", "native.calls.cToC.backoff.p50.median", "native.calls.cToC.vsJava",
            "native.calls.cToJava.vsJava", "native.calls.javaToC.vsJava")) {
            assertTrue("\"$key\": " in out, "$key: $out")
        }
    }

    @Test
    fun callsAreComparedWithAeronAndASocket() {
        assertEquals(0, bench("calls", "--json"), { err })
        for (key in listOf("rttNanos", "rtt.vsAeron", "spin.socketVs", "backoff.socketVs", "block.socketVs",
            "spin.inFlight32.vsSingle", "block.inFlight32.vsSingle", "block.wakesPerCall.1", "block.wakesPerCall.32",
            "responders.1", "responders.2", "responders.4")) {
            assertTrue("\"calls.$key\": " in out, "$key: $out")
        }
    }

    private companion object {
        const val PATIENCE_SECONDS = 180L
        val COROUTINES = listOf(
            "single.vsEngine", "queue.vsEngine", "queue.vsPolling", "call.vsEngine", "batch.vsEngine",
            "shared.streaming.vsPlain", "shared.noReader.vsPlain", "wake.vsFutex",
            "wake.oneThread.vsFutex", "rtt.vsEngine", "rtt.pool.vsEngine", "rtt.besideSleepers.vsAlone",
            "bytesPerOperation", "sleepers.cpuPercent", "sleepers.threadsPerWaiter",
            "noReader.kotlin.shared.nanos.median", "single.kotlin.shared.rate.median",
        ).map { "coroutines.$it" }
    }

    @Test
    fun osgiIsComparedWithAPollLoop() {
        assertEquals(0, bench("osgi", "--json"), { err })
        val keys = Regex("\"([^\"]+)\": ").findAll(out.trim()).map { it.groupValues[1] }.toSet()
        for (name in listOf("poll", "whiteboard", "eventAdmin", "eventAdmin.noTimeout", "typedEvent")) {
            for (metric in listOf("rate", "p50", "p99", "max", "sleepMax")) {
                assertTrue("osgi.$name.$metric" in keys, "$name.$metric is not in $keys")
            }
        }
        val queues = listOf("appearMillis", "idlePercent", "idlePercentWithout", "descriptors", "mappings")
        val ratios = listOf("", "work.", "call.").map { "osgi.${it}whiteboard.vsPoll" }
        assertTrue(keys.containsAll(queues.map { "osgi.queues.$it" } + ratios), "$keys")
        assertTrue("\"osgi.queues.descriptors\": 4.000, \"osgi.queues.mappings\": 4.000" in out, out)
    }

    @Test
    fun twoEnginesAreComparedRoundByRound() {
        val engine = Path.of(Claim::class.java.protectionDomain.codeSource.location.toURI())
        assertEquals(0, bench("--against", "$engine", "--json"), { err })
        for (key in listOf("against.throughput.64.backoff.low95", "against.rtt.48.spin.ratio")) {
            assertTrue("\"$key\": " in out, out)
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

internal fun hasCompiler() = System.getenv("PATH").split(':').any { Files.isExecutable(Path.of(it, "cc")) }
