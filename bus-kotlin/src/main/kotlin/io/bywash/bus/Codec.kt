package io.bywash.bus

import io.bywash.engine.Message

/**
 * Turns values into messages and messages into values.
 *
 * A codec has no state that its calls change, so any number of senders and receivers in different threads share it. All
 * users of a queue have to agree on the format; nothing checks that.
 *
 * Implement [DirectCodec] if the length of a message is easily computed from its value. [map] makes a codec for another
 * type, for example a value class; [codec] makes one from a format of kotlinx.serialization, and [recordCodec] one for
 * records.
 */
public interface Codec<T : Any> {
    /**
     * Does whatever is needed to know the length of the message. Called once for each value that is sent, however long
     * sending has to wait for room.
     */
    public fun prepare(value: T): Draft<T>

    /**
     * Makes a value from a message. If this throws, the receiver gets a [DecodingException] with that cause, and the
     * message counts as received.
     *
     * @param message valid only during this call. Its content comes from another process: check what you rely on
     */
    public fun read(message: Message): T

    /** A message that is about to be written: the codec itself, or what it made from the value. */
    public interface Draft<in T : Any> {
        /**
         * The number of bytes that [write] fills: at most the largest message of the queue, and at least 1 in a topic.
         */
        public fun length(value: T): Int

        /** The type that travels with the message, for example to distinguish the subclasses of a sealed class. */
        public fun type(value: T): Int = 0

        /**
         * Writes the message, which has the length that [length] returned. The message is sent when this returns. If
         * this throws, nothing is sent, and the sender gets the exception.
         *
         * @param value the one that [Codec.prepare] got
         */
        public fun write(value: T, writer: MessageWriter)
    }

    /** Plain bytes. Reading makes a copy. */
    public object Bytes : DirectCodec<ByteArray> {
        override fun length(value: ByteArray): Int = value.size

        override fun write(value: ByteArray, writer: MessageWriter) {
            writer.putBytes(0, value)
        }

        override fun read(message: Message): ByteArray = message.toBytes()

        override fun toString(): String = "Codec.Bytes"
    }

    /**
     * Text as UTF-8. Sending an unpaired surrogate, which UTF-8 cannot express, is an [IllegalArgumentException];
     * malformed bytes are read as U+FFFD.
     */
    public object Text : Codec<String> {
        override fun prepare(value: String): Draft<String> = BytesDraft(
            try {
                value.encodeToByteArray(throwOnInvalidSequence = true)
            } catch (malformed: CharacterCodingException) {
                throw IllegalArgumentException("value has an unpaired surrogate, which UTF-8 cannot express", malformed)
            },
        )

        override fun read(message: Message): String = message.toBytes().decodeToString()

        override fun toString(): String = "Codec.Text"
    }

    /** A number of four bytes, little-endian. */
    public object Int32 : DirectCodec<Int> {
        override fun length(value: Int): Int = Int.SIZE_BYTES

        override fun write(value: Int, writer: MessageWriter) {
            writer.putInt(0, value)
        }

        override fun read(message: Message): Int = message.getInt(0)

        override fun toString(): String = "Codec.Int32"
    }

    /** A number of eight bytes, little-endian. */
    public object Int64 : DirectCodec<Long> {
        override fun length(value: Long): Int = Long.SIZE_BYTES

        override fun write(value: Long, writer: MessageWriter) {
            writer.putLong(0, value)
        }

        override fun read(message: Message): Long = message.getLong(0)

        override fun toString(): String = "Codec.Int64"
    }

    /** A floating point number of eight bytes, little-endian. */
    public object Float64 : DirectCodec<Double> {
        override fun length(value: Double): Int = Double.SIZE_BYTES

        override fun write(value: Double, writer: MessageWriter) {
            writer.putDouble(0, value)
        }

        override fun read(message: Message): Double = message.getDouble(0)

        override fun toString(): String = "Codec.Float64"
    }
}

/**
 * A codec that writes values into shared memory directly, without an intermediate form and without allocating.
 *
 * @sample io.bywash.bus.samples.TickCodec
 */
public interface DirectCodec<T : Any> : Codec<T>, Codec.Draft<T> {
    override fun prepare(value: T): Codec.Draft<T> = this
}

/**
 * A codec for another type with the same format.
 *
 * @param read converts what this codec reads to the other type
 * @param write converts the other type to what this codec writes
 * @sample io.bywash.bus.samples.prices
 */
public fun <A : Any, B : Any> Codec<A>.map(read: (A) -> B, write: (B) -> A): Codec<B> = MappedCodec(this, read, write)

private class MappedCodec<A : Any, B : Any>(
    private val codec: Codec<A>,
    private val read: (A) -> B,
    private val write: (B) -> A,
) : Codec<B> {
    override fun prepare(value: B): Codec.Draft<B> = write(value).let { MappedDraft(it, codec.prepare(it)) }

    override fun read(message: Message): B = read(codec.read(message))

    override fun toString(): String = "$codec.map"

    private class MappedDraft<A : Any>(private val mapped: A, private val draft: Codec.Draft<A>) : Codec.Draft<Any> {
        override fun length(value: Any): Int = draft.length(mapped)

        override fun type(value: Any): Int = draft.type(mapped)

        override fun write(value: Any, writer: MessageWriter) = draft.write(mapped, writer)
    }
}

/** A message that was encoded into an array. */
internal class BytesDraft(private val bytes: ByteArray) : Codec.Draft<Any> {
    override fun length(value: Any): Int = bytes.size

    override fun write(value: Any, writer: MessageWriter) {
        writer.putBytes(0, bytes)
    }
}
