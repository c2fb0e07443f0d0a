package io.bywash.samples.demo

import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.CoreCliktCommand
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.context
import com.github.ajalt.clikt.core.parse
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.bywash.samples.tool.recording.Recorder
import io.bywash.samples.tool.recording.RecordingException
import kotlin.system.exitProcess

/** The command line of the demo: what is wrong with it is said before anything is started. */
private class DemoCommand : CoreCliktCommand("demo") {
    init {
        context { // the core of Clikt does not know the standard error
            echoMessage = { _, message, newline, isError ->
                val out = if (isError) System.err else System.out
                if (newline) out.println(message) else out.print(message)
            }
        }
    }

    private val seconds by option(help = "how long the feed publishes, 4 to 3600 (default: 10)").int()
        .restrictTo(4..3600).default(10)
    private val rate by option(help = "readings a second, or max (default: 10000)").convert { text ->
        text.takeIf { it == "max" || it.toDoubleOrNull()?.let { number -> number in 1.0..1e9 } == true }
            ?: fail("'$text' is no rate; use a number from 1 to 1000000000, or max")
    }.default("10000")
    private val record by option(help = "record what the feed publishes in this file, which replay takes, too").path()
    private val replay by option(help = "publish the readings of this recording instead of this host's").path()
    private val json by option(help = "the result as one line on the standard output").flag()

    override fun help(context: Context) =
        "A Kotlin feed, an OSGi container and a coroutine: live readings of this host through shared memory, " +
        "and a kill."

    override fun run() {
        try {
            replay?.let { RecordedSource(it).close() }
            record?.let { Recorder.create(it).close() }
        } catch (unusable: RecordingException) {
            throw UsageError(unusable.message.orEmpty())
        }
        val view = View()
        val result = try {
            DemoRun(seconds, listOf(rate, replay?.toString() ?: "-"), record, view).use { it.run() }
        } catch (failure: DemoFailure) {
            view.close()
            System.err.println("demo: ${failure.message}")
            throw ProgramResult(1)
        }
        result.show(view)
        if (json) {
            println(result.toJson())
        }
        if (!result.isOk) {
            throw ProgramResult(1)
        }
    }
}

/** Starts the demo. Ends with 0, with 1 if it failed, with 2 if it was called wrongly. */
object Demo {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val demo = DemoCommand()
        try {
            demo.parse(arguments)
        } catch (end: CliktError) {
            demo.echoFormattedHelp(end)
            exitProcess(if (end is UsageError) 2 else end.statusCode)
        }
    }
}
