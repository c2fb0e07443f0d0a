package io.bywash.samples.tool

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.multiple
import com.github.ajalt.clikt.parameters.options.option
import io.bywash.engine.Removal
import io.bywash.engine.Segment
import io.bywash.engine.inspect.BusStatus
import io.bywash.engine.inspect.Finding
import io.bywash.engine.inspect.HostStatus
import io.bywash.engine.inspect.LayoutStatus
import io.bywash.engine.inspect.StatusText
import io.bywash.engine.inspect.Verification
import java.nio.file.Path

class LsCommand : LookCommand(
    "ls", "What lies in the bus directory: segments, who uses them, what is left or damaged.",
) {
    override fun act() {
        val status = BusStatus.of(bus)
        show(StatusText().bus(status), status)
    }
}

class LayoutCommand : LookCommand(
    "layout", "What lies where in a segment: offsets, sizes, kinds, elements, capacities, owners, and what is free.",
) {
    private val segment by argument(help = "name of the segment", completionCandidates = segmentNames)
    override val soughtName get() = segment
    private val c by option("--c", help = "the layouts of its elements as a C header instead").flag()

    override fun act() {
        val layout = Segment.observe(bus.path(segment)).use { LayoutStatus.of(it) }
        if (c) {
            val header = StatusText().cHeader(layout)
            show(header, mapOf("header" to header.toString()))
        } else {
            show(StatusText().layout(layout), layout)
        }
    }
}

class VerifyCommand : LookCommand(
    "verify", "Checks every invariant of a segment, also while it is in use. Ends with 1 if one is broken.",
) {
    private val segment by argument(help = "name of the segment", completionCandidates = segmentNames)
    override val soughtName get() = segment

    override fun act() {
        val findings = Segment.observe(bus.path(segment)).use { Verification.of(it) }
        val text = StatusText().findings(findings)
        show(if (findings.isEmpty()) text.line("Segment $segment: every invariant holds.") else text,
            mapOf("segment" to segment, "findings" to findings))
        endWith(findings.isEmpty())
    }
}

class DoctorCommand : LookCommand(
    "doctor", "What on this host may get in the way, and what to do about it. Ends with 1 if something needs " +
        "attention.",
) {
    private val clean by option(
        help = "remove segments whose participants were all killed, and what dead creators left",
    ).flag()
    private val remove by option(
        metavar = "SEGMENT", help = "remove this segment, also a kept or a damaged one, if nobody uses it",
    ).multiple()
    private val report by option(
        metavar = "FILE", help = "write all that helps somebody elsewhere to find a fault into this new file",
    )

    override fun act() {
        report?.let {
            Report(bus).write(Path.of(it))
            show(StatusText().line("The report is in $it."), mapOf("report" to it))
            return
        }
        val removals = remove.map { bus.remove(it) } + if (clean) bus.clean() else emptyList()
        val host = HostStatus.of(bus)
        show(StatusText().removals(removals).host(host),
            mapOf("removals" to removals, "facts" to host.facts(), "findings" to host.findings()))
        endWith(removals.all { it.outcome() == Removal.Outcome.REMOVED } &&
            host.findings().all { it.severity() == Finding.Severity.NOTE })
    }
}
