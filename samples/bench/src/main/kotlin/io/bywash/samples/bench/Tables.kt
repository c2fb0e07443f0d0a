package io.bywash.samples.bench

import java.util.Locale

/** The report as tables: title, columns and rows of text. */
class Table(val title: String, val columns: List<String>, val rows: List<List<String>>) {
    /** For a terminal. */
    fun toText(): String {
        val all = listOf(columns) + rows
        val widths = columns.indices.map { column -> all.maxOf { it[column].length } }
        return "$title\n" + all.joinToString("\n") { row ->
            val cells = row.mapIndexed { column, cell ->
                if (column == 0) cell.padEnd(widths[0]) else cell.padStart(widths[column])
            }
            cells.joinToString("  ", "  ").trimEnd()
        }
    }

    fun toMarkdown(): String {
        val line = columns.mapIndexed { column, _ -> if (column == 0) "---" else "--:" }
        return "### $title\n\n" + (listOf(columns, line) + rows).joinToString("") { row(it) }
    }

    private fun row(cells: List<String>) = cells.joinToString(" | ", "| ", " |\n")
}

object Tables {
    /** The percentiles that are shown, and their columns. */
    val PERCENTILES = mapOf("p50" to "p50", "p90" to "p90", "p99" to "p99", "p999" to "p99.9")
    private const val FAR = "far rounds"
    private val TITLES = mapOf(
        "throughput" to "Throughput, 1 writer to 1 reader, messages of %s bytes",
        "tutorial" to "The tutorial's setting: messages of 64 bytes, 1,024 slots (a ring of 128 KiB)",
        "rings" to "Throughput of the default policy by size of the ring",
        "idleReaders" to "Throughput of the default policy by attached idle readers",
        "rtt" to "Round trip of %s bytes between two processes, ns",
        "paced1M" to "Age on arrival at 1 million messages a second, ns",
        "paced10M" to "Age on arrival at 10 million messages a second, ns",
        "fanout" to "Throughput, 1 writer to %s readers, all readers together",
        "wake" to "From the publishing of one message to its handler in a process that sleeps, ns",
        "coroutines" to "Coroutines: %s",
        "structures" to "Structures: %s",
        "native" to "Native programs: %s",
        "calls" to "Calls of 64 bytes: %s",
        "recovery" to "From the kill of a process until another one goes on, ms",
        "queue" to "Work queue, %s",
        "against" to "This engine and another, %s",
        "idle" to "CPU time of a process whose reader waits for a message that does not come, percent of a core",
    )

    fun title(group: String) = TITLES.getValue(group.substringBefore('.')).format(group.substringAfter('.'))

    fun ratios(report: Report) =
        Table("Ratios", listOf("ratio", "value"), report.ratioLines.map { (name, value) -> listOf(name, value) })

    fun of(report: Report, group: String): Table {
        val title = title(group)
        val rows = report[group]
        val metrics = rows.firstOrNull()?.metrics ?: emptySet()
        val table = when {
            "rate" in metrics -> rates(title, rows)
            metrics.size == 1 -> metrics.first().let { metric ->
                Table(title, listOf("system", "median", "min", "max", FAR), rows.map { row ->
                    listOf(row.label) + listOf(row.median(metric), row.min(metric), row.max(metric))
                        .map { number(it, 3) } + far(row)
                })
            }
            "p50" !in metrics -> Table(title, listOf("system") + metrics + FAR, rows.map { row ->
                listOf(row.label) + metrics.map { number(row.median(it), 3) } + far(row)
            })
            else -> percentiles(title, rows)
        }
        return Table(table.title, table.columns, table.rows + report.failures(group).map { row ->
            listOf(row.label, row.failure.orEmpty()) + List(table.columns.size - 2) { "" }
        })
    }

    private fun rates(title: String, rows: List<Row>): Table {
        val isCurve = rows.all { '.' !in it.label }
        val sorted = if (isCurve) rows else rows.sortedByDescending { it.median("rate") }
        val last = if (rows.any { it.group == "tutorial" }) "checksums of writer / reader" else "lost"
        val columns = listOf("system", "median M/s", "min M/s", "MB/s", "slow rounds", FAR, last)
        return Table(title, columns, sorted.map { row ->
            val remark = when {
                row.group == "tutorial" -> row.sums
                row.setting.contender.isLossless -> ""
                else -> number(row.median("lost") * 100, 0) + " %"
            }
            listOf(
                row.label, number(row.median("rate") / 1e6, 1), number(row.min("rate") / 1e6, 1),
                number(Report.megabytes(row), 0), "${row.slowRounds("rate")} of ${row.rounds.size}", far(row),
                remark,
            )
        })
    }

    private fun percentiles(title: String, rows: List<Row>): Table {
        val columns = (PERCENTILES + mapOf("lag.p50" to "sender late p50", "lag.p99" to "sender late p99"))
            .filterKeys { metric -> rows.any { metric in it.metrics } }
        return Table(title, listOf("system") + columns.values + FAR, rows.sortedBy { it.median("p50") }.map { row ->
            listOf(row.label) + columns.keys.map { if (it in row.metrics) number(row.median(it), 0) else "" } + far(row)
        })
    }

    private fun far(row: Row) = "${row.farRounds} of ${row.rounds.size}"

    private fun number(value: Double, decimals: Int) = String.format(Locale.ROOT, "%,.${decimals}f", value)
}
