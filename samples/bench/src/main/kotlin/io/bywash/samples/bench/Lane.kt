package io.bywash.samples.bench

import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries

/** Who is measured, and with what. [label] tells settings of one system under one policy apart. */
data class Setting(
    val contender: Contender,
    val policy: Policy,
    val sizeBytes: Int,
    val ringBytes: Long,
    val readers: Int = 1,
    val idleReaders: Int = 0,
    val label: String = "${contender.name}.${policy.key}",
    /** Another engine than the one of this class path. */
    val engine: Path? = null,
    /** Who reads, if it is not who writes. */
    val reading: Contender = contender,
)

/** One system under one policy with its processes, from start to end. What a round does is the scenario's. */
abstract class Lane(private val workspace: Workspace, val setting: Setting) : AutoCloseable {
    protected val contender = setting.contender
    protected val writer = workspace.start(setting)
    private val children = arrayListOf(writer)

    /** How many messages one round was able to do in a second, in the last rounds. */
    private val speeds = ArrayDeque<Double>()
    private var lastCount = 0L

    /**
     * How long the system's medium, if it has one, pauses between its turns. It takes a core from one of the sides in
     * each, and a writer waits for it when half a ring is written. So it comes before an eighth is, at ten million
     * messages a second, but no more often than each 50 microseconds, and at least each millisecond.
     */
    open val mediumPauseNanos: Long
        get() {
            val messages = setting.ringBytes / EIGHTH / (setting.sizeBytes + HEADER_BYTES)
            return (messages * FASTEST_NANOS).coerceIn(STREAM_PAUSE_NANOS, LATENCY_PAUSE_NANOS)
        }

    protected fun reader(who: Contender = setting.reading) = workspace.start(setting, who).also { children += it }

    protected fun nextChannel() = workspace.nextChannel()

    abstract fun open()

    /** Moves so many messages; answers what was measured, by name. */
    protected abstract fun move(count: Long): Map<String, Double>

    /** So many messages at least are in each round. */
    protected open val minCount = if (IS_TINY) 1_000L else 10_000L

    /** How many messages a round of so many nanoseconds is; by default what the last rounds did in that time. */
    protected open fun count(nanos: Long): Long {
        val speed = speeds.sorted().getOrElse(speeds.size / 2) { 0.0 }
        val most = minOf(lastCount * 4, contender.maxRoundBytes / setting.sizeBytes)
        return (speed * nanos / 1e9).toLong().coerceIn(minCount, maxOf(minCount, most))
    }

    /** One round of about so many nanoseconds. */
    fun round(nanos: Long): Map<String, Double> {
        val count = count(nanos)
        val start = System.nanoTime()
        val figures = move(count)
        speeds.addLast(count * 1e9 / (System.nanoTime() - start))
        if (speeds.size > KEPT_SPEEDS) {
            speeds.removeFirst()
        }
        lastCount = maxOf(count, lastCount)
        return figures
    }

    /** Rounds until everything is compiled. */
    open fun warmUp(nanos: Long, roundNanos: Long) {
        val start = System.nanoTime()
        while (System.nanoTime() - start < nanos) {
            round(roundNanos)
        }
    }

    protected fun compareSums(sent: Answer, received: List<Answer>) {
        for (answer in received) {
            val wanted = if (contender.isLossless) sent.long("sum") else answer.long("expected")
            if (answer.long("sum") != wanted) {
                val got = answer.long("sum")
                throw BenchFailure("${setting.label}: the checksum of what was read is $got instead of $wanted")
            }
        }
    }

    open fun tellToClose() = children.forEach { it.tell("close") }

    /** After [tellToClose]. */
    override fun close() = children.forEach { it.awaitClose() }

    fun kill() = children.forEach { it.kill() }

    protected companion object {
        /** What served Aeron's streams best on two cores, of 0, 50,000 and 1,000,000. */
        const val STREAM_PAUSE_NANOS = 50_000L
        private const val LATENCY_PAUSE_NANOS = 1_000_000L
        private const val EIGHTH = 8
        private const val HEADER_BYTES = 32
        private const val FASTEST_NANOS = 100

        /** The shortest rounds suffice to see whether it works. */
        @JvmStatic protected val IS_TINY = java.lang.Boolean.getBoolean("bench.tiny")
        private const val KEPT_SPEEDS = 5
    }
}

