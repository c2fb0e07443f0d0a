package io.bywash.bus.broadcast

import io.bywash.engine.broadcast.SubscriberOptions
import kotlin.time.Duration

/**
 * What a receiver of a topic does when the sender is faster, and where it begins. An immutable value.
 *
 * When it is too slow, and in the words of kotlinx:
 * - [block]: the sender waits, `BufferOverflow.SUSPEND`
 * - [skip]: it loses the oldest messages, and is told how many, `BufferOverflow.DROP_OLDEST`
 * - [fail]: receiving throws, `DROP_OLDEST` that fails instead of dropping
 * - [evictAfter]: the sender waits for so long, then goes on without it, `SUSPEND` with a limit
 *
 * @sample io.bywash.bus.samples.skipWhatIsOld
 */
public class ReceiverOptions private constructor(internal val engine: SubscriberOptions) {
    /** The same, beginning with the oldest message that is still there, instead of the next one sent. */
    public fun startingAtOldest(): ReceiverOptions = ReceiverOptions(engine.startingAtOldest())

    /**
     * The same, beginning with the last messages that are there.
     *
     * @param count how many, 0 or more; fewer when not so many are there
     */
    public fun startingWithLast(count: Long): ReceiverOptions = ReceiverOptions(engine.startingAtLast(count))

    /** The same, beginning with a sequence of the segment that is attached now, see [SubscriberOptions.startingAt]. */
    public fun startingAt(sequence: Long): ReceiverOptions = ReceiverOptions(engine.startingAt(sequence))

    /**
     * The same, beginning with a sequence that was noted earlier, see [SubscriberOptions.startingAt]. If the segment
     * was created anew since, joining throws a [io.bywash.engine.SegmentReplacedException].
     *
     * @param segmentId as [io.bywash.engine.Segment.id] said at that time
     */
    public fun startingAt(segmentId: Long, sequence: Long): ReceiverOptions =
        ReceiverOptions(engine.startingAt(segmentId, sequence))

    public companion object {
        /** Loses nothing: the sender waits when it would overwrite what this receiver has not received. */
        public fun block(): ReceiverOptions = ReceiverOptions(SubscriberOptions.block())

        /**
         * Holds nobody back: when the sender overwrites what this receiver has not received, it is told exactly how
         * many messages it lost.
         *
         * @param resumingAtNewest whether it then goes on with the newest message, instead of the oldest that is there
         */
        public fun skip(resumingAtNewest: Boolean = false): ReceiverOptions = SubscriberOptions.skip().let {
            ReceiverOptions(if (resumingAtNewest) it.resumingAtNewest() else it)
        }

        /**
         * Holds nobody back, and tolerates no loss: when the sender overwrites what this receiver has not received,
         * receiving throws an [io.bywash.engine.OverrunException].
         */
        public fun fail(): ReceiverOptions = ReceiverOptions(SubscriberOptions.fail())

        /**
         * Loses nothing, but does not hold the sender back for longer than [patience] at a stretch: then it is cut off,
         * and receiving throws an [io.bywash.engine.EvictedException].
         *
         * @param patience at least a nanosecond; kept up to 50 ms too long
         */
        public fun evictAfter(patience: Duration): ReceiverOptions =
            ReceiverOptions(SubscriberOptions.evictAfter(patience.inWholeNanoseconds))
    }
}
