package io.bywash.samples.demo

import io.bywash.samples.demo.listener.Tally
import java.io.PrintStream
import java.util.Locale

/** Shows the lanes on the standard error: in place on a terminal, else as lines once a second. */
class View : AutoCloseable {
    private val onTerminal = System.getProperty("bywash.terminal") == "true"
    private var shownLines = 0
    private var lastSecond = -1

    fun show(lanes: List<Lane>, seconds: Double) {
        if (onTerminal) {
            erase()
            lanes.forEach { System.err.println(line(it)) }
            shownLines = lanes.size
        } else if (seconds.toInt() > lastSecond) {
            lastSecond = seconds.toInt()
            lanes.forEach { System.err.println(format("%4ds  %s", lastSecond, line(it))) }
        }
    }

    private fun line(lane: Lane): String {
        if (lane.word("received") == null) {
            val state = if (lane.pid == 0L) "" else if (lane.isAlive) "process ${lane.pid}" else "not running"
            return format("%-22s %,10.0f/s %,12d published            %s", lane.name, lane.rate.perSecond, lane.rate.total, state)
        }
        return format(
            "%-22s %,10.0f/s %,12d received, %d lost    p50 %s  p99 %s", lane.name, lane.rate.perSecond, lane.rate.total,
            lane.count("lost"), micros(lane.count("p50")), micros(lane.count("p99")),
        )
    }

    /** A line that stays. */
    fun say(line: String) {
        erase()
        System.err.println("    -- $line")
    }

    private fun erase() {
        if (shownLines > 0) {
            System.err.print("\u001b[${shownLines}F\u001b[J")
            shownLines = 0
        }
    }

    override fun close() {
        shownLines = 0
    }
}

/** What the demo found. */
class DemoResult(
    private val published: Long,
    private val coroutine: Lane,
    private val osgi: Lane,
    private val withdrawnAfterMillis: Long,
    private val returnedAfterMillis: Long,
    private val feedExitCode: Int,
) {
    private val latencies = Tally.decode(checkNotNull(coroutine.word("latencies")) { coroutine.lastLines() })
        .apply { add(Tally.decode(checkNotNull(osgi.word("latencies")) { osgi.lastLines() })) }

    /** Whether both consumers got every published message exactly once. */
    val isOk: Boolean = feedExitCode == 0 && published > 0 && listOf(coroutine, osgi).all {
        it.count("received") == published && it.count("lost") == 0L && it.count("repeated") == 0L
    }

    fun print(out: PrintStream) {
        out.println(format("published            %,d", published))
        for ((name, lane) in listOf("received, coroutine " to coroutine, "received, OSGi      " to osgi)) {
            val (received, lost, repeated) = listOf("received", "lost", "repeated").map { lane.count(it) }
            out.println(format("%s %,d (lost %d, repeated %d)", name, received, lost, repeated))
        }
        val (p50, p99, p999) = listOf(50.0, 99.0, 99.9).map { micros(latencies.getValueAtPercentile(it)) }
        out.println("latency              p50 $p50  p99 $p99  p99.9 $p999")
        out.println("service withdrawn    $withdrawnAfterMillis ms after the kill")
        out.println("service back         $returnedAfterMillis ms after the feed was started again")
        out.println(if (isOk) "every message was received exactly once" else "FAILED: see above")
    }

    fun toJson(): String = listOf(
        "published" to published,
        "received.coroutine" to coroutine.count("received"),
        "received.osgi" to osgi.count("received"),
        "lost.coroutine" to coroutine.count("lost"),
        "lost.osgi" to osgi.count("lost"),
        "latency.p50Nanos" to latencies.getValueAtPercentile(50.0),
        "latency.p99Nanos" to latencies.getValueAtPercentile(99.0),
        "withdrawnAfterMillis" to withdrawnAfterMillis,
        "returnedAfterMillis" to returnedAfterMillis,
        "ok" to isOk,
    ).joinToString(", ", "{", "}") { (name, value) -> "\"$name\": $value" }
}

private fun format(pattern: String, vararg values: Any?) = String.format(Locale.ROOT, pattern, *values)

private fun micros(nanos: Long) = format("%.1f us", nanos / 1000.0)
