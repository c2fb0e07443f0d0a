package io.bywash.samples.particles

import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import javax.imageio.ImageIO
import kotlin.io.path.ExperimentalPathApi
import kotlin.io.path.deleteIfExists
import kotlin.io.path.deleteRecursively
import kotlin.io.path.isRegularFile
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readLines
import kotlin.io.path.readText
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.Timeout
import org.junit.jupiter.api.io.TempDir

/** The sample as its users run it: as processes, in a bus directory of its own. */
@Timeout(240)
class ParticleSimulationTest {
    private val bus: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-particle-simulation-test-")

    @TempDir
    private lateinit var scratch: Path

    @AfterEach
    @OptIn(ExperimentalPathApi::class)
    fun nothingIsLeft() {
        bus.resolve(".lock").deleteIfExists()
        val left = bus.listDirectoryEntries()
        bus.deleteRecursively()
        assertEquals(emptyList<Path>(), left, "left in the bus directory")
    }

    private data class Ended(val exitCode: Int, val out: String, val err: String) {
        fun number(key: String): Long = Regex("\"$key\": (\\d+)").find(out)!!.groupValues[1].toLong()
    }

    private fun run(environment: Map<String, String>, vararg arguments: String): Ended {
        val command = listOf(ProcessHandle.current().info().command().get(), "-cp",
            System.getProperty("java.class.path"), "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1", "io.bywash.samples.particles.ParticleSimulation") + arguments
        val out = scratch.resolve("out")
        val err = scratch.resolve("err")
        val builder = ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile())
        builder.environment()["BYWASH_DIR"] = bus.toString()
        builder.environment() += environment
        val process = builder.start()
        try {
            assertTrue(process.waitFor(200, TimeUnit.SECONDS), "it does not end")
        } finally {
            process.destroy() // it ends its processes, which SIGKILL would not let it do
        }
        return Ended(process.waitFor(), out.readText(), err.readText())
    }

    @Test
    fun `particles fall as they have to, their slots are used again, and the last frame is a picture`() {
        val png = scratch.resolve("last.png").toFile()
        val ended = run(mapOf("MAX_PARTICLES" to "1000"), "--json", "--frames", "120", "--png", png.path)
        assertEquals(1, ended.out.lines().count { it.isNotEmpty() }, ended.toString())
        assertTrue(ended.out.startsWith("{\"ok\": true, \"max\": 1000, \"frames\": 120, "), ended.toString())
        assertEquals(0, ended.exitCode)
        assertTrue(ended.number("spawned") > 1000, ended.toString())
        assertEquals(ended.number("released"), ended.number("refused"))
        assertEquals(ended.number("active"), ended.number("allocated"))
        assertTrue(ended.err.contains("field lifetime of type 0 is \"24 float lifetime\""), ended.err)
        assertTrue(brightPixels(png) in 1..ended.number("living"), "a pixel for one particle or more")
    }

    private fun brightPixels(png: File): Int {
        val image = ImageIO.read(png)
        val columns = 0 until image.width
        return columns.sumOf { x -> (0 until image.height).count { y -> image.getRGB(x, y) and 0xFFFFFF != 0 } }
    }

    @Test
    fun `the gravity of the moon is noticed by the renderer`() {
        val ended = run(emptyMap(), "500", "--json", "--frames", "60", "--sabotage", "gravity")
        assertTrue(ended.out.startsWith("{\"ok\": false, \"max\": 500, "), ended.toString())
        assertTrue(ended.number("wrong") > 0, ended.toString())
        assertEquals(ended.number("active"), ended.number("allocated"))
        assertEquals(1, ended.exitCode)
    }

    @Test
    fun `a particle that is not released is noticed`() {
        val ended = run(emptyMap(), "500", "--json", "--frames", "60", "--sabotage", "leak")
        assertTrue(ended.out.startsWith("{\"ok\": false, \"max\": 500, "), ended.toString())
        assertTrue(ended.number("unequal") > 0, ended.toString())
        assertEquals(ended.number("active") + 1, ended.number("allocated"))
        assertEquals(0, ended.number("wrong"))
        assertEquals(1, ended.exitCode)
    }

    @Test
    fun `any other difference is not ok`() {
        val good = Outcome(10, 5, 17, 1, 8, 8, 0, 4, 30, 2, 0, 9, 9, 9, true)
        assertTrue(good.isOk)
        for (bad in listOf(good.copy(frames = 0), good.copy(max = 20), good.copy(refused = 7), good.copy(unequal = 1),
            good.copy(framesSeen = 0), good.copy(wrong = 1), good.copy(allocated = 10), good.copy(living = 8),
            good.copy(released = 7, refused = 7), good.copy(isOlderRefused = false), Outcome())) {
            assertFalse(bad.isOk, bad.toString())
        }
    }

    @Test
    fun `a particle is checked against the fall that it should have had`() {
        var particle = Particle.launched()
        repeat(90) { particle = particle.moved(Particle.GRAVITY) }
        assertTrue(particle.isFallingRight, particle.toString())
        assertFalse(particle.moved(Particle.GRAVITY / 2).isFallingRight, particle.toString())
    }

    @Test
    fun `a picture has the more particles the darker, and none of those outside`() {
        val particle = Particle(0f, 10.9f, 0f, 0f, 0f, 0f, 1f, 0, 0f)
        val lines = Picture.lines(List(3) { particle } + particle.copy(x = -4.9f) + particle.copy(y = -1f), 10, 2)
        assertEquals(listOf(".    +", ""), lines)
    }

    @Test
    fun `who calls it wrongly is told why with exit code 2`() {
        for (wrong in listOf(listOf("x"), listOf("99"), listOf("1000001"), listOf("1000", "--frames", "59"),
            listOf("1000", "2000"), listOf("--sabotage", "x"), listOf("--png"))) {
            val refusal = assertThrows(IllegalArgumentException::class.java) { Options(wrong.toTypedArray()) }
            assertTrue(refusal.message!!.contains(wrong.last()), refusal.message)
        }
        val ended = run(mapOf("MAX_PARTICLES" to "many"))
        assertEquals(2, ended.exitCode, ended.toString())
        assertTrue(ended.out.isEmpty() && ended.err.contains("many"), ended.toString())
        assertEquals(0, run(emptyMap(), "--help").exitCode)
    }

    @Test
    fun `no file has more than 200 lines`() {
        Files.walk(Path.of("src/main/kotlin")).use { files ->
            files.filter { it.isRegularFile() }.forEach { assertTrue(it.readLines().size <= 200, it.toString()) }
        }
    }
}
