package io.bywash.samples.bench

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import org.HdrHistogram.Histogram
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assumptions.assumeTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout

/** How the harness measures, without measuring. */
@Timeout(300)
class HarnessTest {
    /** A system of which the readers and the medium are given. */
    private class Given(private val reading: Reader? = null, private val turn: () -> Unit = {}) :
        Contender("given", listOf(Policy.SPIN)) {
        override fun writer(channel: Channel, policy: Policy) = throw UnsupportedOperationException(name)

        override fun reader(channel: Channel, policy: Policy) = reading!!

        override fun medium(directory: Path) = turn
    }

    private fun child(contender: Contender) = Child(contender, Policy.SPIN) { Channel(Path.of("."), it, 0, 1) }

    private fun Child.ask(command: String) = Answer(obey(command.split(' ')))

    private fun await(what: String, isThere: () -> Boolean) {
        val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
        while (!isThere()) {
            assertTrue(System.nanoTime() < end, what)
            Thread.onSpinWait()
        }
    }

    /** Answers so many messages at each look, numbered on; a negative number stands for messages that it loses. */
    private class Script(private vararg val looks: Int) : Reader() {
        private var look = 0
        private var next = 0L

        /** When each look began. */
        val nanos = ArrayList<Long>()

        @Volatile
        var isOver = false

        override fun receive(limit: Int): Int {
            nanos += System.nanoTime()
            val count = looks.getOrElse(look++) {
                isOver = true
                0
            }
            if (count < 0) {
                next -= count
                return 0
            }
            repeat(count) {
                takeChecked(next, Payload.sum(next, next + 1))
                next++
            }
            return count
        }
    }

    @Test
    fun aMediumHasTakenATurnWhenItAnswersThatItServesAndTakesMore() {
        val turns = AtomicLong()
        val child = child(Given(turn = { turns.incrementAndGet() }))
        child.ask("medium")
        for (round in 1..3) {
            val before = turns.get()
            child.ask("serve 50000")
            val served = turns.get()
            assertTrue(served > before, "it has served $served turns, of which $before before")
            await("it takes no more turns") { turns.get() > served + 10 }
            child.ask("rest")
        }
    }

    @Test
    fun aMediumPausesLongerBesideLatenciesUnlessMessagesAreSoLargeThatWritersWaitForIt() {
        fun pause(sizeBytes: Int, isStream: Boolean) = Workspace(emptyList()).use { workspace ->
            val setting = Setting(contender("raw.line"), Policy.SPIN, sizeBytes, 8L shl 20)
            (if (isStream) StreamLane(workspace, setting) else PingLane(workspace, setting)).mediumPauseNanos
        }
        assertEquals(50_000, pause(48, isStream = true))
        assertEquals(1_000_000, pause(48, isStream = false))
        assertEquals(50_000, pause(32_768, isStream = false))
    }

    @Test
    fun aMessageThatIsSentBecauseTheLastOneWasLostCountsNeitherInTimeNorInNumber() {
        val reader = Script(3, 2, 0, -5, 0, 0, 1) // 0 to 4, not 5 to 9, then 10
        val answer = Answer(Loops.receiveUntil(reader, 9))
        assertEquals(5, answer.long("received"))
        assertTrue(answer.long("end") <= reader.nanos[3], "its end is that of the resent message")
        assertEquals(answer.long("expected"), answer.long("sum"))
        val whole = Script(3, 0, 7)
        assertEquals(10, Answer(Loops.receiveUntil(whole, 9)).long("received"))
    }

    @Test
    fun whoDrainsAnswersTheTimeOfItsLastMessage() {
        val reader = Script(3, 0, 4)
        val child = child(Given(reader))
        child.ask("reader 0")
        child.ask("drain")
        await("it does not look") { reader.isOver }
        val now = System.nanoTime()
        val answer = child.ask("drained")
        assertEquals(7, answer.long("received"))
        assertTrue(answer.long("end") in reader.nanos[2]..now, "${answer.long("end")}")
    }

