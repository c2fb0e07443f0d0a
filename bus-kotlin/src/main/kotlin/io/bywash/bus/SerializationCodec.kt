package io.bywash.bus

import io.bywash.engine.Message
import kotlinx.serialization.BinaryFormat
import kotlinx.serialization.ExperimentalSerializationApi
import kotlinx.serialization.KSerializer
import kotlinx.serialization.serializer

/**
 * A codec for what kotlinx.serialization can serialize, in a binary format such as `Cbor` or `ProtoBuf`. Each value is
 * encoded once, into an array. This library does not depend on kotlinx.serialization at run time: a module that calls
 * this requires `kotlinx.serialization.core` itself.
 *
 * @sample io.bywash.bus.samples.orders
 */
public fun <T : Any> BinaryFormat.codec(serializer: KSerializer<T>): Codec<T> = SerializationCodec(this, serializer)

/** A codec for [T], with its own serializer. */
public inline fun <reified T : Any> BinaryFormat.codec(): Codec<T> = codec(serializersModule.serializer<T>())

@OptIn(ExperimentalSerializationApi::class)
private class SerializationCodec<T : Any>(
    private val format: BinaryFormat,
    private val serializer: KSerializer<T>,
) : Codec<T> {
    override fun prepare(value: T): Codec.Draft<T> = BytesDraft(format.encodeToByteArray(serializer, value))

    override fun read(message: Message): T = format.decodeFromByteArray(serializer, message.toBytes())

    override fun toString(): String = "codec of ${serializer.descriptor.serialName}"
}
