package io.bywash.samples.particles

import com.github.ajalt.mordant.animation.textAnimation
import com.github.ajalt.mordant.terminal.Terminal

/** Shows frames: as a picture in place on a terminal, else as a line once a second on the given stream. */
class View(private val isQuiet: Boolean) : AutoCloseable {
    private val terminal = Terminal()
    private val isTerminal = !isQuiet && terminal.terminalInfo.outputInteractive &&
        System.getenv("TERM").orEmpty() !in setOf("", "dumb")
    private val animation = terminal.textAnimation<List<String>> { it.joinToString("\n") }
    private var shownNanos = System.nanoTime() - SECOND

    fun show(frame: Long, particles: List<Particle>) {
        val title = String.format("frame %,d: %,d particles", frame, particles.size)
        if (isTerminal) {
            val size = terminal.updateSize()
            animation.update(Picture.lines(particles, size.width - 1, (size.height - 2).coerceIn(1, MAX_ROWS)) + title)
        } else if (System.nanoTime() - shownNanos >= SECOND) {
            shownNanos = System.nanoTime()
            line(title)
        }
    }

    /** A line that stays; above the picture, until this is closed. */
    fun line(text: String) = if (isQuiet) System.err.println(text) else terminal.println(text)

    /** The picture stays as it is. */
    override fun close() = animation.stop()

    private companion object {
        const val SECOND = 1_000_000_000L
        const val MAX_ROWS = 40
    }
}
