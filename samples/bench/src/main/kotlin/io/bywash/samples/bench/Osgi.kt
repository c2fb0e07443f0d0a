package io.bywash.samples.bench

import io.bywash.engine.Kind
import io.bywash.engine.MessageHandler
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import io.bywash.osgi.QueueListener
import java.io.File
import java.nio.file.Files
import java.nio.file.Path
import java.util.Dictionary
import java.util.Hashtable
import java.util.Locale
import java.util.ServiceLoader
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.locks.LockSupport
import kotlin.concurrent.thread
import org.HdrHistogram.Histogram
import org.osgi.framework.Bundle
import org.osgi.framework.BundleContext
import org.osgi.framework.launch.Framework
import org.osgi.framework.launch.FrameworkFactory
import org.osgi.service.event.Event
import org.osgi.service.event.EventAdmin
import org.osgi.service.event.EventConstants
import org.osgi.service.event.EventHandler
import org.osgi.service.typedevent.TypedEventBus
import org.osgi.service.typedevent.TypedEventConstants
import org.osgi.service.typedevent.UntypedEventHandler

private const val MESSAGE_BYTES = 64
private const val RING_BYTES = 1L shl 20
private const val PACE_NANOS = 1_000_000L
private const val DEADLINE_NANOS = 60_000_000_000L
private const val TOPIC = "bench/TICK"

/** How messages come to whoever wants them, in one process. */
internal abstract class Delivery(val name: String) : AutoCloseable {
    /** Messages that came, and how long they took if they say when they were sent. */
    val count = AtomicLong()
    val nanos = Histogram(TimeUnit.MINUTES.toNanos(1), 3)

    abstract fun send(sentNanos: Long)

    fun received(sentNanos: Long) {
        if (sentNanos != 0L) {
            nanos.recordValue((System.nanoTime() - sentNanos).coerceAtLeast(0))
        }
        count.lazySet(count.plain + 1)
    }

    private fun awaitCount(wanted: Long) {
        val start = System.nanoTime()
        while (count.get() < wanted) {
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                throw BenchFailure("$name delivered ${count.get()} of $wanted messages")
            }
            idle()
        }
    }

    /** While the last messages come. */
    protected open fun idle() = Thread.onSpinWait()

    /** Whoever receives may still be about to join. */
    protected open fun awaitReceiver() {}

    /** Messages a second. */
    fun rate(messages: Long): Double {
        awaitReceiver()
        val wanted = count.get() + messages
        val start = System.nanoTime()
        repeat(messages.toInt()) { send(0) }
        awaitCount(wanted)
        return messages * 1e9 / (System.nanoTime() - start)
    }

    /** Fills [nanos] at a thousand messages a second, from the time at which each was due. */
    fun pace(messages: Long) {
        awaitReceiver()
        val wanted = count.get() + messages
        nanos.reset()
        var next = System.nanoTime()
        repeat(messages.toInt()) {
            next += PACE_NANOS
            LockSupport.parkNanos(next - System.nanoTime())
            send(next)
        }
        awaitCount(wanted)
    }
}

private abstract class QueueDelivery(name: String, segment: Segment, queue: String) : Delivery(name) {
    protected val entry = segment.directory().find(queue, Kind.BROADCAST)
    private val publisher = Publisher.open(entry)

    override fun send(sentNanos: Long) {
        publisher.claim(MESSAGE_BYTES, 0, DEADLINE_NANOS).putLong(0, sentNanos).commit()
    }

    override fun awaitReceiver() {
        if (!publisher.awaitSubscribers(1, DEADLINE_NANOS)) {
            throw BenchFailure("nobody joins the queue of $name")
        }
    }

    override fun close() = publisher.close()
}

/** The loop that a program writes. */
private class PollDelivery(segment: Segment) : QueueDelivery("poll", segment, "poll") {
    private val stopped = AtomicBoolean()
    private val loop = thread(name = "poll") {
        Subscriber.open(entry, SubscriberOptions.block()).use { subscriber ->
            val handler = MessageHandler { message -> received(message.getLong(0)) }
            while (!stopped.get()) {
                subscriber.poll(handler, 256, 100_000_000L)
            }
        }
    }

    override fun close() {
        stopped.set(true)
        loop.join()
        super.close()
    }
}

/** A listener of the whiteboard. */
private class WhiteboardDelivery(segment: Segment, context: BundleContext) :
    QueueDelivery("whiteboard", segment, "whiteboard") {
    private val registration = context.registerService(
        QueueListener::class.java,
        QueueListener { message -> received(message.getLong(0)) },
        Hashtable(mapOf("bywash.segment" to segment.name(), "bywash.queue" to "whiteboard")),
    )

    override fun close() {
        registration.unregister()
        super.close()
    }
}

/** Asynchronous events of OSGi's own bus. */
private class EventDelivery(name: String, context: BundleContext) : Delivery(name) {
    private val events = context.getService(context.getServiceReference(EventAdmin::class.java))
    private val registration = context.registerService(
        EventHandler::class.java,
        EventHandler { event -> received(event.getProperty("sent") as Long) },
        Hashtable(mapOf(EventConstants.EVENT_TOPIC to TOPIC)),
    )

