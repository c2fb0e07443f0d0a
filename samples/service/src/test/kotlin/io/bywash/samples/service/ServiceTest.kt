package io.bywash.samples.service

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
class ServiceTest {
    private lateinit var bus: Path

    @TempDir
    lateinit var scratch: Path

    @BeforeEach
    fun makeBus() {
        bus = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-service-test-")
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
        val builder = ProcessBuilder(
            listOf(ProcessHandle.current().info().command().orElseThrow(), "-p", path) +
                listOf("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData") +
                listOf("--enable-native-access=io.bywash.engine", "-m") +
                listOf("io.bywash.samples.service/io.bywash.samples.service.Service") + arguments,
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

    @Test
    fun processesThatAreStoppedAndStartedAgainLoseAndDoubleNothingAndLeaveASegmentOfThatNameAlone() {
        val own = SegmentSpec.of(Broadcast.spec("own", 4096)).withLifetime(Lifetime.KEPT)
        Segment.create(bus.resolve("trading"), own).close()
        val ended = run("--json")
        assertTrue(Files.deleteIfExists(bus.resolve("trading")), "somebody's own segment was removed")
        val expected = (0 until Feed.COUNT).count { Strategy.decide(Feed.quote(it)) != null }
        val counts = "\"orders\": $expected, \"missing\": 0, \"repeated\": 0, \"restarts\": 3"
        assertEquals("{\"ok\": true, \"quotes\": 3000, $counts}\n", ended.out, "$ended")
        assertEquals(0, ended.exitCode)
    }

    @Test
    @Tag("stress")
    fun anOrderThatIsForgottenIsMissed() {
        val ended = run("--json", "--sabotage", "drop")
        assertTrue(ended.out.startsWith("{\"ok\": false, ") && "\"missing\": 1, \"repeated\": 0" in ended.out, "$ended")
        assertEquals(1, ended.exitCode)
    }

    @Test
    fun whoCallsItWronglyIsToldWhyWithExitCodeTwo() {
        val ended = run("x")
        assertEquals(2, ended.exitCode, "$ended")
        assertTrue(ended.out.isEmpty() && "[x]" in ended.err, "$ended")
    }
}
