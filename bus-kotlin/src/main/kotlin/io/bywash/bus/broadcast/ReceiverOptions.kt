package io.bywash.bus.broadcast

import io.bywash.engine.broadcast.SubscriberOptions
import kotlin.time.Duration

/**
 * What happens when a receiver of a topic is slower than the sender, and where it starts. An immutable value.
 *
 * When the receiver is too slow, and what kotlinx calls that:
 * - [block]: the sender waits, `BufferOverflow.SUSPEND`
 * - [skip]: it loses the oldest messages, and is told how many, `BufferOverflow.DROP_OLDEST`
 * - [fail]: receiving throws, `DROP_OLDEST` that fails instead of dropping
 * - [evictAfter]: the sender waits for so long, then goes on without it, `SUSPEND` with a limit
 *
 * @sample io.bywash.bus.samples.skipWhatIsOld
 */
public class ReceiverOptions private constructor(internal val engine: SubscriberOptions) {
    /** A copy that starts at the oldest message that is still there, instead of at the next one that is sent. */
    public fun startingAtOldest(): ReceiverOptions = ReceiverOptions(engine.startingAtOldest())

    /**
     * A copy that starts this many messages before the next one that is sent, or at the oldest if there are fewer.
     *
     * @param count 0 or more
     */
    public fun startingWithLast(count: Long): ReceiverOptions = ReceiverOptions(engine.startingAtLast(count))

    /** A copy that starts at a sequence of the segment that is attached now, see [SubscriberOptions.startingAt]. */
    public fun startingAt(sequence: Long): ReceiverOptions = ReceiverOptions(engine.startingAt(sequence))

    /**
     * A copy that starts at a sequence that was noted earlier, see [SubscriberOptions.startingAt]. If the segment was
     * removed and created again since then, joining throws a [io.bywash.engine.SegmentReplacedException].
     *
     * @param segmentId the [io.bywash.engine.Segment.id] at the time when the sequence was noted; not 0
     * @param sequence 0 or more
     */
    public fun startingAt(segmentId: Long, sequence: Long): ReceiverOptions =
        ReceiverOptions(engine.startingAt(segmentId, sequence))

    public companion object {
        /** Loses nothing: the sender waits instead of overwriting a message that this receiver has not received. */
        public fun block(): ReceiverOptions = ReceiverOptions(SubscriberOptions.block())

        /**
         * Holds nobody back and accepts losses. When the sender overwrites messages that this receiver has not
         * received, the receiver learns exactly how many it lost.
         *
         * @param resumingAtNewest whether it then continues at the newest message, instead of at the oldest that is
         * there
         */
        public fun skip(resumingAtNewest: Boolean = false): ReceiverOptions = SubscriberOptions.skip().let {
            ReceiverOptions(if (resumingAtNewest) it.resumingAtNewest() else it)
        }

        /**
         * Holds nobody back and does not accept losses. When the sender overwrites messages that this receiver has not
         * received, receiving throws an [io.bywash.engine.OverrunException].
         */
        public fun fail(): ReceiverOptions = ReceiverOptions(SubscriberOptions.fail())

        /**
         * Loses nothing, but holds the sender back for no longer than [patience] at a stretch. Then it is evicted: the
         * sender goes on, and receiving throws an [io.bywash.engine.EvictedException].
         *
         * @param patience at least a nanosecond; the eviction may come up to 50 ms late
         */
        public fun evictAfter(patience: Duration): ReceiverOptions =
            ReceiverOptions(SubscriberOptions.evictAfter(patience.inWholeNanoseconds))
    }
}
