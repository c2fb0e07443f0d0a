package io.bywash.samples.bench

private const val SLEEPERS = 10_000
private const val FEW_SLEEPERS = 500

/** What coroutines cost beside the engine that they use; the keys are explained in `docs/BENCHMARKS.md`. */
fun coroutineGroups(effort: Effort, sizeBytes: Int, ringBytes: Long): List<Group> {
    fun setting(name: String, label: String = name) =
        Setting(contender(name), Policy.BACKOFF, sizeBytes, ringBytes, label = label)

    val sleepers = if (effort == Effort.TINY) FEW_SLEEPERS else SLEEPERS

    fun group(what: String, names: List<String>, lane: (Workspace, Setting) -> Lane) =
        Group("coroutines.$what", names.map { name -> { workspace: Workspace -> lane(workspace, setting(name)) } })

    fun pings() = listOf<(Workspace) -> Lane>(
        { PingLane(it, setting("bywash.claim")) },
        { CoroutinePingLane(it, setting("kotlin.single"), 0) },
        { CoroutinePingLane(it, setting("kotlin.pool"), 0) },
        { CoroutinePingLane(it, setting("kotlin.pool", "kotlin.pool.besideSleepers"), sleepers) },
    )

    val futex = setting("raw.futex").copy(policy = Policy.BLOCK)
    return listOf(
        group("single", listOf("bywash.single", "kotlin.single", "kotlin.shared"), ::StreamLane),
        Group("coroutines.queue", listOf("bywash.queue.single", "bywash.queue", "kotlin.consume").map { name ->
            val queue = setting(name).copy(ringBytes = Plan.QUEUE_CAPACITY * sizeBytes);
            { StreamLane(it, queue) }
        }),
        group("call", listOf("bywash.call.single", "kotlin.call"), ::StreamLane),
        group("batch", listOf("bywash.batch16", "kotlin.batch16"), ::StreamLane),
        group("noReader", listOf("kotlin.single", "kotlin.shared"), ::NoReaderLane),
        group("allocation", listOf("kotlin.single"), ::AllocationLane),
        Group("coroutines.wake", listOf(
            { WakeLane(it, futex) },
            { WakeLane(it, setting("bywash.claim").copy(policy = Policy.BLOCK)) },
            { WakeLane(it, setting("kotlin.single")) },
            { WakeLane(it, setting("kotlin.pool")) },
        )),
        Group("coroutines.rtt", pings()),
        Group("coroutines.sleepers", listOf({
            SleepersLane(it, setting("kotlin.pool"), effort.settleNanos, sleepers)
        })),
    )
}

/** Questions and answers, each side in one coroutine; the asking process has so many others that sleep. */
private class CoroutinePingLane(workspace: Workspace, setting: Setting, private val sleepers: Int) :
    Lane(workspace, setting) {
    private val echo = reader()

    override fun open() {
        val there = nextChannel()
        val back = nextChannel()
        writer.ask("writer $there")
        echo.ask("reader $there")
        echo.ask("writer $back")
        writer.ask("reader $back")
        writer.ask("connect")
        echo.ask("connect")
        if (sleepers > 0) {
            writer.ask("sleepers $sleepers")
        }
    }

    override fun move(count: Long): Map<String, Double> {
        echo.tell("coPong $count")
        echo.line()
        val times = writer.ask("coPing $count").percentiles()
        echo.line()
        return times
    }
}

/** Nanoseconds that sending takes while nobody receives. */
private class NoReaderLane(workspace: Workspace, setting: Setting) : Lane(workspace, setting) {
    private var next = 0L

    override fun open() {
        writer.ask("writer ${nextChannel()}")
    }

    override fun move(count: Long): Map<String, Double> {
        val sent = writer.ask("send $next ${next + count}")
        next += count
        return mapOf("nanos" to (sent.long("end") - sent.long("start")).toDouble() / count)
    }
}

/** Bytes that operations allocate which do not suspend. */
private class AllocationLane(workspace: Workspace, setting: Setting) : Lane(workspace, setting) {
    override fun open() {
        val channel = nextChannel()
        writer.ask("writer $channel")
        writer.ask("reader $channel")
    }

    override fun count(nanos: Long) = 1L

    override fun move(count: Long): Map<String, Double> {
        val answer = writer.ask("allocate")
        return OPERATIONS.associateWith { answer.long(it) / 1e3 }
    }

    private companion object {
        val OPERATIONS = listOf("sendReceive", "trySendTryReceive", "sharedSendReceiveResult")
    }
}

/** What coroutines cost that wait: CPU time, and threads for each. */
private class SleepersLane(
    workspace: Workspace,
    setting: Setting,
    settleNanos: Long,
    private val sleepers: Int,
) : IdleLane(workspace, setting, settleNanos) {
    private var threadsPerWaiter = 0.0

    override fun prepare() {
        val answer = reader.ask("sleepers $sleepers")
        threadsPerWaiter = (answer.long("threads") - answer.long("before")).toDouble() / sleepers
    }

    override fun move(count: Long) = super.move(count) + ("threadsPerWaiter" to threadsPerWaiter)
}

/** The ratios between these figures, by the keys that the documentation explains. */
fun coroutineRatios(report: Report): Map<String, Double> = buildMap {
    fun median(group: String, label: String, metric: String) =
        report["coroutines.$group"].firstOrNull { it.label == label }?.median(metric)

    fun ratio(key: String, group: String, metric: String, ours: String, theirs: String) {
        val (a, b) = listOf(ours, theirs).map { median(group, it, metric) ?: return }
        put("coroutines.$key", a / b)
    }
    ratio("single.vsEngine", "single", "rate", "kotlin.single", "bywash.single")
    ratio("queue.vsEngine", "queue", "rate", "kotlin.consume", "bywash.queue.single")
    ratio("queue.vsPolling", "queue", "rate", "kotlin.consume", "bywash.queue")
    ratio("call.vsEngine", "call", "rate", "kotlin.call", "bywash.call.single")
    ratio("batch.vsEngine", "batch", "rate", "kotlin.batch16", "bywash.batch16")
    ratio("shared.streaming.vsPlain", "single", "rate", "kotlin.shared", "kotlin.single")
    ratio("shared.noReader.vsPlain", "noReader", "nanos", "kotlin.shared", "kotlin.single")
    ratio("wake.vsFutex", "wake", "p50", "kotlin.pool", "raw.futex")
    ratio("wake.oneThread.vsFutex", "wake", "p50", "kotlin.single", "raw.futex")
    ratio("rtt.vsEngine", "rtt", "p50", "kotlin.single", "bywash.claim")
    ratio("rtt.pool.vsEngine", "rtt", "p50", "kotlin.pool", "bywash.claim")
    ratio("rtt.besideSleepers.vsAlone", "rtt", "p50", "kotlin.pool.besideSleepers", "kotlin.pool")
    report["coroutines.allocation"].firstOrNull()?.let { row ->
        put("coroutines.bytesPerOperation", row.metrics.maxOf { row.median(it) })
    }
    for (metric in listOf("cpuPercent", "threadsPerWaiter")) {
        median("sleepers", "kotlin.pool", metric)?.let { put("coroutines.sleepers.$metric", it) }
    }
}
