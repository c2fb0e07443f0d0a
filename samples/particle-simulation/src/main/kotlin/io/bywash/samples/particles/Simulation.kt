package io.bywash.samples.particles

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.pool.PoolView
import io.bywash.samples.kit.Programs
import java.util.concurrent.Callable
import java.util.concurrent.Executors
import java.util.concurrent.locks.LockSupport

/** The process in which the particles fly: some threads move them, each its own, frame by frame. */
object Simulation {
    private const val NANOS_PER_FRAME = 1_000_000_000L / 60
    private const val MOON_GRAVITY = -1.6f

    /** A full pool's worth of particles comes in so many frames. */
    private const val FRAMES_TO_FILL = 40
    private val THREADS = Runtime.getRuntime().availableProcessors().coerceIn(2, 8)

    /** Arguments: segment, how many particles it has room for, how many frames, and what is sabotaged. */
    @JvmStatic
    fun main(arguments: Array<String>) {
        Programs.endWithParent()
        val (name, max, frames, sabotage) = arguments
        Segment.open(name, particleSpec(max.toInt())).use { segment ->
            segment.label("simulation")
            val gravity = if (sabotage == "gravity") MOON_GRAVITY else Particle.GRAVITY
            val swarms = List(THREADS) { Swarm(segment, gravity, sabotage == "leak" && it == 0) }
            fly(segment, swarms, frames.toLong(), Math.ceilDiv(max.toInt(), FRAMES_TO_FILL * THREADS))
        }
    }

    private fun fly(segment: Segment, swarms: List<Swarm>, frames: Long, spawnedByEach: Int) {
        val state = segment.atomics("state")
        val view = PoolView.open(segment.directory().find("particles", Kind.POOL))
        var unequal = 0L
        Executors.newFixedThreadPool(swarms.size).use { threads ->
            var next = System.nanoTime()
            for (frame in 1..frames) {
                LockSupport.parkNanos(next - System.nanoTime())
                next = maxOf(next + NANOS_PER_FRAME, System.nanoTime())
                threads.invokeAll(swarms.map { Callable { it.move(); it.spawn(spawnedByEach) } }).forEach { it.get() }
                // All are where they belong. Now the list, without gaps: each swarm begins where the one before ends.
                val starts = swarms.runningFold(0) { start, swarm -> start + swarm.count }
                threads.invokeAll(swarms.zip(starts) { swarm, start -> Callable { swarm.publish(start) } })
                    .forEach { it.get() }
                state.intCell("active").set(starts.last())
                state.longCell("frame").set(frame)
                unequal += if (view.allocated() == starts.last()) 0 else 1
            }
        }
        val counts = segment.atomics("counts")
        counts.longCell("spawned").set(swarms.sumOf { it.spawned })
        counts.longCell("exhausted").set(swarms.sumOf { it.exhausted })
        counts.longCell("released").set(swarms.sumOf { it.released })
        counts.longCell("refused").set(swarms.sumOf { it.refused })
        counts.longCell("unequal").set(unequal)
        state.booleanCell("ended").set(true)
        Programs.await("the renderer has seen the last frame") { state.booleanCell("seen").get() }
    }
}
