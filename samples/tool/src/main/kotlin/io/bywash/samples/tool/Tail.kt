package io.bywash.samples.tool

import com.github.ajalt.clikt.core.BadParameterValue
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.choice
import com.github.ajalt.clikt.parameters.types.long
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.bywash.engine.Segment
import io.bywash.engine.inspect.LayoutStatus
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.attribute.BasicFileAttributes
import java.util.concurrent.TimeUnit

/** The layout of an entry's elements, from the segment alone; null for plain bytes, or when the entry was removed. */
fun layouts(segment: Segment, entry: String): Layouts? =
    LayoutStatus.of(segment).places.firstOrNull { it.name == entry }?.layout?.ifEmpty { null }?.let(::Layouts)

/** Shows messages as they come. It only looks: nobody loses one by it, or waits for it. */
class TailCommand : BusCommand(
    "tail", "Shows the messages of a broadcast, a ring or a work queue as they come, and takes none of them. Records " +
        "are shown by their fields.",
) {
    private val segment by argument(help = "name of the segment", completionCandidates = segmentNames)
    private val name by argument(help = "name of the entry")
    private val from by option(
        metavar = "oldest|now|last N",
        help = "where to begin; now by default, and for a work queue oldest: with what waits",
    ).convert { parse(it) }
    private val format by option("--as", help = "how to show messages; records as json, else text, by default")
        .choice("text", "hex", "json")
    private val limit by option(metavar = "N", help = "end after so many messages").long().restrictTo(1L)
    private val once by option("--once", help = "end behind what was there in the beginning").flag()
    override val soughtName get() = segment

    private fun parse(text: String): From = when (text.trim()) {
        "oldest" -> From.Oldest
        "now" -> From.Last(0)
        else -> LAST.matchEntire(text.trim())?.let { From.Last(it.groupValues[1].toLong()) }
            ?: throw BadParameterValue("$text is neither oldest nor now nor last N.")
    }

    override fun act() {
        val path = bus.path(segment)
        Segment.observe(path).use { observed ->
            val entry = entry(observed, name)
            val shown = Shown(layouts(observed, name), format)
            source(entry, from).use { follow(it, shown, path) }
        }
    }

    private fun follow(source: Source, shown: Shown, path: Path) {
        val file = fileKey(path)
        var left = limit ?: Long.MAX_VALUE
        var lookedNanos = System.nanoTime()
        var isGone = false
        do {
            val all = source.next(minOf(left, BATCH).toInt())
            val seen = if (once) all.takeWhile { it.position < source.end } else all
            seen.forEach { println(shown.line(it)) }
            left -= seen.size
            val isDone = left == 0L || once && (seen.isEmpty() || seen.last().position + 1 == source.end) ||
                isGone && seen.isEmpty() || System.out.checkError() // whoever reads this may have ended
            if (isDone || System.nanoTime() - lookedNanos > LOOK_NANOS) {
                lookedNanos = System.nanoTime()
                source.takeLost().takeIf { it > 0 }
                    ?.let { System.err.println("bywash: $it messages were gone before they could be shown") }
                if (!isDone && !isGone && fileKey(path) != file) {
                    System.err.println("bywash: segment $segment is gone")
                    isGone = true // what is still there is shown
                }
            }
            if (!isDone && seen.isEmpty()) {
                Thread.sleep(PAUSE_MILLIS)
            }
        } while (!isDone)
    }

    private fun fileKey(path: Path) = runCatching {
        Files.readAttributes(path, BasicFileAttributes::class.java).fileKey()
    }.getOrNull()

    private companion object {
        val LAST = Regex("last[ =:]([0-9]{1,18})")
        const val BATCH = 256L
        const val PAUSE_MILLIS = 10L
        val LOOK_NANOS = TimeUnit.SECONDS.toNanos(1)
    }
}
