package io.bywash.samples.bench

import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.BlockingQueue
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.io.path.exists
import kotlin.io.path.readLines

/** A measurement cannot go on; the message says why. */
class BenchFailure(message: String) : Exception(message)

/**
 * The directory and the processes of one run. Nothing of them is left when it is closed or the JVM ends.
 *
 * @param jvmFlags of all its processes, beside those of their contenders
 */
class Workspace(private val jvmFlags: List<String>) : AutoCloseable {
    val directory: Path = Files.createTempDirectory(Path.of(System.getenv("BYWASH_DIR") ?: "/dev/shm"), "bywash-bench-")
    private val children = CopyOnWriteArrayList<ChildJvm>()
    private val hook = Thread { removeAll() }
    private var channelCount = 0
    private var isClosed = false

    init {
        Runtime.getRuntime().addShutdownHook(hook)
    }

    fun nextChannel() = channelCount++

    fun start(setting: Setting, contender: Contender = setting.contender): ChildJvm {
        val classPath = listOfNotNull(setting.engine?.toString(), System.getProperty("java.class.path"))
        val own = contender.program(directory)?.plus(
            listOf(setting.policy.name, "$directory", "${setting.ringBytes}", "${setting.readers}",
                "${setting.sizeBytes}"),
        )
        val command = own ?: listOf(JAVA) + contender.jvmFlags + jvmFlags + listOf(
            "-XX:+UseSerialGC", "-Xms32m", "-Xmx512m", "-XX:-UsePerfData", "-Djava.io.tmpdir=$directory",
            "-Dbench.size=${setting.sizeBytes}", "-cp", classPath.joinToString(File.pathSeparator),
            Child::class.java.name, contender.name, setting.policy.name, directory.toString(),
            "${setting.ringBytes}", "${setting.readers}",
        )
        return start(setting.label, command)
    }

    /** Starts a program that ends when its standard input does, and then removes [directory]. */
    @Synchronized
    fun start(name: String, command: List<String>): ChildJvm {
        if (isClosed) {
            throw BenchFailure("interrupted")
        }
        val child = ChildJvm(name, command, directory.resolve("errors-${children.size}"))
        children += child
        return child
    }

    @Synchronized
    private fun removeAll() {
        isClosed = true
        children.forEach { it.kill() }
        removeQuietly(directory)
    }

    override fun close() {
        removeAll()
        try {
            Runtime.getRuntime().removeShutdownHook(hook)
        } catch (already: IllegalStateException) {
            // the JVM is ending, and the hook has done or does the same
        }
    }

    companion object {
        val JAVA: String = ProcessHandle.current().info().command().orElse("java")
    }
}

/**
 * The lines of the standard input. When it ends, this process ends too, whatever it does, and removes [directory], in
 * case its parent was killed.
 */
fun commands(directory: Path): BlockingQueue<String> {
    val lines = LinkedBlockingQueue<String>()
    thread(isDaemon = true) {
        generateSequence(::readLine).forEach(lines::put)
        removeQuietly(directory)
        Runtime.getRuntime().halt(0)
    }
    return lines
}

/** Removes a directory with everything in it, also while others do the same. */
fun removeQuietly(directory: Path) {
    for (attempt in 1..REMOVE_ATTEMPTS) {
        directory.toFile().deleteRecursively()
        if (!directory.exists()) {
            return
        }
    }
}

private const val REMOVE_ATTEMPTS = 10

/** One answer of a child: its words `name=value`. */
class Answer(line: String) {
    private val values = line.split(' ').drop(1).associate { it.substringBefore('=') to it.substringAfter('=') }

    fun long(name: String) = values.getValue(name).toLong()

    operator fun contains(name: String) = name in values
}

/** A child process, seen from its parent. */
class ChildJvm(private val name: String, command: List<String>, private val errors: Path) {
    private val process: Process = ProcessBuilder(command).redirectError(errors.toFile()).start()
    private val lines = LinkedBlockingQueue<String>()

    init {
        thread(isDaemon = true) {
            try {
                process.inputReader().forEachLine(lines::put)
            } catch (killed: IOException) {
                // its pipe is closed when it is killed
            }
            lines.put("error: it ended")
        }
    }

    val pid get() = process.pid()

    fun tell(command: String) {
        try {
            process.outputWriter().run {
                write(command)
                newLine()
                flush()
            }
        } catch (ended: IOException) {
            throw failure("does not listen ($ended)")
        }
    }

    fun line(): String {
        val line = lines.poll(PATIENCE_SECONDS, TimeUnit.SECONDS)
            ?: throw failure("did not answer for $PATIENCE_SECONDS s")
        if (!line.startsWith("ok")) {
            throw failure("said '$line'")
        }
        return line
    }

    fun answer() = Answer(line())

    /** Whether a line is there, or comes within so much time. */
    fun hasLine(millis: Long): Boolean {
        val end = System.nanoTime() + millis * 1_000_000
        while (lines.isEmpty() && System.nanoTime() < end) {
            Thread.sleep(1)
        }
        return lines.isNotEmpty()
    }

    fun ask(command: String): Answer {
        tell(command)
        return answer()
    }

    private fun failure(what: String): BenchFailure {
        kill()
        val said = if (errors.exists()) errors.readLines().takeLast(40).joinToString("\n    ", "\n    ") else ""
        return BenchFailure("$name: process ${process.pid()} $what$said")
    }

    /** After the command to close what it has opened: waits until it has, and ends it. */
    fun awaitClose() {
        line()
        kill()
    }

    fun kill() {
        process.destroyForcibly()
        process.waitFor()
    }

    private companion object {
        const val PATIENCE_SECONDS = 60L
    }
}
