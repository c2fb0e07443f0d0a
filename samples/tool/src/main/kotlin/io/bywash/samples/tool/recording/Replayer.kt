package io.bywash.samples.tool.recording

import io.bywash.engine.Entry
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import java.util.concurrent.locks.LockSupport

/**
 * Publishes what was recorded, with the same types and bytes, at the times at which it came, [speed] times as fast; as
 * fast as it goes when that is infinite.
 */
class Replayer(private val recording: Recording, private val speed: Double) {
    /**
     * Publishes everything to the broadcast [name] of a segment, when [subscribers] have joined. What has no room waits
     * for it.
     */
    fun replay(segment: Segment, name: String, subscribers: Int) {
        val queue = segment.directory().find(name, Kind.BROADCAST)
        requireSameLayout(queue)
        Publisher.open(queue).use { publisher ->
            publisher.label("replay")
            while (!publisher.awaitSubscribers(subscribers, PATIENCE_NANOS)) {
                // until they are there
            }
            replay(publisher)
        }
    }

    /**
     * As the other one, to a segment by its name, which is created as it was recorded if there is none. Where
     * [subscribers] is null, it waits for one if it has created the segment.
     */
    fun replay(segment: String, name: String, subscribers: Int?) {
        val existing = try {
            Segment.attach(segment, 0)
        } catch (none: SegmentNotFoundException) {
            null
        }
        val spec = Broadcast.spec(name, recording.header.ringBytes).withLayout(recording.header.layout)
        (existing ?: Segment.open(segment, SegmentSpec.of(spec))).use {
            replay(it, name, subscribers ?: if (existing == null) 1 else 0)
        }
    }

    private fun requireSameLayout(queue: Entry) {
        val recorded = recording.header.layout
        if (queue.layout().isNotEmpty() && queue.layout() != recorded) {
            val missing = queue.layout().lines() - recorded.lines().toSet()
            val added = recorded.lines() - queue.layout().lines().toSet()
            throw RecordingException("Entry \"${queue.name()}\" is declared to carry other records than the " +
                "recording has: it has ${said(missing)}, the recording ${said(added)}. Replay into an entry of " +
                "the same layout, or of none.")
        }
    }

    private fun said(lines: List<String>) =
        lines.filter { it.isNotBlank() }.joinToString(", ") { "\"${it.trim()}\"" }.ifEmpty { "nothing else" }

    private fun replay(publisher: Publisher) {
        val start = System.nanoTime()
        var firstNanos = -1L
        while (recording.next()) {
            if (firstNanos < 0) {
                firstNanos = recording.timeNanos
            }
            if (speed < Double.POSITIVE_INFINITY) {
                await(start + ((recording.timeNanos - firstNanos) / speed).toLong())
            }
            if (recording.length > publisher.maxMessageBytes()) {
                throw RecordingException("Message ${recording.nextSequence - 1} of the recording has " +
                    "${recording.length} bytes, and this broadcast takes at most ${publisher.maxMessageBytes()}. " +
                    "Replay into a larger ring.")
            }
            while (!publisher.offer(
                    recording.bytes, recording.index, recording.length, recording.type, PATIENCE_NANOS,
                )) {
                // a subscriber holds it back; who that is, stat says
            }
        }
    }

    private fun await(dueNanos: Long) {
        while (true) {
            val early = dueNanos - System.nanoTime()
            when {
                early <= 0 -> return
                early > SHORTEST_PARK_NANOS -> LockSupport.parkNanos(early)
                else -> Thread.onSpinWait()
            }
        }
    }

    private companion object {
        const val PATIENCE_NANOS = 1_000_000_000L
        const val SHORTEST_PARK_NANOS = 60_000L
    }
}
