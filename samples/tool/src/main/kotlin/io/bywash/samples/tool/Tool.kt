package io.bywash.samples.tool

import com.github.ajalt.clikt.completion.CompletionCandidates
import com.github.ajalt.clikt.completion.CompletionCommand
import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.CoreCliktCommand
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.context
import com.github.ajalt.clikt.core.parse
import com.github.ajalt.clikt.core.subcommands
import io.bywash.samples.tool.recording.RecordCommand
import io.bywash.samples.tool.recording.ReplayCommand
import kotlin.system.exitProcess

/** The names of segments, as the shell completes them. */
val segmentNames = CompletionCandidates.Custom
    .fromStdout("ls \"\${BYWASH_DIR:-/dev/shm/bywash-\$(id -u)}\" 2>/dev/null")

/** The name of the program and its commands; it does nothing by itself. */
private class ToolCommand : CoreCliktCommand("bywash") {
    init {
        context { // the core of Clikt does not know the standard error
            echoMessage = { _, message, newline, isError ->
                val out = if (isError) System.err else System.out
                if (newline) out.println(message) else out.print(message)
            }
        }
        subcommands(
            LsCommand(),
            StatCommand(),
            TopCommand(),
            LayoutCommand(),
            VerifyCommand(),
            DoctorCommand(),
            HealthCommand(),
            TailCommand(),
            SendCommand(),
            RecordCommand(),
            ReplayCommand(),
            CompletionCommand(
                name = "completion", help = "A script that lets the shell complete commands, options and segments.",
            ),
        )
    }

    override fun run() = Unit
}

/** A command of the launcher that is none of this program; it is there to be completed. */
private class Elsewhere(name: String) : CoreCliktCommand(name) {
    override fun run() = Unit
}

/** Starts the tool. Ends with 0, with 1 if something was found or failed, with 2 if it was called wrongly. */
object Tool {
    @JvmStatic
    fun main(arguments: Array<String>) {
        exitProcess(run(arguments.toList()))
    }

    /** Runs a command; returns the exit status. */
    fun run(arguments: List<String>): Int {
        val tool = ToolCommand()
        if (arguments.firstOrNull() == "completion") {
            val others = System.getProperty("bywash.commands").orEmpty().lines()
            tool.subcommands((others - tool.registeredSubcommandNames() - "").map(::Elsewhere))
        }
        return try {
            tool.parse(joined(arguments))
            0
        } catch (end: CliktError) {
            tool.echoFormattedHelp(end)
            if (end is UsageError) 2 else end.statusCode
        }
    }

    /** `--from last 5` is one option with one value of two words. */
    private fun joined(arguments: List<String>): List<String> {
        val at = arguments.zipWithNext().indexOf("--from" to "last") + 1
        return if (at == 0 || at + 1 == arguments.size) arguments
        else arguments.take(at) + "last ${arguments[at + 1]}" + arguments.drop(at + 2)
    }
}
