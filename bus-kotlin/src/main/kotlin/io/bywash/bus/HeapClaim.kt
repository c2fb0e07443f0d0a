package io.bywash.bus

import io.bywash.engine.Claim
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout
import java.nio.ByteOrder.LITTLE_ENDIAN

/** A value that is written for a role of the engine that takes whole values: bytes on the heap, or a record. */
internal class HeapClaim(private val length: Int, val type: Int) : Claim {
    /** The record that was written instead of bytes. */
    var record: Any? = null
    val bytes: ByteArray by lazy(LazyThreadSafetyMode.NONE) { ByteArray(length) }
    private val segment by lazy(LazyThreadSafetyMode.NONE) { MemorySegment.ofArray(bytes) }

    override fun length(): Int = length

    override fun putByte(index: Int, value: Byte) = apply { bytes[index] = value }

    override fun putShort(index: Int, value: Short) = apply { segment.set(SHORT, index.toLong(), value) }

    override fun putInt(index: Int, value: Int) = apply { segment.set(INT, index.toLong(), value) }

    override fun putLong(index: Int, value: Long) = apply { segment.set(LONG, index.toLong(), value) }

    override fun putDouble(index: Int, value: Double) = apply { segment.set(DOUBLE, index.toLong(), value) }

    override fun putBytes(index: Int, source: ByteArray, sourceIndex: Int, length: Int) =
        putBytes(index, MemorySegment.ofArray(source), sourceIndex.toLong(), length)

    override fun putBytes(index: Int, source: MemorySegment, sourceOffset: Long, length: Int) = apply {
        MemorySegment.copy(source, sourceOffset, segment, index.toLong(), length.toLong())
    }

    override fun asSegment(): MemorySegment = segment

    override fun commit() = Unit

    override fun stage() = Unit

    override fun abort() = Unit

    private companion object {
        val SHORT: ValueLayout.OfShort = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN)
        val INT: ValueLayout.OfInt = ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN)
        val LONG: ValueLayout.OfLong = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN)
        val DOUBLE: ValueLayout.OfDouble = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(LITTLE_ENDIAN)
    }
}
