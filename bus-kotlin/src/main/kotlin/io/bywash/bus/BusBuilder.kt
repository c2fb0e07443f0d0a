package io.bywash.bus

import io.bywash.engine.BusDirectory
import io.bywash.engine.EntrySpec
import io.bywash.engine.Lifetime
import io.bywash.engine.SegmentSpec
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermission
import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract
import kotlinx.coroutines.flow.Flow

/** Keeps an inner block of the DSL from using the receiver of an outer one by accident. */
@DslMarker
@Target(AnnotationTarget.CLASS)
public annotation class BusDsl

/**
 * Declares a bus: one segment of shared memory and its queues. Each kind of queue has a function for this block, for
 * example [io.bywash.bus.broadcast.topic].
 *
 * Nothing is created here; [BusTopology.use], [BusTopology.start] or [BusTopology.open] does that.
 *
 * @param name of the segment: 1 to 64 characters of `A-Z a-z 0-9 . _ -`, starting with a letter or a digit
 * @throws InvalidTopologyException when the declaration is wrong; it lists every fault
 * @sample io.bywash.bus.samples.market
 */
@OptIn(ExperimentalContracts::class)
public fun bus(name: String, declare: BusBuilder.() -> Unit): BusTopology {
    contract { callsInPlace(declare, InvocationKind.EXACTLY_ONCE) }
    return BusBuilder(name).apply(declare).build()
}

/** The block of [bus]: settings of the segment, its queues and the routes between them. Used by one thread. */
@BusDsl
public class BusBuilder internal constructor(private val name: String) {
    /** When the segment is removed; [Lifetime.WHILE_USED] by default. */
    public var lifetime: Lifetime = Lifetime.WHILE_USED

    /** The largest number of attachments at one time, 1 to 256; a process usually has one. 64 by default. */
    public var participants: Int = 64

    /**
     * The largest number of queues, 1 to 512, including those that are added while the segment exists. Null, the
     * default, for 64, or for as many as are declared if these are more.
     */
    public var entries: Int? = null

    /**
     * The size of the whole segment, to leave room for queues that are added later. Null, the default, for just the
     * size that the declared queues need.
     */
    public var size: Size? = null

    /** The permissions of the segment's file. Null, the default, for 0600: only its owner may read and write it. */
    public var permissions: Set<PosixFilePermission>? = null

    private val declarations = mutableListOf<Declaration>()
    private val routes = mutableListOf<Route<*, *>>()

    /** Adds what a kind of queue has declared. */
    internal fun declare(declaration: Declaration) {
        declarations += declaration
    }

    /**
     * Declares a route: the messages of [from], transformed by [transform], are sent to [to]. [Bus.runRoutes] runs it,
     * with a sender and a receiver of its own.
     *
     * @param transform filters, maps, batches or combines the flow as any other [Flow]. It is called once for each run.
     * A failure that it does not catch ends all routes
     * @sample io.bywash.bus.samples.filtering
     */
    public fun <A : Any, B : Any> route(from: Queue<A>, to: Queue<B>, transform: (Flow<A>) -> Flow<B>) {
        routes += Route(from, to, transform)
    }

    /** Has the engine check each setting by itself, so that its limits stand in one place and every fault is found. */
    internal fun build(): BusTopology {
        val faults = Faults("bus \"$name\"", WORDS)
        faults.check { BusDirectory.at(Path.of("/")).path(name) }
        val specs = declarations.mapNotNull { it.spec(faults) }
        declarations.groupBy { it.entry.name }.filterValues { it.size > 1 }.forEach { (twice, all) ->
            faults += "\"$twice\" is declared ${all.size} times; names are unique in a bus"
        }
        checkRoutes(faults)
        var spec = faults.check { SegmentSpec.of(specs.distinctBy { it.name }) } ?: SegmentSpec.of()
        spec = spec.withLifetime(lifetime)
        permissions?.let { wanted -> spec = faults.check { spec.withPermissions(wanted) } ?: spec }
        spec = faults.check { spec.withParticipantCapacity(participants) } ?: spec
        spec = entries?.let { faults.check { spec.withEntryCapacity(it) } } ?: spec
        spec = size?.let { faults.check { spec.withSizeBytes(it.bytes) } } ?: spec
        faults.throwIfAny(name)
        return BusTopology(name, declarations.toList(), routes.toList(), spec)
    }

    private fun checkRoutes(faults: Faults) {
        val declared = declarations.map { it.entry.name }.toSet()
        routes.forEach { route ->
            route.faults(declared).forEach { faults.inside("$route") += it }
        }
        val targets = routes.map { it.to }.filter { it.hasOneSender }.groupingBy { it.name }.eachCount()
        targets.filterValues { it > 1 }.forEach { (name, count) ->
            faults += "$count routes lead to \"$name\", which has one sender at a time"
        }
    }

    private companion object {
        val WORDS = mapOf(
            "participantCapacity" to "participants",
            "entryCapacity" to "entries",
            "sizeBytes" to "size",
        )
    }
}

/** What a kind of queue has declared in a bus. */
internal abstract class Declaration(val entry: EntryName) {
    /** The engine's specification; null when it is wrong, after every fault of it was added. */
    abstract fun spec(faults: Faults): EntrySpec?

    /** A line of the topology's picture, for example `sender -> ["ticks" 4 MiB] -> 64 receivers`. */
    abstract fun picture(spec: EntrySpec, paddedName: String): String
}