    @Test
    fun percentilesWithFewerThanTenValuesBehindThemAreLeftOut() {
        fun names(count: Int): List<String> {
            val values = Histogram(3)
            repeat(count) { values.recordValue(it.toLong()) }
            return Answer("ok " + Loops.percentiles(values)).percentiles().keys.toList()
        }
        assertEquals(listOf("p50"), names(5))
        assertEquals(listOf("p50", "p90"), names(100))
        assertEquals(listOf("p50", "p90", "p99"), names(9_999))
        assertEquals(listOf("p50", "p90", "p99", "p999"), names(10_000))
    }

    @Test
    fun patienceIsUsedUpOnceByEachWaitAndByRoundsThatAreDoneAgain() {
        val ms = 1_000_000L
        var now = 0L
        val looks = ArrayDeque(listOf(1.0, 1.0) + listOf(5.0, 5.0, 5.0, 1.0, 5.0) + listOf(1.0, 1.0))
        val nearness = Nearness({ looks.removeFirst() }, { now }) { now += it * ms }
        nearness.patienceNanos = 1_000 * ms
        var rounds = 0
        val round = {
            rounds++
            now += 50 * ms
        }
        assertTrue(nearness.near(round))
        assertEquals(1_000 * ms, nearness.patienceNanos)
        assertTrue(nearness.near(round))
        assertEquals(3, rounds)
        assertEquals(650 * ms, nearness.patienceNanos)
        looks += List(100) { 5.0 }
        assertFalse(nearness.near(round))
        assertEquals(4, rounds)
    }

    private fun row(group: String, system: String, policy: Policy, vararg percentiles: Double) =
        Row(group, Setting(contender(system), policy, 48, 1L shl 20)).apply {
            rounds += listOf("p50", "p90", "p99", "p999").zip(percentiles.toList()).toMap()
        }

    @Test
    fun latenciesOfAllScenariosAreComparedBestByBestAndTheDefaultByTheBest() {
        val report = Report(Effort.TINY, 1L shl 20)
        for (group in listOf("rtt.48", "paced1M")) {
            report += listOf(
                row(group, "bywash.claim", Policy.SPIN, 10.0, 20.0, 30.0, 40.0),
                row(group, "bywash.claim", Policy.BACKOFF, 9.0, 200.0, 3000.0, 4000.0),
                row(group, "aeron.tryClaim", Policy.SPIN, 40.0, 50.0, 60.0, 70.0),
                row(group, "aeron.tryClaim", Policy.PARK, 30.0, 600.0, 7000.0, 8000.0),
            )
        }
        report.compare()
        val ratios = report.ratioLines.toMap()
        for (key in listOf("latency.rtt", "latency.paced1M")) {
            assertEquals(listOf("0.25", "0.50", "0.23", "50.00"),
                listOf("p50", "p99", "default.p50", "default.p99").map { ratios["$key.$it.vsAeron"] }, key)
        }
    }

    @Test
    fun theReportHasTheWorstRoundAndTheRoundsThatWereDoneAgainAndTablesTheFarOnes() {
        val row = row("rtt.48", "bywash.claim", Policy.SPIN, 10.0, 20.0, 30.0, 40.0)
        row.rounds += mapOf("p50" to 16.0, "p90" to 22.0, "p99" to 31.0) // a shorter one
        row.farRounds = 1
        row.repeatedRounds = 2
        val report = Report(Effort.TINY, 1L shl 20)
        report += listOf(row)
        val json = report.toJson()
        for (figure in listOf("p50.min\": 10.0", "p50.max\": 16.0", "repeatedRounds\": 2", "farRounds\": 1")) {
            assertTrue("\"rtt.48.bywash.claim.spin.$figure" in json, "$figure is not in $json")
        }
        assertFalse("p999" in json, json)
        val table = Tables.of(report, "rtt.48")
        assertEquals(listOf("system", "p50", "p90", "p99", "far rounds"), table.columns)
        assertEquals("1 of 2", table.rows.single().last())
    }

