package io.bywash.samples.bench

import kotlin.random.Random

/** The rounds of one lane, and what they say together. */
class Row(val group: String, val setting: Setting) {
    val label get() = setting.label
    val system get() = setting.contender.name
    val rounds = ArrayList<Map<String, Double>>()

    /** Why there are none. */
    var failure: String? = null

    /** The checksums of its last round, if it streams. */
    var sums = ""

    /** What all rounds have: short ones lack the last percentiles. */
    val metrics get() = rounds.map { it.keys }.reduceOrNull { all, next -> all intersect next }.orEmpty()

    private fun sorted(metric: String) = rounds.map { it.getValue(metric) }.sorted()

    fun median(metric: String) = sorted(metric).let { (it[(it.size - 1) / 2] + it[it.size / 2]) / 2 }

    fun min(metric: String) = sorted(metric).first()

    fun max(metric: String) = sorted(metric).last()

    /** How many rounds were done while the cores were far from each other, see [Distance]. */
    var farRounds = 0

    /** How often a round was done again, since the cores were far from each other at its end. */
    var repeatedRounds = 0

    /** Adds the rounds of another start of the same lane. */
    fun add(other: Row) {
        rounds += other.rounds
        farRounds += other.farRounds
        repeatedRounds += other.repeatedRounds
    }

    /** How many rounds had less than half of the median. */
    fun slowRounds(metric: String) = median(metric).let { median -> rounds.count { it.getValue(metric) < median / 2 } }
}

/**
 * How long and how often.
 *
 * @property settleNanos how long an idle process is left alone before it is watched
 * @property patienceNanos how long one group may wait for the cores to be near, see [Distance]
 * @property jvmFlags of the measured processes
 */
enum class Effort(
    val rounds: Int,
    val roundNanos: Long,
    val warmUpNanos: Long,
    val settleNanos: Long,
    val patienceNanos: Long,
    val jvmFlags: List<String> = emptyList(),
) {
    FULL(9, 100_000_000, 1_500_000_000, 40_000_000_000, 30_000_000_000),
    QUICK(3, 120_000_000, 500_000_000, 5_000_000_000, 2_000_000_000),

    /** Everything once and shortly, to see whether it works. */
    TINY(1, 5_000_000, 1, 1, 1, System.getProperty("bench.tiny.flags").orEmpty().split(' ').filter { it.isNotEmpty() }),
}

/**
 * Lanes that are compared with each other: all are started, opened and warmed up, then take turns, so that whatever
 * disturbs the machine disturbs them alike. Each round has another order, the same in every run: what comes back after
 * some time, like a thread of the kernel twice a second, would otherwise meet the same lanes in every round.
 */
class Group(val name: String, private val lanes: List<(Workspace) -> Lane>) {
    fun reversed() = Group(name, lanes.reversed())

    fun run(
        workspace: Workspace, distance: Distance, effort: Effort, rounds: Int, say: (String) -> Unit,
    ): List<Row> {
        val open = ArrayList<Pair<Lane, Row>>()
        val failed = ArrayList<Row>()
        val medium = Media(workspace)
        distance.nearness.patienceNanos = effort.patienceNanos
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
                medium.serve(lane) {
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
        repeat(rounds) { round ->
            say("$name: round ${round + 1} of $rounds")
            for ((lane, row) in open.shuffled(Random(round))) {
                lateinit var figures: Map<String, Double>
                var done = 0
                val isNear = distance.nearness.near {
                    medium.serve(lane) { figures = lane.round(effort.roundNanos) }
                    done++
                }
                row.rounds += figures
                row.farRounds += if (isNear) 0 else 1
                row.repeatedRounds += done - 1
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

        fun serve(lane: Lane, action: () -> Unit) {
            if (!lane.setting.contender.hasMedium) {
                return action()
            }
            val serving = child ?: workspace.start(lane.setting).also {
                it.ask("medium")
                child = it
            }
            serving.ask("serve ${lane.mediumPauseNanos}")
            action()
            serving.ask("rest")
        }

        override fun close() {
            child?.kill()
        }
    }
}

/**
 * How far the two cores are from each other. On a virtual machine that changes within seconds by a factor of four, with
 * the speed of everything that crosses them, so rounds can be compared only if the distance is the same: the one of
 * most of the time, the short one. It is measured before and after each round by a bare line that goes to and fro.
 */
class Distance(jvmFlags: List<String>) : AutoCloseable {
    private val workspace = Workspace(jvmFlags)
    private val lane = Line(workspace).apply {
        open()
        repeat(WARM_UP_ROUNDS) { round(0) }
    }

    val nearness = Nearness(measure = { lane.round(0).getValue("p50") })

    override fun close() = workspace.close()

    /** Only the median is wanted, for which few messages suffice where no figure counts. */
    private class Line(workspace: Workspace) :
        PingLane(workspace, Setting(contender("raw.line"), Policy.SPIN, Long.SIZE_BYTES, 0)) {
        override val minCount get() = if (IS_TINY) 20L else super.minCount
    }

    private companion object {
        const val WARM_UP_ROUNDS = 5
    }
}

/**
 * Waits until something that is measured is near the least that was seen of it in this run, in any group.
 *
 * @param pause waits for so many milliseconds
 */
class Nearness(
    private val measure: () -> Double,
    private val clock: () -> Long = System::nanoTime,
    private val pause: (Long) -> Unit = Thread::sleep,
) {
    /** How long it may still wait, and do rounds again. */
    var patienceNanos = 0L
    private var least = Double.MAX_VALUE

    /**
     * Does [round] while it is near, and again if it was not any more at its end. False when patience with this is used
     * up: the last round then counts as it is.
     */
    fun near(round: () -> Unit): Boolean {
        while (true) {
            val start = clock()
            val wasNear = awaitNear(start + patienceNanos)
            val begin = clock()
            patienceNanos -= begin - start
            round()
            if (wasNear && isNear()) {
                return true
            }
            patienceNanos -= clock() - begin
            if (patienceNanos <= 0) {
                return false
            }
        }
    }

    private fun awaitNear(end: Long): Boolean {
        while (!isNear()) {
            if (clock() - end >= 0) {
                return false
            }
            pause(PAUSE_MILLIS)
        }
        return true
    }

    private fun isNear(): Boolean {
        val nanos = measure()
        least = minOf(least, nanos)
        return nanos < FAR * least
    }

    private companion object {
        const val PAUSE_MILLIS = 100L
        const val FAR = 2
    }
}
