package io.bywash.bus

import io.bywash.engine.Claim
import io.bywash.engine.Message

/**
 * How values become messages and messages become values. Nothing is reflected: a codec writes into shared memory and
 * reads from it directly.
 *
 * A codec has no state that its calls change, since any number of senders and receivers share it, each in a thread of
 * its own. Everybody on a queue has to use the same format; nothing checks that.
 */
public interface Codec<T : Any> {
    /**
     * How many bytes [write] will fill for this value: 1 up to the largest message of the queue. Asked once for each
     * value sent, before [write], however long the sending waits.
     */
    public fun length(value: T): Int

    /**
     * A number that travels with the message, for example to tell apart the cases of a sealed class; 0 unless
     * overridden.
     */
    public fun type(value: T): Int = 0

    /**
     * Fills the claim, which has the length that [length] told. Its bytes are what an earlier message left there, so
     * all of them have to be written. The claim is committed when this returns, and given back when this throws.
     *
     * @param claim valid during this call only; an index outside of it is an [IndexOutOfBoundsException]
     */
    public fun write(value: T, claim: Claim)

    /**
     * Makes a value of a message. What this throws reaches the receiver; the message counts as received.
     *
     * @param message valid during this call only. Its content comes from another process: check what you rely on
     */
    public fun read(message: Message): T

    /** The bytes themselves, at least one. Reading makes a copy. */
    public object Bytes : Codec<ByteArray> {
        override fun length(value: ByteArray): Int = value.size

        override fun write(value: ByteArray, claim: Claim) {
            claim.putBytes(0, value, 0, value.size)
        }

        override fun read(message: Message): ByteArray = message.toBytes()

        override fun toString(): String = "Codec.Bytes"
    }

    /**
     * Text of at least one character, as UTF-8 and nothing else. Sending an unpaired surrogate, which UTF-8 cannot
     * express, is an [IllegalArgumentException]; malformed bytes are read as U+FFFD.
     */
    public object Text : Codec<String> {
        override fun length(value: String): Int {
            var length = 0
            var index = 0
            while (index < value.length) {
                val char = value[index]
                length += when {
                    char < '\u0080' -> 1
                    char < '\u0800' -> 2
                    !char.isSurrogate() -> 3
                    char.isHighSurrogate() && index + 1 < value.length && value[index + 1].isLowSurrogate() -> {
                        index++
                        4
                    }
                    else -> throw IllegalArgumentException(
                        "value has an unpaired surrogate at index $index, which UTF-8 cannot express",
                    )
                }
                index++
            }
            return length
        }

        override fun write(value: String, claim: Claim) {
            claim.putBytes(0, value.encodeToByteArray(), 0, claim.length())
        }

        override fun read(message: Message): String = message.toBytes().decodeToString()

        override fun toString(): String = "Codec.Text"
    }
}