    @Test
    fun theQuickRunHasTheDefaultOfEachRivalAndWhatServesItBest() {
        val settings = Plan(Effort.QUICK, null).quickSettings().groupBy({ it.contender.name }, { it.policy })
        assertEquals(setOf(Policy.BACKOFF, Policy.PAUSE1000, Policy.LAZY), settings["aeron.tryClaim"]?.toSet())
        assertEquals(setOf(Policy.BACKOFF, Policy.PAUSE1000, Policy.PARK), settings["agrona.tryClaim"]?.toSet())
        assertTrue(settings.values.sumOf { it.size } <= 13, "it does not end within its two minutes: $settings")
    }

    /** The processes of a measurement, without the measurement. */
    private fun childProcess(directory: Path, contender: String, size: Int): Process = ProcessBuilder(
        listOf(ProcessHandle.current().info().command().get()) + FastStart.flags + listOf(
            "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED", "-Dbench.size=$size", "-cp",
            FastStart.classPath, Child::class.java.name, contender, "BACKOFF", "$directory", "65536", "1",
        ),
    ).redirectError(ProcessBuilder.Redirect.INHERIT).start()

    private fun inShared(use: (Path) -> Unit) {
        val directory = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-bench-test-")
        try {
            use(directory)
        } finally {
            removeQuietly(directory)
        }
    }

    @Test
    fun messagesOfWorkQueuesAndRequestsOfCallsAreWholeBeyondEightWords() {
        for (contender in listOf("bywash.queue.single", "bywash.call.single")) {
            inShared { directory ->
                val process = childProcess(directory, contender, 72)
                process.outputWriter().use { commands ->
                    listOf("writer 0", "reader 0", "stream 0 1000").forEach(commands::appendLine)
                    commands.flush()
                    val lines = process.inputReader()
                    val answers = generateSequence { lines.readLine() }
                        .first { " | " in it || it.startsWith("error") }.split(" | ").map { Answer(it) }
                    assertEquals(answers[0].long("sum"), answers[1].long("sum"), contender)
                }
                assertTrue(process.waitFor(60, TimeUnit.SECONDS))
            }
        }
    }

    @Test
    fun aNativeProgramEndsWithItsInputWhileItReceivesAndRemovesTheDirectory() {
        assumeTrue(hasCompiler(), "there is no C compiler")
        for (mode in listOf("streams", "calls")) {
            inShared { directory ->
                fun start() = ProcessBuilder(
                    NativeContender("native", mode).program(directory) +
                        listOf("SPIN", "$directory", "65536", "1", "64"),
                ).start()

                fun Process.ask(command: String) {
                    outputWriter().run {
                        appendLine(command)
                        flush()
                    }
                    assertEquals("ok", inputReader().readLine())
                }
                val writer = start()
                val reader = start()
                try {
                    writer.ask("writer 0")
                    reader.ask("reader 0")
                    reader.ask(if (mode == "calls") "answer 10" else "receive 0 10") // which do not come
                    reader.outputWriter().close()
                    assertTrue(reader.waitFor(60, TimeUnit.SECONDS), "it goes on")
                    assertFalse(directory.exists(), { "${directory.listDirectoryEntries()}" })
                } finally {
                    listOf(reader, writer).forEach { it.destroyForcibly().waitFor() }
                }
            }
        }
    }

    @Test
    fun everyRatioByWhichARivalIsClearlyBetterIsNamedInTheDocument() {
        val docs = Path.of("../../docs")
        val page = docs.resolve("BENCHMARKS.md").readText()
        val losing = Regex("\\| (\\S+\\.vs(?:Aeron|Agrona|BestRival|Disruptor)\\w*) \\| ([\\d.,]+) \\|")
            .findAll(docs.resolve("bench-data.md").readText())
            .map { it.groupValues[1] to it.groupValues[2].replace(",", "").toDouble() }
            .filter { (key, ratio) -> (if (key.startsWith("latency.")) ratio else 1 / ratio) > 1.5 }.toList()
        assertEquals(emptyList<Any>(), losing.filterNot { (key, _) -> "`$key`" in page })
    }
}
