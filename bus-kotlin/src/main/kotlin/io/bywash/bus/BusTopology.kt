package io.bywash.bus

import io.bywash.engine.BusDirectory
import io.bywash.engine.Lifetime
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.engine.SegmentSpec
import io.bywash.engine.wait.WaitHub
import java.lang.System.Logger.Level.WARNING
import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * A valid declaration of a bus, made by [bus]: an immutable value that any thread may use. Two are equal when they have
 * the same name and the same [SegmentSpec]; codecs and routes, being code, are not compared, nor is the label.
 *
 * @property name of the segment
 */
public class BusTopology internal constructor(
    public val name: String,
    private val declarations: List<Declaration>,
    private val routes: List<Route<*, *>>,
    private val spec: SegmentSpec,
    private val label: String,
) {
    /** The names of everything that is declared, in the order of declaration. */
    public val entries: List<EntryName> = declarations.map { it.entry }

    /** The same declaration as a value of the engine. It is equal to one written in Java or configured in OSGi. */
    public fun toSpec(): SegmentSpec = spec

    /**
     * Opens the bus, runs [block] in a coroutine scope, and closes the bus. When [block] returns, the coroutines that
     * it has launched are cancelled, and have ended before the bus is closed. So endless loops and flows need no end of
     * their own. If [block] or such a coroutine fails, this throws that failure.
     *
     * @param directory as for [open], which also lists the failures
     * @return what [block] returns
     * @sample io.bywash.bus.samples.useABus
     */
    public suspend fun <R> use(directory: Path? = null, block: suspend CoroutineScope.(Bus) -> R): R =
        open(directory).use { bus ->
            coroutineScope {
                val result = block(bus)
                coroutineContext.cancelChildren()
                result
            }
        }

    /**
     * Opens the bus for the lifetime of a scope. Its routes run in [scope], and the bus is closed when [scope] and all
     * its coroutines have completed. A route that fails ends the scope as any failing child does.
     *
     * @param directory as for [open], which also lists the failures
     * @throws IllegalStateException when [scope] has no job, as [kotlinx.coroutines.GlobalScope]; nothing is opened
     */
    public fun start(scope: CoroutineScope, directory: Path? = null): Bus {
        scope.ensureActive()
        val lifetime = scope.coroutineContext.job
        val bus = open(directory)
        lifetime.invokeOnCompletion { closeLogging(bus) }
        if (routes.isNotEmpty()) {
            scope.launch { bus.runRoutes() }
        }
        return bus
    }

    /**
     * Attaches to the segment, or creates it if it does not exist. The caller must close the bus. This blocks the
     * thread for some system calls and, when it creates the segment, while the operating system allocates all its
     * memory.
     *
     * @param directory the bus directory, which must exist; null for the standard one: `$BYWASH_DIR` if that is set,
     * otherwise `/dev/shm/bywash-UID`, which is created when needed
     * @throws io.bywash.engine.SpecMismatchException when the segment exists and differs; the message lists each
     * difference
     * @throws io.bywash.engine.BusException when there is not enough memory, when all slots for participants are taken,
     * when the segment is damaged, or when the operating system refuses access
     */
    public fun open(directory: Path? = null): Bus =
        bus(if (directory == null) Segment.open(name, spec) else Segment.open(directory.resolve(name), spec))

    private fun bus(segment: Segment): Bus {
        if (label.isNotEmpty()) {
            segment.label(label)
        }
        return Bus(segment, routes)
    }

    /**
     * Attaches to the segment of this name that another process creates, whatever queues it has. Suspends, without
     * holding a thread, until it exists. Cancellation ends the wait at once, and leaves nothing attached. The timeout
     * is in real time, even under `runTest`.
     *
     * @param timeout how long to wait; zero or less does not wait
     * @param directory as for [open]
     * @throws SegmentNotFoundException when the segment does not exist within that time
     * @throws io.bywash.engine.BusException when it is damaged, when all slots for participants are taken, or when the
     * operating system refuses access
     */
    public suspend fun attach(timeout: Duration, directory: Path? = null): Bus {
        val start = TimeSource.Monotonic.markNow()
        val file = (if (directory == null) BusDirectory.standard() else BusDirectory.at(directory)).path(name)
        while (true) {
            currentCoroutineContext().ensureActive()
            try {
                return bus(Segment.attach(file, 0))
            } catch (notThere: SegmentNotFoundException) {
                if (start.elapsedNow() >= timeout) {
                    throw notThere
                }
            }
            awaitFile(file, timeout - start.elapsedNow())
        }
    }

    override fun equals(other: Any?): Boolean = other is BusTopology && name == other.name && spec == other.spec

    override fun hashCode(): Int = 31 * name.hashCode() + spec.hashCode()

    /**
     * A picture of the topology for people, for example
     * ```
     * bus "market": 16 participants, removed when unused, 8256 KiB
     *   sender -> ["ticks"  4 MiB] -> 64 receivers
     *   sender -> ["alarms" 4 MiB] -> 64 receivers
     *   route "ticks" -> "alarms"
     * ```
     */
    override fun toString(): String = buildString {
        val life = if (spec.lifetime() == Lifetime.KEPT) "kept" else "removed when unused"
        append("bus \"$name\": ${spec.participantCapacity()} participants, $life, ${Size(spec.sizeBytes())}")
        append(if (spec.hugePages()) ", huge pages" else "")
        pictures().let { all -> all.forEach { append("\n  ").append(it.text(all)) } }
        routes.forEach { append("\n  ").append(it) }
    }

    /** The same picture as a flowchart of [Mermaid](https://mermaid.js.org), which many viewers of Markdown draw. */
    public fun toMermaid(): String = buildString {
        append("flowchart LR")
        pictures().forEachIndexed { index, picture -> append(picture.mermaid("e$index", ::idOf)) }
        routes.forEach { append("\n  ${idOf(it.from.name)} -->|route| ${idOf(it.to.name)}") }
    }

    private fun pictures() = declarations.zip(spec.entries()) { declaration, entry -> declaration.picture(entry) }

    private fun idOf(entry: String) = "e${entries.indexOfFirst { it.name == entry }}"

    private companion object {
        val log = System.getLogger("io.bywash.bus")

        /** Whoever ends a scope gets no failure of the bus. */
        fun closeLogging(bus: Bus) {
            try {
                bus.close()
            } catch (failure: Throwable) {
                log.log(WARNING, "The scope of $bus has ended, and it could not be closed.", failure)
            }
        }

        /** Real time: `withTimeout` would be virtual under `runTest`. */
        suspend fun awaitFile(file: Path, timeout: Duration) {
            val resumption = Resumption(currentCoroutineContext())
            suspendCancellableCoroutine { continuation ->
                val exists = WaitHub.shared().whenExists(file, resumption)
                exists.whenComplete { _, _ -> resumption.resume(continuation) }
                exists.completeOnTimeout(null, timeout.inWholeNanoseconds, TimeUnit.NANOSECONDS)
                continuation.invokeOnCancellation { exists.cancel(false) }
            }
        }
    }
}
