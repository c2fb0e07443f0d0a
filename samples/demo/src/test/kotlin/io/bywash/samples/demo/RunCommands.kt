package io.bywash.samples.demo

import io.bywash.samples.tool.Tool
import java.io.PrintStream
import java.nio.file.Path
import kotlin.io.path.readText
import kotlin.io.path.writeText

/** What a command of those who run a bus ended with, and what it wrote. */
class Ran(val exitCode: Int, val out: String, val err: String)

/**
 * Runs commands one after the other in one process, which costs less than one for each. Arguments: where to write what
 * they say, and each command as one argument. All of them have one line on their standard input.
 */
object RunCommands {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val folder = Path.of(arguments[0])
        arguments.drop(1).forEachIndexed { index, command ->
            System.setIn("one line\n".byteInputStream())
            System.setOut(PrintStream(folder.resolve("$index.out").toFile()))
            System.setErr(PrintStream(folder.resolve("$index.err").toFile()))
            folder.resolve("$index.status").writeText("${Tool.run(command.split(' '))}")
        }
    }

    /** What became of the command of that number. */
    fun ran(folder: Path, index: Int) = Ran(folder.resolve("$index.status").readText().toInt(),
        folder.resolve("$index.out").readText(), folder.resolve("$index.err").readText())
}
