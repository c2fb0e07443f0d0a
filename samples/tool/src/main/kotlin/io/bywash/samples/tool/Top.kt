package io.bywash.samples.tool

import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.optional
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.mordant.terminal.Terminal
import io.bywash.engine.inspect.BusStatus
import io.bywash.engine.inspect.StatusText

/** Looks at all segments, or one: twice, or once a second. */
abstract class WatchCommand(name: String, purpose: String) : LookCommand(name, purpose) {
    private val segment by argument(help = "name of the segment", completionCandidates = segmentNames).optional()
    override val soughtName get() = segment
    protected abstract val goesOn: Boolean

    final override fun act() {
        val watch = Watch(bus, segment)
        if (watch.look().segments.isNotEmpty() || goesOn) {
            Thread.sleep(PAUSE_MILLIS)
        }
        val terminal = if (goesOn && !json) Terminal() else null
        if (terminal != null && TopView.isFor(terminal)) {
            TopView(terminal, bus.path(), watch).run()
        } else {
            val look = watch.look()
            tell(look)
            while (goesOn && !System.out.checkError()) { // whoever reads this may have ended
                Thread.sleep(SECOND_MILLIS)
                if (!json) println()
                tell(watch.look())
            }
            endWith(segment == null || look.segments.isNotEmpty())
        }
    }

    private fun tell(look: Look) {
        val text = StatusText()
        look.segments.forEach { text.segment(it.now, it.earlier).findings(it.findings) }
        look.events.forEach { text.line("event: $it") }
        if (look.segments.isEmpty()) {
            segment?.let { text.line("Segment $it is gone.") }
                ?: text.bus(look.bus ?: BusStatus(bus.path(), emptyList()))
        }
        show(text,
            mapOf("segments" to look.segments.map { it.document }, "events" to look.events))
    }

    private companion object {
        const val PAUSE_MILLIS = 500L
        const val SECOND_MILLIS = 1_000L
    }
}

class StatCommand : WatchCommand(
    "stat", "Participants, queues and subscribers with their rates, lag and losses, and who holds whom back; of all " +
        "segments, or one.",
) {
    override val goesOn by option("--watch", help = "once a second, as top does").flag()
}

class TopCommand : WatchCommand(
    "top", "Once a second: what stat shows, with who came, left, died or was evicted meanwhile. On a terminal keys " +
        "choose, sort and quit; elsewhere these are lines, or with --json one document a line.",
) {
    private val once by option("--once", help = "only once").flag()
    override val goesOn get() = !once
}
