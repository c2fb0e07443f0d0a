package io.bywash.samples.bench

import java.nio.file.Path

private const val MIB = 1L shl 20

/** What is to be measured. */
class Plan(val effort: Effort, private val givenSize: Int?) {
    val ringBytes = 8 * MIB
    private val isQuick = effort == Effort.QUICK
    private val isTiny = effort == Effort.TINY
    private val claim = contender("bywash.claim")
    private val peers = listOf(contender("aeron.tryClaim"), contender("agrona.tryClaim"))

    /** Of each system the default and the policies that served it best, as far as a minute allows. */
    private val quickThroughput = mapOf(
        "bywash.claim" to setOf(Policy.BACKOFF, Policy.PARK),
        "bywash.batch16" to setOf(Policy.BACKOFF),
        "bywash.offer" to setOf(Policy.BACKOFF),
        "bywash.typed" to setOf(Policy.BACKOFF),
        "aeron.tryClaim" to setOf(Policy.BACKOFF, Policy.PAUSE1000, Policy.LAZY),
        "aeron.offer" to setOf(Policy.PAUSE1000),
        "agrona.tryClaim" to setOf(Policy.BACKOFF, Policy.PAUSE1000, Policy.PARK),
        "agrona.write" to setOf(Policy.PAUSE1000),
    )

    private val mainSize = givenSize ?: 64
    private val echoSize = givenSize ?: 48

    private fun settings(
        who: List<Contender>,
        sizeBytes: Int,
        isWanted: (Contender, Policy) -> Boolean = { _, _ -> true },
    ) = who.filter { it.sizes?.contains(sizeBytes) ?: true }.flatMap { contender ->
        val wanted = contender.policies.filter { isWanted(contender, it) }
        val policies = if (isTiny) contender.policies.take(2).takeLast(1) else wanted
        policies.map { Setting(contender, it, sizeBytes, ringBytes) }
    }

    private fun streams(name: String, settings: List<Setting>) =
        Group(name, settings.map { setting -> { workspace: Workspace -> StreamLane(workspace, setting) } })

    /** Only the first, if this is to be short. */
    private fun few(vararg values: Int) = values.toList().let { if (isTiny) it.take(1) else it }

    fun throughput(): List<Group> {
        val all = CONTENDERS.filter { it.streams }
        if (isQuick) {
            return listOf(streams("throughput.$mainSize", quickSettings()))
        }
        val fast = all.filter { it.name in FAST }
        val others = if (givenSize != null) emptyList() else few(8, 1024, 256, 4096)
        return listOf(streams("throughput.$mainSize", settings(all, mainSize))) +
            others.map { size ->
                val who = if (size == BULK_BYTES) fast + BULK.map { contender(it) } else fast
                val settings = settings(who, size) { _, policy -> size !in PLOTTED || policy in PLOTTED_WITH }
                streams("throughput.$size", settings)
            } + listOf(tutorial(), rings(), idleReaders())
    }

    internal fun quickSettings() = settings(CONTENDERS.filter { it.streams }, mainSize) { who, policy ->
        policy in quickThroughput[who.name].orEmpty()
    }

    /**
     * The setting of the tutorial that this project comes from: 1,024 slots for messages of 64 bytes; beside it, in our
     * usual ring.
     */
    private fun tutorial(): Group {
        val own = settings(listOf(claim, contender(TutorialContender.NAME)), TUTORIAL_BYTES)
            .map { it.copy(ringBytes = TUTORIAL_RING_BYTES) }
        val usual = settings(listOf(claim), TUTORIAL_BYTES).map { it.copy(label = "${it.label}.8MiB") }
        return streams("tutorial", own + usual)
    }

    private fun rings() = streams(
        "rings",
        few(4, 16, 64, 256, 1024).map { Setting(claim, Policy.BACKOFF, mainSize, it * MIB, label = "$it MiB") },
    )

    private fun idleReaders() = streams(
        "idleReaders",
        few(1, 0, 4, 16, 32).map {
            Setting(claim, Policy.BACKOFF, mainSize, ringBytes, idleReaders = it, label = "$it idle")
        },
    )

    fun latency(): List<Group> {
        val echoers = settings(listOf(claim) + peers + listOf(contender("raw.line")), echoSize) { who, policy ->
            !isQuick || policy == Policy.SPIN || who == claim && policy == Policy.BACKOFF
        }
        val paced = settings(listOf(claim) + peers, echoSize) { _, policy ->
            !isQuick || policy == Policy.SPIN || policy == Policy.BACKOFF
        }
        val rates = listOf("paced1M" to 1_000_000L) +
            if (effort == Effort.FULL) listOf("paced10M" to 10_000_000L) else emptyList()
        return listOf(Group("rtt.$echoSize", echoers.map { setting -> { PingLane(it, setting) } })) +
            rates.map { (name, rate) -> Group(name, paced.map { setting -> { PaceLane(it, setting, rate) } }) }
    }

