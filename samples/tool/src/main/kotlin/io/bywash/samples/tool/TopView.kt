package io.bywash.samples.tool

import com.github.ajalt.mordant.animation.textAnimation
import com.github.ajalt.mordant.input.KeyboardEvent
import com.github.ajalt.mordant.input.RawModeScope
import com.github.ajalt.mordant.input.enterRawModeOrNull
import com.github.ajalt.mordant.rendering.TextColors.cyan
import com.github.ajalt.mordant.rendering.TextColors.red
import com.github.ajalt.mordant.rendering.TextColors.yellow
import com.github.ajalt.mordant.rendering.TextStyles.bold
import com.github.ajalt.mordant.terminal.Terminal
import io.bywash.engine.inspect.EntryRates
import io.bywash.engine.inspect.StatusText
import java.nio.file.Path
import java.time.LocalTime
import java.time.temporal.ChronoUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** How entries are sorted, each within its kind. */
private enum class Order(val weight: (EntryRates) -> Double) {
    NAME({ 0.0 }),
    RATE({ -it.perSecond.values.sum() }),
    FILL({ -it.fill.orElse(0.0) }),
    LAG({ entry -> -(entry.holders.flatMap { it.holder.counters }.filter { it.name == "lag" }
        .maxOfOrNull { it.value.toDouble() } ?: 0.0) }),
}

/** Shows what a [Watch] sees on a terminal, as much of it as has room there, and obeys keys. */
class TopView(private val terminal: Terminal, private val directory: Path, private val watch: Watch) {
    private val animation = terminal.textAnimation<List<String>> { it.joinToString("\n") }
    private val events = ArrayDeque<String>()
    private var order = Order.NAME

    /** The segment, or the entry behind a slash, that is shown alone; empty for all. */
    private var chosen = ""
    private var choices = listOf("")

    fun run() {
        val keys = terminal.enterRawModeOrNull()
        val restore = Thread { keys?.close() }
        Runtime.getRuntime().addShutdownHook(restore)
        try {
            do {
                val look = watch.look()
                val time = LocalTime.now().truncatedTo(ChronoUnit.SECONDS)
                look.events.forEach { events.addFirst("$time $it") }
                while (events.size > MAX_EVENTS) {
                    events.removeLast()
                }
                choices = listOf("") + look.segments.flatMap { segment ->
                    listOf(segment.now.name) + segment.now.entries.map { "${segment.now.name}/${it.name}" }
                }
            } while (obey(keys, look))
        } finally {
            animation.stop()
            keys?.close()
            Runtime.getRuntime().removeShutdownHook(restore)
        }
    }

    /** Shows a look for a second, and anew after each key; false to quit. */
    private fun obey(keys: RawModeScope?, look: Look): Boolean {
        val end = System.nanoTime() + 1.seconds.inWholeNanoseconds
        draw(look)
        while (true) {
            val left = (end - System.nanoTime()).nanoseconds
            if (left <= Duration.ZERO) {
                return true
            }
            if (keys == null) {
                Thread.sleep(left.inWholeMilliseconds + 1)
            } else {
                val key = keys.readKeyOrNull(left) ?: return true
                if (key.key == "q" || key.ctrl && key.key == "c") {
                    return false
                }
                press(key)
                draw(look)
            }
        }
    }

    private fun press(key: KeyboardEvent) {
        val at = choices.indexOf(chosen)
        when (key.key) {
            "s" -> order = Order.entries[(order.ordinal + 1) % Order.entries.size]
            "ArrowDown", "j" -> chosen = choices[(at + 1) % choices.size]
            "ArrowUp", "k" -> chosen = choices[(maxOf(at, 0) + choices.size - 1) % choices.size]
            "Escape", "a" -> chosen = ""
        }
    }

    private fun draw(look: Look) {
        val size = terminal.updateSize()
        val lines = lines(look, maxOf(size.width - 1, MIN_WIDTH))
        val room = maxOf(size.height - 1, 2)
        val cut = if (lines.size <= room) lines
            else lines.take(room - 1) + "... ${lines.size - room + 1} more: choose with arrows"
        animation.update(cut.map(::coloured))
    }

    private fun lines(look: Look, width: Int): List<String> {
        val text = StatusText.ofWidth(width)
        val shown = look.segments.filter { isShown(it.now.name) }.map { arranged(it) }
        val processes = look.segments.flatMap { it.now.participants }.filter { it.alive }.map { it.pid }.distinct().size
        text.line("$directory: segments ${look.segments.size}, processes $processes, shown: " +
            "${chosen.ifEmpty { "all" }}, by ${order.name.lowercase()}. Keys: arrows choose, a all, s sorts, q quits")
        text.findings(shown.flatMap { it.findings }.filter { isShown(it.where) })
        events.filter { isShown(it.substringAfter(' ').substringBefore(": ")) }.forEach { text.line(it) }
        if (chosen.isEmpty()) {
            look.bus?.let { text.bus(it) }
        }
        shown.forEach { text.segment(it.now, it.earlier) }
        return text.toString().trimEnd('\n').lines()
    }

    /** Whether a segment or entry is among what was chosen, or has that in it. */
    private fun isShown(name: String) =
        chosen.isEmpty() || name == chosen || name.startsWith("$chosen/") || chosen.startsWith("$name/")

    private fun arranged(look: SegmentLook): SegmentLook {
        val weights = look.rates.associate { it.entry to order.weight(it) }
        return look.arranged(look.now.entries.filter { isShown("${look.now.name}/${it.name}") }
            .sortedBy { weights[it.name] ?: 0.0 })
    }

    private fun coloured(line: String): String = when {
        line.startsWith("error: ") -> red(line)
        line.startsWith("warning: ") -> yellow(line)
        TIME.matchesAt(line, 0) -> cyan(line)
        HEADERS.matches(line) -> bold(line)
        else -> line
    }

    companion object {
        private const val MAX_EVENTS = 5
        private const val MIN_WIDTH = 20
        private val TIME = Regex("[0-9:]{5,8} ")
        private val HEADERS = Regex(" *[A-Z][A-Z ]+")

        /** Whether a terminal can be drawn on, and asked for keys. */
        fun isFor(terminal: Terminal) = terminal.terminalInfo.outputInteractive &&
            terminal.terminalInfo.inputInteractive && System.getenv("TERM").orEmpty() !in setOf("", "dumb")
    }
}
