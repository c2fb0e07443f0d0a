package io.bywash.samples.tool

import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.DataInputStream
import java.io.DataOutputStream
import java.io.PrintStream
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject

/** What a command ended with, and what it wrote. */
class Outcome(val exitCode: Int, val out: String, val err: String) {
    val json: JsonObject get() = Json.parseToJsonElement(out).jsonObject
}

/**
 * A process of its own that runs one command after the other, which costs less than a process for each; that of another
 * user if it is given how to become that one.
 */
class Commands(bus: Path, become: List<String> = emptyList(), classPath: String = classPath()) : AutoCloseable {
    private val process = java(bus, "io.bywash.samples.tool.CommandServer")
        .apply { command(become + command().map { if (it == classPath()) classPath else it }) }
        .redirectError(ProcessBuilder.Redirect.INHERIT).start()
    private val requests = DataOutputStream(process.outputStream)
    private val replies = DataInputStream(process.inputStream)

    fun run(arguments: List<String>, input: String = ""): Outcome = run(arguments, input.toByteArray())

    fun run(arguments: List<String>, input: ByteArray): Outcome {
        requests.writeInt(arguments.size)
        arguments.forEach { requests.writeUTF(it) }
        requests.writeInt(input.size)
        requests.write(input)
        requests.flush()
        return Outcome(replies.readInt(), text(), text())
    }

    private fun text() = ByteArray(replies.readInt()).also { replies.readFully(it) }.decodeToString()

    override fun close() {
        process.destroy()
        process.waitFor()
    }
}

/** Looks again until what is expected is seen: between two looks, whoever works may have stood still for a while. */
fun untilSeen(look: () -> Unit) {
    val end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60)
    while (true) {
        try {
            return look()
        } catch (notYet: AssertionError) {
            if (System.nanoTime() > end) throw notYet
        }
    }
}

/** The other end of [Commands]. */
object CommandServer {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val requests = DataInputStream(System.`in`)
        val replies = DataOutputStream(System.out)
        while (true) {
            val given = List(requests.readInt()) { requests.readUTF() }
            System.setIn(ByteArrayInputStream(ByteArray(requests.readInt()).also { requests.readFully(it) }))
            val written = List(2) { ByteArrayOutputStream() }
            System.setOut(PrintStream(written[0], true))
            System.setErr(PrintStream(written[1], true))
            replies.writeInt(Tool.run(given))
            written.forEach {
                replies.writeInt(it.size())
                it.writeTo(replies)
            }
            replies.flush()
        }
    }
}

/** The command line of a JVM for a class of the tests. */
fun javaCommand(vararg arguments: String) = listOf(
    ProcessHandle.current().info().command().get(), "--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC", "-cp", classPath(),
) + arguments

fun classPath(): String = System.getProperty("java.class.path")

fun java(bus: Path, vararg arguments: String): ProcessBuilder =
    ProcessBuilder(javaCommand(*arguments)).apply { environment()["BYWASH_DIR"] = bus.toString() }
