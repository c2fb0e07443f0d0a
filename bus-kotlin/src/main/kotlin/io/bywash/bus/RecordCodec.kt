package io.bywash.bus

import io.bywash.engine.Claim
import io.bywash.engine.Message
import io.bywash.engine.record.Records
import java.lang.invoke.MethodHandles

/**
 * A codec for a `@JvmRecord` class, looked up by the caller: so the class may be private where this is called.
 *
 * ```
 * @JvmRecord data class Tick(val time: Long, val price: Double, @Length(8) val symbol: String)
 *
 * val ticks = broadcast("ticks", recordCodec<Tick>()) { ring = 1.MiB }
 * ```
 */
public inline fun <reified T : Record> recordCodec(): Codec<T> =
    recordCodec(Records.of(MethodHandles.lookup(), T::class.java))

/** A codec for records that were looked up, also those of several classes. */
public fun <T : Any> recordCodec(records: Records<T>): Codec<T> = RecordCodec(records)

private class RecordCodec<T : Any>(private val records: Records<T>) : Codec<T> {
    override fun length(value: T): Int = records.typeOf(value).sizeBytes()

    override fun type(value: T): Int = records.typeOf(value).number()

    override fun write(value: T, claim: Claim) = records.typeOf(value).write(claim, value)

    override fun read(message: Message): T = records.read(message)

    override fun toString(): String = "Codec of $records"
}
