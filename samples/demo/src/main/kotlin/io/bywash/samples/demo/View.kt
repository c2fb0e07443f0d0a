package io.bywash.samples.demo

import com.github.ajalt.mordant.animation.textAnimation
import com.github.ajalt.mordant.rendering.TextColors.cyan
import com.github.ajalt.mordant.rendering.TextColors.green
import com.github.ajalt.mordant.rendering.TextColors.red
import com.github.ajalt.mordant.rendering.Whitespace
import com.github.ajalt.mordant.terminal.PrintRequest
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalInterface
import io.bywash.samples.demo.listener.Tally
import java.util.Locale

/**
 * Shows the lanes on the standard error: in place on a terminal, else as lines once a second. No line is longer than
 * the terminal is wide; a dumb terminal, and what is no terminal, gets no escape sequence, and `NO_COLOR` no colour.
 */
class View : AutoCloseable {
    private val terminal = standardError()
    private val isTerminal = terminal.terminalInfo.outputInteractive
    private val animation = terminal.textAnimation<List<String>> { it.joinToString("\n") }
    private var lastSecond = -1

    @Volatile
    private var isClosed = false

    /** Mordant's terminal, whose output goes to the standard error. Its width is that of the standard input. */
    private fun standardError(): Terminal {
        val standard = Terminal()
        val isTerminal = System.getProperty("bywash.terminal") == "true" && standard.terminalInfo.inputInteractive
        val onStandardError = object : TerminalInterface by standard.terminalInterface {
            override fun completePrintRequest(request: PrintRequest) {
                System.err.print(if (request.trailingLinebreak) request.text + "\n" else request.text)
            }
        }
        return Terminal(interactive = isTerminal, terminalInterface = onStandardError)
    }

    fun show(lanes: List<Lane>, blockedCount: Long, seconds: Double) {
        if (isClosed) {
            return
        }
        val rows = lanes.map { if (it.isConsumer) consumerCells(it, blockedCount) else feedCells(it, blockedCount) }
        if (isTerminal && System.getenv("TERM").orEmpty() !in setOf("", "dumb")) {
            animation.update(rows.flatMap { fold(it) })
        } else if (seconds.toInt() > lastSecond) {
            lastSecond = seconds.toInt()
            rows.flatMap { fold(listOf(format("%4ds", lastSecond)) + it) }.forEach { terminal.println(it) }
        }
    }

    private fun rateCells(lane: Lane) =
        listOf(lane.name.padEnd(21), if (lane.isAlive) format("%,9.0f/s", lane.rate.perSecond) else " ".repeat(11))

    private fun feedCells(lane: Lane, blockedCount: Long) = rateCells(lane) + listOf(
        format("%,11d published", lane.rate.total),
        if (lane.isAlive) "process ${lane.pid}" else "ended",
        if (blockedCount == 0L) "" else format("ring full %,d times", blockedCount),
    )

    private fun consumerCells(lane: Lane, blockedCount: Long) = rateCells(lane) + listOf(
        format("%,11d received, %d lost", lane.rate.total, lane.count("lost")),
        when {
            blockedCount > 0 -> "" // readings wait for the slower consumer: that says nothing about the bus
            lane.count("timed") == 0L -> "warming up"
            else -> "p50 ${time(lane.count("p50")).padEnd(8)}  p99 ${time(lane.count("p99"))}"
        },
    )

    /** Cells side by side, as many in a line as it has room for; further lines are indented. */
    private fun fold(cells: List<String>): List<String> {
        val width = if (isTerminal) terminal.size.width - 1 else Int.MAX_VALUE
        val lines = mutableListOf(cells.first())
        for (cell in cells.drop(1)) {
            if (lines.last().length + GAP.length + cell.length <= width) {
                lines[lines.lastIndex] = lines.last() + GAP + cell
            } else if (cell.isNotBlank()) {
                lines += GAP + cell.trim()
            }
        }
        return lines.map { it.trimEnd().take(width) }
    }

    /** An event. */
    fun say(line: String) = line(cyan("    -- $line"))

