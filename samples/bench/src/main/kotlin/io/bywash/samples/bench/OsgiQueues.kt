package io.bywash.samples.bench

import com.sun.management.OperatingSystemMXBean
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import java.lang.management.ManagementFactory
import java.nio.file.Files
import java.nio.file.Path
import java.util.Locale
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import org.osgi.framework.AllServiceListener
import org.osgi.framework.BundleContext
import org.osgi.framework.ServiceEvent

private const val SEGMENTS = 4
private const val QUEUES = 250
private const val LOOKS = 10
private const val LOOK_MILLIS = 20L
private const val DEADLINE_NANOS = 60_000_000_000L

/** A thousand queues of another process: how soon they are services, and what they cost while nothing happens. */
class OsgiQueues(
    private val workspace: Workspace,
    private val bus: Path,
    private val context: BundleContext,
    private val idleMillis: Long,
) {
    private val system = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean
    private val self = Path.of("/proc/self")

    fun measure(): Map<String, Double> {
        val without = idlePercent()
        val descriptors = lasting(::descriptors)
        val mappings = lasting(::mappings)
        val owner = workspace.start(
            "owner of queues",
            listOf(
                Workspace.JAVA, "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", System.getProperty("java.class.path"),
                OsgiQueuesOwner::class.java.name, bus.toString(),
            ),
        )
        try {
            return mapOf(
                "appearMillis" to appearNanos(owner) / 1e6,
                "idlePercent" to idlePercent(),
                "idlePercentWithout" to without,
                "descriptors" to lasting(::descriptors) - descriptors,
                "mappings" to lasting(::mappings) - mappings,
            )
        } finally {
            owner.kill()
        }
    }

    /** From the creation of the last segment, in the other process, to the last service. */
    private fun appearNanos(owner: ChildJvm): Double {
        val count = AtomicInteger()
        val lastNanos = AtomicLong()
        val listener = AllServiceListener { event ->
            if (event.type == ServiceEvent.REGISTERED && count.incrementAndGet() == SEGMENTS * QUEUES) {
                lastNanos.set(System.nanoTime())
            }
        }
        context.addServiceListener(listener, "(bywash.segment=many*)")
        owner.answer()
        val createdNanos = owner.ask("create").long("nanos")
        while (lastNanos.get() == 0L) {
            if (System.nanoTime() - createdNanos > DEADLINE_NANOS) {
                throw BenchFailure("only $count of ${SEGMENTS * QUEUES} queues became services")
            }
            Thread.sleep(1)
        }
        context.removeServiceListener(listener)
        return (lastNanos.get() - createdNanos).toDouble()
    }

    /** Of one core, after it has settled. */
    private fun idlePercent(): Double {
        Thread.sleep(idleMillis / 4)
        val start = System.nanoTime()
        val used = system.processCpuTime
        Thread.sleep(idleMillis)
        return (system.processCpuTime - used) * 100.0 / (System.nanoTime() - start)
    }

    /** What stays: one more may be there while a segment is looked at, or until the garbage collector has come. */
    private fun lasting(count: () -> Double): Double = (1..LOOKS).minOf {
        System.gc()
        Thread.sleep(LOOK_MILLIS)
        count()
    }

    private fun descriptors() = Files.list(self.resolve("fd")).use { all ->
        all.filter { it.toFile().canonicalPath.startsWith("$bus/") }.count().toDouble()
    }

    private fun mappings() = Files.lines(self.resolve("maps")).use { all ->
        all.filter { "$bus/" in it }.count().toDouble()
    }
}

/** The other process. It has created them when it answers, and keeps them until its input ends. */
object OsgiQueuesOwner {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val spec = SegmentSpec.of(*Array(QUEUES) { Broadcast.spec("q$it", 4096, 1) })
        val bus = Path.of(arguments[0])
        val lines = commands(bus.parent)
        println("ok")
        lines.take()
        repeat(SEGMENTS) { Segment.create(bus.resolve("many$it"), spec) }
        println("ok nanos=${System.nanoTime()}")
        lines.take() // until the end
    }
}

/** The figures of queues as a table. */
fun osgiQueuesTable(figures: Map<String, Double>): Table {
    val queues = figures.filterKeys { it.startsWith("osgi.queues.") }
    return Table(
        "osgi.queues: a thousand of another process, in four segments",
        queues.keys.map { it.removePrefix("osgi.queues.") },
        listOf(queues.values.map { "%,.2f".format(Locale.ROOT, it) }),
    )
}
