package io.bywash.samples.bench

private const val CALL_BYTES = 64
private const val CALL_RING_BYTES = 8L shl 20

private val RESPONDERS = listOf(1, 2, 4)

/**
 * Calls beside Aeron and a socket, which send a message and await its echo, and check that it is the one; the keys are
 * explained in `docs/BENCHMARKS.md`.
 */
fun callGroups(): List<Group> {
    fun setting(name: String, policy: Policy) = Setting(contender(name), policy, CALL_BYTES, CALL_RING_BYTES)

    val ours = setting(CallContender.NAME, Policy.SPIN)
    return listOf(
        Group("calls.rtt", listOf(
            { CallLane(it, ours) },
            { CallLane(it, ours.copy(policy = Policy.BACKOFF, label = "${CallContender.NAME}.backoff")) },
            { CallLane(it, ours.copy(policy = Policy.BLOCK, label = "${CallContender.NAME}.block")) },
            { PingLane(it, setting("aeron.offer", Policy.SPIN)) },
            { PingLane(it, setting(SOCKET, Policy.BLOCK)) },
        )),
        Group("calls.inFlight", listOf(1, CallContender.IN_FLIGHT).flatMap { inFlight ->
            listOf(Policy.SPIN, Policy.BLOCK).map { policy ->
                val label = "${policy.key}.$inFlight"
                val setting = ours.copy(policy = policy, label = label);
                { workspace: Workspace -> FlightLane(workspace, setting, inFlight) }
            }
        }),
        Group("calls.responders", RESPONDERS.map { count ->
            val setting = ours.copy(policy = Policy.BACKOFF, readers = count, label = "responders.$count");
            { workspace: Workspace -> FlightLane(workspace, setting, CallContender.IN_FLIGHT) }
        }),
    )
}

/** A caller in one process, and responders in another. */
abstract class AnsweredLane(workspace: Workspace, setting: Setting) : Lane(workspace, setting) {
    private val responders = reader()

    override fun open() {
        val channel = nextChannel()
        writer.ask("writer $channel")
        repeat(setting.readers) { responders.ask("reader $channel") }
    }

    protected fun answered(count: Long, command: String): Answer {
        responders.tell("answer $count")
        responders.line()
        val answer = writer.ask(command)
        responders.line()
        return answer
    }
}

/** How long calls take, one after the other. */
class CallLane(workspace: Workspace, setting: Setting) : AnsweredLane(workspace, setting) {
    override fun move(count: Long) = answered(count, "callOneByOne $count").percentiles()
}

/** How many calls there are in a second with so many under way, and wakes for each. */
private class FlightLane(workspace: Workspace, setting: Setting, private val inFlight: Int) :
    AnsweredLane(workspace, setting) {
    override fun move(count: Long): Map<String, Double> {
        val answer = answered(count, "callMany $count $inFlight")
        return mapOf("rate" to count * 1e9 / answer.long("nanos"), "wakes" to answer.long("wakes").toDouble() / count)
    }
}

/** The ratios between these figures, by the keys that the documentation explains. */
fun callRatios(report: Report): Map<String, Double> = buildMap {
    fun median(group: String, label: String, metric: String) =
        report["calls.$group"].firstOrNull { it.label == label }?.median(metric)

    val ours = "${CallContender.NAME}.spin"
    median("rtt", ours, "p50")?.let { nanos ->
        put("calls.rttNanos", nanos)
        median("rtt", "aeron.offer.spin", "p50")?.let { put("calls.rtt.vsAeron", nanos / it) }
    }
    median("rtt", "$SOCKET.block", "p50")?.let { socket ->
        for (policy in listOf("spin", "backoff", "block")) {
            median("rtt", "${CallContender.NAME}.$policy", "p50")?.let { put("calls.$policy.socketVs", socket / it) }
        }
    }
    for (policy in listOf("spin", "block")) {
        val single = median("inFlight", "$policy.1", "rate")
        val many = median("inFlight", "$policy.${CallContender.IN_FLIGHT}", "rate")
        if (single != null && many != null) {
            put("calls.$policy.inFlight32.vsSingle", many / single)
        }
    }
    for (inFlight in listOf(1, CallContender.IN_FLIGHT)) {
        median("inFlight", "block.$inFlight", "wakes")?.let { put("calls.block.wakesPerCall.$inFlight", it) }
    }
    for (count in RESPONDERS) {
        median("responders", "responders.$count", "rate")?.let { put("calls.responders.$count", it) }
    }
}

private const val SOCKET = UnixSocketContender.NAME
