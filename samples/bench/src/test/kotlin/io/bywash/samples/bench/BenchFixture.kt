package io.bywash.samples.bench

import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readText
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Timeout

/** Runs the benchmark as its users do, with rounds so short that its figures mean nothing. */
@Timeout(1200)
abstract class BenchFixture {
    protected val shared: Path = Files.createTempDirectory(Path.of("/dev/shm"), "bywash-bench-test-")
    protected val scratch: Path = Files.createTempDirectory("bywash-bench-test-")

    protected fun start(vararg arguments: String): Process = ProcessBuilder(
        listOf(
            ProcessHandle.current().info().command().get(), "-XX:-UsePerfData", "-XX:+UseSerialGC",
        ) + FastStart.flags + listOf(
            "-Dbench.tiny=true", "-Dbench.tiny.flags=" + FastStart.flags.joinToString(" "),
            "-Dbywash.docs=$scratch", "-cp", FastStart.classPath, "io.bywash.samples.bench.Bench",
        ) + arguments,
    ).apply { environment()["BYWASH_DIR"] = shared.toString() }
        .redirectOutput(scratch.resolve("out").toFile()).redirectError(scratch.resolve("err").toFile()).start()

    /** However slow the machine makes it: as long as it says something, it goes on. */
    protected fun bench(vararg arguments: String): Int {
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

    protected val docs = Path.of("../../docs")
    protected val out get() = scratch.resolve("out").readText()
    protected val err get() = scratch.resolve("err").readText()

    @AfterEach
    fun nothingIsLeft() {
        val left = shared.listDirectoryEntries().map { it.fileName.toString() }
        removeQuietly(shared)
        removeQuietly(scratch)
        assertEquals(emptyList<String>(), left)
    }

    private companion object {
        const val PATIENCE_SECONDS = 180L
    }
}

internal fun hasCompiler() = System.getenv("PATH").split(':').any { Files.isExecutable(Path.of(it, "cc")) }
