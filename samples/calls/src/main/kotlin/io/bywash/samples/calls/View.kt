package io.bywash.samples.calls

import com.github.ajalt.mordant.animation.progress.MultiProgressBarAnimation
import com.github.ajalt.mordant.rendering.BorderType
import com.github.ajalt.mordant.rendering.TextAlign
import com.github.ajalt.mordant.rendering.TextColors.cyan
import com.github.ajalt.mordant.rendering.TextColors.green
import com.github.ajalt.mordant.rendering.TextColors.red
import com.github.ajalt.mordant.table.Borders
import com.github.ajalt.mordant.table.table
import com.github.ajalt.mordant.terminal.PrintRequest
import com.github.ajalt.mordant.terminal.Terminal
import com.github.ajalt.mordant.terminal.TerminalInterface
import com.github.ajalt.mordant.widgets.progress.completed
import com.github.ajalt.mordant.widgets.progress.progressBar
import com.github.ajalt.mordant.widgets.progress.progressBarLayout
import com.github.ajalt.mordant.widgets.progress.speed
import com.github.ajalt.mordant.widgets.progress.text
import io.bywash.samples.calls.Traffic.Figures
import java.util.Locale
import kotlin.concurrent.thread

/** Calls that are under way: their name, how many there will be, and how many are done, by any thread's look. */
internal class Lane(val name: String, val total: Long, val done: () -> Long)

/** Progress bars while it runs, on a terminal only, and a table at the end. */
internal class View(private val terminal: Terminal) {
    private val rows = mutableListOf<List<String>>()

    constructor(isOnStandardError: Boolean) :
        this(if (isOnStandardError) standardError() else Terminal(nonInteractiveWidth = WIDTH))

    /** Shows the progress of all lanes until the work is done. */
    fun during(vararg lanes: Lane, work: () -> Unit) {
        if (!terminal.terminalInfo.outputInteractive) {
            return work()
        }
        val bars = MultiProgressBarAnimation(terminal)
        val tasks = lanes.map { lane ->
            val layout = progressBarLayout(alignColumns = true) {
                text(lane.name)
                progressBar(width = 30, pendingChar = "-", separatorChar = ">", completeChar = "=")
                completed(style = terminal.theme.info)
                speed(" calls/s")
            }
            val before = lane.done()
            val task = bars.addTask(layout, Unit, total = lane.total);
            { task.update { completed = lane.done() - before } }
        }
        val shower = thread {
            try {
                while (true) {
                    tasks.forEach { it() }
                    bars.refresh()
                    Thread.sleep(REFRESH_MILLIS)
                }
            } catch (over: InterruptedException) {
                tasks.forEach { it() }
                bars.refresh(refreshAll = true)
            }
        }
        try {
            work()
        } finally {
            shower.interrupt()
            shower.join()
            bars.stop()
        }
    }

    /** A line about what happened. */
    fun say(line: String) = terminal.println(cyan("-- $line"))

    /** Adds a row to the table. */
    fun add(name: String, inFlight: Int, figures: Figures) {
        rows += listOf(
            name, "$inFlight", format("%,d", figures.calls()), format("%,d", figures.right()),
            format("%.1f", figures.bytes() / 1e6), format("%,.0f", figures.calls() * 1e9 / figures.nanos()),
            time(figures.p50Nanos()), time(figures.p99Nanos()),
        )
    }

    fun showTable() = terminal.println(
        table {
            borderType = BorderType.ASCII
            tableBorders = Borders.ALL
            align = TextAlign.RIGHT
            column(0) { align = TextAlign.LEFT }
            header { row("calls", "in flight", "made", "right", "MB", "calls/s", "p50", "p99") }
            body {
                cellBorders = Borders.LEFT_RIGHT
                rows.forEach { rowFrom(it) }
            }
        },
    )

    fun showVerdict(isOk: Boolean) = terminal.println(
        if (isOk) green("every request and every answer came, once and intact, and each failure with its reason")
        else red("NOT OK"),
    )

    private companion object {
        const val REFRESH_MILLIS = 50L

        /** Of what is no terminal, in columns. */
        const val WIDTH = 100

        fun standardError() = Terminal(
            interactive = false,
            nonInteractiveWidth = WIDTH,
            terminalInterface = object : TerminalInterface by Terminal().terminalInterface {
                override fun completePrintRequest(request: PrintRequest) {
                    System.err.print(if (request.trailingLinebreak) request.text + "\n" else request.text)
                }
            },
        )
    }
}

internal fun format(pattern: String, vararg values: Any?) = String.format(Locale.ROOT, pattern, *values)

internal fun time(nanos: Long) =
    if (nanos < 1_000_000) format("%.1f us", nanos / 1e3) else format("%.1f ms", nanos / 1e6)
