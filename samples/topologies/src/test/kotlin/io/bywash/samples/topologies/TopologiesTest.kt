package io.bywash.samples.topologies

import io.bywash.engine.Lifetime
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readText
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Tag
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir

/** The sample as its users run it: as processes, in a bus directory of its own. */
@Timeout(240)
class TopologiesTest {
    private lateinit var bus: Path

    @TempDir
    lateinit var scratch: Path

    @BeforeEach
    fun makeBus() {
        bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-topologies-test-")
    }

    @AfterEach
    fun nothingIsLeft() {
        val left = bus.listDirectoryEntries()
        left.forEach { Files.delete(it) }
        Files.delete(bus)
        assertEquals(emptyList<String>(), left.map { it.name } - ".lock", "left in the bus directory")
    }

    private data class Ended(val exitCode: Int, val out: String, val err: String)

    private fun run(vararg arguments: String): Ended {
        val own = listOf("../../engine-java", "../../bus-kotlin", "../kit", ".").map { "$it/target/classes" }
        val foreign = System.getProperty("java.class.path").split(File.pathSeparator) +
            System.getProperty("jdk.module.path").orEmpty().split(File.pathSeparator)
        val kotlin = foreign.filter { Regex(".*/kotlin(x-coroutines-core-jvm|-stdlib)-[^/]*\\.jar").matches(it) }
        val path = (own.map { Path.of(it).toAbsolutePath().normalize() } + kotlin).joinToString(File.pathSeparator)
        val module = "io.bywash.samples.topologies"
        val builder = ProcessBuilder(
            listOf(ProcessHandle.current().info().command().orElseThrow(), "-p", path) +
                FAST + listOf("--enable-native-access=io.bywash.engine", "-m", "$module/$module.Topologies") +
                arguments,
        )
        builder.redirectOutput(scratch.resolve("out").toFile()).redirectError(scratch.resolve("err").toFile())
        builder.environment()["BYWASH_DIR"] = bus.toString()
        val process = builder.start()
        try {
            assertTrue(process.waitFor(200, TimeUnit.SECONDS), "it does not end")
        } finally {
            process.destroy() // it ends its processes, which SIGKILL would not let it do
        }
        return Ended(process.waitFor(), scratch.resolve("out").readText(), scratch.resolve("err").readText())
    }

    private fun assertCounts(expected: String, ended: Ended) {
        assertTrue(Regex("\\{$expected}\n").matches(ended.out), "$ended")
        assertEquals(if ("\"ok\": true" in ended.out) 0 else 1, ended.exitCode, "$ended")
    }

    @Test
    fun aSlowReaderOfTheMarketIsEvictedAndTheOthersLoseNothing() {
        val ended = run("market", "--json")
        val all = "\"ok\": true, \"sent\": 100000, \"fast1\": 100000, \"fast2\": 100000, \"wrong\": 0, \"evicted\": 1"
        assertCounts(all, ended)
        assertTrue(ended.err.startsWith("bus \"market-"), ended.err)
    }

    @Test
    @Tag("stress")
    fun aTickThatIsForgottenIsMissed() = assertCounts(
        "\"ok\": false, \"sent\": 99999, \"fast1\": 99999, .*",
        run("market", "--json", "--sabotage", "drop"),
    )

    @Test
    fun workersShareTheReadingsAndImpossibleOnesAreRejected() = assertCounts(
        "\"ok\": true, \"sent\": 2000, \"converted\": 1960, \"rejected\": 40, \"wrong\": 0",
        run("sensors", "--json"),
    )

    @Test
    @Tag("stress")
    fun aReadingThatIsForgottenIsMissed() = assertCounts(
        "\"ok\": false, \"sent\": 2000, \"converted\": 1959, .*",
        run("sensors", "--json", "--sabotage", "drop"),
    )

    @Test
    fun aProducerTriesAgainWhileTheRingIsFullAndASegmentOfThatNameIsLeftAlone() {
        val own = SegmentSpec.of(Broadcast.spec("own", 4096)).withLifetime(Lifetime.KEPT)
        Segment.create(bus.resolve("producing"), own).close()
        val ended = run("producing", "--json")
        assertTrue(Files.deleteIfExists(bus.resolve("producing")), "somebody's own segment was removed")
        assertCounts("\"ok\": true, \"sent\": 1000, \"retries\": [1-9]\\d*, \"received\": 1000, \"wrong\": 0", ended)
    }

    @Test
    fun aMessageThatIsForgottenIsMissed() = assertCounts(
        "\"ok\": false, \"sent\": 999, .*, \"received\": 999, .*",
        run("producing", "--json", "--sabotage", "drop"),
    )

    private companion object {
        val FAST = listOf("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")
    }

    @Test
    fun itDrawsATopologyWithoutRunningIt() {
        assertEquals("${producing("producing")}\n", run("producing", "--picture").out)
        assertEquals(
            """
            bus "producing": 4 participants, removed when unused, 36 KiB
              sender -> ["notes" 100 elements of 24 bytes] -> receiver
            """.trimIndent(),
            producing("producing").toString(),
        )
        val inDocument = Regex("```mermaid\n(.*?)\n```", RegexOption.DOT_MATCHES_ALL)
            .find(Path.of("../../docs/SAMPLES.md").readText())!!.groupValues[1]
        assertEquals(inDocument, sensors("sensors").toMermaid())
    }

    @Test
    fun whoCallsItWronglyIsToldWhyWithExitCodeTwo() {
        for (wrong in listOf(listOf("x"), listOf("market", "--sabotage"))) {
            val ended = run(*wrong.toTypedArray())
            assertEquals(2, ended.exitCode, "$ended")
            assertTrue(ended.out.isEmpty() && wrong.last() in ended.err, "$ended")
        }
    }
}
