package io.bywash.samples.bench

import java.util.Locale
import kotlin.math.exp
import kotlin.math.ln

/** All figures of a run, by flat dotted names, and the ratios between them. */
class Report(private val effort: Effort, ringBytes: Long) {
    private val groups = LinkedHashMap<String, List<Row>>()
    private val ratios = LinkedHashMap<String, Double>()
    val environment = Environment.describe(effort, ringBytes)

    operator fun plusAssign(rows: List<Row>) {
        groups[rows.first().group] = rows
    }

    operator fun get(group: String): List<Row> = groups[group].orEmpty().filter { it.failure == null }

    val groupNames get() = groups.keys

    fun failures(group: String) = groups[group].orEmpty().filter { it.failure != null }

    /** Rounds that were done while the cores were far from each other. */
    val farRounds get() = groups.values.flatten().sumOf { it.farRounds }

    /** Rounds that were done again, because the cores were far from each other at their end. */
    val repeatedRounds get() = groups.values.flatten().sumOf { it.repeatedRounds }

    val ratioLines get() = ratios.map { (name, value) -> name to format(value) }

    /** The best of some rows: with the highest rate, or the smallest product of all percentiles that tables show. */
    private fun best(group: String, isMeant: (Row) -> Boolean): Row? = this[group].filter(isMeant).minByOrNull { row ->
        if ("rate" in row.metrics) -row.median("rate")
        else Tables.PERCENTILES.keys.filter { it in row.metrics }.sumOf { ln(maxOf(row.median(it), 1.0)) }
    }

    /** The row of a system under the policy that serves it best. */
    fun best(group: String, system: String) = best(group) { it.system == system }

    private fun row(group: String, system: String, policy: Policy) =
        this[group].firstOrNull { it.system == system && it.setting.policy == policy }

    private fun ours(group: String, policy: Policy) = row(group, CLAIM, policy)

    private fun ratio(name: String, ours: Row?, theirs: Row?, metric: String = "rate") {
        if (ours != null && theirs != null && listOf(ours, theirs).all { metric in it.metrics }) {
            ratios[name] = ours.median(metric) / theirs.median(metric)
        }
    }

    /** Fills in the ratios that the groups at hand allow. */
    fun compare() {
        for (group in groups.keys.toList()) {
            when (group.substringBefore('.')) {
                "throughput" -> compareThroughput(group)
                "rtt" -> compareRoundTrips(group)
                "paced1M", "paced10M" -> compareLatencies(group, "latency.$group")
                "fanout" -> compareFanout(group)
                "against" -> compareEngines(group)
            }
        }
        compareTutorial()
        compareQueues()
        ratios += coroutineRatios(this)
        ratios += structureRatios(this)
        ratios += nativeRatios(this)
        ratios += callRatios(this)
        for ((name, policy) in listOf("wake" to Policy.BLOCK, "wake.default" to Policy.BACKOFF)) {
            ratio("$name.vsFutex", ours("wake", policy), best("wake", "raw.futex"), "p50")
            ours("idle", policy)?.let { ratios["$name.idleCpuPercent"] = it.median("cpuPercent") }
        }
    }

    /** The tutorial's own ring beside this one, of the same size and of the usual one, in the same rounds. */
    private fun compareTutorial() {
        val theirs = best("tutorial", TutorialContender.NAME)
        theirs?.let { ratios["tutorial.c.megabytesPerSecond"] = megabytes(it) }
        for ((name, isUsual) in listOf("slots1024" to false, "ring8MiB" to true)) {
            val ours = best("tutorial") { it.system == CLAIM && it.label.endsWith("8MiB") == isUsual }
                ?: continue
            if (!isUsual) {
                ratios["tutorial.$name.megabytesPerSecond"] = megabytes(ours)
            }
            ratio("tutorial.$name.vsTutorialC", ours, theirs)
        }
    }

    private fun compareQueues() {
        val ours = best("queue.1to1", QUEUE)
        ratio("queue.1to1.vsJctools", ours, best("queue.1to1", JcToolsContender.NAME))
        ratio("queue.1to1.vsUnixSocket", ours, best("queue.1to1", UnixSocketContender.NAME))
        ratio("queue.1to1.default.vsBestPolicy", row("queue.1to1", QUEUE, Policy.BACKOFF), ours)
        for (group in listOf("queue.2to2", "queue.4to4")) {
            ratio("$group.vs1to1", best(group, QUEUE), ours)
        }
        for ((name, policy) in listOf("vsFutex" to Policy.BLOCK, "default.vsFutex" to Policy.BACKOFF)) {
            val row = row("queue.wake", QUEUE, policy)
            ratio("queue.wake.$name", row, best("queue.wake", "raw.futex"), "p50")
        }
    }

