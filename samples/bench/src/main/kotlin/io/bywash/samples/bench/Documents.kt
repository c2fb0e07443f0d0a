package io.bywash.samples.bench

import java.nio.file.Path
import java.util.Locale
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.math.ln
import kotlin.math.pow

/** Writes the tables and plots of a full run into the documentation; the prose around them stays. */
class Documents(private val directory: Path) {
    fun write(report: Report) {
        val page = directory.resolve("BENCHMARKS.md")
        val text = page.readText()
        val start = text.indexOf(BEGIN) + BEGIN.length
        val end = text.indexOf(END)
        if (start < BEGIN.length || end < start) {
            throw BenchFailure("$page lacks the lines '$BEGIN' and '$END'; put them where the figures shall stand")
        }
        val environment = "| | |\n| --- | --- |\n" +
            report.environment.map { (name, value) -> "| $name | $value |\n" }.joinToString("") +
            "| far | ${report.farRounds} rounds were done with the cores far from each other |\n"
        val tables = (report.groupNames.map { Tables.of(report, it) } + Tables.ratios(report))
            .joinToString("\n") { it.toMarkdown() }
        page.writeText(text.substring(0, start) + "\n\n$environment\n$tables\n" + text.substring(end))
        directory.resolve("throughput.svg").writeText(throughput(report))
        directory.resolve("latency.svg").writeText(latency(report))
    }

    private fun throughput(report: Report): String {
        val groups = report.groupNames.filter { it.startsWith("throughput.") }
            .sortedBy { it.substringAfter('.').toInt() }
        val systems = groups.map { group -> report[group].map { it.system }.toSet() }.reduce { a, b -> a intersect b }
        val sizes = groups.map { it.substringAfter('.') + " B" }
        return Chart("Throughput, 1 to 1, best policy of each", "million messages a second", sizes)
            .toSvg(systems.associateWith { system -> groups.map { report.best(it, system)!!.median("rate") / 1e6 } })
    }

    private fun latency(report: Report): String {
        val rows = report[report.groupNames.first { it.startsWith("rtt.") }]
        val best = rows.groupBy { it.system }.values.map { system -> system.minBy(::overall) }
        val shown = best + rows.filter { it.label == "bywash.claim.backoff" }
        val title = "Round trip of 48 bytes, best policy of each, and ours by default"
        return Chart(title, "ns", Loops.PERCENTILES.values.map { "$it %" })
            .toSvg(shown.distinct().associate { row -> row.label to Loops.PERCENTILES.keys.map { row.median(it) } })
    }

    /**
     * All shown percentiles count alike: of two ways to wait, one that is a little faster at the median may be much
     * slower at the end.
     */
    private fun overall(row: Row) = Loops.PERCENTILES.keys.sumOf { ln(maxOf(row.median(it), 1.0)) }

    private companion object {
        const val BEGIN = "<!-- figures: begin -->"
        const val END = "<!-- figures: end -->"
    }
}

/** A plot with a logarithmic axis, one line for each system. */
private class Chart(private val title: String, private val unit: String, private val columns: List<String>) {
    fun toSvg(lines: Map<String, List<Double>>): String {
        val values = lines.values.flatten().filter { it > 0 }
        val steps = (-3..12).flatMap { decade -> listOf(1, 2, 5).map { it * 10.0.pow(decade) } }
        val low = steps.last { it <= values.min() }
        val high = steps.first { it >= values.max() }
        fun x(column: Int) = LEFT + (WIDTH - LEFT - RIGHT) * (column + 0.5) / columns.size
        fun y(value: Double) = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * ln(value / low) / ln(high / low)
        val svg = StringBuilder()
        svg.append("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 $WIDTH $HEIGHT\"")
        svg.append(" font-family=\"sans-serif\" font-size=\"12\">\n")
        svg.append("<rect width=\"$WIDTH\" height=\"$HEIGHT\" fill=\"white\"/>\n")
        svg.append(text(LEFT.toDouble(), 20.0, "start", "$title ($unit)"))
        for (step in steps.filter { it in low..high }) {
            svg.append("<path d=\"M$LEFT ${number(y(step))}H${WIDTH - RIGHT}\" stroke=\"#ddd\"/>\n")
            svg.append(text(LEFT - 6.0, y(step) + 4, "end", Report.format(step).removeSuffix(".00")))
        }
        columns.forEachIndexed { column, name -> svg.append(text(x(column), HEIGHT - 12.0, "middle", name)) }
        lines.entries.forEachIndexed { index, (name, points) ->
            val color = COLORS[index % COLORS.size]
            val path = points.mapIndexed { column, value -> "${number(x(column))},${number(y(value))}" }
                .joinToString(" ")
            svg.append("<polyline points=\"$path\" fill=\"none\" stroke=\"$color\" stroke-width=\"2\"/>\n")
            val key = TOP + 20 * index
            svg.append("<path d=\"M${WIDTH - RIGHT + 12} ${key}h20\" stroke=\"$color\" stroke-width=\"2\"/>\n")
            svg.append(text(WIDTH - RIGHT + 38.0, key + 4.0, "start", name))
        }
        return svg.append("</svg>\n").toString()
    }

    private fun text(x: Double, y: Double, anchor: String, text: String) =
        "<text x=\"${number(x)}\" y=\"${number(y)}\" text-anchor=\"$anchor\">$text</text>\n"

    private fun number(value: Double) = String.format(Locale.ROOT, "%.1f", value)

    private companion object {
        const val WIDTH = 820
        const val HEIGHT = 400
        const val LEFT = 60
        const val RIGHT = 190
        const val TOP = 40
        const val BOTTOM = 34
        val COLORS = listOf("#0b6e4f", "#d1495b", "#30638e", "#edae49", "#6b4e9b", "#777777", "#c06c84", "#2a9d8f")
    }
}
