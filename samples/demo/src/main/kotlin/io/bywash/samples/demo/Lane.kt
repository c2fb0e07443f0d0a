package io.bywash.samples.demo

import io.bywash.samples.demo.listener.Tally
import java.io.File
import java.io.IOException
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedDeque
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** How the processes are started: with the Java, the class path and the flags of this one. */
object Programs {
    private val java = ProcessHandle.current().info().command().orElse("java")

    fun java(mainClass: String, vararg arguments: String): List<String> = listOf(
        java, "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
        System.getProperty("java.class.path"), mainClass, *arguments,
    )

    /**
     * The Felix distribution, whose directory the launcher gives, with the bundle of the demo's listener added, and
     * [storage] of its own.
     */
    fun container(storage: Path): List<String> {
        val home = System.getProperty("bywash.container")
            ?: throw DemoFailure("-Dbywash.container does not say where Felix is")
        return listOf(
            java, "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1", "-Dgosh.args=--nointeractive",
            "-Dbywash.container.bundles=${Tally::class.java.protectionDomain.codeSource.location}",
            "-jar", File(home, "bin/felix.jar").path, storage.toString(),
        )
    }
}

/** A number that grows, and how fast it did over the last second. Used by one thread. */
class Rate {
    private val marks = ArrayDeque<Pair<Long, Long>>()

    var total = 0L
        private set

    fun set(newTotal: Long) {
        total = maxOf(total, newTotal)
        val now = System.nanoTime()
        marks.addLast(now to total)
        while (now - marks.first().first > 1_000_000_000L && marks.size > 2) {
            marks.removeFirst()
        }
    }

    val perSecond: Double
        get() = if (marks.size < 2) 0.0 else {
            (marks.last().second - marks.first().second) * 1e9 / maxOf(marks.last().first - marks.first().first, 1)
        }
}

/**
 * One process of the demo, and what it says. A line `counts name=value ...` is its count so far, a line `event NAME
 * NANOS` something that happened at that time of the host's monotonic clock; others are kept to be shown if it fails.
 */
class Lane(val name: String, val isConsumer: Boolean = true) {
    val rate = Rate()
    val events = ConcurrentHashMap<String, Long>()
    private val lines = ConcurrentLinkedDeque<String>()

    @Volatile
    private var words = emptyMap<String, String>()

    @Volatile
    private var process: Process? = null
    private var reader: Thread? = null

    @Volatile
    private var mayEnd = false

    @Volatile
    private var bundleFailed = false

    val pid: Long get() = process?.pid() ?: 0
    val isAlive: Boolean get() = process?.isAlive == true || reader?.isAlive == true
    val hasFailed: Boolean get() = !mayEnd && (process?.isAlive == false || bundleFailed)
    val exitCode: Int get() = process?.exitValue() ?: 0

    fun start(command: List<String>) {
        mayEnd = false
        val started = ProcessBuilder(command).redirectErrorStream(true).apply {
            command.indexOf("-jar").takeIf { it >= 0 }
                ?.let { directory(File(command[it + 1]).absoluteFile.parentFile.parentFile) }
        }.start()
        process = started
        reader = thread(isDaemon = true, name = "lane $name") {
            try {
                started.inputReader().forEachLine(::hear)
            } catch (killed: IOException) {
                // its pipe is closed when it is killed
            }
        }
    }

    private fun hear(line: String) {
        val parts = line.split(' ')
        when (parts[0]) {
            "counts" -> words = parts.drop(1).associate { it.substringBefore('=') to it.substringAfter('=') }
            "event" -> events[parts[1]] = parts[2].toLong()
            else -> {
                bundleFailed = bundleFailed || line.startsWith("ERROR: Bundle")
                lines.addLast(line)
                while (lines.size > KEPT_LINES) {
                    lines.removeFirst()
                }
            }
        }
    }

    fun word(name: String): String? = words[name]

    fun count(name: String): Long = words[name]?.toLongOrNull() ?: 0

    fun lastLines(): String = "$name (process $pid) said:\n" + lines.joinToString("\n") { "    $it" }

    /** Asks it to finish what it does. */
    fun stop() {
        mayEnd = true
        process?.outputStream?.close()
    }

    /** Ends it as an operator would, or a container's service script. */
    fun end() {
        mayEnd = true
        process?.toHandle()?.destroy() // Process.destroy would also close the pipe, with its last words
    }

    fun kill() {
        mayEnd = true
        process?.destroyForcibly()?.waitFor()
    }

    fun awaitEnd() {
        if (process?.waitFor(5, TimeUnit.SECONDS) == false) {
            kill()
        }
    }

    private companion object {
        const val KEPT_LINES = 20
    }
}