    private fun compareThroughput(group: String) {
        val claim = best(group, CLAIM) ?: return
        val default = ours(group, Policy.BACKOFF)
        val aeron = best(group, "aeron.tryClaim")
        val rival = best(group) { it.system.substringBefore('.') in RIVALS }
        val typed = best(group, "bywash.typed")
        val offer = best(group, "bywash.offer")
        val rows = listOf(
            "claim" to claim, "default" to default, "batch16" to best(group, "bywash.batch16"), "typed" to typed,
            "offer" to offer,
        )
        for ((name, row) in rows) {
            ratio("$group.$name.vsAeronTryClaim", row, aeron)
            ratio("$group.$name.vsBestRival", row, rival)
            row?.let { ratios["$group.$name.slowRounds"] = it.slowRounds("rate").toDouble() }
            if (row != null && row.setting.sizeBytes == Plan.TUTORIAL_BYTES) {
                ratios["tutorial.ring8MiB.$name.megabytesPerSecond"] = megabytes(row)
            }
        }
        for ((name, system) in DEFAULT_RIVALS) {
            ratio("$group.default.vs${name}Default", default, row(group, system, Policy.BACKOFF))
        }
        ratio("$group.default.vsBestPolicy", default, claim)
        ratio("$group.claim.vsRawCopy", claim, best(group, "raw.copy"))
        ratio("$group.typed.vsClaim", typed, claim)
        ratio("$group.typed.vsRawCopy", typed, best(group, "raw.copy"))
        ratio("$group.offer.vsAeronOffer", offer, best(group, "aeron.offer"))
        ratio("$group.block.vsSkip", claim, best(group, "bywash.skip"))
        ratio("$group.portable.vsClaim", best(group, "bywash.portable"), claim)
        val neverBlocking = best(group) { it.system == CLAIM && it.setting.policy !in BLOCKING }
        ratio("$group.blockable.vsNotBlockable", default, neverBlocking)
    }

    /** How much better this engine is than the other one in rounds that follow each other, with its 95 % interval. */
    private fun compareEngines(group: String) {
        for (row in this[group].filter { it.label.endsWith(".this") }) {
            val policy = row.label.substringBefore('.')
            val other = this[group].first { it.label == "$policy.other" }
            val logs = row.rounds.indices.map { round ->
                if ("rate" in row.metrics) {
                    ln(row.rounds[round].getValue("rate") / other.rounds[round].getValue("rate"))
                } else {
                    ln(other.rounds[round].getValue("p50") / row.rounds[round].getValue("p50"))
                }
            }
            val center = HodgesLehmannEstimate.of(logs)
            for ((name, log) in listOf("ratio" to center.value, "low95" to center.low95, "high95" to center.high95)) {
                ratios["$group.$policy.$name"] = exp(log)
            }
        }
    }

    private fun compareFanout(group: String) {
        ratio("$group.vsAeron", best(group, CLAIM), best(group, "aeron.tryClaim"))
        ratio("$group.vsAgronaBroadcast", best(group, CLAIM), best(group, "agrona.broadcast"))
        ratio("$group.vsDisruptor", best(group, CLAIM), best(group, "disruptor"))
    }

    private fun compareRoundTrips(group: String) {
        compareLatencies(group, "latency.rtt")
        ratio("latency.rtt.vsRawPingPong", best(group, CLAIM), best(group, "raw.line"), "p50")
        ratio("latency.rtt.default.vsSpin", ours(group, Policy.BACKOFF), ours(group, Policy.SPIN), "p50")
    }

    /** The best of Bywash, and its default, by the best of each rival. */
    private fun compareLatencies(group: String, key: String) {
        for ((name, row) in listOf("" to best(group, CLAIM), "default." to ours(group, Policy.BACKOFF))) {
            for (metric in listOf("p50", "p99")) {
                ratio("$key.$name$metric.vsAeron", row, best(group, "aeron.tryClaim"), metric)
                ratio("$key.$name$metric.vsAgrona", row, best(group, "agrona.tryClaim"), metric)
            }
        }
    }

    /** One line: an object with every figure and ratio. */
    fun toJson(): String {
        val entries = LinkedHashMap<String, String>()
        entries["indicative"] = "${effort != Effort.FULL}"
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
                entries["$key.$metric.max"] = plain(row.max(metric))
            }
            entries["$key.farRounds"] = "${row.farRounds}"
            entries["$key.repeatedRounds"] = "${row.repeatedRounds}"
            if ("rate" in row.metrics) {
                entries["$key.slowRounds"] = "${row.slowRounds("rate")}"
                entries["$key.rounds"] = "${row.rounds.size}"
            }
        }
        ratios.forEach { (name, value) -> entries[name] = plain(value) }
        return entries.entries.joinToString(", ", "{", "}") { (name, value) -> "${quote(name)}: $value" }
    }

    companion object {
        private const val CLAIM = "bywash.claim"
        private const val QUEUE = "bywash.queue"

        /** Who is compared as it is out of the box: each with its own back-off. */
        private val DEFAULT_RIVALS = mapOf("Aeron" to "aeron.tryClaim", "Agrona" to "agrona.tryClaim")
        private val RIVALS = setOf("aeron", "agrona", "chronicle")
        private val BLOCKING = setOf(Policy.BACKOFF, Policy.BLOCK)

        /** The tutorial's unit: 2^20 bytes of messages, without headers. */
        fun megabytes(row: Row) = row.median("rate") * row.setting.sizeBytes / (1 shl 20)

        fun format(value: Double): String = String.format(Locale.ROOT, if (value < 100) "%.2f" else "%,.0f", value)

        private fun plain(value: Double) = if (value.isFinite()) String.format(Locale.ROOT, "%.4f", value) else "null"

        private fun quote(text: String) =
            "\"" + text.replace(Regex("\\p{Cntrl}"), " ").replace("\\", "\\\\").replace("\"", "\\\"") + "\""
    }
}
