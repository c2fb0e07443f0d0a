package io.bywash.samples.bench

import java.nio.file.Path
import kotlin.io.path.readLines
import kotlin.math.ln

/** What a full run measured, read from the tables of `docs/bench-data.md`; the summary and the plots show this. */
class Figures private constructor(private val tables: Map<String, Table>) {
    /** Host, date and setting of the run. */
    val environment = tables[""]?.rows.orEmpty().associate { (name, value) -> name to value }

    /** The groups of a kind, such as `throughput`, by their numbers. */
    fun groups(kind: String): List<Int> = tables.keys.mapNotNull { title ->
        Regex(Regex.escape(Tables.title("$kind.#")).replace("#", "\\E(\\d+)\\Q")).matchEntire(title)
    }.map { it.groupValues[1].toInt() }.sorted()

    private fun rows(group: String): List<FigureRow> {
        val table = tables[Tables.title(group)] ?: return emptyList()
        return table.rows.map { FigureRow(table.columns.zip(it).toMap()) }.filterNot { it.isLossy }
    }

    /** The systems that a group has. */
    fun systems(group: String) = rows(group).map { it.system }.distinct()

    /** A system as it is when nobody chooses how it waits, by its fastest way to write. */
    fun byDefault(group: String, system: String): FigureRow? {
        val rows = compared(group, system)
        return rows.filter { it.policy == Policy.BACKOFF.key }.ifEmpty { rows.filter { it.policy == Policy.BLOCK.key } }
            .minByOrNull { it.cost }
    }

    /** A system under the way to wait that serves it best, by its fastest way to write. */
    fun atBest(group: String, system: String): FigureRow? = compared(group, system).minByOrNull { it.cost }

    /** Of Bywash only lossless messages that are published one by one; of the others whatever they have. */
    private fun compared(group: String, system: String) =
        rows(group).filter { it.system == system && (system != BYWASH || it.label.startsWith("$BYWASH.claim.")) }

    companion object {
        const val BYWASH = "bywash"

        /** The columns of a table of latencies. */
        val PERCENTILES = listOf("p50", "p90", "p99", "p99.9")
        const val RATE = "median M/s"

        fun read(page: Path): Figures {
            val tables = LinkedHashMap<String, Table>()
            var title = ""
            for (line in page.readLines()) {
                if (line.startsWith("### ")) {
                    title = line.removePrefix("### ")
                } else if (line.startsWith("| ") && !line.startsWith("| --- ")) {
                    val cells = line.removePrefix("|").removeSuffix("|").split("|").map { it.trim() }
                    val above = tables[title]
                    tables[title] = above?.let { Table(title, it.columns, it.rows + listOf(cells)) }
                        ?: Table(title, cells, emptyList())
                }
            }
            return Figures(tables)
        }
    }
}

/** One system under one way to wait. */
class FigureRow(private val cells: Map<String, String>) {
    val label = cells.getValue("system")
    val system = label.substringBefore('.')
    val policy = label.substringAfterLast('.')
    val isLossy = !cells["lost"].isNullOrEmpty()

    /** The figure of a column, if there is one. */
    operator fun get(column: String): Double? = cells[column]?.replace(",", "")?.toDoubleOrNull()

    /**
     * What is compared to find the best. All percentiles that are shown count alike: of two ways to wait, one that is a
     * little faster at the median may be much slower at the end.
     */
    val cost: Double
        get() = get(Figures.RATE)?.let { -it } ?: Figures.PERCENTILES.sumOf { ln(maxOf(get(it) ?: 1.0, 1.0)) }
}
