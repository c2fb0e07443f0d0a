package io.bywash.samples.bench

import java.util.Locale

/** The report as tables: title, columns and rows of text. */
class Table(val title: String, val columns: List<String>, val rows: List<List<String>>) {
    /** For a terminal. */
    fun toText(): String {
        val all = listOf(columns) + rows
        val widths = columns.indices.map { column -> all.maxOf { it[column].length } }
        return "$title\n" + all.joinToString("\n") { row ->
            row.indices.joinToString("  ", "  ") { if (it == 0) row[it].padEnd(widths[it]) else row[it].padStart(widths[it]) }.trimEnd()
        }
    }

    fun toMarkdown(): String = "### $title\n\n" + row(columns) + row(columns.mapIndexed { index, _ -> if (index == 0) "---" else "--:" }) +
        rows.joinToString("") { row(it) }

    private fun row(cells: List<String>) = cells.joinToString(" | ", "| ", " |\n")
}

object Tables {
    private val TITLES = mapOf(
        "throughput" to "Throughput, 1 writer to 1 reader, messages of %s bytes",
        "tutorial" to "The tutorial's setting: messages of 64 bytes, 1,024 slots",
        "rings" to "Throughput of the default policy by size of the ring",
        "idleReaders" to "Throughput of the default policy by attached idle readers",
        "rtt" to "Round trip of %s bytes between two processes, ns",
        "paced1M" to "Age on arrival at 1 million messages a second, ns",
        "paced10M" to "Age on arrival at 10 million messages a second, ns",
        "fanout" to "Throughput, 1 writer to %s readers, all readers together",
        "wake" to "From the publishing of one message to its handler in a process that sleeps, ns",
        "idle" to "CPU time of a process whose reader waits for a message that does not come, percent of a core",
    )

    fun of(report: Report): List<Table> = report.groupNames.map { group -> table(report, group) } +
        Table("Ratios", listOf("ratio", "value"), report.ratioLines.map { (name, value) -> listOf(name, value) })

    private fun table(report: Report, group: String): Table {
        val title = TITLES.getValue(group.substringBefore('.')).format(group.substringAfter('.'))
        val rows = report[group]
        val metrics = rows.firstOrNull()?.metrics ?: emptySet()
        val table = when {
            "rate" in metrics -> rates(title, rows)
            "cpuPercent" in metrics -> Table(title, listOf("system", "median", "min"), rows.map { listOf(it.label, number(it.median("cpuPercent"), 3), number(it.min("cpuPercent"), 3)) })
            else -> percentiles(title, rows)
        }
        return Table(table.title, table.columns, table.rows + report.failures(group).map { row ->
            listOf(row.label, row.failure.orEmpty()) + List(table.columns.size - 2) { "" }
        })
    }

    private fun rates(title: String, rows: List<Row>): Table {
        val sorted = rows.sortedByDescending { it.median("rate") }.takeIf { rows.all { row -> '.' in row.label } } ?: rows
        return Table(title, listOf("system", "median M/s", "min M/s", "MB/s", "slow rounds", "lost"), sorted.map { row ->
            listOf(
                row.label, number(row.median("rate") / 1e6, 1), number(row.min("rate") / 1e6, 1), number(Report.megabytes(row), 0),
                "${row.slowRounds("rate")} of ${row.rounds.size}", if (row.setting.contender.isLossless) "" else number(row.median("lost") * 100, 0) + " %",
            )
        })
    }

    private fun percentiles(title: String, rows: List<Row>): Table {
        val shown = listOf("p50", "p90", "p99", "p999")
        val hasLag = rows.any { "lag.p50" in it.metrics }
        val columns = listOf("system", "p50", "p90", "p99", "p99.9") + if (hasLag) listOf("sender late p50", "sender late p99") else emptyList()
        return Table(title, columns, rows.sortedBy { it.median("p50") }.map { row ->
            listOf(row.label) + (shown + if (hasLag) listOf("lag.p50", "lag.p99") else emptyList()).map { number(row.median(it), 0) }
        })
    }

    private fun number(value: Double, decimals: Int) = String.format(Locale.ROOT, "%,.${decimals}f", value)
}
