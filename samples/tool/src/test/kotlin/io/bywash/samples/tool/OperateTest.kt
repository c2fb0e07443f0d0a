package io.bywash.samples.tool

import io.bywash.engine.Kind
import io.bywash.engine.Removal
import io.bywash.engine.Segment
import io.bywash.engine.broadcast.BroadcastStatus
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.inspect.SegmentStatus
import io.bywash.engine.queue.Producer
import io.bywash.engine.queue.QueueView
import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import java.security.MessageDigest
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.io.path.deleteExisting
import kotlin.io.path.deleteIfExists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readBytes
import kotlin.io.path.readText
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.parallel.Execution
import org.junit.jupiter.api.parallel.ExecutionMode

/** The commands of those who run a bus, as docs/OPERATING.md shows them. */
@Timeout(180)
@TestInstance(TestInstance.Lifecycle.PER_CLASS) // all share one process for the commands
@Execution(ExecutionMode.SAME_THREAD)
class OperateTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-operate-test-")
    private val report: Path = bus.resolveSibling("${bus.fileName}-report")
    private val commands = Commands(bus)
    private lateinit var feed: Feed

    @BeforeEach
    fun begin() {
        feed = Feed(bus)
    }

    @AfterEach
    fun nothingIsLeft() {
        feed.close()
        val left = bus.listDirectoryEntries().filter { it.fileName.toString() != ".lock" }
        left.forEach { it.deleteExisting() }
        report.deleteIfExists()
        assertEquals(emptyList<Path>(), left)
    }

    @AfterAll
    fun nobodyIsLeft() {
        commands.close()
        bus.listDirectoryEntries().plusElement(bus).forEach { it.deleteExisting() }
    }

    private fun bywash(vararg arguments: String, input: String = "") = commands.run(arguments.toList(), input)

    private fun ok(vararg arguments: String, input: String = ""): String {
        val outcome = bywash(*arguments, input = input)
        assertEquals(0, outcome.exitCode, outcome.out + outcome.err)
        return outcome.out
    }

    private fun refused(vararg arguments: String, input: String = "", code: Int = 1): String {
        val outcome = bywash(*arguments, input = input)
        assertEquals(code, outcome.exitCode, outcome.out + outcome.err)
        assertFalse("Exception" in outcome.err, outcome.err)
        return outcome.err
    }

    private fun contains(text: String, vararg wanted: String) =
        wanted.forEach { assertTrue(it in text, "no '$it' in: $text") }

    /** A reader that is in the middle of a message, and then stopped, while writers go on until they are blocked. */
    private fun <T> withHungReader(use: (Process) -> T): T {
        val archive = java(bus, "io.bywash.samples.tool.Archive", bus.resolve("market").toString()).start()
        try {
            assertEquals("joined", archive.inputReader().readLine())
            feed.start()
            assertEquals("holds a message", archive.inputReader().readLine())
            signal("STOP", archive)
            val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
            while (SegmentStatus.of(feed.segment).run { stuck(this) }.size < 3 && System.nanoTime() < end) {
                Thread.sleep(20)
            }
            return use(archive)
        } finally {
            archive.destroyForcibly().waitFor()
        }
    }

    private fun signal(name: String, process: Process) =
        assertEquals(0, ProcessBuilder("kill", "-$name", process.pid().toString()).start().waitFor())

    @Test
    fun aBlockedPublisherAHungReaderAndAFullRingAreFoundByTheFourCommandsOfTheDocument() = withHungReader { archive ->
        val page = Path.of("../../docs/OPERATING.md").readText()
        val section = page.substringAfter("## My consumer lags").substringBefore("\n## ")
        val lines = Regex("(?m)^\\./bywash ([^#\n]+)").findAll(section)
            .map { it.groupValues[1].trim().split(" ") }.toList()
        assertEquals(listOf("health", "top", "stat", "doctor"), lines.map { it.first() })
        untilSeen { findHungReader(lines, archive.pid()) } // who waits does not at the moment of each look
        val asJson = bywash("health", "market", "--json").json.toString()
        contains(asJson, "process ${archive.pid()} \\\"archiver\\\" is stopped")
    }

    private fun findHungReader(lines: List<List<String>>, pid: Long) {
        val shown = lines.associate { it.first() to bywash(*it.toTypedArray()) }
        val health = shown.getValue("health")
        assertEquals(1, health.exitCode)
        contains(health.out, "hung: market", " $pid ", "\"archive\"", "more)")
        assertEquals(1, health.out.lines().count { it.isNotEmpty() }, health.out)
        for (command in listOf("top", "stat", "doctor")) {
            contains(
                shown.getValue(command).out,
                "warning: market/orders: subscriber process $pid \"archive\" (block, role 1) does not go on",
                "warning: market/jobs: the queue is full, and consumer process $pid \"worker\" has held message",
                "warning: market/frames: the ring is full, and popper process $pid \"painter\" has popped 0",
            )
        }
    }

    @Test
    fun whatIsSentIsShownByItsFieldsAndTakenByNobodyButItsReaders() {
        val order = """{"time":-5,"limit":{"units":150,"scale":2},"side":"SELL","symbol":"AB"}"""
        feed.close() // its publisher is in the way
        Segment.create(bus.resolve("market"), plantSpec).use { segment ->
            val orders = segment.directory().find("orders", Kind.BROADCAST)
            Subscriber.open(orders).use { subscriber ->
                ok("send", "market", "orders", input = order + "\n" + """{"type":"Order","value":$order}""")
                val sent = mutableListOf<ByteArray>()
                assertEquals(2, subscriber.poll({ sent += it.toBytes() }, 10))
                sent.forEach { assertArrayEquals(Feed.order(-5, 150, 1, "AB"), it) }
            }
            val shown = ok("tail", "market", "orders", "--from", "oldest", "--limit", "2").lines()
            assertEquals("""{"sequence":0,"type":"Order","value":$order}""", shown[0])
            assertEquals(shown[1], ok("tail", "market", "orders", "--from", "last", "1", "--once").trim())
            contains(ok("tail", "market", "orders", "--from", "last", "1", "--once", "--as", "text"),
                "1  Order time=-5 ")
            ok("send", "market", "orders", input = shown.joinToString("\n").trim()) // what tail shows can be sent
            assertEquals(4, BroadcastStatus.of(orders).messageCount)

            ok("send", "market", "jobs", "--type", "9", input = "first\nzweitäe\n")
            ok("send", "market", "jobs", "--as", "hex", input = "00 ff 80")
            val peeked = ok("tail", "market", "jobs", "--once", "--as", "json").trim().lines()
            assertEquals(listOf("""{"sequence":0,"type":9,"text":"first"}""",
                """{"sequence":1,"type":9,"text":"zweitäe"}""", """{"sequence":2,"type":0,"hex":"00ff80"}"""), peeked)
            assertEquals(3, QueueView.of(segment.directory().find("jobs", Kind.WORK_QUEUE)).peek(0, 10).size)
            contains(ok("tail", "market", "jobs", "--from", "last", "1", "--once", "--as", "hex"), "2  00ff80")

            ok("send", "market", "notes", "--as", "hex", input = "1b5b41c29b") // what would move a cursor
            assertEquals("0  ?[A?\n", ok("tail", "market", "notes", "--from", "last", "1", "--once"))
            contains(ok("tail", "market", "notes", "--from", "last", "1", "--once", "--as", "json"),
                "\"text\":\"\\u001b[A\\u009b\"")
            ok("send", "market", "frames", input = "sixteen letters.\nsixteen letters!")
            assertEquals("1  sixteen letters!\n", ok("tail", "market", "frames", "--from", "last", "1", "--once"))
            assertEquals("0  sixteen letters.\n", ok("tail", "market", "frames", "--from", "oldest", "--limit", "1"))
            wrongInput()
        }
    }

    private fun wrongInput() {
        fun send(json: String) = refused("send", "market", "orders", input = json)
        val start = """{"time":1,"limit":{"units":1,"scale":2},"side":"BUY","symbol":"""
        contains(send("""{"time":1,"limit":{"units":"x","scale":2},"side":"BUY","symbol":"A"}"""),
            "line 1: field \"limit.units\": \"x\" is no long. 0 messages were sent.")
        contains(send("$start\"ABCDE\"}"), "field \"symbol\": ABCDE is no text of up to 4 bytes")
        contains(send("""{"time":1,"limitt":{}}"""), "no field \"limitt\". Did you mean limit?")
        contains(send("""{"time":1}"""), "field \"limit\" of Order is missing")
        contains(send(start.replace("BUY", "BUYY") + "\"A\"}"),
            "field \"side\": there is no \"BUYY\". Did you mean BUY?")
        contains(send("$start\"A\"}\nno"), "line 2: it is no JSON object. 1 message was sent.")
        contains(send("{\"time\""), "line 1: it is no JSON")
        contains(refused("send", "market", "notes", input = "\n"), "line 1: it is empty")
        contains(refused("send", "market", "notes", "--as", "hex", input = "0g"), "no text of pairs of hexadecimal")
        contains(refused("send", "market", "frames", input = "short"), "line 1: ", "16")
        contains(refused("send", "market", "things", input = "x"), "is of kind pool, and takes no messages")
        contains(refused("tail", "market", "things"), "is of kind pool, and has no messages")
        contains(refused("tail", "market", "order"), "has no entry \"order\". Did you mean orders?")
        contains(refused("tail", "markt", "orders"), "There is no segment", "Did you mean market?")
        contains(refused("tail", "market", "orders", "--from", "then", code = 2), "neither oldest nor now nor last N")
        contains(refused("tail", "market", "orders", "--as", "xml", code = 2), "text, hex, json")
        contains(refused("helth", code = 2), "Did you mean health?")
    }

    /** How many messages were sent is said whatever ends them. */
    @Test
    fun linesThatAreNoTextAndAQueueThatGoesMeanwhileEndWithWhatWasSent() {
        val latin = "one\r\ntwo\n\u00e4".toByteArray(Charsets.ISO_8859_1)
        val noText = commands.run(listOf("send", "market", "notes"), latin)
        assertEquals(1, noText.exitCode)
        assertEquals("bywash: line 3: it is no UTF-8. 2 messages were sent.\n", noText.err)
        assertEquals("0  one\n1  two\n", ok("tail", "market", "notes", "--from", "oldest", "--once"))
        val jobs = feed.segment.directory().find("jobs", Kind.WORK_QUEUE)
        Producer.open(jobs).use { // so it is not the command's queue
            val sending = CompletableFuture.supplyAsync {
                refused("send", "market", "jobs", "--timeout", "60", input = "1\n2\n3\n4\n5\n6\n")
            }
            val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
            while (QueueView.of(jobs).sentCount() < 4 && System.nanoTime() < end) {
                Thread.sleep(5)
            }
            assertEquals(Removal.Outcome.REMOVED, feed.segment.directory().remove("jobs").outcome())
            contains(sending.get(60, TimeUnit.SECONDS), "bywash: line 5: ", "removed", " 4 messages were sent.")
        }
    }

    /** It goes between the two looks of stat, at one of the attempts. */
    @Test
    fun aSegmentThatGoesWhileItIsLookedAtIsSaidToBeGone() {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        var outcome: Outcome
        do {
            Segment.create(bus.resolve("brief"), plantSpec).use {
                val looking = CompletableFuture.supplyAsync { bywash("stat", "brief") }
                Thread.sleep(250)
                it.close()
                outcome = looking.get(60, TimeUnit.SECONDS)
            }
        } while ("is gone" !in outcome.out && System.nanoTime() < end)
        contains(outcome.out, "Segment brief is gone.")
        assertFalse("no segments" in outcome.out, outcome.out)
        assertEquals(1, outcome.exitCode)
    }

    @Test
    fun whoHasABusyRoleAndWhoLeavesNoRoomIsNamed() = withHungReader { archive ->
        contains(refused("send", "market", "orders", input = "{}"),
            "has a publisher already, process ${ProcessHandle.current().pid()} \"feed\"")
        contains(refused("send", "market", "jobs", "--timeout", "0", input = "one more"),
            "line 1: there was no room for 0 s: the queue is full, and consumer process ${archive.pid()} \"worker\"")
    }

    @Test
    fun lookingChangesNoByteAndTheReportHasWhatOthersNeed() {
        ok("send", "market", "jobs", input = "secret")
        val file = bus.resolve("market")
        fun digest() = MessageDigest.getInstance("SHA-256").digest(file.readBytes()).toList()
        val (before, modified) = digest() to Files.getLastModifiedTime(file)
        for (look in listOf("ls", "stat", "top --once", "layout market", "verify market", "health market",
            "tail market jobs --once", "tail market orders --from oldest --once", "tail market frames --once")) {
            val outcome = bywash(*look.split(" ").toTypedArray())
            assertTrue(outcome.exitCode == 0 || look.startsWith("health"), look + outcome.err)
        }
        contains(ok("doctor", "--report", report.toString()), report.toString())
        assertEquals(before, digest())
        assertEquals(modified, Files.getLastModifiedTime(file))
        val text = report.readText()
        contains(text, "java.version: ", "==== doctor", "==== ls", "==== stat market", "==== layout market",
            "==== verify market", "Every invariant holds.", "the same as JSON")
        assertFalse("secret" in text, text)
        contains(refused("doctor", "--report", report.toString()), "There is a file")
        contains(refused("doctor", "--report", "/proc/none/report"),
            "The report cannot be written to /proc/none/report: there is no such file or folder.")
    }

    @Test
    fun damagedAndTruncatedSegmentsAreSentencesForEveryCommand() {
        val file = bus.resolve("market")
        for (name in listOf("broken", "short")) {
            Files.copy(file, bus.resolve(name))
        }
        RandomAccessFile(bus.resolve("broken").toFile(), "rw").use {
            it.seek(4096L + 64 * 256 + 19) // in the size in the first row
            it.write(1)
        }
        RandomAccessFile(bus.resolve("short").toFile(), "rw").use { it.setLength(8192) }
        val health = bywash("health", "broken")
        assertEquals(1, health.exitCode)
        contains(health.out, "damaged: broken/orders: ", "more)")
        contains(ok("top", "--once", "broken"), "it claims")
        for (command in listOf("tail broken orders --once", "tail short notes", "send short notes", "health short",
            "top --once short")) {
            contains(refused(*command.split(" ").toTypedArray(), input = "x"), "bywash: ", "damaged")
        }
        contains(refused("send", "broken", "notes"), "No living process uses segment broken")
        listOf("broken", "short").forEach { bus.resolve(it).deleteExisting() }
    }

    @Test
    fun everyCommandsJsonHasTheFormOfTheSchema() = withHungReader { archive ->
        val schema = Schema(Json.parseToJsonElement(Path.of("schema.json").readText()).jsonObject)
        Files.copy(bus.resolve("market"), bus.resolve("copy"))
        Files.writeString(bus.resolve("text"), "no segment")
        val looks = listOf("ls", "stat", "top --once", "layout market", "layout market --c", "verify market", "doctor",
            "health market", "health nothing", "verify text", "stat nothing", "doctor --remove nothing")
        for (look in looks) {
            val outcome = bywash(*look.split(" ").toTypedArray(), "--json")
            assertTrue(outcome.exitCode in 0..1, look + outcome.err)
            val name = if ("error" in outcome.json) "error" else look.substringBefore(" ")
            assertEquals(emptyList<String>(), schema.problems(name, outcome.json), look)
        }
        val shown = ok("tail", "market", "orders", "--from", "oldest", "--limit", "1")
        assertEquals(emptyList<String>(), schema.problems("tail", Json.parseToJsonElement(shown)))
        assertTrue(archive.isAlive)
        listOf("copy", "text").forEach { bus.resolve(it).deleteExisting() }
    }

    @Test
    fun theShellCompletesCommandsOptionsAndSegments() {
        val script = ok("completion", "bash")
        val file = Files.createTempFile("bywash-completion", ".bash")
        try {
            Files.writeString(file, script)
            fun complete(vararg words: String): String {
                val line = words.joinToString(" ") { "'$it'" }
                val shell = ProcessBuilder("bash", "-c", "source $file; COMP_WORDS=(bywash $line); " +
                    "COMP_CWORD=${words.size}; _bywash; echo \"\${COMPREPLY[@]}\"")
                shell.environment()["BYWASH_DIR"] = bus.toString()
                return shell.redirectErrorStream(true).start().inputReader().readText().trim()
            }
            assertEquals("tail", complete("ta"))
            contains(complete("tail", "market", "orders", "--"), "--from", "--limit", "--as")
            assertEquals("market", complete("health", "ma"))
            contains(ok("completion", "zsh"), "bashcompinit", "_bywash")
        } finally {
            file.deleteExisting()
        }
    }
}
