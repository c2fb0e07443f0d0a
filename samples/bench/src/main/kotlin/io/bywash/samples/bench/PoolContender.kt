package io.bywash.samples.bench

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.pool.Pool
import io.bywash.engine.pool.PoolUser
import java.nio.file.Path
import java.util.Random

/** The loop that is measured. */
private object PoolLoops {
    /** Acquires an object and releases the one that was acquired [HELD] objects before, again and again. */
    fun turn(user: PoolUser, held: LongArray, count: Int) {
        for (i in 0 until count) {
            val at = i and HELD - 1
            user.release(held[at])
            held[at] = user.acquire()
        }
    }

    const val HELD = 32
}

/** A pool of which a share is in use, spread over all of it. It answers commands of its own, and moves nothing. */
class PoolContender : Contender(NAME, listOf(Policy.SPIN)) {
    private lateinit var segment: Segment
    private lateinit var user: PoolUser
    private lateinit var filler: PoolUser
    private lateinit var held: LongArray

    override val streams get() = false

    override fun writer(channel: Channel, policy: Policy) = throw UnsupportedOperationException(NAME)

    override fun reader(channel: Channel, policy: Policy) = throw UnsupportedOperationException(NAME)

    override fun obey(words: List<String>, directory: Path, writers: List<Writer>, readers: List<Reader>): String =
        when (words[0]) {
            "openPool" -> openPool(directory.resolve("pool-${words[1]}"), words[2].toInt())
            "attachPool" -> {
                segment = Segment.attach(directory.resolve("pool-${words[1]}"), PATIENCE_NANOS)
                openUser()
            }
            "turn" -> {
                val start = System.nanoTime()
                PoolLoops.turn(user, held, words[1].toInt())
                val end = System.nanoTime()
                check(held.none { it == 0L }) { "the pool was exhausted" }
                "ok nanos=${end - start}"
            }
            else -> super.obey(words, directory, writers, readers)
        }

    /** A new pool of which so many percent are in use; those of the loops belong to them. */
    private fun openPool(file: Path, percent: Int): String {
        segment = Segment.create(file, SegmentSpec.of(Pool.spec(POOL, CAPACITY, OBJECT_BYTES, USERS)))
        openUser()
        filler = PoolUser.open(segment.directory().find(POOL, Kind.POOL))
        val all = generateSequence { filler.acquire().takeIf { it != 0L } }.toMutableList()
        all.shuffle(Random(percent.toLong()))
        all.take(CAPACITY - CAPACITY * percent / 100).forEach(filler::release)
        return "ok"
    }

    private fun openUser(): String {
        user = PoolUser.open(segment.directory().find(POOL, Kind.POOL))
        held = LongArray(PoolLoops.HELD) { user.acquire() }
        return "ok"
    }

    companion object {
        const val NAME = "bywash.pool"
        private const val POOL = "pool"
        private const val CAPACITY = 10_000
        private const val OBJECT_BYTES = 24
        private const val USERS = 4
        private const val PATIENCE_NANOS = 20_000_000_000L
    }
}

private val FILLS = listOf(1, 50, 99)
private const val PAIR = "pair"

fun poolGroups(): List<Group> {
    fun setting(label: String) = Setting(contender(PoolContender.NAME), Policy.SPIN, Long.SIZE_BYTES, 0, label = label)

    return listOf(Group("structures.pool",
        FILLS.map { fill -> { workspace: Workspace -> PoolLane(workspace, setting("fill$fill"), fill) } } +
            { workspace: Workspace -> PoolPairLane(workspace, setting(PAIR)) }))
}

fun poolRatios(report: Report): Map<String, Double> = buildMap {
    fun nanos(label: String) = report["structures.pool"].firstOrNull { it.label == label }?.median("nanos")

    val byFill = FILLS.associateWith { nanos("fill$it") }
    for ((fill, nanos) in byFill) {
        nanos?.let { put("pool.acquireRelease.fill$fill.nanos", it) }
    }
    val emptiest = byFill[FILLS.first()]
    val fullest = byFill[FILLS.last()]
    if (emptiest != null && fullest != null) {
        put("pool.fill99.vsFill1", fullest / emptiest)
    }
    nanos(PAIR)?.let { put("pool.acquireRelease.pair.nanos", it) }
}

/** Nanoseconds for one acquire and one release, by one user alone. */
private class PoolLane(workspace: Workspace, setting: Setting, private val fill: Int) : Lane(workspace, setting) {
    override fun open() {
        writer.ask("openPool ${nextChannel()} $fill")
    }

    override fun move(count: Long) = mapOf("nanos" to writer.ask("turn $count").long("nanos").toDouble() / count)
}

/** The same for each of two processes at once, in a pool that is half full. */
private class PoolPairLane(workspace: Workspace, setting: Setting) : Lane(workspace, setting) {
    private val other = reader()

    override fun open() {
        val channel = nextChannel()
        writer.ask("openPool $channel 50")
        other.ask("attachPool $channel")
    }

    override fun move(count: Long): Map<String, Double> {
        writer.tell("turn $count")
        other.tell("turn $count")
        val nanos = listOf(writer.answer(), other.answer()).map { it.long("nanos") }
        return mapOf("nanos" to nanos.average() / count)
    }
}
