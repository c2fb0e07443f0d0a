package io.bywash.samples.particles

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.cell.NumberArray
import io.bywash.engine.pool.InvalidHandleException
import io.bywash.engine.pool.PoolUser
import java.lang.foreign.MemorySegment

/** The particles of one thread. It alone acquires, moves and releases them; whoever else wants may read them. */
class Swarm(segment: Segment, private val gravity: Float, private var isForgetful: Boolean) {
    private val pool = PoolUser.open(segment.directory().find("particles", Kind.POOL))
    private val activeList = NumberArray.open(segment.directory().find("active_list", Kind.CELLS), Long::class.java)
    private val handles = LongArray(pool.capacity())

    /** How many particles fly. */
    var count = 0
        private set
    var spawned = 0L
        private set
    var exhausted = 0L
        private set
    var released = 0L
        private set

    /** How many handles of released particles were refused. */
    var refused = 0L
        private set

    /** Moves all particles on by one frame, and releases those whose time is over. The others close ranks. */
    fun move() {
        var kept = 0
        for (i in 0 until count) {
            val handle = handles[i]
            val next = pool.get(handle, PARTICLES).moved(gravity)
            if (next.lifetime > 0) {
                pool.set(handle, PARTICLES, next)
                handles[kept++] = handle
            } else {
                release(handle)
            }
        }
        count = kept
    }

    private fun release(handle: Long) {
        if (isForgetful) {
            isForgetful = false // sabotage: nobody will ever release this one
            return
        }
        pool.release(handle)
        released++
        try {
            pool.get(handle, PARTICLES)
        } catch (stale: InvalidHandleException) {
            refused += if (stale.reason() == InvalidHandleException.Reason.STALE) 1 else 0
        }
    }

    /** New particles, as many as wanted and possible; they take the places of released ones. */
    fun spawn(wanted: Int) {
        repeat(wanted) {
            val handle = pool.acquire(PARTICLES, Particle.launched())
            if (handle == 0L) {
                exhausted++
                return
            }
            handles[count++] = handle
            spawned++
        }
    }

    /** Writes the handles of this thread's particles into the list that all see, from an index on. */
    fun publish(first: Int) {
        activeList.write(first, MemorySegment.ofArray(handles).asSlice(0, count.toLong() * Long.SIZE_BYTES))
    }
}
