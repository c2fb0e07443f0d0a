package io.bywash.samples.tool

import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.CoreCliktCommand
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.context
import com.github.ajalt.clikt.core.parse
import com.github.ajalt.clikt.core.subcommands
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.optional
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.multiple
import com.github.ajalt.clikt.parameters.options.option
import io.bywash.engine.BusDirectory
import io.bywash.engine.BusException
import io.bywash.engine.Removal
import io.bywash.engine.Segment
import io.bywash.engine.inspect.BusStatus
import io.bywash.engine.inspect.Finding
import io.bywash.engine.inspect.HostStatus
import io.bywash.engine.inspect.LayoutStatus
import io.bywash.engine.inspect.SegmentStatus
import io.bywash.engine.inspect.StatusText
import io.bywash.engine.inspect.Verification
import io.bywash.samples.tool.recording.RecordCommand
import io.bywash.samples.tool.recording.ReplayCommand
import kotlin.system.exitProcess

/** The name of the program and its commands; it does nothing by itself. */
private class ToolCommand : CoreCliktCommand("bywash") {
    init {
        context { // the core of Clikt does not know the standard error
            echoMessage = { _, message, newline, isError ->
                val out = if (isError) System.err else System.out
                if (newline) out.println(message) else out.print(message)
            }
        }
        subcommands(LsCommand(), StatCommand(), LayoutCommand(), VerifyCommand(), DoctorCommand())
        subcommands(RecordCommand(), ReplayCommand())
    }

    override fun run() = Unit
}

/** A look at the standard bus directory: the same as text or as one JSON document. */
private abstract class LookCommand(name: String, private val purpose: String) : CoreCliktCommand(name) {
    private val json by option(help = "one JSON document on the standard output instead of text").flag()
    protected val bus: BusDirectory by lazy { BusDirectory.standard() }

    override fun help(context: Context) = purpose

    final override fun run() = try {
        look()
    } catch (failure: BusException) {
        fail(failure.message.orEmpty())
    } catch (failure: IllegalArgumentException) { // a name that is none
        fail(failure.message.orEmpty())
    }

    protected abstract fun look()

    protected fun show(text: StatusText, document: Any) = if (json) println(toJson(document)) else print(text)

    private fun fail(message: String) {
        System.err.println("bywash: $message")
        if (json) {
            println(toJson(mapOf("error" to message)))
        }
        throw ProgramResult(1)
    }

    protected fun endWith(ok: Boolean) {
        if (!ok) {
            throw ProgramResult(1)
        }
    }
}

private class LsCommand : LookCommand(
    "ls", "What lies in the bus directory: segments, who uses them, what is left or damaged.",
) {
    override fun look() {
        val status = BusStatus.of(bus)
        show(StatusText().bus(status), status)
    }
}

private class StatCommand : LookCommand(
    "stat", "Participants, queues and subscribers with their rates, lag and losses, and who holds whom back; of all " +
        "segments, or one.",
) {
    private val segment by argument(help = "name of the segment").optional()

    override fun look() {
        val names = segment?.let { listOf(it) }
            ?: BusStatus.of(bus).files().filter { it.segment().isPresent }.map { it.name() }
        val segments = names.mapNotNull(::observe)
        try {
            val before = segments.map { SegmentStatus.of(it) }
            if (segments.isNotEmpty()) {
                Thread.sleep(PAUSE_MILLIS)
            }
            show(segments.map { SegmentStatus.of(it) }, before)
        } finally {
            segments.forEach { it.close() }
        }
    }

    /** One that was asked for has to be there. */
    private fun observe(name: String) = try {
        Segment.observe(bus.path(name))
    } catch (gone: BusException) {
        if (segment != null) throw gone else null
    }

    private fun show(now: List<SegmentStatus>, before: List<SegmentStatus>) {
        val text = StatusText()
        val documents = now.zip(before).map { (status, earlier) ->
            val findings = status.leftByTheDead() + status.heldBack(earlier)
            text.segment(status, earlier).findings(findings)
            mapOf("before" to earlier, "now" to status, "rates" to status.rates(earlier), "findings" to findings)
        }
        show(if (now.isEmpty()) text.bus(BusStatus(bus.path(), emptyList())) else text, mapOf("segments" to documents))
    }

    private companion object {
        const val PAUSE_MILLIS = 500L
    }
}

private class LayoutCommand : LookCommand(
    "layout", "What lies where in a segment: offsets, sizes, kinds, elements, capacities, owners, and what is free.",
) {
    private val segment by argument(help = "name of the segment")
    private val c by option("--c", help = "the layouts of its elements as a C header instead").flag()

    override fun look() {
        val layout = Segment.observe(bus.path(segment)).use { LayoutStatus.of(it) }
        if (c) {
            val header = StatusText().cHeader(layout)
            show(header, mapOf("header" to header.toString()))
        } else {
            show(StatusText().layout(layout), layout)
        }
    }
}

private class VerifyCommand : LookCommand(
    "verify", "Checks every invariant of a segment, also while it is in use. Ends with 1 if one is broken.",
) {
    private val segment by argument(help = "name of the segment")

    override fun look() {
        val findings = Segment.observe(bus.path(segment)).use { Verification.of(it) }
        val text = StatusText().findings(findings)
        show(if (findings.isEmpty()) text.line("Segment $segment: every invariant holds.") else text,
            mapOf("segment" to segment, "findings" to findings))
        endWith(findings.isEmpty())
    }
}

private class DoctorCommand : LookCommand(
    "doctor", "What on this host may get in the way, and what to do about it. Ends with 1 if something needs " +
        "attention.",
) {
    private val clean by option(
        help = "remove segments whose participants were all killed, and what dead creators left",
    ).flag()
    private val remove by option(
        metavar = "SEGMENT", help = "remove this segment, also a kept or a damaged one, if nobody uses it",
    ).multiple()

    override fun look() {
        val removals = remove.map { bus.remove(it) } + if (clean) bus.clean() else emptyList()
        val host = HostStatus.of(bus)
        show(StatusText().removals(removals).host(host),
            mapOf("removals" to removals, "facts" to host.facts(), "findings" to host.findings()))
        endWith(removals.all { it.outcome() == Removal.Outcome.REMOVED } &&
            host.findings().all { it.severity() == Finding.Severity.NOTE })
    }
}

/** Starts the tool. Ends with 0, with 1 if something was found or failed, with 2 if it was called wrongly. */
object Tool {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val tool = ToolCommand()
        try {
            tool.parse(arguments)
        } catch (end: CliktError) {
            tool.echoFormattedHelp(end)
            exitProcess(if (end is UsageError) 2 else end.statusCode)
        }
    }
}
