package io.bywash.samples.bench

import java.nio.file.Path
import java.util.Locale
import kotlin.io.path.readText
import kotlin.io.path.writeText

/** Writes the figures of a full run, and what is drawn from them: the summary on the first page, and the plots. */
class Documents(private val directory: Path) {
    private val data = directory.resolve("bench-data.md")

    fun write(report: Report) {
        val environment = "| | |\n| --- | --- |\n" +
            report.environment.map { (name, value) -> "| $name | $value |\n" }.joinToString("") +
            "| far | ${report.farRounds} rounds were done with the cores far from each other; " +
            "${report.repeatedRounds} were done again for that |\n"
        val tables = (report.groupNames.map { Tables.of(report, it) } + Tables.ratios(report))
            .joinToString("\n") { it.toMarkdown() }
        data.writeText("$HEAD\n$environment\n$tables")
        draw()
    }

    /** Draws summary and plots from the figures that are recorded. */
    fun draw() {
        val figures = Figures.read(data)
        val page = directory.resolve("BENCHMARKS.md")
        val text = page.readText()
        val start = text.indexOf(BEGIN) + BEGIN.length
        val end = text.indexOf(END)
        if (start < BEGIN.length || end < start) {
            throw BenchFailure("$page lacks the lines '$BEGIN' and '$END'; put them where the summary shall stand")
        }
        page.writeText(text.substring(0, start) + "\n\n${summary(figures)}\n" + text.substring(end))
        directory.resolve("throughput.svg").writeText(throughput(figures))
        directory.resolve("latency.svg").writeText(latency(figures))
    }

    private fun throughput(figures: Figures): String {
        val sizes = figures.groups("throughput")
        return Chart(
            "Throughput, 1 writer to 1 reader, ${environment(figures, "ring").substringBefore(" for")} of ring",
            host(figures), "bytes of a message", "million messages a second, log scale", sizes.map { it.toString() },
        ).toSvg(panels(sizes.map { "throughput.$it" }, figures) { rows -> rows.map { it?.get(Figures.RATE) } })
    }

    private fun latency(figures: Figures): String {
        val size = figures.groups("rtt").first()
        return Chart(
            "Round trip of $size bytes between two processes",
            host(figures), "percentile", "nanoseconds, log scale", Figures.PERCENTILES.map { it.removePrefix("p") },
        ).toSvg(panels(listOf("rtt.$size"), figures) { rows -> Figures.PERCENTILES.map { rows.single()?.get(it) } })
    }

    /** Default beside default, and best beside best. The bare machine has no default, and stands in both. */
    private fun panels(groups: List<String>, figures: Figures, points: (List<FigureRow?>) -> List<Double?>) = listOf(
        panel("by default", groups, figures, points) { group, system ->
            if (SYSTEMS.getValue(system).isReference) figures.atBest(group, system)
            else figures.byDefault(group, system)
        },
        panel("best way to wait of each", groups, figures, points, figures::atBest),
    )

    private fun panel(
        title: String,
        groups: List<String>,
        figures: Figures,
        points: (List<FigureRow?>) -> List<Double?>,
        choose: (String, String) -> FigureRow?,
    ) = Panel(title, SYSTEMS.filterKeys { system -> groups.any { system in figures.systems(it) } }
        .map { (system, series) -> series to points(groups.map { choose(it, system) }) }.toMap())

    private fun host(figures: Figures) =
        listOf("cpu", "cores", "kernel", "jdk", "date").joinToString(", ") { name ->
            environment(figures, name).removePrefix("OpenJDK 64-Bit Server VM ").let {
                when (name) {
                    "cores" -> "$it cores"
                    "jdk" -> "JDK $it"
                    else -> it
                }
            }
        }

    private fun environment(figures: Figures, name: String) = figures.environment[name] ?: "unknown $name"

    private fun summary(figures: Figures): String {
        val head = listOf("", "default: Bywash") + RIVALS.map { name(it) } + "best: Bywash" + RIVALS.map { name(it) }
        val rows = ROWS.map { row ->
            val systems = listOf(Figures.BYWASH) + RIVALS
            listOf(row.title) + systems.map { row.of(figures.byDefault(row.group, it)) } +
                systems.map { row.of(figures.atBest(row.group, it)) }
        }
        val line = head.mapIndexed { column, _ -> if (column == 0) "---" else "--:" }
        return "${host(figures)}; medians of ${environment(figures, "rounds").replaceFirst(" of", " rounds of")}.\n\n" +
            (listOf(head, line) + rows).joinToString("") { cells -> cells.joinToString(" | ", "| ", " |\n") }
    }

    private fun name(system: String) = SYSTEMS.getValue(system).name

    /** A line of the summary: what of which table. */
    private class Line(
        val title: String,
        val group: String,
        private val columns: List<String>,
        private val divisor: Int = 1,
        private val decimals: Int = 1,
    ) {
        fun of(row: FigureRow?): String {
            val numbers = columns.mapNotNull { row?.get(it) }
            return if (numbers.isEmpty()) "not measured" else numbers.joinToString(" / ") {
                String.format(Locale.ROOT, "%,.${decimals}f", it / divisor)
            }
        }
    }

    private companion object {
        const val BEGIN = "<!-- summary: begin -->"
        const val END = "<!-- summary: end -->"
        const val HEAD = "# Recorded figures\n\n`./bywash bench all` writes this page. " +
            "[Benchmarks](BENCHMARKS.md) says what the figures mean.\n"
        val RIVALS = listOf("aeron", "agrona", "chronicle")
        val SYSTEMS = mapOf(
            Figures.BYWASH to Series("Bywash", "#0b6e4f", Marker.CIRCLE),
            "aeron" to Series("Aeron", "#d1495b", Marker.SQUARE),
            "agrona" to Series("Agrona", "#30638e", Marker.TRIANGLE),
            "chronicle" to Series("Chronicle Queue", "#edae49", Marker.DIAMOND),
            "disruptor" to Series("Disruptor, in process", "#6b4e9b", Marker.PLUS),
            "channel" to Series("kotlinx Channel, in process", "#c06c84", Marker.CROSS),
            "raw" to Series("bare memory", "#777777", Marker.DOT, isReference = true),
        )

        private fun latencies(title: String, group: String) =
            Line("$title, ns: median / 99th percentile", group, listOf("p50", "p99"), decimals = 0)

        val ROWS = listOf(
            Line("messages of 64 bytes, million a second", "throughput.64", listOf(Figures.RATE)),
            Line("messages of 1 KiB, million a second", "throughput.1024", listOf(Figures.RATE)),
            latencies("round trip of 48 bytes", "rtt.48"),
            latencies("age on arrival at 1 million a second", "paced1M"),
            latencies("age on arrival at 10 million a second", "paced10M"),
            Line("waking a sleeping reader, µs: median", "wake", listOf("p50"), divisor = 1000),
        )
    }
}
