package io.bywash.samples.topologies

import io.bywash.samples.kit.Programs
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/** A program of a process of its own. It tells its parent by printed lines, and ends when its parent does. */
internal abstract class Program {
    /** Completes when the parent lets this go on. */
    protected val told = CompletableDeferred<Unit>()

    /** The name of the segment. */
    protected lateinit var segment: String
        private set

    abstract suspend fun run(arguments: List<String>)

    /** What `main` does, which each object has itself. */
    protected fun start(arguments: Array<String>) {
        Thread.ofPlatform().daemon().start {
            while (System.`in`.read() >= 0) told.complete(Unit)
            Runtime.getRuntime().halt(1) // the parent was killed
        }
        segment = arguments[0]
        runBlocking(Dispatchers.Default) { run(arguments.drop(1)) }
    }
}

/** A program that was started. */
internal class Child(program: Program, segment: String, vararg arguments: Any) {
    private val process = Programs.start(program.javaClass, segment, *arguments.map { it.toString() }.toTypedArray())

    /** Its next line, as numbers by their names: `count=7 lost=0`. */
    suspend fun counts(): Map<String, Long> =
        line().split(' ').associate { it.substringBefore('=') to it.substringAfter('=').toLong() }

    /** Its next line. */
    suspend fun line(): String = withContext(Dispatchers.IO) { process.inputReader().readLine() }
        ?: error("process ${process.pid()} ended too early, with ${process.waitFor()}")

    /** Lets it go on. */
    fun tell() = process.outputStream.run {
        write(1)
        flush()
    }

    /** Waits until it has ended. */
    suspend fun end() = withContext(Dispatchers.IO) {
        check(process.waitFor(60, TimeUnit.SECONDS)) { "process ${process.pid()} does not end" }
    }
}