fun Answer.percentiles(prefix: String = "") =
    Loops.PERCENTILES.keys.filter { it in this }.associate { prefix + it to long(it).toDouble() }

/** One writer streams to its readers as fast as it can: messages a second, over all readers. */
class StreamLane(workspace: Workspace, setting: Setting) : Lane(workspace, setting) {
    private val readers = List(setting.readers) { if (contender.crossesProcesses) reader() else writer }
    private val idlers = if (setting.idleReaders > 0) reader(contender("bywash.skip")) else null
    private var next = 0L

    override val mediumPauseNanos get() = STREAM_PAUSE_NANOS

    /** Both checksums of the last round. */
    var sums = ""
        private set

    override fun open() {
        val channel = nextChannel()
        writer.ask("writer $channel")
        readers.forEach { it.ask("reader $channel") }
        repeat(setting.idleReaders) { idlers?.ask("reader $channel") }
        writer.ask("connect")
    }

    override fun move(count: Long): Map<String, Double> {
        val from = next
        next += count
        val answers = if (contender.crossesProcesses) {
            readers.forEach { it.tell("receive $from $next") }
            readers.forEach { it.line() }
            writer.tell("send $from $next")
            listOf(writer.answer()) + readers.map { reader ->
                while (!contender.isLossless && !reader.hasLine(LAST_MILLIS)) {
                    writer.ask("send $next ${++next}") // it lost the last one, and waits for it
                }
                reader.answer()
            }
        } else {
            writer.tell("stream $from $next")
            readers.forEach { it.line() }
            writer.line().split(" | ").map { Answer(it) }
        }
        val sent = answers[0]
        val read = answers.drop(1)
        compareSums(sent, read)
        sums = "${sent.long("sum")} / ${read[0].long("sum")}"
        val received = read.sumOf { it.long("received") }
        val nanos = maxOf(1, read.maxOf { it.long("end") } - sent.long("start"))
        val lost = maxOf(0.0, 1 - received.toDouble() / (count * read.size))
        return mapOf("rate" to received * 1e9 / nanos, "lost" to lost)
    }

    private companion object {
        const val LAST_MILLIS = 5L
    }
}

/** A message goes to another process and its echo comes back, over two channels. */
open class PingLane(workspace: Workspace, setting: Setting) : Lane(workspace, setting) {
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
    }

    override fun move(count: Long): Map<String, Double> {
        echo.tell("pong $count")
        echo.line()
        val times = writer.ask("ping $count").percentiles()
        echo.line()
        return times
    }
}

/** Messages that carry a time: how old they are when they arrive. */
abstract class AgeLane(workspace: Workspace, setting: Setting) : Lane(workspace, setting) {
    protected val reader = reader()

    override fun open() {
        val channel = nextChannel()
        writer.ask("writer $channel")
        reader.ask("reader $channel")
        writer.ask("connect")
    }

    protected fun ages(count: Long, skipped: Long, send: String): Map<String, Double> {
        reader.tell("ages $count $skipped")
        reader.line()
        val sent = writer.ask(send)
        val received = reader.answer()
        compareSums(sent, listOf(received))
        return received.percentiles() + if ("p50" in sent) sent.percentiles("lag.") else emptyMap()
    }
}

/** At a fixed rate, counted from the time at which each message was due. The first tenth of a round is not counted. */
class PaceLane(workspace: Workspace, setting: Setting, private val perSecond: Long) : AgeLane(workspace, setting) {
    override fun count(nanos: Long) = perSecond * nanos / 1_000_000_000

    override fun move(count: Long) = ages(count, count / 10, "pace $count $perSecond ${count / 10}")
}

/** One message at a time, long after the reader fell asleep. */
class WakeLane(workspace: Workspace, setting: Setting) : AgeLane(workspace, setting) {
    override fun count(nanos: Long) = nanos / PAUSE_NANOS

