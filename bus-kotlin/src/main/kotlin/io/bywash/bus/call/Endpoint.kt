package io.bywash.bus.call

import io.bywash.bus.BusBuilder
import io.bywash.bus.BusDsl
import io.bywash.bus.Codec
import io.bywash.bus.Declaration
import io.bywash.bus.EntryName
import io.bywash.bus.Faults
import io.bywash.bus.KiB
import io.bywash.bus.Picture
import io.bywash.bus.RecordCodec
import io.bywash.bus.Size
import io.bywash.bus.bytes
import io.bywash.bus.longestRecord
import io.bywash.bus.recordCodec
import io.bywash.engine.Entry
import io.bywash.engine.EntrySpec
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.call.Endpoint as EngineEndpoint

/**
 * The typed name of an endpoint: callers call it with requests, and responders answer with replies. Each request goes
 * to one responder.
 *
 * @param name of the entry in the segment; unique there
 * @property request the format of requests
 * @property reply the format of replies
 */
public class Endpoint<Q : Any, R : Any>(
    name: String,
    public val request: Codec<Q>,
    public val reply: Codec<R>,
) : EntryName(name) {
    internal fun find(segment: Segment): Entry = checked(segment.directory().find(name, Kind.ENDPOINT))

    /** The entry, which must not be declared to carry other records. */
    internal fun checked(entry: Entry): Entry = entry.also {
        if (it.fingerprint() != 0L) {
            listOf(request, reply).forEach { codec -> (codec as? RecordCodec<*>)?.records?.check(it) }
        }
    }

    /** For example `Endpoint("prices", Codec.Text, Codec.Int64)`. */
    override fun toString(): String = "Endpoint(\"$name\", $request, $reply)"
}

/** The typed name of an endpoint whose requests and replies are records of one class each. */
public inline fun <reified Q : Record, reified R : Record> Endpoint(name: String): Endpoint<Q, R> =
    Endpoint(name, recordCodec<Q>(), recordCodec<R>())

/** Declares an endpoint whose requests and replies are records of one class each, and returns its typed name. */
public inline fun <reified Q : Record, reified R : Record> BusBuilder.endpoint(
    name: String,
    noinline declare: EndpointBuilder.() -> Unit = {},
): Endpoint<Q, R> = Endpoint<Q, R>(name).also { endpoint(it, declare) }

/** Declares an endpoint whose typed name was made elsewhere. */
public fun BusBuilder.endpoint(endpoint: Endpoint<*, *>, declare: EndpointBuilder.() -> Unit = {}) {
    declare(EndpointDeclaration(endpoint, EndpointBuilder().apply(declare)))
}

/** The block of [endpoint]: settings of one endpoint. Used by one thread. */
@BusDsl
public class EndpointBuilder internal constructor() {
    /**
     * The size of the largest request, up to 1 GiB. Null, the default, for 1 KiB, or for that of the largest record if
     * that is more.
     */
    public var maxRequest: Size? = null

    /**
     * The size of the largest reply, up to 1 GiB. Null, the default, for 1 KiB, or for that of the largest record if
     * that is more. The reason why a call failed has as much room, at most.
     */
    public var maxReply: Size? = null

    /** The largest number of callers at one time, in all processes; 16 by default. */
    public var callers: Int = EngineEndpoint.DEFAULT_CALLERS

    /** How many requests of one caller can be in flight, a power of two; 32 by default. */
    public var slots: Int = EngineEndpoint.DEFAULT_SLOTS

    /** The largest number of responders at one time, in all processes; 16 by default. */
    public var responders: Int = EngineEndpoint.DEFAULT_RESPONDERS

    /**
     * Whether a request whose responder died goes to another one, so that it may be handled twice. Otherwise, the
     * default, its call fails.
     */
    public var redelivers: Boolean = false
}

private class EndpointDeclaration(private val endpoint: Endpoint<*, *>, private val settings: EndpointBuilder) :
    Declaration(endpoint) {
    private val maxRequest = settings.maxRequest ?: standard(endpoint.request)
    private val maxReply = settings.maxReply ?: standard(endpoint.reply)

    private fun standard(codec: Codec<*>) = maxOf(1.KiB, (codec.longestRecord ?: 0).bytes)

    override val kind: String get() = "endpoint"
    override val words: Map<String, String>
        get() = mapOf("maxRequestBytes" to "maxRequest", "maxReplyBytes" to "maxReply")

    private fun sized(name: String) = EngineEndpoint.of(
        name,
        maxRequest.toInt("maxRequestBytes"),
        maxReply.toInt("maxReplyBytes"),
    )

    private fun any() = EngineEndpoint.of("any", 1, 1)

    override fun spec(faults: Faults): EntrySpec? = spec(
        faults,
        { EngineEndpoint.of(entry.name, 1, 1).spec() },
        { EngineEndpoint.of("any", maxRequest.toInt("maxRequestBytes"), 1) },
        { EngineEndpoint.of("any", 1, maxReply.toInt("maxReplyBytes")) },
        { checkRecords("maxRequest", maxRequest, endpoint.request) },
        { checkRecords("maxReply", maxReply, endpoint.reply) },
        { any().callers(settings.callers) },
        { any().slots(settings.slots) },
        { any().responders(settings.responders) },
    ) {
        val all = sized(entry.name).callers(settings.callers).slots(settings.slots).responders(settings.responders)
        (if (settings.redelivers) all.redelivers() else all).spec()
    }

    private fun checkRecords(setting: String, size: Size, codec: Codec<*>) {
        val longest = codec.longestRecord
        require(size.bytes < 1 || longest == null || longest <= size.bytes) {
            "$setting=${size.bytes} is less than the $longest bytes of the largest record"
        }
    }

    override fun picture(spec: EntrySpec): Picture {
        val content = "requests of $maxRequest, replies of $maxReply"
        return Picture(entry.name, "${settings.callers} callers", content, "${settings.responders} responders")
    }
}