    /** A line that stays, above the lanes while these are shown. */
    fun line(line: String) {
        val width = terminal.size.width - 1
        if (isTerminal) {
            val text = if (width < WIDE) line.replace(Regex("\n +"), "\n$GAP") else line
            terminal.println(text, whitespace = Whitespace.PRE_WRAP, width = width)
        } else {
            terminal.println(line)
        }
    }

    /** The lanes stay as they are. */
    override fun close() {
        if (!isClosed) {
            isClosed = true
            animation.stop()
        }
    }

    private companion object {
        const val GAP = "  "

        /** From here on, further lines of a text may be indented as far as the first one's. */
        const val WIDE = 95
    }
}

/** What the demo found. */
class DemoResult(
    private val published: Long,
    private val blockedCount: Long,
    private val coroutine: Lane,
    private val osgi: Lane,
    private val withdrawnAfterMillis: Long,
    private val returnedAfterMillis: Long,
    private val feedExitCode: Int,
    private val loadBefore: String,
) {
    private val latencies = Tally.decode(checkNotNull(coroutine.word("latencies")) { coroutine.lastLines() })
        .apply { add(Tally.decode(checkNotNull(osgi.word("latencies")) { osgi.lastLines() })) }

    /** When the ring was full, readings waited for the slower consumer: that says nothing about the bus. */
    private val areLatenciesMeaningful = blockedCount == 0L && latencies.totalCount > 0

    /** Whether both consumers got every published message exactly once. */
    val isOk: Boolean = feedExitCode == 0 && published > 0 && listOf(coroutine, osgi).all {
        it.count("received") == published && it.count("lost") == 0L && it.count("repeated") == 0L
    }

    fun show(view: View) {
        view.line(format("published            %,d", published))
        for ((name, lane) in listOf("received, coroutine " to coroutine, "received, OSGi      " to osgi)) {
            val (received, lost, repeated) = listOf("received", "lost", "repeated").map { lane.count(it) }
            view.line(format("%s %,d (lost %d, repeated %d)", name, received, lost, repeated))
        }
        view.line("latency              " + latencyText())
        view.line("service withdrawn    $withdrawnAfterMillis ms after the kill")
        view.line("service back         $returnedAfterMillis ms after the feed was started again")
        view.line(if (isOk) green("every message was received exactly once") else red("FAILED: see above"))
    }

    private fun latencyText(): String {
        if (!areLatenciesMeaningful) {
            return format("not told: the ring was full %,d times: readings waited for the slower consumer",
                blockedCount)
        }
        val (p50, p99, p999) = listOf(50.0, 99.0, 99.9).map { time(latencies.getValueAtPercentile(it)) }
        val indent = " ".repeat(21)
        val count = latencies.totalCount
        return format("p50 %s  p99 %s  p99.9 %s\n", p50, p99, p999) + indent +
            format("of %,d readings, from send to handler, without each feed's first second\n", count) + indent +
            "in 4 JVMs on ${Runtime.getRuntime().availableProcessors()} cores, whose load was $loadBefore before"
    }

    fun toJson(): String = listOf(
        "published" to published,
        "received.coroutine" to coroutine.count("received"),
        "received.osgi" to osgi.count("received"),
        "lost.coroutine" to coroutine.count("lost"),
        "lost.osgi" to osgi.count("lost"),
        "blocked" to blockedCount,
        "latency.count" to latencies.totalCount,
        "latency.p50Nanos" to if (areLatenciesMeaningful) latencies.getValueAtPercentile(50.0) else null,
        "latency.p99Nanos" to if (areLatenciesMeaningful) latencies.getValueAtPercentile(99.0) else null,
        "withdrawnAfterMillis" to withdrawnAfterMillis,
        "returnedAfterMillis" to returnedAfterMillis,
        "ok" to isOk,
    ).joinToString(", ", "{", "}") { (name, value) -> "\"$name\": $value" }
}

private fun format(pattern: String, vararg values: Any?) = String.format(Locale.ROOT, pattern, *values)

private fun time(nanos: Long) =
    if (nanos < 1_000_000) format("%.1f us", nanos / 1e3) else format("%.1f ms", nanos / 1e6)