    override fun move(count: Long) = ages(count, 0, "wake $count $PAUSE_NANOS")

    private companion object {
        const val PAUSE_NANOS = 1_000_000L
    }
}

/**
 * No message at all: the share of a core that the reader's process uses, in percent, once it has waited for so long
 * that its JVM compiles nothing any more.
 */
open class IdleLane(workspace: Workspace, setting: Setting, private val settleNanos: Long) :
    AgeLane(workspace, setting) {
    private var idleSinceNanos = 0L

    override fun open() {
        super.open()
        prepare()
        reader.tell("ages 1 0")
        reader.line()
        idleSinceNanos = System.nanoTime()
    }

    /** What else the reader's process is to do meanwhile. */
    protected open fun prepare() {}

    override fun warmUp(nanos: Long, roundNanos: Long) {}

    /** Here a "message" is a nanosecond of watching, longer than other rounds. */
    override fun count(nanos: Long) = 3 * nanos

    override fun move(count: Long): Map<String, Double> {
        val left = settleNanos - (System.nanoTime() - idleSinceNanos)
        if (left > 0) {
            Thread.sleep(left / 1_000_000)
        }
        val before = System.nanoTime()
        val used = cpuNanos(reader.pid)
        Thread.sleep(count / 1_000_000)
        val percent = (cpuNanos(reader.pid) - used) * 100.0 / (System.nanoTime() - before)
        return mapOf("cpuPercent" to percent)
    }

    override fun tellToClose() {
        compareSums(writer.ask("wake 1 0"), listOf(reader.answer()))
        super.tellToClose()
    }

    private companion object {
        /** The CPU time of all threads of a process, as the scheduler counts it. */
        fun cpuNanos(pid: Long): Long = Path.of("/proc/$pid/task").listDirectoryEntries().sumOf { thread ->
            try {
                Files.readString(thread.resolve("schedstat")).substringBefore(' ').toLong()
            } catch (ended: java.io.IOException) {
                0L
            }
        }
    }
}

/** A process is killed; how long it takes until another one goes on, in milliseconds. */
abstract class RecoveryLane(workspace: Workspace, setting: Setting) : Lane(workspace, setting) {
    override fun open() {}

    override fun warmUp(nanos: Long, roundNanos: Long) {}

    override fun count(nanos: Long) = 1L

    override fun tellToClose() = writer.tell("close")

    override fun close() = writer.awaitClose()

    /** Kills [victim] and answers the milliseconds from then on until the time that [goesOn] answers. */
    protected fun afterKill(victim: ChildJvm, goesOn: () -> Long): Map<String, Double> {
        val start = System.nanoTime()
        victim.kill()
        return mapOf("recoveryMillis" to (goesOn() - start) / 1e6)
    }
}

/** A writer waits for room, and the reader that holds it back is killed. */
class DeadReaderLane(workspace: Workspace, setting: Setting) : RecoveryLane(workspace, setting) {
    override fun move(count: Long): Map<String, Double> {
        val victim = reader()
        val channel = nextChannel()
        writer.ask("writer $channel")
        victim.ask("reader $channel")
        writer.tell("sendLast ${setting.ringBytes / setting.sizeBytes}") // with their headers they do not fit
        check(!writer.hasLine(BLOCKED_MILLIS)) { "the writer does not wait for its reader" }
        return afterKill(victim) { writer.answer().long("end") }
    }

    private companion object {
        const val BLOCKED_MILLIS = 200L
    }
}

/** A writer is killed, and another process takes its role. */
class DeadWriterLane(workspace: Workspace, setting: Setting) : RecoveryLane(workspace, setting) {
    override fun move(count: Long): Map<String, Double> {
        val victim = reader()
        val channel = nextChannel()
        victim.ask("writer $channel")
        writer.ask("reader $channel") // keeps the segment in use
        victim.ask("send 0 $BEFORE")
        return afterKill(victim) {
            writer.ask("writer $channel")
            System.nanoTime()
        }
    }

    private companion object {
        const val BEFORE = 1_000
    }
}