    override fun send(sentNanos: Long) = events.postEvent(Event(TOPIC, mapOf("sent" to sentNanos)))

    override fun close() = registration.unregister()
}

/** Events of OSGi's other bus, Aries Typed Event. */
private class TypedEventDelivery(context: BundleContext) : Delivery("typedEvent") {
    private val events = context.getService(context.getServiceReference(TypedEventBus::class.java))
    private val registration = context.registerService(
        UntypedEventHandler::class.java,
        UntypedEventHandler { _, event -> received(event["sent"] as Long) },
        Hashtable(mapOf(TypedEventConstants.TYPED_EVENT_TOPICS to TOPIC)),
    )

    override fun send(sentNanos: Long) = events.deliverUntyped(TOPIC, mapOf("sent" to sentNanos))

    override fun close() = registration.unregister()
}

/** A Felix in this process. The types of Bywash and of the other buses are those of this program. */
private class Container(
    bus: Path,
    private val storage: Path,
    properties: Map<String, String>,
    others: List<String>,
) : AutoCloseable {
    private val framework: Framework = ServiceLoader.load(FrameworkFactory::class.java).first().newFramework(
        properties + mapOf(
            "org.osgi.framework.storage" to storage.toString(),
            "felix.log.level" to "1",
            "org.osgi.framework.system.packages.extra" to PACKAGES,
        ),
    )
    lateinit var context: BundleContext
        private set

    init {
        framework.start()
        try {
            install(bus, others)
        } catch (failure: Exception) {
            close()
            throw BenchFailure("Felix does not start: $failure")
        }
    }

    private fun install(bus: Path, others: List<String>) {
        context = framework.bundleContext
        val bundles = (BUNDLES + others).map { context.installBundle(jar(it).toURI().toString()) }
        bundles.forEach(Bundle::start)
        val admin = service("org.osgi.service.cm.ConfigurationAdmin")
        val type = admin.javaClass.interfaces.first()
        val configuration = type.getMethod("getConfiguration", String::class.java, String::class.java)
            .invoke(admin, "io.bywash.discovery", "?")
        configuration.javaClass.interfaces.first().getMethod("update", Dictionary::class.java)
            .invoke(configuration, Hashtable(mapOf("bywash.directory" to bus.toString())))
    }

    /** Of whatever class loader: the class path has another type of that name. */
    private fun service(type: String): Any {
        val start = System.nanoTime()
        while (true) {
            context.getAllServiceReferences(type, null)?.firstOrNull()?.let { return context.getService(it) }
            if (System.nanoTime() - start > DEADLINE_NANOS) {
                throw BenchFailure("there is no service $type")
            }
            Thread.sleep(1)
        }
    }

    private fun jar(name: String) = System.getProperty("java.class.path").split(':').map(::File)
        .firstOrNull { Regex("$name(-[0-9].*)?\\.jar").matches(it.name) }
        ?: throw BenchFailure("there is no $name.jar on the class path")

    override fun close() {
        framework.stop()
        framework.waitForStop(TimeUnit.NANOSECONDS.toMillis(DEADLINE_NANOS))
        removeQuietly(storage)
    }

    private companion object {
        const val PACKAGES = "io.bywash.engine;version=0.1.0,io.bywash.engine.broadcast;version=0.1.0," +
            "io.bywash.engine.call;version=0.1.0,io.bywash.engine.cell;version=0.1.0," +
            "io.bywash.engine.inspect;version=0.1.0,io.bywash.engine.pool;version=0.1.0," +
            "io.bywash.engine.queue;version=0.1.0,io.bywash.engine.record;version=0.1.0," +
            "io.bywash.engine.ring;version=0.1.0,io.bywash.engine.wait;version=0.1.0," +
            "io.bywash.osgi;version=0.1.0,io.bywash.osgi.runtime;version=0.1.0,org.osgi.service.event;version=1.4.1," +
            "org.osgi.service.typedevent;version=1.0.0,org.osgi.service.typedevent.monitor;version=1.0.0," +
            "org.osgi.util.pushstream;version=1.1.0,org.slf4j;version=1.7.36"
        val BUNDLES = listOf(
            "org.osgi.util.function", "org.osgi.util.promise", "org.osgi.service.component",
            "org.apache.felix.configadmin", "org.apache.felix.log", "org.apache.felix.scr",
            "org.apache.felix.eventadmin", "felix-bundle",
        )
    }
}

private val TYPED_EVENT_BUNDLES = listOf(
    "org.osgi.util.converter", "org.apache.aries.component-dsl.component-dsl", "org.apache.aries.typedevent.bus",
)

/** What OSGi costs beside the engine below it; the keys are explained in `docs/BENCHMARKS.md`. */
class Osgi(private val effort: Effort) {
    private val rounds = if (effort == Effort.TINY) 1 else effort.rounds
    private val messages = if (effort == Effort.TINY) 1_000L else 500_000L
    private val paced = if (effort == Effort.TINY) 20L else 10_000L
    private val idleMillis = if (effort == Effort.TINY) 100L else 10_000L
    private val figures = LinkedHashMap<String, MutableList<Double>>()

