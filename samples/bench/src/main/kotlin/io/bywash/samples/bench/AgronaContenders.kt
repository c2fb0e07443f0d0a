package io.bywash.samples.bench

import org.agrona.BufferUtil
import org.agrona.IoUtil
import org.agrona.MutableDirectBuffer
import org.agrona.concurrent.MessageHandler
import org.agrona.concurrent.UnsafeBuffer
import org.agrona.concurrent.broadcast.BroadcastBufferDescriptor
import org.agrona.concurrent.broadcast.BroadcastReceiver
import org.agrona.concurrent.broadcast.BroadcastTransmitter
import org.agrona.concurrent.broadcast.CopyBroadcastReceiver
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor

/** What Agrona and Aeron need on a current JDK, and without the bounds checks that their users switch off as well. */
val AGRONA_FLAGS = Contender.NATIVE_ACCESS + listOf(
    "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED", "--add-opens=java.base/java.util.zip=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow", "-Dagrona.disable.bounds.checks=true",
)

/** The idle strategies that every rival is measured with. */
val RIVAL_POLICIES =
    listOf(Policy.SPIN, Policy.BACKOFF, Policy.PAUSE200, Policy.PAUSE1000, Policy.LAZY, Policy.YIELD, Policy.PARK)

private const val MESSAGE_TYPE = 1

private fun map(channel: Channel, trailerBytes: Int, isNew: Boolean): UnsafeBuffer {
    val length = channel.ringBytes + trailerBytes
    val file = channel.file.toFile()
    return UnsafeBuffer(if (isNew) IoUtil.mapNewFile(file, length) else IoUtil.mapExistingFile(file, file.name))
}

/** Writes the message of [Payload] into any of Agrona's buffers. */
fun MutableDirectBuffer.putPayload(index: Int, first: Long) {
    if (Payload.IN_WORDS) {
        for (i in 0 until Payload.WORDS) {
            putLong(index + i * Long.SIZE_BYTES, Payload.word(first, i))
        }
    } else {
        putBytes(index, Payload.TEMPLATE, 0, Payload.SIZE)
        putLong(index, first)
    }
}

/** A message outside of the heap, as Agrona's users keep one; the template's bytes are in it from the start. */
class DirectScratch {
    val buffer = UnsafeBuffer(BufferUtil.allocateDirectAligned(maxOf(Payload.SIZE, 8), 64)).apply {
        putBytes(0, Payload.TEMPLATE, 0, Payload.SIZE)
    }

    fun fill(first: Long) = if (Payload.IN_WORDS) buffer.putPayload(0, first) else buffer.putLong(0, first)
}

/** Agrona's one-to-one ring over a mapped file, written by copying or in place. */
class AgronaRing(private val inPlace: Boolean) :
    Contender(if (inPlace) "agrona.tryClaim" else "agrona.write", RIVAL_POLICIES) {
    override val jvmFlags get() = AGRONA_FLAGS

    private fun ring(channel: Channel, isNew: Boolean) =
        OneToOneRingBuffer(map(channel, RingBufferDescriptor.TRAILER_LENGTH, isNew))

    override fun writer(channel: Channel, policy: Policy): Writer =
        ring(channel, true).let { if (inPlace) Claiming(it, Idle.of(policy)) else Copying(it, Idle.of(policy)) }

    private class Claiming(private val ring: OneToOneRingBuffer, private val idle: Idle) : Writer() {
        override fun send(first: Long) {
            var index = ring.tryClaim(MESSAGE_TYPE, Payload.SIZE)
            while (index <= 0) {
                idle.idle(0, 1)
                index = ring.tryClaim(MESSAGE_TYPE, Payload.SIZE)
            }
            ring.buffer().putPayload(index, first)
            ring.commit(index)
        }
    }

    private class Copying(private val ring: OneToOneRingBuffer, private val idle: Idle) : Writer() {
        private val message = DirectScratch()

        override fun send(first: Long) {
            message.fill(first)
            while (!ring.write(MESSAGE_TYPE, message.buffer, 0, Payload.SIZE)) {
                idle.idle(0, 1)
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader = Reading(ring(channel, false), Idle.of(policy))

    private class Reading(private val ring: OneToOneRingBuffer, private val idle: Idle) : AgronaReader(true) {
        override fun receive(limit: Int): Int {
            val count = ring.read(this, limit)
            idle.idle(count, limit)
            return count
        }
    }
}

/** Agrona's broadcast buffer: never waits for readers, who copy, and lose what they are too slow for. */
class AgronaBroadcast : Contender("agrona.broadcast", RIVAL_POLICIES) {
    override val isLossless get() = false
    override val jvmFlags get() = AGRONA_FLAGS

    private fun buffer(channel: Channel, isNew: Boolean) = map(channel, BroadcastBufferDescriptor.TRAILER_LENGTH, isNew)

    override fun writer(channel: Channel, policy: Policy): Writer =
        Transmitting(BroadcastTransmitter(buffer(channel, true)))

    private class Transmitting(private val transmitter: BroadcastTransmitter) : Writer() {
        private val message = DirectScratch()

        override fun send(first: Long) {
            message.fill(first)
            transmitter.transmit(MESSAGE_TYPE, message.buffer, 0, Payload.SIZE)
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val receiver = BroadcastReceiver(buffer(channel, false))
        return Receiving(CopyBroadcastReceiver(receiver, maxOf(Payload.SIZE, 128)), Idle.of(policy))
    }

    private class Receiving(private val receiver: CopyBroadcastReceiver, private val idle: Idle) : AgronaReader(false) {
        override fun receive(limit: Int): Int {
            var count = 0
            try {
                while (count < limit && receiver.receive(this) > 0) {
                    count++
                }
            } catch (lapped: IllegalStateException) {
                // its way to say that the message was overwritten while it was copied; the next call goes on behind
            }
            idle.idle(count, limit)
            return count
        }
    }
}

/** A reader with Agrona's handler. */
private abstract class AgronaReader(private val isLossless: Boolean) : Reader(), MessageHandler {
    override fun onMessage(type: Int, buffer: MutableDirectBuffer, index: Int, length: Int) {
        var words = 0L
        for (i in 0 until Payload.WORDS) {
            words += buffer.getLong(index + i * Long.SIZE_BYTES)
        }
        val first = buffer.getLong(index)
        if (isLossless) take(first, words) else takeChecked(first, words)
    }
}
