package io.bywash.bus.cell

import io.bywash.bus.Bus
import io.bywash.bus.BusBuilder
import io.bywash.bus.BusDsl
import io.bywash.bus.Codec
import io.bywash.bus.Declaration
import io.bywash.bus.Faults
import io.bywash.bus.Picture
import io.bywash.bus.Size
import io.bywash.bus.TypedEntry
import io.bywash.bus.bytes
import io.bywash.bus.recordCodec
import io.bywash.engine.EntrySpec
import io.bywash.engine.cell.Latest as EngineLatest

/**
 * The typed name of a latest value: one value that writers replace as a whole, and that any number of readers see
 * whole. The values between, which were replaced before a reader looked, are not seen.
 *
 * @param name of the entry in the segment; unique there
 * @param codec the format of the value, which has at least 1 byte
 */
public class Latest<T : Any>(name: String, codec: Codec<T>) : TypedEntry<T>(name, codec) {
    /** For example `Latest("price", PriceCodec)`. */
    override fun toString(): String = "Latest(\"$name\", $codec)"
}

/** The typed name of a latest value that is a record of one class. */
public inline fun <reified T : Record> Latest(name: String): Latest<T> = Latest(name, recordCodec<T>())

/** Declares a latest value that is a record of one class, and returns its typed name. */
public inline fun <reified T : Record> BusBuilder.latest(
    name: String,
    noinline declare: LatestBuilder.() -> Unit = {},
): Latest<T> = latest(name, recordCodec<T>(), declare)

/** Declares a latest value that has the format of [codec], and returns its typed name. */
public fun <T : Any> BusBuilder.latest(
    name: String,
    codec: Codec<T>,
    declare: LatestBuilder.() -> Unit = {},
): Latest<T> = Latest(name, codec).also { latest(it, declare) }

/** Declares a latest value whose typed name was made elsewhere. */
public fun BusBuilder.latest(latest: Latest<*>, declare: LatestBuilder.() -> Unit = {}) {
    declare(LatestDeclaration(latest, LatestBuilder().apply(declare)))
}

/** The block of [latest]: settings of one latest value. Used by one thread. */
@BusDsl
public class LatestBuilder internal constructor() {
    /**
     * The size of the longest value, up to 1 GiB. Null, the default, for that of the longest record, or for 1 KiB if
     * the values are no records.
     */
    public var maxValue: Size? = null

    /** The largest number of writers at one time, in all processes; 1 by default. */
    public var writers: Int = 1

    /** The largest number of readers at one time, in all processes; 63 by default. With the writers at most 1024. */
    public var readers: Int = EngineLatest.DEFAULT_READERS
}

private class LatestDeclaration(private val latest: Latest<*>, private val settings: LatestBuilder) :
    Declaration(latest) {
    private val longest = settings.maxValue ?: (latest.longestRecord ?: DEFAULT_VALUE_BYTES).bytes

    override val kind: String get() = "latest"
    override val words: Map<String, String> get() = mapOf("maxValueBytes" to "maxValue")

    override fun spec(faults: Faults): EntrySpec? = spec(
        faults,
        { EngineLatest.spec(latest.name, 1) },
        { EngineLatest.spec("any", longest.toInt("maxValueBytes")) },
        { EngineLatest.spec("any", 1, settings.writers, settings.readers) },
    ) { EngineLatest.spec(latest.name, longest.toInt("maxValueBytes"), settings.writers, settings.readers) }

    override fun picture(spec: EntrySpec): Picture {
        val writers = if (settings.writers == 1) "writer" else "${settings.writers} writers"
        val content = "latest value of ${Size(spec.elementSizeBytes)}"
        return Picture(latest.name, writers, content, "${settings.readers} readers")
    }

    private companion object {
        const val DEFAULT_VALUE_BYTES = 1024
    }
}

/**
 * Takes a writer's role of a latest value.
 *
 * @throws io.bywash.engine.TableFullException when living writers have taken all places
 * @throws io.bywash.engine.EntryNotFoundException when the segment has no such entry
 * @throws io.bywash.engine.SpecMismatchException when the entry of that name is of another kind
 * @throws io.bywash.bus.BusClosedException when this bus is closed
 */
public fun <T : Any> Bus.writer(latest: Latest<T>): LatestWriter<T> =
    open("writer of \"${latest.name}\"", { WriterRole.open(latest, segment) }) { role, guard ->
        LatestWriter(latest, role, guard, this)
    }

/** Takes a reader's role of a latest value; the failures are those of [writer]. */
public fun <T : Any> Bus.reader(latest: Latest<T>): LatestReader<T> =
    open("reader of \"${latest.name}\"", { ReaderRole.open(latest, segment) }) { role, guard ->
        LatestReader(latest, role, guard, this)
    }
