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
 * Declares a bus: one segment of shared memory and what is in it. Each kind of structure has a function for this block:
 * [io.bywash.bus.broadcast.topic], [io.bywash.bus.queue.queue], [io.bywash.bus.ring.ring], [io.bywash.bus.cell.latest],
 * [io.bywash.bus.cell.atomics], [io.bywash.bus.cell.records], [io.bywash.bus.cell.numbers], [io.bywash.bus.pool.pool],
 * [io.bywash.bus.call.endpoint].
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

    /** Whether to ask for huge pages, see [SegmentSpec.withHugePages]. */
    public var hugePages: Boolean = false

    /**
     * What a process that uses this topology calls itself, for people who inspect the segment; empty, the default, for
     * nothing. Up to 32 bytes in UTF-8, without control characters.
     */
    public var label: String = ""

    private val declarations = mutableListOf<Declaration>()
    private val routes = mutableListOf<Route<*, *>>()

    /** Adds what a kind of queue has declared. */
    internal fun declare(declaration: Declaration) {
        declarations += declaration
    }

    /**
     * Declares a route: the messages of [from], transformed by [transform], are sent to [to]. [Bus.runRoutes] runs it,
     * with a sender and a receiver of its own. The queues may be of different kinds. A message of a work queue is
     * acknowledged when its emission into the flow returns: without a buffer in the flow, when what became of it was
     * sent. Until then, it is given back if the route ends.
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
        declarations.forEach { it.checkAmong(declarations, faults) }
        checkRoutes(faults)
        checkLabel(faults)
        var spec = faults.check { SegmentSpec.of(specs.distinctBy { it.name }) } ?: SegmentSpec.of()
        spec = spec.withLifetime(lifetime)
        permissions?.let { wanted -> spec = faults.check { spec.withPermissions(wanted) } ?: spec }
        spec = faults.check { spec.withParticipantCapacity(participants) } ?: spec
        spec = entries?.let { faults.check { spec.withEntryCapacity(it) } } ?: spec
        spec = size?.let { faults.check { spec.withSizeBytes(it.bytes) } } ?: spec
        spec = if (hugePages) spec.withHugePages() else spec
        faults.throwIfAny(name)
        return BusTopology(name, declarations.toList(), routes.toList(), spec, label)
    }

    private fun checkLabel(faults: Faults) {
        val bytes = label.encodeToByteArray().size
        if (bytes > MAX_LABEL_BYTES || label.any { it.isISOControl() }) {
            faults += "label=\"$label\" has $bytes bytes; $MAX_LABEL_BYTES are possible, and no control characters"
        }
    }

    private fun checkRoutes(faults: Faults) {
        val declared = declarations.associate { it.entry.name to it.entry }
        routes.forEach { route ->
            route.faults(declared).forEach { faults.inside("$route") += it }
        }
        val targets = routes.map { it.to }.filter { it.hasOneSender }.groupingBy { it.name }.eachCount()
        targets.filterValues { it > 1 }.forEach { (name, count) ->
            faults += "$count routes lead to \"$name\", which has one sender at a time"
        }
        val sources = routes.map { it.from }.filter { it.hasOneReceiver }.groupingBy { it.name }.eachCount()
        sources.filterValues { it > 1 }.forEach { (name, count) ->
            faults += "$count routes begin at \"$name\", which has one receiver at a time"
        }
    }

    private companion object {
        const val MAX_LABEL_BYTES = 32
        val WORDS = mapOf(
            "participantCapacity" to "participants",
            "entryCapacity" to "entries",
            "sizeBytes" to "size",
        )
    }
}

/** What was declared of one entry of a bus. */
internal abstract class Declaration(val entry: EntryName) {
    /** The function that declares it, for example `topic`. */
    abstract val kind: String

    /** The engine's names of what can be set, with those that stand in the declaration. */
    open val words: Map<String, String> get() = emptyMap()

    /** The engine's specification; null when it is wrong, after every fault of it was added. */
    abstract fun spec(faults: Faults): EntrySpec?

    /** Adds what is wrong with it beside the others. */
    open fun checkAmong(all: List<Declaration>, faults: Faults) = Unit

    /** What it looks like in the topology's picture. */
    abstract fun picture(spec: EntrySpec): Picture

    /** Its own place among the faults. */
    protected fun inside(faults: Faults): Faults = faults.inside("$kind \"${entry.name}\"", words)

    /**
     * The specification with all settings, if each check of one of them accepts it.
     *
     * @param checks made one by one, so that each fault is found
     */
    protected fun spec(faults: Faults, vararg checks: () -> Any, all: () -> EntrySpec): EntrySpec? {
        val here = inside(faults)
        return if (checks.map { here.check(it) }.contains(null)) null else here.check { declaring(all()) }
    }

    /** The layout of the records that the entry holds is part of its specification. */
    private fun declaring(spec: EntrySpec): EntrySpec =
        (entry as? TypedEntry<*>)?.records?.takeIf { spec.layout.isEmpty() }?.declare(spec) ?: spec
}
