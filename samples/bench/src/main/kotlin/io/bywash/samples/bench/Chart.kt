package io.bywash.samples.bench

import java.util.Locale
import kotlin.math.ln
import kotlin.math.pow

/** A system in a plot: its name, color and marker, the same in every plot. */
class Series(val name: String, val color: String, val marker: Marker, val isReference: Boolean = false)

enum class Marker { CIRCLE, SQUARE, TRIANGLE, DIAMOND, PLUS, CROSS, DOT }

/** One of the pictures of a plot that stand side by side; null where nothing was measured. */
class Panel(val title: String, val lines: Map<Series, List<Double?>>)

/** A plot with a logarithmic vertical axis that all panels share, one line for each system. */
class Chart(
    private val title: String,
    private val subtitle: String,
    private val across: String,
    private val unit: String,
    private val columns: List<String>,
) {
    fun toSvg(panels: List<Panel>): String {
        val values = panels.flatMap { it.lines.values }.flatten().filterNotNull().filter { it > 0 }
        val steps = (-3..12).flatMap { decade -> listOf(1, 2, 5).map { it * 10.0.pow(decade) } }
        val low = steps.last { it <= values.min() }
        val high = steps.first { it >= values.max() }
        fun y(value: Double) = HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * ln(value / low) / ln(high / low)
        val svg = StringBuilder()
        svg.append("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 $WIDTH $HEIGHT\"")
        svg.append(" font-family=\"sans-serif\" font-size=\"12\">\n")
        svg.append("<rect width=\"$WIDTH\" height=\"$HEIGHT\" fill=\"white\"/>\n")
        svg.append(text(LEFT, 20.0, "start", title, " font-size=\"15\" font-weight=\"bold\""))
        svg.append(text(LEFT, 38.0, "start", subtitle, " fill=\"#555\""))
        val middle = number((TOP + HEIGHT - BOTTOM) / 2.0)
        svg.append(text(14.0, middle.toDouble(), "middle", unit, " transform=\"rotate(-90 14 $middle)\""))
        for (step in steps.filter { it in low..high }) {
            svg.append(text(LEFT - 6, y(step) + 4, "end", label(step)))
        }
        panels.forEachIndexed { index, panel ->
            val left = LEFT + index * (PANEL + GAP)
            fun x(column: Int) = left + PANEL * (column + 0.5) / columns.size
            svg.append(text(left + PANEL / 2, TOP - 8, "middle", panel.title, " font-weight=\"bold\""))
            for (step in steps.filter { it in low..high }) {
                svg.append("<path d=\"M${number(left)} ${number(y(step))}h${number(PANEL)}\" stroke=\"#ddd\"/>\n")
            }
            columns.forEachIndexed { column, name ->
                svg.append(text(x(column), HEIGHT - BOTTOM + 18, "middle", name))
            }
            svg.append(text(left + PANEL / 2, HEIGHT - 12.0, "middle", across))
            for ((series, line) in panel.lines) {
                svg.append(polylines(series, line.mapIndexed { column, value -> value?.let { x(column) to y(it) } }))
            }
        }
        val shown = panels.flatMap { it.lines.keys }.distinct()
        shown.forEachIndexed { index, series ->
            val x = LEFT + panels.size * (PANEL + GAP)
            val y = TOP + 10 + 22 * index
            svg.append(polylines(series, listOf(x to y, x + 14 to y, x + 28 to y), listOf(x + 14 to y)))
            svg.append(text(x + 36, y + 4, "start", series.name))
        }
        return svg.append("</svg>\n").toString()
    }

    /** A line through the points between two gaps, and a marker on each point. */
    private fun polylines(
        series: Series,
        points: List<Pair<Double, Double>?>,
        marked: List<Pair<Double, Double>?> = points,
    ): String {
        val dashes = if (series.isReference) " stroke-dasharray=\"5 4\"" else ""
        val svg = StringBuilder()
        var rest = points
        while (rest.isNotEmpty()) {
            val run = rest.takeWhile { it != null }.filterNotNull()
            if (run.size > 1) {
                val path = run.joinToString(" ") { (x, y) -> "${number(x)},${number(y)}" }
                svg.append("<polyline points=\"$path\" fill=\"none\" stroke=\"${series.color}\" stroke-width=\"2\"")
                svg.append("$dashes/>\n")
            }
            rest = rest.drop(run.size + 1)
        }
        marked.filterNotNull().forEach { (x, y) -> svg.append(marker(series, x, y)) }
        return svg.toString()
    }

    private fun marker(series: Series, x: Double, y: Double): String {
        val outline = when (series.marker) {
            Marker.CIRCLE -> "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z"
            Marker.SQUARE -> "m-4 -4h8v8h-8z"
            Marker.TRIANGLE -> "m0 -5l5 9h-10z"
            Marker.DIAMOND -> "m0 -5l5 5l-5 5l-5 -5z"
            Marker.PLUS -> "m-5 0h10m-5 -5v10"
            Marker.CROSS -> "m-4 -4l8 8m-8 0l8 -8"
            Marker.DOT -> "m-2 -2h4v4h-4z"
        }
        val place = "M${number(x)} ${number(y)}$outline"
        return "<path d=\"$place\" fill=\"${series.color}\" stroke=\"${series.color}\" stroke-width=\"2\"/>\n"
    }

    private fun text(x: Double, y: Double, anchor: String, text: String, more: String = "") =
        "<text x=\"${number(x)}\" y=\"${number(y)}\" text-anchor=\"$anchor\"$more>$text</text>\n"

    private fun label(step: Double) = Report.format(step).let { if ('.' in it) it.trimEnd('0').trimEnd('.') else it }

    private fun number(value: Double) = String.format(Locale.ROOT, "%.1f", value)

    private companion object {
        const val WIDTH = 960
        const val HEIGHT = 420
        const val LEFT = 76.0
        const val PANEL = 320.0
        const val GAP = 20.0
        const val TOP = 76.0
        const val BOTTOM = 52.0
    }
}
