package io.bywash.bus

import io.bywash.engine.Message
import io.bywash.engine.record.Records
import java.lang.invoke.MethodHandles

/**
 * A codec for a `@JvmRecord` class. Access to the class is checked at the place of the call, so it may be private
 * there. It throws an [IllegalArgumentException] when the class has a component that is not supported.
 *
 * ```
 * @JvmRecord data class Tick(val time: Long, val price: Double, @Length(8) val symbol: String)
 *
 * val ticks = topic("ticks", recordCodec<Tick>()) { ring = 1.MiB }
 * ```
 */
public inline fun <reified T : Record> recordCodec(): Codec<T> =
    recordCodec(Records.of(MethodHandles.lookup(), T::class.java))

/** A codec for the record classes of a [Records], which may be several. */
public fun <T : Any> recordCodec(records: Records<T>): Codec<T> = RecordCodec(records)

private class RecordCodec<T : Any>(private val records: Records<T>) : DirectCodec<T> {
    override fun length(value: T): Int = records.typeOf(value).sizeBytes()

    override fun type(value: T): Int = records.typeOf(value).number()

    override fun write(value: T, writer: MessageWriter) = records.typeOf(value).write(writer.openClaim(), value)

    override fun read(message: Message): T = records.read(message)

    override fun toString(): String = "Codec of $records"
}
