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
 * val ticks = Topic("ticks", recordCodec<Tick>()) // or just Topic<Tick>("ticks")
 * ```
 */
public inline fun <reified T : Record> recordCodec(): Codec<T> =
    recordCodec(Records.of(MethodHandles.lookup(), T::class.java))

/** A codec for the record classes of a [Records], which may be several. */
public fun <T : Any> recordCodec(records: Records<T>): Codec<T> = RecordCodec(records)

/** How many bytes the longest record has; null when the format is another one. */
internal val Codec<*>.longestRecord: Int?
    get() = (this as? RecordCodec<*>)?.records?.types()?.maxOf { it.sizeBytes() }

internal class RecordCodec<T : Any>(val records: Records<T>) : DirectCodec<T> {
    override fun length(value: T): Int = records.typeOf(value).sizeBytes()

    override fun type(value: T): Int = records.typeOf(value).number()

    override fun write(value: T, writer: MessageWriter) {
        val claim = writer.openClaim()
        if (claim is HeapClaim) claim.record = value else records.typeOf(value).write(claim, value)
    }

    override fun read(message: Message): T = records.read(message)

    override fun toString(): String = "Codec of $records"
}
