package io.bywash.samples.bench

/** The rounds of one lane, and what they say together. */
class Row(val group: String, val setting: Setting) {
    val label get() = setting.label
    val system get() = setting.contender.name
    val rounds = ArrayList<Map<String, Double>>()

    /** Why there are none. */
    var failure: String? = null

    /** The checksums of its last round, if it streams. */
    var sums = ""

    val metrics get() = rounds.firstOrNull()?.keys ?: emptySet()

    private fun sorted(metric: String) = rounds.map { it.getValue(metric) }.sorted()

    fun median(metric: String) = sorted(metric).let { (it[(it.size - 1) / 2] + it[it.size / 2]) / 2 }

    fun min(metric: String) = sorted(metric).first()

    /** How many rounds had less than half of the median. */
    fun slowRounds(metric: String) = median(metric).let { median -> rounds.count { it.getValue(metric) < median / 2 } }
}

/** How long and how often. */
enum class Effort(val rounds: Int, val roundNanos: Long, val warmUpNanos: Long) {
    FULL(9, 200_000_000, 1_000_000_000),
    QUICK(3, 120_000_000, 500_000_000),

    /** Everything once and shortly, to see whether it works. */
    TINY(1, 5_000_000, 1),
}

/**
 * Lanes that are compared with each other: all are started, opened and warmed up, then take turns, so that whatever
 * disturbs the machine disturbs them alike.
 */
class Group(val name: String, private val lanes: List<(Workspace) -> Lane>) {
    fun run(workspace: Workspace, effort: Effort, say: (String) -> Unit): List<Row> {
        val open = ArrayList<Pair<Lane, Row>>()
        val failed = ArrayList<Row>()
        val medium = Media(workspace)
        say("$name: ${lanes.size} systems")
        val created = ArrayDeque<Lane>()
        for (index in lanes.indices) {
            if (index == 0) {
                created += lanes[0](workspace)
            }
            lanes.getOrNull(index + 1)?.let { created += it(workspace) } // its processes start meanwhile
            val lane = created.removeFirst()
            val row = Row(name, lane.setting)
            try {
                medium.serve(lane.setting) {
                    lane.open()
                    lane.warmUp(effort.warmUpNanos, effort.roundNanos)
                }
                open += lane to row
            } catch (failure: BenchFailure) {
                if (!lane.setting.contender.mayFail) {
                    throw failure
                }
                lane.kill()
                row.failure = failure.message.orEmpty().lines().first()
                failed += row
            }
        }
        repeat(effort.rounds) { round ->
            say("$name: round ${round + 1} of ${effort.rounds}")
            for ((lane, row) in open) {
                medium.serve(lane.setting) { row.rounds += lane.round(effort.roundNanos) }
                row.sums = (lane as? StreamLane)?.sums.orEmpty()
            }
        }
        open.forEach { (lane, _) -> lane.tellToClose() } // after a failure, the workspace's end ends them
        open.forEach { (lane, _) -> lane.close() }
        medium.close()
        return open.map { it.second } + failed
    }

    /** The process beside writers and readers that some systems need; it rests while others are measured. */
    private class Media(private val workspace: Workspace) : AutoCloseable {
        private var child: ChildJvm? = null

        fun serve(setting: Setting, action: () -> Unit) {
            if (!setting.contender.hasMedium) {
                return action()
            }
            val serving = child ?: workspace.start(setting).also {
                it.ask("medium")
                child = it
            }
            serving.ask("serve 1")
            action()
            serving.ask("serve 0")
        }

        override fun close() {
            child?.kill()
        }
    }
}
