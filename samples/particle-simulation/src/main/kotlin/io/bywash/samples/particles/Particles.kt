package io.bywash.samples.particles

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.cell.Atomics
import io.bywash.engine.cell.NumberArray
import io.bywash.engine.pool.Pool
import io.bywash.engine.record.Records
import java.lang.invoke.MethodHandles
import java.util.concurrent.ThreadLocalRandom
import kotlin.math.abs

/**
 * A particle in flight: its position and its velocity, in metres and metres a second, how many seconds it has left, how
 * many frames it has flown, and how fast it was sent upwards.
 */
@JvmRecord
data class Particle(
    val x: Float, val y: Float, val z: Float, val vx: Float, val vy: Float, val vz: Float, val lifetime: Float,
    val age: Int, val launchVy: Float,
) {
    /** Where it is a frame later. */
    fun moved(gravity: Float) = Particle(
        x + vx * FRAME_SECONDS, y + vy * FRAME_SECONDS, z + vz * FRAME_SECONDS, vx, vy + gravity * FRAME_SECONDS, vz,
        lifetime - FRAME_SECONDS, age + 1, launchVy,
    )

    /** Whether it falls as fast as it has to on earth. */
    val isFallingRight: Boolean
        get() = abs(vy - (launchVy + GRAVITY * age * FRAME_SECONDS)) < 0.01f

    companion object {
        const val FRAME_SECONDS = 1f / 60
        const val GRAVITY = -9.8f

        /** From a fountain, for 0.25 to 1.5 s. */
        fun launched(): Particle {
            val random = ThreadLocalRandom.current()
            val vy = random.nextFloat(8f, 14f)
            return Particle(0f, 0f, 0f, random.nextFloat(-3f, 3f), vy, random.nextFloat(-3f, 3f),
                random.nextFloat(0.25f, 1.5f), 0, vy)
        }
    }
}

val PARTICLES: Records<Particle> = Records.of(MethodHandles.lookup(), Particle::class.java)

/**
 * What the simulation and the renderer share: particles in a pool, the handles of those that fly in an array, and in
 * cells how far the simulation has come and what it has counted.
 */
fun particleSpec(max: Int): SegmentSpec = SegmentSpec.of(
    Pool.spec("particles", max, PARTICLES),
    NumberArray.spec("active_list", max, Long::class.java),
    Atomics.spec("state", "long frame", "int active", "boolean ended", "boolean seen"),
    Atomics.spec("counts", "long spawned", "long exhausted", "long released", "long refused", "long unequal"),
)

/** An entry of cells. */
fun Segment.atomics(name: String): Atomics = Atomics.open(directory().find(name, Kind.CELLS))
