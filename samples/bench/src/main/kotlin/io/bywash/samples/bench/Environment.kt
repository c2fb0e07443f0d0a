package io.bywash.samples.bench

import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path

/** Where a run took place. */
object Environment {
    fun describe(): Map<String, String> = linkedMapOf(
        "cpu" to cpu(),
        "cores" to "${Runtime.getRuntime().availableProcessors()}",
        "placement" to "not pinned: the kernel places the processes",
        "kernel" to System.getProperty("os.name") + " " + System.getProperty("os.version"),
        "jdk" to System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"),
        "rivals" to rivals().joinToString(", "),
    )

    private fun cpu() = try {
        Files.readAllLines(Path.of("/proc/cpuinfo")).firstOrNull { it.startsWith("model name") }?.substringAfter(": ")
    } catch (noProc: IOException) {
        null
    } ?: System.getProperty("os.arch")

    /** The rivals' versions, as their jars are called. */
    private fun rivals(): List<String> = System.getProperty("java.class.path").split(java.io.File.pathSeparatorChar)
        .map { it.substringAfterLast('/').removeSuffix(".jar") }
        .filter { jar -> listOf("aeron-client", "agrona", "chronicle-queue", "disruptor", "kotlinx-coroutines-core-jvm").any { Regex("$it-\\d.*").matches(jar) } }
}
