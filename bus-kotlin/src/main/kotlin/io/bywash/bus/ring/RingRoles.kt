package io.bywash.bus.ring

import io.bywash.bus.DecodingException
import io.bywash.bus.HeapClaim
import io.bywash.bus.ReceivingRole
import io.bywash.bus.SendingRole
import io.bywash.bus.ValueHandler
import io.bywash.engine.Claim
import io.bywash.engine.Kind
import io.bywash.engine.MessageHandler
import io.bywash.engine.Segment
import io.bywash.engine.record.RecordFormatException
import io.bywash.engine.record.Records
import io.bywash.engine.ring.RingPopper
import io.bywash.engine.ring.RingWriter
import io.bywash.engine.wait.Waitable

internal class RingWriterRole private constructor(
    private val writer: RingWriter,
    private val records: Records<Any>,
    private val overwrites: Boolean,
) : SendingRole {
    override val waitable: RingWriter get() = writer
    override val revocable: RingWriter get() = writer
    override val nextSequence: Long get() = writer.pushedCount()

    override fun label(text: String) = writer.label(text)

    override fun tryClaim(length: Int, type: Int): Claim? =
        if (overwrites || writer.isReady) HeapClaim(length, type) else null

    override fun trySend(claim: Claim, staged: Boolean): Boolean {
        val record = (claim as HeapClaim).record
        return when {
            record != null -> sendBulk(listOf(record)) == 1
            overwrites -> true.also { writer.pushOverwrite(claim.bytes) }
            else -> writer.push(claim.bytes)
        }
    }

    override fun sendBulk(values: List<Any>): Int =
        if (overwrites) {
            writer.pushBulkOverwrite(records, values)
            values.size
        } else {
            writer.pushBulk(records, values, 0)
        }

    companion object {
        @Suppress("UNCHECKED_CAST") // the sender of a ring gets its records
        fun open(ring: Ring<*>, segment: Segment, overwrites: Boolean) =
            RingWriterRole(RingWriter.open(ring.find(segment, Kind.RING)), ring.elements as Records<Any>, overwrites)
    }
}

internal class RingPopperRole private constructor(private val ring: Ring<*>, private val popper: RingPopper) :
    ReceivingRole {
    override val waitable: RingPopper get() = popper
    override val revocable: RingPopper get() = popper
    override val senderGone: Waitable? get() = null
    override val nextSequence: Long get() = popper.poppedCount() + popper.lostCount()
    private val lostBefore = popper.lostCount()
    override val lostCount: Long get() = popper.lostCount() - lostBefore

    override fun label(text: String) = popper.label(text)

    override fun poll(handler: MessageHandler, limit: Int): Int {
        handler as? ValueHandler
            ?: throw UnsupportedOperationException("the records of ring \"${ring.name}\" cannot be read in place")
        val lost = popper.lostCount()
        val popped: List<Any> = try {
            popper.popBulk(ring.elements, limit, 0)
        } catch (undecodable: RecordFormatException) {
            throw DecodingException(ring.name, nextSequence - 1, undecodable)
        }
        try {
            if (popper.lostCount() > lost) {
                handler.onLost(popper.lostCount() - lost)
            }
        } finally { // they are gone from the ring, whatever the user's code does
            popped.forEach(handler::onValue)
        }
        return popped.size
    }

    companion object {
        fun open(ring: Ring<*>, segment: Segment) = RingPopperRole(ring, RingPopper.open(ring.find(segment, Kind.RING)))
    }
}
