package io.bywash.samples.particles

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SpecMismatchException
import io.bywash.engine.cell.NumberArray
import io.bywash.engine.pool.PoolView
import io.bywash.engine.record.Records
import java.lang.foreign.MemorySegment
import java.lang.invoke.MethodHandles

/** As [Particle] was in an older program. */
@JvmRecord
private data class OlderParticle(
    val x: Float, val y: Float, val z: Float, val vx: Float, val vy: Float, val vz: Float, val lifetime: Int,
    val age: Int, val launchVy: Float,
)

/** Sees the particles of another process, of whose segment it knows nothing but names, and checks each of them. */
class Renderer(segment: Segment) {
    private val particles = PoolView.open(segment.directory().find("particles", Kind.POOL))
    private val activeList = NumberArray.open(segment.directory().find("active_list", Kind.CELLS), Long::class.java)
    private val state = segment.atomics("state")

    /** The frame that was looked at last. */
    var frame = 0L
        private set

    /** How many particles the simulation said that there were, when that was looked at. */
    var active = 0
        private set
    var framesSeen = 0L
        private set
    var particlesSeen = 0L
        private set

    /** Of the particles that were seen, those that do not fall as they have to. */
    var wrong = 0L
        private set

    /** Handles whose particle was not seen: it was released before it was read, or written during each try. */
    var gone = 0L
        private set

    /** How many objects of the pool are in use. */
    val allocated: Int get() = particles.allocated()

    val isOver: Boolean get() = state.booleanCell("ended").get()

    /** The particles of a frame that was not looked at yet; null when there is none. */
    fun newFrame(): List<Particle>? = if (state.longCell("frame").get() == frame) null else look()

    /** The particles that fly now. Those that end while this reads them are left out. */
    fun look(): List<Particle> {
        frame = state.longCell("frame").get()
        active = state.intCell("active").get()
        val handles = LongArray(active)
        activeList.read(0, MemorySegment.ofArray(handles))
        val seen = handles.toList().mapNotNull { particles.get(it, PARTICLES) }
        framesSeen++
        particlesSeen += seen.size
        gone += active - seen.size
        wrong += seen.count { !it.isFallingRight }
        return seen
    }

    /** Lets the simulation end. */
    fun release() = state.booleanCell("seen").set(true)

    /** What a program with another field in its particles is told; null if it is not refused. */
    fun refusal(): String? = try {
        particles.get(particles.next(0), Records.of(MethodHandles.lookup(), OlderParticle::class.java))
        null
    } catch (mismatch: SpecMismatchException) {
        mismatch.message
    }
}
