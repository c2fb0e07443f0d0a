package io.bywash.samples.bench

/** Structures other than queues; the keys are explained in `docs/BENCHMARKS.md`. Each kind adds its groups here. */
fun structureGroups(): List<Group> = cellGroups() + ringGroups() + poolGroups()

/** The ratios and figures of these structures. */
fun structureRatios(report: Report): Map<String, Double> = cellRatios(report) + ringRatios(report) + poolRatios(report)

private fun cellGroups(): List<Group> {
    fun setting(label: String) =
        Setting(contender(CellContender.NAME), Policy.SPIN, VALUE_BYTES, 0, label = label)

    return listOf(
        Group("structures.latest", listOf(
            { LatestLane(it, setting("typed"), "readTyped") },
            { LatestLane(it, setting("inPlace"), "readInPlace") },
            { LatestLane(it, setting("copied"), "readCopied") },
        )),
        Group("structures.add", listOf(
            { AddLane(it, setting(CELL), "addCell") },
            { AddLane(it, setting(BARE), "addBare") },
        )),
    )
}

private fun cellRatios(report: Report): Map<String, Double> = buildMap {
    fun median(group: String, label: String) =
        report["structures.$group"].firstOrNull { it.label == label }?.median("nanos")

    median("latest", "typed")?.let { put("cell.latest.readNanos", it) }
    for (way in listOf("inPlace", "copied")) {
        median("latest", way)?.let { put("cell.latest.$way.readNanos", it) }
    }
    val ours = median("add", CELL)
    val bare = median("add", BARE)
    if (ours != null && bare != null) {
        put("cell.add.nanos", ours)
        put("cell.add.vsBare", ours / bare)
    }
}

private const val CELL = "cell"
private const val BARE = "bare"

/** Three longs: a value of the size of a price with its time. */
private const val VALUE_BYTES = 24

/** How often the active writer sets the value. */
private const val SET_EVERY_NANOS = 1_000

/**
 * Nanoseconds for one read of a latest value, while a writer in another process sets it each microsecond, and how often
 * it did so in fact.
 */
private class LatestLane(workspace: Workspace, setting: Setting, private val how: String) : Lane(workspace, setting) {
    private val reader = reader()

    override fun open() {
        val channel = nextChannel()
        writer.ask("openWriter $channel")
        reader.ask("openReader $channel")
    }

    override fun move(count: Long): Map<String, Double> {
        writer.ask("startSetting $SET_EVERY_NANOS")
        val read = reader.ask("$how $count")
        val set = writer.ask("stopSetting")
        if (set.long("sets") < 1) {
            throw BenchFailure("${setting.label}: the writer was not active")
        }
        return mapOf(
            "nanos" to read.long("nanos").toDouble() / count,
            "setEveryNanos" to set.long("nanos").toDouble() / set.long("sets"),
        )
    }
}

/** Nanoseconds for one atomic addition, in one thread, to a word that nobody else uses. */
private class AddLane(workspace: Workspace, setting: Setting, private val how: String) : Lane(workspace, setting) {
    override fun open() {
        writer.ask("openCells ${nextChannel()}")
    }

    override fun move(count: Long) = mapOf("nanos" to writer.ask("$how $count").long("nanos").toDouble() / count)
}
