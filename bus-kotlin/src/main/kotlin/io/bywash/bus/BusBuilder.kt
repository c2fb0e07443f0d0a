package io.bywash.bus

import io.bywash.engine.BusDirectory
import io.bywash.engine.EntrySpec
import io.bywash.engine.Lifetime
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermission
import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract

/** Keeps the declarations of an inner block from reaching those of an outer one by accident. */
@DslMarker
@Target(AnnotationTarget.CLASS)
public annotation class BusDsl

/**
 * Declares a bus: one segment of shared memory and the queues in it.
 *
 * ```
 * val ticks = Queue("ticks", TickCodec)
 * val market = bus("market") {
 *     participants = 16
 *     broadcast(ticks) { ring = 4.MiB }
 * }
 * ```
 *
 * Nothing is created here; [BusTopology.open] does that.
 *
 * @param name of the segment: 1 to 64 characters of `A-Z a-z 0-9 . _ -`, the first a letter or a digit
 * @throws InvalidTopologyException when something is wrong, with all that is
 */
@OptIn(ExperimentalContracts::class)
public fun bus(name: String, declare: BusBuilder.() -> Unit): BusTopology {
    contract { callsInPlace(declare, InvocationKind.EXACTLY_ONCE) }
    return BusBuilder(name).apply(declare).build()
}

/** The block of [bus]: settings of the segment, and its queues. Used by one thread. */
@BusDsl
public class BusBuilder internal constructor(private val name: String) {
    /** When the segment is removed; [Lifetime.WHILE_USED] unless told otherwise. */
    public var lifetime: Lifetime = Lifetime.WHILE_USED

    /** The most attachments at one time, 1 to 256; one process usually has one. 64 unless told otherwise. */
    public var participants: Int = 64

    /**
     * The most queues, 1 to 512, with those that are added while the segment exists; null for 64, or more if declared.
     */
    public var entries: Int? = null

    /** The size of the whole segment, to leave room for queues that are added later; null for what is needed now. */
    public var size: Size? = null

    /** The permissions of the segment's file; null for 0600, nobody but its owner. */
    public var permissions: Set<PosixFilePermission>? = null

    private val broadcasts = mutableListOf<Pair<Queue<*>, BroadcastBuilder>>()

    /**
     * Declares a broadcast queue of plain bytes: one sender at a time, any number of receivers, each sees every
     * message.
     */
    public fun broadcast(name: String, declare: BroadcastBuilder.() -> Unit = {}): Queue<ByteArray> =
        broadcast(name, Codec.Bytes, declare)

    /** Declares a broadcast queue with messages of a format, and returns its typed name. */
    public fun <T : Any> broadcast(
        name: String,
        codec: Codec<T>,
        declare: BroadcastBuilder.() -> Unit = {},
    ): Queue<T> = Queue(name, codec).also { broadcast(it, declare) }

    /** Declares a broadcast queue under a typed name that stands elsewhere. */
    public fun broadcast(queue: Queue<*>, declare: BroadcastBuilder.() -> Unit = {}) {
        broadcasts += queue to BroadcastBuilder().apply(declare)
    }

    /** Lets the engine check each setting by itself, so that its limits stand in one place and every fault is found. */
    internal fun build(): BusTopology {
        val faults = Faults("bus \"$name\"")
        faults.check { BusDirectory.at(Path.of("/")).path(name) }
        val specs = broadcasts.mapNotNull { (queue, declared) -> declared.build(queue.name, faults) }
        broadcasts.groupingBy { it.first.name }.eachCount().filterValues { it > 1 }.forEach { (twice, count) ->
            faults += "broadcast \"$twice\" is declared $count times; names are unique in a bus"
        }
        var spec = faults.check { SegmentSpec.of(specs.distinctBy { it.name }) } ?: SegmentSpec.of()
        spec = spec.withLifetime(lifetime)
        permissions?.let { spec = spec.withPermissions(it) }
        spec = faults.check { spec.withParticipantCapacity(participants) } ?: spec
        spec = entries?.let { faults.check { spec.withEntryCapacity(it) } } ?: spec
        spec = size?.let { faults.check { spec.withSizeBytes(it.bytes) } } ?: spec
        faults.throwIfAny(name)
        return BusTopology(name, broadcasts.map { it.first }, spec)
    }
}

/** The block of [BusBuilder.broadcast]: settings of one broadcast queue. Used by one thread. */
@BusDsl
public class BroadcastBuilder internal constructor() {
    /**
     * How much is kept for the receivers, 4 KiB to 128 GiB, rounded up to a power of two; 4 MiB unless told otherwise.
     * A message takes its length and 16 bytes, rounded up to a multiple of 16. The longest message is an eighth of the
     * ring, at most 1 GiB.
     */
    public var ring: Size = 4.MiB

    /** The most receivers at one time, in all processes together, 1 to 1023; 64 unless told otherwise. */
    public var subscribers: Int = Broadcast.DEFAULT_SUBSCRIBERS

    internal fun build(name: String, faults: Faults): EntrySpec? {
        val place = "broadcast \"$name\""
        val checks = listOf(
            faults.check(place) { Broadcast.spec(name, Broadcast.MIN_RING_BYTES) },
            faults.check(place) { Broadcast.spec("any", ring.bytes) },
            faults.check(place) { Broadcast.spec("any", Broadcast.MIN_RING_BYTES, subscribers) },
        )
        return if (null in checks) null else Broadcast.spec(name, ring.bytes, subscribers)
    }
}

/** Collects what is wrong with a topology, in the words of the DSL. */
internal class Faults(private val bus: String) {
    private val found = mutableListOf<String>()

    operator fun plusAssign(fault: String) {
        found += "$bus: $fault"
    }

    fun <R : Any> check(place: String? = null, attempt: () -> R): R? = try {
        attempt()
    } catch (refused: IllegalArgumentException) {
        val engines = refused.message.orEmpty()
        val fault = ENGINE_WORDS.fold(engines) { text, (theirs, ours) -> text.replace("$theirs=", "$ours=") }
        found += if (place == null) "$bus: $fault" else "$bus / $place: $fault"
        null
    }

    fun throwIfAny(name: String) {
        if (found.isNotEmpty()) {
            throw InvalidTopologyException(name, found)
        }
    }

    private companion object {
        val ENGINE_WORDS = listOf(
            "ringBytes" to "ring",
            "participantCapacity" to "participants",
            "entryCapacity" to "entries",
            "sizeBytes" to "size",
        )
    }
}

/** A declaration of a bus is wrong. Nothing was created. */
public class InvalidTopologyException internal constructor(name: String, faults: List<String>) :
    IllegalArgumentException(
        faults.joinToString("\n  ", "bus \"$name\" has ${faults.size} fault${if (faults.size == 1) "" else "s"}:\n  "),
    ) {
    /**
     * Everything that is wrong, each with its place, the value found and the values allowed, for example `bus "demo" /
     * broadcast "readings": ring=100 is not between 4096 and 137438953472`.
     */
    public val faults: List<String> = faults.toList()
}
