package io.bywash.bus.queue

import io.bywash.bus.Bus
import io.bywash.bus.Codec
import io.bywash.bus.Queue
import io.bywash.bus.SendingRole
import io.bywash.bus.joined
import io.bywash.bus.recordCodec
import io.bywash.engine.Segment
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow

/**
 * The typed name of a work queue: any number of senders, and any number of consumers that compete, over all processes.
 * Each message goes to one consumer. One that a dead consumer held goes to another one, unless the queue is declared to
 * drop it.
 *
 * A sender of a work queue finds room for whoever comes first, so `onSend` in a `select` may still suspend after its
 * clause was chosen. `sendAll` costs as much as sending one by one.
 *
 * @param name of the entry in the segment; unique there
 * @param codec the format of its messages, which have at least 1 byte
 */
public class WorkQueue<T : Any>(name: String, codec: Codec<T>) : Queue<T>(name, codec) {
    override val hasOneSender: Boolean get() = false

    override fun takeSender(segment: Segment): SendingRole = ProducerRole.open(this, segment)

    override fun messages(bus: Bus): Flow<T> = flow {
        joined { bus.consumer(this@WorkQueue) }?.use { consumer -> consumer.consume { emit(it) } }
    }

    /** For example `WorkQueue("jobs", JobCodec)`. */
    override fun toString(): String = "WorkQueue(\"$name\", $codec)"
}

/** The typed name of a work queue of records of one class. */
public inline fun <reified T : Record> WorkQueue(name: String): WorkQueue<T> = WorkQueue(name, recordCodec<T>())

/**
 * Takes a consumer's role in a work queue, and a role in the queue for its dead letters if it has one. A consumer holds
 * one message at a time: for several workers, take a consumer for each.
 *
 * @throws io.bywash.engine.TableFullException when living senders and consumers have taken all roles
 * @throws io.bywash.engine.EntryNotFoundException when the segment has no such queue, or none for its dead letters
 * @throws io.bywash.engine.SpecMismatchException when the entry of that name is of another kind
 * @throws io.bywash.bus.BusClosedException when this bus is closed
 */
public fun <T : Any> Bus.consumer(queue: WorkQueue<T>): Consumer<T> =
    open("consumer of queue \"${queue.name}\"", { ConsumerRole.open(queue, segment) }) { role, guard ->
        Consumer(queue, role, guard, this)
    }
