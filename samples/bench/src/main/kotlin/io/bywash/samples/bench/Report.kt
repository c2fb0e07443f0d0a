package io.bywash.samples.bench

import java.util.Locale

/** All figures of a run, by flat dotted names, and the ratios between them. */
class Report(private val isQuick: Boolean) {
    private val groups = LinkedHashMap<String, List<Row>>()
    private val ratios = LinkedHashMap<String, Double>()
    val environment = Environment.describe()

    operator fun plusAssign(rows: List<Row>) {
        groups[rows.first().group] = rows
    }

    operator fun get(group: String): List<Row> = groups[group].orEmpty().filter { it.failure == null }

    val groupNames get() = groups.keys

    fun failures(group: String) = groups[group].orEmpty().filter { it.failure != null }

    val ratioLines get() = ratios.map { (name, value) -> name to format(value) }

    /** The row of the system whose median is best, whatever its policy; null if there is none. */
    private fun best(group: String, metric: String, isHigherBetter: Boolean = metric == "rate", who: (Row) -> Boolean): Row? {
        val rows = this[group].filter(who)
        return if (isHigherBetter) rows.maxByOrNull { it.median(metric) } else rows.minByOrNull { it.median(metric) }
    }

    private fun best(group: String, system: String, metric: String = "rate") = best(group, metric) { it.setting.contender.name == system }

    private fun row(group: String, system: String, policy: Policy) =
        this[group].firstOrNull { it.setting.contender.name == system && it.setting.policy == policy }

    private fun ratio(name: String, ours: Row?, theirs: Row?, metric: String = "rate") {
        if (ours != null && theirs != null) {
            ratios[name] = ours.median(metric) / theirs.median(metric)
        }
    }

    /** Fills in the ratios that the groups at hand allow. */
    fun compare() {
        for (group in groups.keys.toList()) {
            when (group.substringBefore('.')) {
                "throughput" -> compareThroughput(group)
                "rtt" -> compareRoundTrips(group)
                "paced1M", "paced10M" -> comparePaced(group)
                "fanout" -> compareFanout(group)
            }
        }
        best("tutorial", "bywash.claim")?.let { ratios["tutorial.slots1024.megabytesPerSecond"] = megabytes(it) }
        ratio("wake.vsFutex", row("wake", "bywash.claim", Policy.BLOCK), best("wake", "raw.futex", "p50"), "p50")
        ratio("wake.default.vsFutex", row("wake", "bywash.claim", Policy.BACKOFF), best("wake", "raw.futex", "p50"), "p50")
        row("idle", "bywash.claim", Policy.BLOCK)?.let { ratios["wake.idleCpuPercent"] = it.median("cpuPercent") }
        row("idle", "bywash.claim", Policy.BACKOFF)?.let { ratios["wake.default.idleCpuPercent"] = it.median("cpuPercent") }
    }

    private fun isRival(row: Row) = with(row.setting.contender) { crossesProcesses && !name.startsWith("bywash.") && !name.startsWith("raw.") }

    private fun compareThroughput(group: String) {
        val claim = best(group, "bywash.claim") ?: return
        ratio("$group.claim.vsAeronTryClaim", claim, best(group, "aeron.tryClaim"))
        ratio("$group.claim.vsBestRival", claim, best(group, "rate", true, ::isRival))
        ratio("$group.claim.vsRawCopy", claim, best(group, "raw.copy"))
        ratios["$group.claim.slowRounds"] = claim.slowRounds("rate").toDouble()
        ratio("$group.batch16.vsAeronTryClaim", best(group, "bywash.batch16"), best(group, "aeron.tryClaim"))
        ratio("$group.offer.vsAeronOffer", best(group, "bywash.offer"), best(group, "aeron.offer"))
        val default = row(group, "bywash.claim", Policy.BACKOFF)
        ratio("$group.default.vsBestPolicy", default, claim)
        ratio("$group.default.vsAeronTryClaim", default, best(group, "aeron.tryClaim"))
        ratio("$group.default.vsBestRival", default, best(group, "rate", true, ::isRival))
        default?.let { ratios["$group.default.slowRounds"] = it.slowRounds("rate").toDouble() }
        ratio("$group.block.vsSkip", claim, best(group, "bywash.skip"))
        val neverBlocks = setOf(Policy.SPIN, Policy.YIELD, Policy.PARK)
        ratio("$group.blockable.vsNotBlockable", default, best(group, "rate") {
            it.setting.contender.name == "bywash.claim" && it.setting.policy in neverBlocks
        })
        ratio("$group.portable.vsClaim", best(group, "bywash.portable"), claim)
        if (claim.setting.sizeBytes == Plan.TUTORIAL_BYTES) {
            ratios["tutorial.ring8MiB.megabytesPerSecond"] = megabytes(claim)
            best(group, "bywash.batch16")?.let { ratios["tutorial.ring8MiB.batch16.megabytesPerSecond"] = megabytes(it) }
        }
    }

