package io.bywash.bus

import io.bywash.engine.Claim
import java.lang.foreign.MemorySegment

/**
 * Room for one message in shared memory, to be filled in place. The message is sent when the code that fills it
 * returns, and not sent when that code throws.
 *
 * A writer is valid only during the call to which it was passed. An index is an offset into the message in bytes, from
 * 0. Numbers are little-endian and need no alignment. The room still holds bytes of earlier messages, so write every
 * byte of it. Each access is checked: one outside the message, or after the call, throws [IndexOutOfBoundsException].
 */
public class MessageWriter internal constructor() {
    /** Of the message that is being written. */
    internal var claim: Claim? = null

    /** What is written through it. */
    internal fun openClaim(): Claim = claim ?: throw IndexOutOfBoundsException("no message is being written")

    /** The length of the message in bytes. */
    public val length: Int get() = openClaim().length()

    /** Writes one byte. */
    public fun putByte(index: Int, value: Byte): MessageWriter = apply { openClaim().putByte(index, value) }

    /** Writes two bytes. */
    public fun putShort(index: Int, value: Short): MessageWriter = apply { openClaim().putShort(index, value) }

    /** Writes four bytes. */
    public fun putInt(index: Int, value: Int): MessageWriter = apply { openClaim().putInt(index, value) }

    /** Writes eight bytes. */
    public fun putLong(index: Int, value: Long): MessageWriter = apply { openClaim().putLong(index, value) }

    /** Writes a floating point number in eight bytes. */
    public fun putDouble(index: Int, value: Double): MessageWriter = apply { openClaim().putDouble(index, value) }

    /** Copies [length] bytes of an array, from [sourceIndex] on, to [index]. */
    public fun putBytes(index: Int, source: ByteArray, sourceIndex: Int = 0, length: Int = source.size): MessageWriter =
        apply { openClaim().putBytes(index, source, sourceIndex, length) }

    /** Copies [length] bytes of a memory segment, from [sourceOffset] on, to [index]. */
    public fun putBytes(index: Int, source: MemorySegment, sourceOffset: Long, length: Int): MessageWriter =
        apply { openClaim().putBytes(index, source, sourceOffset, length) }
}
