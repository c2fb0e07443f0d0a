package io.bywash.bus

import io.bywash.engine.BusDirectory
import io.bywash.engine.Lifetime
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.engine.SegmentSpec
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource
import kotlinx.coroutines.delay

/**
 * A valid declaration of a bus, made by [bus]: an immutable value that any thread may use. Two are equal when they have
 * the same name and the same [SegmentSpec]; codecs, being code, are not compared.
 *
 * @property name of the segment
 */
public class BusTopology internal constructor(
    public val name: String,
    queues: List<Queue<*>>,
    private val spec: SegmentSpec,
) {
    /** The typed names of the declared queues, in the order of declaration. */
    public val queues: List<Queue<*>> = queues.toList()

    /** The same declaration as the engine's value, equal to one written in Java or configured in a container. */
    public fun toSpec(): SegmentSpec = spec

    /**
     * Attaches to the segment, or creates it if there is none. Takes a system call or two, and at creation the time in
     * which the operating system allocates all the memory.
     *
     * @param directory where the segment lies, a directory that exists; null for the standard one: `$BYWASH_DIR`, else
     * `/dev/shm/bywash-UID`, which is made when needed
     * @throws io.bywash.engine.SpecMismatchException when it exists and differs; every difference is listed
     * @throws io.bywash.engine.BusException when memory, a place among the participants or a permission is missing
     */
    public fun open(directory: Path? = null): Bus =
        Bus(if (directory == null) Segment.open(name, spec) else Segment.open(directory.resolve(name), spec))

    /**
     * Attaches to the segment of this name as another process created it, whatever is in it, and waits for it to exist.
     * No thread is held while waiting; cancellation ends it at once, and leaves nothing attached.
     *
     * @param timeout how long to wait; zero or less does not
     * @param directory as in [open]
     * @throws SegmentNotFoundException when there is none in that time
     * @throws io.bywash.engine.BusException when it is damaged or full, or may not be opened
     */
    public suspend fun attach(timeout: Duration, directory: Path? = null): Bus {
        val start = TimeSource.Monotonic.markNow()
        val file = (if (directory == null) BusDirectory.standard() else BusDirectory.at(directory)).path(name)
        while (true) {
            try {
                return Bus(Segment.attach(file, 0))
            } catch (notThere: SegmentNotFoundException) {
                if (start.elapsedNow() >= timeout) {
                    throw notThere
                }
            }
            delay(LOOK)
        }
    }

    override fun equals(other: Any?): Boolean = other is BusTopology && name == other.name && spec == other.spec

    override fun hashCode(): Int = 31 * name.hashCode() + spec.hashCode()

    /**
     * A picture of it, for example
     * ```
     * bus "market": 16 participants, removed when unused, 8256 KiB
     *   sender -> ["ticks"  4 MiB] -> 64 receivers
     *   sender -> ["trades" 4 MiB] -> 64 receivers
     * ```
     */
    override fun toString(): String = buildString {
        val life = if (spec.lifetime() == Lifetime.KEPT) "kept" else "removed when unused"
        append("bus \"$name\": ${spec.participantCapacity()} participants, $life, ${Size(spec.sizeBytes())}")
        val width = spec.entries().maxOfOrNull { it.name.length } ?: 0
        spec.entries().forEach {
            append("\n  sender -> [").append("\"${it.name}\"".padEnd(width + 2)).append(" ${Size(it.capacity)}]")
            append(" -> ${it.roleCount - 1} receivers")
        }
    }

    private companion object {
        /** How often to look for a segment that is not there yet. */
        val LOOK = 2.milliseconds
    }
}