    fun fanout(): List<Group> {
        val who = listOf(claim, contender("aeron.tryClaim"), contender("agrona.broadcast")) +
            if (isQuick) emptyList() else listOf(contender("disruptor"))
        val policies = setOf(Policy.BACKOFF) +
            if (isQuick) emptySet() else setOf(Policy.YIELD, Policy.PARK, Policy.BLOCK)
        return (if (isQuick) listOf(3) else few(3, 8)).map { readers ->
            val settings = settings(who, mainSize) { _, policy -> policy in policies }
            streams("fanout.$readers", settings.map { it.copy(readers = readers) })
        }
    }

    fun wake(): List<Group> {
        val policies = setOf(Policy.BLOCK, Policy.BACKOFF) + if (isQuick) emptySet() else setOf(Policy.PARK)
        val sleepers = listOf(claim) + if (isQuick) emptyList() else listOf(contender("aeron.tryClaim"))
        fun who(probes: List<Contender>) = settings(sleepers + probes, mainSize) { _, policy -> policy in policies }
        return listOf(
            Group("wake", who(listOf(contender("raw.futex"))).map { setting -> { WakeLane(it, setting) } }),
            Group("idle", who(emptyList()).map { setting -> { IdleLane(it, setting, effort.settleNanos) } }),
        ) + recovery()
    }

    private fun recovery(): List<Group> {
        val setting = Setting(claim, Policy.BACKOFF, mainSize, MIB)
        val lanes = listOf<(Workspace) -> Lane>(
            { DeadReaderLane(it, setting.copy(label = "a reader that held the writer back")) },
            { DeadWriterLane(it, setting.copy(label = "a writer, until its successor is there")) },
        )
        return if (isQuick) emptyList() else listOf(Group("recovery", lanes))
    }

    /** The work queue, beside those that a message goes to one reader of. */
    fun queue(): List<Group> {
        val queue = contender("bywash.queue")
        val rivals = listOf(contender(JcToolsContender.NAME), contender(UnixSocketContender.NAME))
        fun settings(who: List<Contender>, isWanted: (Policy) -> Boolean = { true }) =
            settings(who, QUEUE_MESSAGE_BYTES) { _, policy -> isWanted(policy) }
                .map { it.copy(ringBytes = QUEUE_CAPACITY * QUEUE_MESSAGE_BYTES) }
        val quick = setOf(Policy.SPIN, Policy.BACKOFF, Policy.PAUSE1000, Policy.BLOCK)
        val sharing = setOf(Policy.BACKOFF, Policy.YIELD, Policy.PARK, Policy.BLOCK)
        val sleeping = setOf(Policy.BLOCK, Policy.BACKOFF)
        val competing = (if (isQuick) listOf(2) else few(2, 4)).map { count ->
            val lanes = settings(listOf(queue)) { if (isQuick) it == Policy.BACKOFF else it in sharing }
                .map { setting -> { it: Workspace -> CompetingLane(it, setting.copy(readers = count), count) } }
            Group("queue.${count}to$count", lanes)
        }
        val dying = Setting(queue, Policy.BACKOFF, QUEUE_MESSAGE_BYTES, QUEUE_CAPACITY * QUEUE_MESSAGE_BYTES,
            label = "a consumer that holds a message")
        return listOf(streams("queue.1to1", settings(listOf(queue) + rivals) { !isQuick || it in quick })) + competing +
            Group("queue.wake", settings(listOf(queue, contender("raw.futex"))) { it in sleeping }
                .map { setting -> { WakeLane(it, setting) } }) +
            Group("queue.recovery", listOf { DeadConsumerLane(it, dying) })
    }

    fun coroutines() = coroutineGroups(effort, mainSize, ringBytes)

    /** This engine and another one, in the settings that show a difference. */
    fun against(engine: Path): List<Group> {
        fun both(sizeBytes: Int) = listOf(Policy.SPIN, Policy.BACKOFF).flatMap { policy ->
            val setting = Setting(claim, policy, sizeBytes, ringBytes, label = "${policy.key}.this")
            listOf(setting, setting.copy(label = "${policy.key}.other", engine = engine))
        }
        return listOf(
            streams("against.throughput.$mainSize", both(mainSize)),
            Group("against.rtt.$echoSize", both(echoSize).map { setting -> { PingLane(it, setting) } }),
        )
    }

    companion object {
        private val FAST =
            setOf("bywash.claim", "bywash.batch16", "aeron.tryClaim", "agrona.tryClaim", "agrona.write", "raw.copy")

        /** At this size copies are compared too. */
        private const val BULK_BYTES = 256
        private val BULK = listOf("bywash.typed", "bywash.offer", "aeron.offer")

        /** Sizes that only the plot needs, and what suffices for it. */
        private val PLOTTED = setOf(256, 4096)
        private val PLOTTED_WITH = setOf(Policy.SPIN, Policy.BACKOFF, Policy.PAUSE1000, Policy.YIELD)

        const val TUTORIAL_BYTES = 64

        /** Eight longs. */
        const val QUEUE_MESSAGE_BYTES = 64

        /** How many messages each queue has room for. */
        const val QUEUE_CAPACITY = 1024L

        /** Room for 1,024 records of 80 bytes, rounded up to a power of two. */
        const val TUTORIAL_RING_BYTES = 128L * 1024
    }
}
