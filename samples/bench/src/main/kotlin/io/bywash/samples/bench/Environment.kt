package io.bywash.samples.bench

import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.time.LocalDate
import java.time.ZoneOffset

/** Where a run took place. */
object Environment {
    fun describe(effort: Effort, ringBytes: Long): Map<String, String> = linkedMapOf(
        "date" to LocalDate.now(ZoneOffset.UTC).toString(),
        "cpu" to cpu(),
        "cores" to "${Runtime.getRuntime().availableProcessors()}",
        "load" to (load()?.let { "$it processes were running or ready before it began" } ?: "unknown"),
        "placement" to "not pinned: the kernel places the processes",
        "kernel" to System.getProperty("os.name") + " " + System.getProperty("os.version"),
        "jdk" to System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"),
        "commit" to commit(),
        "rivals" to rivals().joinToString(", "),
        "ring" to "${ringBytes shr 20} MiB for every system, unless a table says otherwise",
        "rounds" to "${effort.rounds} of ${effort.roundNanos / 1_000_000} ms",
    )

    /** The mean number of processes that were running or ready in the last minute. */
    fun load(): Double? = try {
        Files.readString(Path.of("/proc/loadavg")).substringBefore(' ').toDoubleOrNull()
    } catch (noProc: IOException) {
        null
    }

    /** What was measured, if this is run in a checkout. */
    private fun commit(): String {
        val commit = git("rev-parse", "--short=12", "HEAD") ?: return "unknown"
        val changes = git("status", "--porcelain", "--untracked-files=no")
        return if (changes.isNullOrEmpty()) commit else "$commit with changes"
    }

    private fun git(vararg arguments: String): String? = try {
        val process = ProcessBuilder("git", "--no-optional-locks", *arguments)
            .directory(System.getProperty("bywash.docs")?.let(::File))
            .redirectError(ProcessBuilder.Redirect.DISCARD).start()
        val said = process.inputReader().readText().trim()
        if (process.waitFor() == 0) said else null
    } catch (noGit: IOException) {
        null
    }

    private fun cpu() = try {
        Files.readAllLines(Path.of("/proc/cpuinfo")).firstOrNull { it.startsWith("model name") }?.substringAfter(": ")
    } catch (noProc: IOException) {
        null
    } ?: System.getProperty("os.arch")

    /** The rivals' versions, as their jars are called. */
    private fun rivals(): List<String> = System.getProperty("java.class.path").split(java.io.File.pathSeparatorChar)
        .map { it.substringAfterLast('/').removeSuffix(".jar") }
        .filter { RIVAL.matches(it) }

    private val RIVAL =
        Regex("(aeron-client|agrona|chronicle-queue|disruptor|jctools-core|kotlinx-coroutines-core.*)-\\d.*")
}