    fun run(): Map<String, Double> {
        System.setProperty("slf4j.internal.verbosity", "ERROR") // Aries logs by it, here to nobody
        return Workspace(effort.jvmFlags).use { measureAll(it) }
    }

    private fun measureAll(workspace: Workspace): Map<String, Double> {
        val bus = Files.createDirectory(workspace.directory.resolve("bus"))
        Files.createDirectory(workspace.directory.resolve("felix"))
        Segment.create(
            bus.resolve("bench"),
            SegmentSpec.of(
                listOf(Broadcast.spec("poll", RING_BYTES), Broadcast.spec("whiteboard", RING_BYTES)) + WORK_SPECS,
            ),
        ).use { segment ->
            container(bus, others = TYPED_EVENT_BUNDLES) { context ->
                measure(
                    PollDelivery(segment), WhiteboardDelivery(segment, context),
                    EventDelivery("eventAdmin", context), TypedEventDelivery(context),
                )
            }
            container(bus) { context ->
                measureRates(
                    WorkDelivery(segment, null), WorkDelivery(segment, context), CallDelivery(segment, null),
                    CallDelivery(segment, context),
                )
            }
            container(bus, mapOf("org.apache.felix.eventadmin.Timeout" to "0")) { context ->
                measure(EventDelivery("eventAdmin.noTimeout", context))
            }
            container(bus) { context ->
                val queues = OsgiQueues(workspace, bus, context, idleMillis).measure()
                queues.forEach { (key, value) -> note("queues.$key", value) }
            }
        }
        val medians = figures.mapValues { (_, values) -> values.sorted()[values.size / 2] }
        return medians.mapKeys { (key, _) -> "osgi.$key" } + listOf("", "work.", "call.").associate {
            "osgi.${it}whiteboard.vsPoll" to
                medians.getValue("${it}whiteboard.rate") / medians.getValue("${it}poll.rate")
        }
    }

    private fun container(
        bus: Path,
        properties: Map<String, String> = emptyMap(),
        others: List<String> = emptyList(),
        use: (BundleContext) -> Unit,
    ) = Container(bus, Files.createTempDirectory(bus.resolveSibling("felix"), ""), properties, others)
        .use { use(it.context) }

    /** The deliveries take turns. Each is warmed up first. */
    private fun measureTurns(vararg deliveries: Delivery) {
        deliveries.forEach { it.rate(messages) }
        repeat(rounds) {
            deliveries.forEach { note("${it.name}.rate", it.rate(messages)) }
        }
    }

    private fun measureRates(vararg deliveries: Delivery) {
        measureTurns(*deliveries)
        deliveries.forEach(Delivery::close)
    }

    private fun measure(vararg deliveries: Delivery) {
        measureTurns(*deliveries)
        deliveries.forEach { delivery ->
            val control = Control()
            delivery.pace(paced)
            control.close()
            note("${delivery.name}.p50", delivery.nanos.getValueAtPercentile(50.0) / 1e3)
            note("${delivery.name}.p99", delivery.nanos.getValueAtPercentile(99.0) / 1e3)
            note("${delivery.name}.max", delivery.nanos.maxValue / 1e3)
            note("${delivery.name}.sleepMax", control.maxNanos / 1e3)
        }
        deliveries.forEach(Delivery::close)
    }

    private fun note(key: String, value: Double) {
        figures.getOrPut(key) { ArrayList() } += value
    }

    /** A thread that only sleeps, a millisecond at a time: what it oversleeps is the machine's, not a delivery's. */
    private class Control : AutoCloseable {
        private val stopped = AtomicBoolean()

        @Volatile
        var maxNanos = 0L
            private set
        private val sleeper = thread(name = "sleeper") {
            while (!stopped.get()) {
                val start = System.nanoTime()
                LockSupport.parkNanos(PACE_NANOS)
                maxNanos = maxOf(maxNanos, System.nanoTime() - start - PACE_NANOS)
            }
        }

        override fun close() {
            stopped.set(true)
            sleeper.join()
        }
    }
}

/** The figures as one line. */
fun osgiJson(effort: Effort, figures: Map<String, Double>) =
    (listOf("\"indicative\": ${effort != Effort.FULL}") +
        figures.map { (key, value) -> "\"$key\": ${"%.3f".format(Locale.ROOT, value)}" }).joinToString(", ", "{", "}")

/** The figures as a table. */
fun osgiTable(figures: Map<String, Double>): Table {
    val names = figures.keys.map { it.removePrefix("osgi.").substringBeforeLast('.') }.distinct() - "queues"
    val metrics = listOf("rate", "p50", "p99", "max", "sleepMax", "vsPoll")
    return Table(
        "osgi: messages a second, and microseconds at 1,000 a second",
        listOf("delivery") + metrics,
        names.map { name ->
            listOf(name) + metrics.map { metric ->
                val digits = if (metric == "rate") 0 else 2
                figures["osgi.$name.$metric"]?.let { "%,.${digits}f".format(Locale.ROOT, it) } ?: ""
            }
        },
    )
}
