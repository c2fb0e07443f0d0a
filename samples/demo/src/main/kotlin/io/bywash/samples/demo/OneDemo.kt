package io.bywash.samples.demo

import io.bywash.engine.BusException
import io.bywash.engine.Segment
import io.bywash.engine.SegmentExistsException
import io.bywash.engine.SegmentNotFoundException

/** The demo's segment, of which a host has one: whoever creates it runs the demo, and any other is refused. */
internal object OneDemo {
    private const val MOST_TRIES = 10

    fun create(): Segment {
        repeat(MOST_TRIES) {
            try {
                return Segment.create(demoBus.name, demoBus.toSpec())
            } catch (usual: SegmentExistsException) {
                requireNoOther() // else it is removed, and the next try succeeds
            } catch (unusable: BusException) {
                throw DemoFailure(unusable.message.orEmpty())
            }
        }
        throw DemoFailure("other demos come and go; try again")
    }

    /**
     * Only one demo at a time uses the segment. One that was killed may have left it: then the last one out removes it.
     */
    private fun requireNoOther() {
        try {
            Segment.observe(demoBus.name).use { segment ->
                segment.participants().firstOrNull { it.alive() }?.let {
                    throw DemoFailure("another demo is running (process ${it.pid()} uses segment ${segment.path()}); " +
                        "wait for its end")
                }
            }
            removeLeft()
        } catch (usual: SegmentNotFoundException) {
            // the other one has just ended
        } catch (unusable: BusException) {
            throw DemoFailure(unusable.message.orEmpty())
        }
    }

    fun removeLeft() = Segment.attach(demoBus.name, 0).close()
}