    private fun compareRoundTrips(group: String) {
        val spin = row(group, "bywash.claim", Policy.SPIN)
        for (metric in listOf("p50", "p99")) {
            ratio("latency.rtt.$metric.vsAeron", best(group, "bywash.claim", metric), best(group, "aeron.tryClaim", metric), metric)
            ratio("latency.rtt.$metric.vsAgrona", best(group, "bywash.claim", metric), best(group, "agrona.tryClaim", metric), metric)
            ratio("latency.rtt.default.$metric.vsAeron", row(group, "bywash.claim", Policy.BACKOFF), best(group, "aeron.tryClaim", metric), metric)
        }
        ratio("latency.rtt.vsRawPingPong", best(group, "bywash.claim", "p50"), best(group, "raw.line", "p50"), "p50")
        ratio("latency.rtt.default.vsSpin", row(group, "bywash.claim", Policy.BACKOFF), spin, "p50")
    }

    private fun comparePaced(group: String) {
        val default = row(group, "bywash.claim", Policy.BACKOFF)
        for (metric in listOf("p50", "p99")) {
            ratio("latency.$group.$metric.vsAeron", default, best(group, "aeron.tryClaim", metric), metric)
            ratio("latency.$group.$metric.vsAgrona", default, best(group, "agrona.tryClaim", metric), metric)
            ratio("latency.$group.best.$metric.vsAeron", best(group, "bywash.claim", metric), best(group, "aeron.tryClaim", metric), metric)
        }
    }

    private fun compareFanout(group: String) {
        val ours = best(group, "bywash.claim")
        ratio("$group.vsAeron", ours, best(group, "aeron.tryClaim"))
        ratio("$group.vsAgronaBroadcast", ours, best(group, "agrona.broadcast"))
        ratio("$group.vsDisruptor", ours, best(group, "disruptor"))
    }

    /** One line: an object with every figure and ratio. */
    fun toJson(): String {
        val entries = LinkedHashMap<String, String>()
        entries["indicative"] = "$isQuick"
        environment.forEach { (name, value) -> entries["environment.$name"] = quote(value) }
        for (row in groups.values.flatten()) {
            val key = "${row.group}.${row.label.replace(' ', '_')}"
            row.failure?.let { entries["$key.failure"] = quote(it) }
            if (row.sums.isNotEmpty()) {
                entries["$key.checksums"] = quote(row.sums)
            }
            for (metric in row.metrics) {
                entries["$key.$metric.median"] = plain(row.median(metric))
                entries["$key.$metric.min"] = plain(row.min(metric))
            }
            if ("rate" in row.metrics) {
                entries["$key.slowRounds"] = "${row.slowRounds("rate")}"
                entries["$key.rounds"] = "${row.rounds.size}"
            }
        }
        ratios.forEach { (name, value) -> entries[name] = plain(value) }
        return entries.entries.joinToString(", ", "{", "}") { (name, value) -> "${quote(name)}: $value" }
    }

    companion object {
        /** The tutorial's unit: 2^20 bytes of messages, without headers. */
        fun megabytes(row: Row) = row.median("rate") * row.setting.sizeBytes / (1 shl 20)

        fun format(value: Double): String = String.format(Locale.ROOT, if (value < 100) "%.2f" else "%,.0f", value)

        private fun plain(value: Double) = if (value.isFinite()) String.format(Locale.ROOT, "%.4f", value) else "null"

        private fun quote(text: String) = text.map { if (it == '"' || it == '\\') "\\$it" else if (it < ' ') " " else "$it" }.joinToString("", "\"", "\"")
    }
}
