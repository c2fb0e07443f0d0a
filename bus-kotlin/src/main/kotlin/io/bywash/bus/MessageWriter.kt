package io.bywash.bus

import io.bywash.engine.Claim
import java.lang.foreign.MemorySegment

/**
 * Room for one message in shared memory, to be filled in place. It can only be written: whether the message is sent is
 * decided by whether the code that fills it returns or throws.
 *
 * Valid during the call that it was passed to. An index is a byte of the message, from 0; numbers are written
 * little-endian and need no alignment. The bytes are what an earlier message left there, so write all of them. Anything
 * outside of the message is an [IndexOutOfBoundsException].
 */
public class MessageWriter internal constructor() {
    /** Of the message that is being written. */
    internal var claim: Claim? = null

    /** What is written through it. */
    internal fun openClaim(): Claim = claim ?: throw IndexOutOfBoundsException("no message is being written")

    /** Length in bytes. */
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

    /** Copies [length] bytes of an array to [index]. */
    public fun putBytes(index: Int, source: ByteArray, sourceIndex: Int = 0, length: Int = source.size): MessageWriter =
        apply { openClaim().putBytes(index, source, sourceIndex, length) }

    /** Copies [length] bytes of a memory segment to [index]. */
    public fun putBytes(index: Int, source: MemorySegment, sourceOffset: Long, length: Int): MessageWriter =
        apply { openClaim().putBytes(index, source, sourceOffset, length) }
}
