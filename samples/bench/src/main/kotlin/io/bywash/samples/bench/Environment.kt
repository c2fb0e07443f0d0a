package io.bywash.samples.bench

import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path

/** Where a run took place. */
object Environment {
    fun describe(effort: Effort, ringBytes: Long): Map<String, String> = linkedMapOf(
        "cpu" to cpu(),
        "cores" to "${Runtime.getRuntime().availableProcessors()}",
        "placement" to "not pinned: the kernel places the processes",
        "kernel" to System.getProperty("os.name") + " " + System.getProperty("os.version"),
        "jdk" to System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"),
        "rivals" to rivals().joinToString(", "),
        "ring" to "${ringBytes shr 20} MiB for every system, unless a table says otherwise",
        "rounds" to "${effort.rounds} of ${effort.roundNanos / 1_000_000} ms",
    )

    private fun cpu() = try {
        Files.readAllLines(Path.of("/proc/cpuinfo")).firstOrNull { it.startsWith("model name") }?.substringAfter(": ")
    } catch (noProc: IOException) {
        null
    } ?: System.getProperty("os.arch")

    /** The rivals' versions, as their jars are called. */
    private fun rivals(): List<String> = System.getProperty("java.class.path").split(java.io.File.pathSeparatorChar)
        .map { it.substringAfterLast('/').removeSuffix(".jar") }
        .filter { Regex("(aeron-client|agrona|chronicle-queue|disruptor|kotlinx-coroutines-core.*)-\\d.*").matches(it) }
}
