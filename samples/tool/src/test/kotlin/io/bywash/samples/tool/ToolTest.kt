package io.bywash.samples.tool

import io.bywash.engine.Kind
import io.bywash.engine.Lifetime
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.locks.LockSupport
import kotlin.io.path.createDirectory
import kotlin.io.path.deleteExisting
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.parallel.Execution
import org.junit.jupiter.api.parallel.ExecutionMode

/** Attaches to a new segment, publishes a message, says so, and waits to be killed. */
object Victim {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val segment = Segment.create(Path.of(arguments[0]), spec)
        Publisher.open(segment.directory().find("orders", Kind.BROADCAST)).offer(ByteArray(100))
        println("ready")
        System.`in`.read()
    }
}

private val spec = SegmentSpec.of(Broadcast.spec("orders", 64 * 1024))

/** Runs the commands as their users do, in a bus directory of its own. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // all share one process for the commands
@Execution(ExecutionMode.SAME_THREAD)
class ToolTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-tool-test-")
    private val commands = Commands(bus)

    private fun bywash(vararg arguments: String): Outcome = commands.run(arguments.toList())

    @AfterEach
    fun nothingIsLeft() {
        val left = bus.listDirectoryEntries().filter { it.fileName.toString() != ".lock" }
        left.forEach { it.deleteExisting() }
        assertEquals(emptyList<Path>(), left)
    }

    @AfterAll
    fun nobodyIsLeft() {
        commands.close()
        bus.listDirectoryEntries().plusElement(bus).forEach { it.deleteExisting() }
    }

    /** A segment whose only participant was killed with SIGKILL. */
    private fun leaveStale(name: String): Long {
        val victim = java(bus, "io.bywash.samples.tool.Victim", bus.resolve(name).toString()).start()
        try {
            assertEquals("ready", victim.inputReader().readLine())
        } finally {
            victim.destroyForcibly().waitFor()
        }
        return victim.pid()
    }

    private fun damage(name: String, offset: Long, value: Int) =
        RandomAccessFile(bus.resolve(name).toFile(), "rw").use {
            it.seek(offset)
            it.write(value)
        }

    private fun contains(text: String, vararg wanted: String) =
        wanted.forEach { assertTrue(it in text, "no '$it' in: $text") }

    private fun JsonObject.number(name: String) = getValue(name).jsonPrimitive.content.toDouble()

    private fun JsonObject.perSecond(counter: String) = getValue("perSecond").jsonObject.number(counter)

    private val pid = ProcessHandle.current().pid()

    @Test
    fun aHealthySegmentIsListedShownWithItsRatesAndVerified() {
        Segment.create(bus.resolve("market"), spec).use { segment ->
            val queue = segment.directory().find("orders", Kind.BROADCAST)
            Publisher.open(queue).use { publisher ->
                Subscriber.open(queue, SubscriberOptions.block()).use { subscriber ->
                    val worker = Thread {
                        while (!Thread.interrupted()) {
                            publisher.offer(ByteArray(100))
                            subscriber.poll({ }, 10)
                            Thread.onSpinWait()
                        }
                    }
                    worker.start()
                    try {
                        lookAtHealthySegment()
                    } finally {
                        worker.interrupt()
                        worker.join()
                    }
                }
            }
        }
    }

    private fun lookAtHealthySegment() {
        val listed = bywash("ls")
        assertEquals(0, listed.exitCode, listed.err)
        contains(listed.out, "SEGMENT", "market", "live", "while used", pid.toString(), "1 participant")
        val shown = bywash("stat", "market")
        assertEquals(0, shown.exitCode, shown.err)
        contains(shown.out, "segment market: ", "orders", "broadcast", "64 KiB", "PER SECOND", "block", "alive")
        untilSeen {
            val all = bywash("stat", "--json").json.getValue("segments").jsonArray.single().jsonObject
            assertTrue(all.getValue("rates").jsonArray.single().jsonObject.perSecond("published") > 0, all.toString())
            assertEquals("market", all.getValue("now").jsonObject.getValue("name").jsonPrimitive.content)
        }
        val verified = bywash("verify", "market")
        assertEquals("Segment market: every invariant holds.\n", verified.out)
        assertEquals(0, verified.exitCode, verified.out)
    }

    @Test
    fun aSlowSubscriberIsToldWithItsOwnRateBesideAFastOneOfTheSameProcess() {
        Segment.create(bus.resolve("market"), spec).use { segment ->
            val queue = segment.directory().find("orders", Kind.BROADCAST)
            Publisher.open(queue).use { publisher ->
                Subscriber.open(queue, SubscriberOptions.skip()).use { fast ->
                    Subscriber.open(queue, SubscriberOptions.block()).use { slow ->
                        val worker = Thread {
                            while (!Thread.interrupted()) {
                                while (publisher.offer(ByteArray(100))) {
                                    fast.poll({ }, 1)
                                }
                                slow.poll({ }, 10)
                                LockSupport.parkNanos(1_000_000)
                            }
                            slow.poll({ }, 1)
                        }
                        worker.start()
                        try {
                            untilSeen { lookAtSlowSubscriber() }
                        } finally {
                            worker.interrupt()
                            worker.join()
                        }
                    }
                }
            }
        }
    }

    private fun lookAtSlowSubscriber() {
        val shown = bywash("stat", "market")
        contains(shown.out,
            "warning: market/orders: subscriber process $pid (block, role 2) reads ",
            "of the ring, and holds publisher process $pid back")
        val found = bywash("stat", "--json").json.getValue("segments").jsonArray.single().jsonObject
        val rates = found.getValue("rates").jsonArray.single().jsonObject
        assertTrue(rates.perSecond("blocked") > 0, rates.toString())
        assertTrue(rates.number("fill") in 0.5..1.0, rates.toString())
        val holders = rates.getValue("holders").jsonArray.map { it.jsonObject }
        val roles = holders.map { it.getValue("holder").jsonObject.number("role") }
        assertEquals(listOf(0.0, 1.0, 2.0), roles)
        assertTrue(holders.drop(1).all { it.perSecond("read") > 0 }, rates.toString())
        val obstacles = rates.getValue("obstacles").jsonArray.map { it.jsonObject }
        assertEquals(listOf(2.0 to "SLOWS"),
            obstacles.map { it.number("role") to it.getValue("effect").jsonPrimitive.content })
    }

    @Test
    fun aStaleSegmentIsToldAndCleanedAndAKeptOneOnlyByItsName() {
        val dead = leaveStale("stale")
        Segment.create(bus.resolve("kept"), spec.withLifetime(Lifetime.KEPT)).close()
        contains(bywash("ls").out, "stale", "its last participants were killed", "$dead (gone)",
            "kept until it is removed")
        val verified = bywash("verify", "stale", "--json")
        assertEquals(1, verified.exitCode)
        val finding = verified.json.getValue("findings").jsonArray.single().jsonObject
        assertEquals("WARNING", finding.getValue("severity").jsonPrimitive.content)
        contains(finding.getValue("problem").jsonPrimitive.content, "process $dead died and holds role 0 of orders")
        val sick = bywash("doctor")
        assertEquals(1, sick.exitCode, sick.out)
        contains(sick.out, "file system", "memory limit", "native access", "warning: stale: ", "doctor --clean")

        val cleaned = bywash("doctor", "--clean", "--json").json
        val removal = cleaned.getValue("removals").jsonArray.single().jsonObject
        assertEquals(listOf("stale", "REMOVED"),
            listOf("name", "outcome").map { removal.getValue(it).jsonPrimitive.content })
        assertTrue(cleaned.getValue("facts").jsonObject.containsKey("file system"), cleaned.toString())
        assertFalse(bus.resolve("stale").exists())
        assertTrue(bus.resolve("kept").exists())
        contains(bywash("doctor", "--remove", "kept").out, "kept", "removed")
        assertFalse(bus.resolve("kept").exists())
        assertEquals("There are no segments in $bus.\n", bywash("ls").out)
    }

    @Test
    fun damagedAndForeignFilesAreToldAndEndWithOne() {
        Segment.create(bus.resolve("queue"), spec.withLifetime(Lifetime.KEPT)).close()
        Files.copy(bus.resolve("queue"), bus.resolve("header"))
        damage("queue", 4096L + 64 * 256 + 16, 1) // the size in the first row
        damage("header", 24, 1)
        bus.resolve("text").writeText("no segment")
        bus.resolve("folder").createDirectory()
        val listed = bywash("ls", "--json")
        assertEquals(0, listed.exitCode, listed.err)
        val states = listed.json.getValue("files").jsonArray.map { it.jsonObject }
            .associate { it.getValue("name").jsonPrimitive.content to it.getValue("state").jsonPrimitive.content }
        assertEquals(mapOf("folder" to "FOREIGN", "header" to "DAMAGED", "queue" to "KEPT", "text" to "FOREIGN"),
            states)
        val verified = bywash("verify", "queue")
        assertEquals(1, verified.exitCode)
        contains(verified.out, "error: queue/orders: ")
        contains(bywash("stat", "queue").out, "orders", "it claims 94209 bytes")
        failed("checksum of its header", "verify", "header")
        failed("not a Bywash segment", "stat", "text")
        failed("not a regular file", "verify", "folder")
        val refused = bywash("doctor", "--remove", "text", "--remove", "folder", "--remove", "header",
            "--remove", "queue")
        assertEquals(1, refused.exitCode)
        contains(refused.out, "refused", "removed")
        assertEquals(listOf("folder", "text"),
            bus.listDirectoryEntries("[a-z]*").map { it.fileName.toString() }.sorted())
        bus.resolve("folder").deleteExisting()
        bus.resolve("text").deleteExisting()
    }

    @Test
    fun wrongNamesEndWithOneAndWrongCallsWithTwo() {
        failed("There is no segment", "verify", "nothing")
        failed("is no name", "stat", "../x")
        assertEquals("{\"error\":", bywash("stat", "nothing", "--json").out.take(9))
        for (wrong in listOf(arrayOf("verify"), arrayOf("ls", "x"), arrayOf("doctor", "--nonsense"),
            arrayOf("nonsense"))) {
            val outcome = bywash(*wrong)
            assertEquals(2, outcome.exitCode, outcome.err)
            contains(outcome.err, "Usage: bywash")
            assertEquals("", outcome.out)
        }
        val help = bywash("doctor", "--help")
        assertEquals(0, help.exitCode)
        contains(help.out, "--clean", "--remove", "--json")
    }

    @Test
    fun layoutShowsWhatLiesWhereAndTheElementsAsACHeader() {
        val text = "1 16 Trade\n 0 long time\n 8 (Price) price\n2 4 Halt\n 0 enum(A,B) register\n" +
            "- 8 Price\n 0 double value\n"
        val declared = SegmentSpec.of(
            Broadcast.spec("market.data", 4096, 1).withLayout(text), Broadcast.spec("bytes", 8192, 1),
        )
        Segment.create(bus.resolve("market"), declared.withSizeBytes(declared.sizeBytes() + 4096)).use { segment ->
            Publisher.open(segment.directory().find("market.data", Kind.BROADCAST)).use {
                val outcome = bywash("layout", "market")
                assertEquals(0, outcome.exitCode, outcome.err)
                val rows = outcome.out.lines().map { it.trim().split(Regex("  +")) }
                assertEquals(listOf("OFFSET", "SIZE", "KIND", "NAME", "ELEMENT", "CAPACITY", "FULL", "OWNER"), rows[0])
                assertEquals(listOf("0", "4096", "header"), rows[1])
                assertEquals(listOf("20480", "16384", "directory", "64 entries"), rows[3])
                assertEquals(
                    listOf("36864", "16384", "broadcast", "market.data", "Trade, Halt", "4096 bytes", "0%", "$pid"),
                    rows[4],
                )
                assertEquals("1024 bytes", rows[5][4])
                assertEquals(listOf("4096", "free"), rows[6].drop(1))
                contains(outcome.out, "segment market: ", "4096 free",
                    "elements of market.data:\n  1 16 Trade\n   0 long time")
                val places = bywash("layout", "market", "--json").json.getValue("places").jsonArray
                    .map { it.jsonObject }
                assertEquals(places.sumOf { it.number("sizeBytes") }, segment.sizeBytes().toDouble())
                val header = bywash("layout", "market", "--c").out
                contains(header, "struct market_data_Trade {\n  int64_t time;\n  struct market_data_Price price;\n};",
                    "int32_t register_;", "enum { market_data_Halt_TYPE = 2 };")
                assertFalse("bytes" in header, header)
                failed("There is no segment", "layout", "nothing")
            }
        }
    }

    @Test
    fun everyCommandInTheDocumentsIsOneOfTheLauncherAndWorks() {
        val pages = listOf("README.md", "docs/FAQ.md", "docs/SAMPLES.md")
        val commands = Regex("(?m)^\\./bywash ((?:ls|stat|layout|verify|doctor)\\b[^#\n]*)")
            .findAll(pages.joinToString("\n") { Path.of("../..", it).readText() })
            .map { it.groupValues[1].trim().split(" ") }.toList()
        assertEquals(setOf("ls", "stat", "layout", "verify", "doctor"), commands.map { it.first() }.toSet())
        val launcher = ProcessBuilder("../../bywash", "help").start()
        val help = launcher.inputReader().readText()
        assertEquals(0, launcher.waitFor())
        Segment.create(bus.resolve("hello"), spec.withLifetime(Lifetime.KEPT)).close()
        for (command in commands) {
            assertTrue(Regex("(?m)^  ${command.first()}\\b").containsMatchIn(help), help)
            val outcome = bywash(*command.toTypedArray())
            // This host may be sick.
            assertTrue(outcome.exitCode == 0 || command.first() == "doctor" && outcome.exitCode == 1, outcome.err)
            assertEquals("", outcome.err)
            assertTrue(outcome.out.isNotBlank())
        }
        assertFalse(bus.resolve("hello").exists()) // doctor --remove hello was the last one
    }

    private fun failed(reason: String, vararg arguments: String) {
        val outcome = bywash(*arguments)
        assertEquals(1, outcome.exitCode, outcome.err)
        contains(outcome.err, "bywash: ", reason)
        assertEquals("", outcome.out)
    }
}
