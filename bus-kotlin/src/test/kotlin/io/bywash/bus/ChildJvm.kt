package io.bywash.bus

import java.io.File
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertTrue

/** What a child process does, as an `object`. It tells the test by printed lines. */
interface ChildProgram {
    suspend fun run(arguments: List<String>)
}

/** A JVM of its own. After [close] it is gone in any case; and it ends by itself when its test's JVM does. */
class ChildJvm(program: ChildProgram, vararg arguments: Any, native: Boolean = true) : AutoCloseable {
    private val process = ProcessBuilder(
        listOf(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            if (native) "--enable-native-access=ALL-UNNAMED" else "-Dbywash.native=off",
            "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classPath(),
            Main::class.java.name, program.javaClass.name,
        ) + arguments.map { it.toString() },
    ).redirectErrorStream(true).start()
    private val transcript = mutableListOf<String>()

    /**
     * Waits for this line; the end of the process ends the waiting, so the program's own deadlines are those of the
     * test.
     */
    fun await(line: String) {
        while (true) {
            val said = process.inputReader().readLine()
                ?: throw AssertionError("process ${process.pid()} ended before it said \"$line\". It said: $transcript")
            transcript += said
            if (said == line) {
                return
            }
        }
    }

    /** SIGKILL; when this returns, the kernel has given back everything that the process held. */
    fun kill() {
        process.destroyForcibly()
        assertTrue(process.waitFor(PATIENCE.inWholeSeconds, TimeUnit.SECONDS), "process ${process.pid()} did not end")
    }

    override fun close() = kill()

    object Main {
        @JvmStatic
        fun main(arguments: Array<String>) {
            val test = ProcessHandle.current().parent().orElseThrow()
            test.onExit().thenRun { Runtime.getRuntime().halt(3) }
            Thread.ofPlatform().daemon().start {
                Thread.sleep(PATIENCE.inWholeMilliseconds)
                println("the child's patience ended")
                Runtime.getRuntime().halt(4)
            }
            val program = Class.forName(arguments[0]).getField("INSTANCE").get(null) as ChildProgram
            runBlocking { program.run(arguments.drop(1)) }
        }
    }

    private companion object {
        /**
         * All that is here, whether this JVM has it on its class path, on its module path or as a patch of a module.
         */
        fun classPath(): String {
            val roots = listOf(ChildJvm::class, BusTopology::class).map { type ->
                val resource = "/" + type.java.name.replace('.', '/') + ".class"
                type.java.getResource(resource)!!.path.removeSuffix(resource)
            }
            val paths = listOf("java.class.path", "jdk.module.path").map { System.getProperty(it).orEmpty() }
            return (roots + paths).filter { it.isNotEmpty() }.joinToString(File.pathSeparator)
        }
    }
}
