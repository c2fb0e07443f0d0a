package io.bywash.samples.demo

import io.bywash.bus.BusTopology
import io.bywash.bus.DirectCodec
import io.bywash.bus.MessageWriter
import io.bywash.bus.MiB
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.bus
import io.bywash.engine.Message
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * One value of one source. [sentNanos] is when it was read and sent, on the monotonic clock that all processes of a
 * host share; [io.bywash.samples.demo.listener.Tally.UNTIMED] while the feed warms up.
 */
class Reading(val source: String, val sentNanos: Long, val value: Double, val sequence: Long = -1)

/** Time, value, then the name of the source in ASCII. */
object ReadingCodec : DirectCodec<Reading> {
    private const val NAME_INDEX = 16

    override fun length(value: Reading): Int = NAME_INDEX + value.source.length

    override fun write(value: Reading, writer: MessageWriter) {
        val name = value.source.toByteArray(Charsets.US_ASCII)
        writer.putLong(0, value.sentNanos).putDouble(8, value.value).putBytes(NAME_INDEX, name)
    }

    override fun read(message: Message): Reading {
        val name = ByteArray(message.length() - NAME_INDEX)
        message.getBytes(NAME_INDEX, name, 0, name.size)
        return Reading(String(name, Charsets.US_ASCII), message.getLong(0), message.getDouble(8), message.sequence())
    }

    /** The source and the value of a reading in an array; null when those bytes are none. */
    fun read(bytes: ByteArray, index: Int, length: Int): Pair<String, Double>? = if (length <= NAME_INDEX) null else {
        val value = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getDouble(index + 8)
        String(bytes, index + NAME_INDEX, length - NAME_INDEX, Charsets.US_ASCII) to value
    }
}

/** The queue that the three processes share. */
val readings: Topic<Reading> = Topic("readings", ReadingCodec)

/** The segment that it lies in. */
val demoBus: BusTopology = bus("demo") {
    topic(readings) { ring = 4.MiB }
}
