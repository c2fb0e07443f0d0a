package io.bywash.bus

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import io.bywash.engine.wait.Waitable
import java.lang.ref.Cleaner
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * An attachment of this process to a bus: where senders and receivers come from. Any thread may use it, and it has to
 * be closed.
 *
 * No queue and no coroutine has a thread of its own: one daemon thread of the engine waits for all queues of a process,
 * and has the coroutines resumed by their own dispatchers. A coroutine without a dispatcher, or in
 * [kotlinx.coroutines.Dispatchers.Unconfined], goes on in [kotlinx.coroutines.Dispatchers.Default].
 *
 * @property segment the same attachment for what has no Kotlin form, like the list of participants
 */
public class Bus internal constructor(public val segment: Segment) : AutoCloseable {
    /** Of all senders and receivers that are not closed yet. */
    private val turns = mutableSetOf<Turn<*>>()

    /** The name of the segment. */
    public val name: String
        get() = segment.name()

    /**
     * Takes the writer role of a queue.
     *
     * @throws io.bywash.engine.RoleTakenException when a sender that lives has it, in whatever process; its pid is
     * named
     * @throws io.bywash.engine.EntryNotFoundException when the segment has no such queue; the message lists those it
     * has
     * @throws io.bywash.engine.SpecMismatchException when that is something else than a broadcast
     */
    public fun <T : Any> sender(queue: Queue<T>): Sender<T> {
        val turn = turn("sender of queue \"${queue.name}\"") { Publisher.open(entry(queue)) }
        return Sender(queue, turn).also { CLEANER.register(it) { turn.close() } }
    }

    /**
     * Joins a queue with a cursor of its own.
     *
     * @param options what happens when this receiver is too slow, and where it begins: by default it holds the sender
     * back, loses nothing, and begins with the next message sent. The wait policy in it is not used
     * @param onLost learns of losses, exactly how many messages, before the receiver gets the first message after the
     * gap; called in the receiving coroutine, only with [SubscriberOptions.skip]
     * @throws io.bywash.engine.TableFullException when all places are taken by receivers that live
     * @throws io.bywash.engine.OverrunException when [options] ask for a sequence that was overwritten, and do not skip
     * @throws io.bywash.engine.EntryNotFoundException when the segment has no such queue; the message lists those it
     * has
     * @throws io.bywash.engine.SpecMismatchException when that is something else than a broadcast
     */
    public fun <T : Any> receiver(
        queue: Queue<T>,
        options: SubscriberOptions = SubscriberOptions.block(),
        onLost: (Long) -> Unit = {},
    ): Receiver<T> {
        val name = "receiver of queue \"${queue.name}\""
        val turn = turn(name) { Subscriber.open(entry(queue), options) }
        return Receiver(queue, turn, onLost).also { CLEANER.register(it) { voidForgotten(turn, "$name in $this") } }
    }

    /**
     * The messages of a queue as a cold flow: each collector joins the queue, with a cursor of its own, when it begins
     * to collect, and leaves it when it ends, is cancelled or fails. It never completes by itself: when the bus is
     * closed it fails with [io.bywash.engine.SegmentClosedException]. Collecting throws what [receiver] throws;
     * parameters as there.
     */
    public fun <T : Any> flow(
        queue: Queue<T>,
        options: SubscriberOptions = SubscriberOptions.block(),
        onLost: (Long) -> Unit = {},
    ): Flow<T> = flow {
        receiver(queue, options, onLost).use { receiver ->
            while (true) {
                emit(receiver.receive())
            }
        }
    }

    private fun entry(queue: Queue<*>) = segment.directory().find(queue.name, Kind.BROADCAST)

    private fun <R> turn(name: String, take: () -> R): Turn<R> where R : Waitable, R : AutoCloseable =
        synchronized(turns) {
            Turn(take(), name, segment) { closed -> synchronized(turns) { turns -= closed } }.also { turns += it }
        }

    /**
     * Closes this attachment with all its senders and receivers; coroutines that wait in one get a
     * [io.bywash.engine.SegmentClosedException]. If nobody else is attached and the bus is not kept, the segment is
     * removed as soon as the last operation that is under way has ended. Once is enough.
     *
     * @throws io.bywash.engine.DamagedSegmentException when the file was cut while it was in use; everything is closed
     * all the same
     */
    override fun close() {
        var failure: Throwable? = null
        fun close(one: () -> Unit) {
            try {
                one()
            } catch (thrown: Throwable) {
                failure?.addSuppressed(thrown) ?: run { failure = thrown }
            }
        }
        val all = synchronized(turns) {
            close { segment.close() } // from now on no role can be taken
            turns.toList()
        }
        all.forEach { close { it.close() } }
        failure?.let { throw it }
    }

    /** For example `Bus(/dev/shm/bywash-1000/market)`. */
    override fun toString(): String = "Bus(${segment.path()})"

    private companion object {
        val CLEANER: Cleaner = Cleaner.create()
        val LOG: System.Logger = System.getLogger("io.bywash.bus")

        fun voidForgotten(turn: Turn<*>, name: String) {
            if (turn.close()) {
                val advice = "was dropped without being closed, and held the sender back until now. Close receivers."
                LOG.log(System.Logger.Level.WARNING, "The $name $advice")
            }
        }
    }
}
