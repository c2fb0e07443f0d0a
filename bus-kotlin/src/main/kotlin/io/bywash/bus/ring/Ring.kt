package io.bywash.bus.ring

import io.bywash.bus.Bus
import io.bywash.bus.BusBuilder
import io.bywash.bus.BusDsl
import io.bywash.bus.Codec
import io.bywash.bus.Declaration
import io.bywash.bus.Faults
import io.bywash.bus.Picture
import io.bywash.bus.ReceivedQueue
import io.bywash.bus.ReceivingRole
import io.bywash.bus.Sender
import io.bywash.bus.SendingRole
import io.bywash.bus.Size
import io.bywash.bus.Until
import io.bywash.bus.recordCodec
import io.bywash.engine.EntrySpec
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.ring.RingView
import io.bywash.engine.ring.Ring as EngineRing

/**
 * The typed name of a ring of records: one sender and one receiver at a time, over all processes, and any number of
 * elements, each of the same size. It suits bulk: [Sender.sendAll] and [io.bywash.bus.Receiver.batches].
 *
 * A sender waits while the ring is full, or, if it [overwrites][sender], drops the oldest elements, which the receiver
 * counts as lost.
 *
 * @param name of the entry in the segment; unique there
 * @param codec of one record class, made by [recordCodec]
 */
public class Ring<T : Any>(name: String, codec: Codec<T>) : ReceivedQueue<T>(name, codec) {
    internal val elements = requireNotNull(records) { "codec=$codec is not one of records" }

    override val hasOneSender: Boolean get() = true
    override val hasOneReceiver: Boolean get() = true

    override fun takeSender(segment: Segment): SendingRole = RingWriterRole.open(this, segment, overwrites = false)

    override fun takeReceiver(segment: Segment, until: Until): ReceivingRole {
        require(until == Until.Closed) { "until=$until is not for rings, whose sender may come and go" }
        return RingPopperRole.open(this, segment)
    }

    /** For example `Ring("samples", Codec of Records[...])`. */
    override fun toString(): String = "Ring(\"$name\", $codec)"
}

/** The typed name of a ring of records of one class. */
public inline fun <reified T : Record> Ring(name: String): Ring<T> = Ring(name, recordCodec<T>())

/** Declares a ring of records of one class, and returns its typed name. */
public inline fun <reified T : Record> BusBuilder.ring(
    name: String,
    noinline declare: RingBuilder.() -> Unit = {},
): Ring<T> = Ring<T>(name).also { ring(it, declare) }

/** Declares a ring whose typed name was made elsewhere. */
public fun BusBuilder.ring(ring: Ring<*>, declare: RingBuilder.() -> Unit = {}) {
    declare(RingDeclaration(ring, RingBuilder().apply(declare)))
}

/** The block of [ring]: settings of one ring. Used by one thread. */
@BusDsl
public class RingBuilder internal constructor() {
    /** How many elements it holds: any number, not only powers of two; 1024 by default. */
    public var capacity: Int = 1024
}

private class RingDeclaration(private val ring: Ring<*>, private val settings: RingBuilder) : Declaration(ring) {
    override val kind: String get() = "ring"

    override fun spec(faults: Faults): EntrySpec? = spec(
        faults,
        { EngineRing.spec(ring.name, 1, 1) },
        { EngineRing.spec("any", settings.capacity, ring.elements) },
    ) { EngineRing.spec(ring.name, settings.capacity, ring.elements) }

    override fun picture(spec: EntrySpec): Picture =
        Picture(ring.name, "sender", "${spec.capacity} elements of ${Size(spec.elementSizeBytes)}", "receiver")
}

/**
 * Takes the role that sends in a ring; the failures are those of [Bus.sender].
 *
 * @param overwrites whether it drops the oldest elements instead of waiting while the ring is full
 */
public fun <T : Any> Bus.sender(ring: Ring<T>, overwrites: Boolean): Sender<T> =
    sender(ring) { RingWriterRole.open(ring, segment, overwrites) }

/**
 * The newest elements of a ring, the oldest of them first, whether they were received or not. Nobody notices this, and
 * any number of processes may do it. Those that are returned are whole, and lie without a gap behind one another.
 *
 * @param count how many; fewer are returned when the ring holds fewer, or when they are being overwritten
 */
public fun <T : Any> Bus.newest(ring: Ring<T>, count: Int): List<T> =
    RingView.of(ring.find(segment, Kind.RING)).lastN(ring.elements, count)
