package io.bywash.samples.demo

import io.bywash.engine.BusException
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.broadcast.BroadcastStatus
import io.bywash.samples.tool.recording.Recorded
import io.bywash.samples.tool.recording.Recorder
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.io.path.readText

/** The demo cannot go on; the message says why and what to do. */
class DemoFailure(message: String) : Exception(message)

/** Starts the three processes, kills the first one halfway, brings it back, and compares what all of them counted. */
class DemoRun(
    private val seconds: Int, private val feedArguments: List<String>, private val record: Path?,
    private val view: View,
) : AutoCloseable {
    private val startNanos = System.nanoTime()
    private val loadBefore = Path.of("/proc/loadavg").readText().substringBefore(' ')
    private val feed = Lane("feed      (Kotlin)", isConsumer = false)
    private val container = Lane("container (OSGi)")
    private val receiver = Lane("receiver  (coroutine)")
    private val lanes = listOf(feed, container, receiver)

    /** Whoever creates the segment runs the demo. It is left to the other three as soon as they are there. */
    private val created = OneDemo.create()
    private val observed = Segment.observe(demoBus.name)
    private val recorder = Recorder(observed, readings.name)
    private val storage = Files.createTempDirectory("bywash-demo-felix-")
    private val hook = Thread { endAll() }
    private var isEnded = false

    init {
        Runtime.getRuntime().addShutdownHook(hook)
    }

    @Synchronized
    private fun endAll() {
        if (isEnded) {
            return
        }
        isEnded = true
        view.close()
        recorder.stop()
        lanes.forEach { it.end() }
        lanes.forEach { it.awaitEnd() }
        created.close()
        observed.close()
        try {
            OneDemo.removeLeft() // those who were interrupted did not close it
        } catch (usual: BusException) {
            // it was closed in order
        }
        storage.toFile().deleteRecursively()
    }

    /** One step of the run, which an interrupt ends before or after it: then no process starts and nothing is read. */
    @Synchronized
    private fun <T> step(action: () -> T): T {
        if (isEnded) {
            throw DemoFailure("interrupted")
        }
        return action()
    }

    fun run(): DemoResult {
        val recording = record?.let { file ->
            val channel = Recorder.create(file)
            CompletableFuture.supplyAsync { recorder.record(channel, file.toString(), fromOldest = true) }
        }
        step { container.start(Programs.container(storage)) }
        step { receiver.start(Programs.java("io.bywash.samples.demo.Receive")) }
        startFeed()
        watch("both consumers get what the feed publishes") {
            listOf(container, receiver).all { it.count("received") > 0 }
        }
        created.close() // from now on the queue stands and falls with the feed

        watchFor(seconds / 2.0)
        val killed = killFeed()
        watch("the queue's service is withdrawn") { container.events.containsKey("vanished") }
        val withdrawnNanos = container.events.getValue("vanished") - killed
        view.say("the container has withdrawn the queue's service, with every committed message delivered")

        container.events.remove("appeared")
        val restarted = System.nanoTime()
        startFeed()
        view.say("feed started again as process ${feed.pid}")
        watch("the queue's service comes back") { container.events.containsKey("appeared") }
        val returnedNanos = container.events.getValue("appeared") - restarted
        view.say("the service is back, and both consumers go on where they were")

        watchFor(seconds / 2.0)
        feed.stop()
        watch("the feed ends") { !feed.isAlive }
        val published = status().messageCount()
        watchWhileChanging { listOf(container, receiver).all { it.count("received") >= published } }
        receiver.stop()
        container.end()
        watch("the consumers end") { !receiver.isAlive && !container.isAlive }
        look() // what stays on the screen is what is true at the end
        recording?.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS)?.let(::report) // it ends with the segment
        return DemoResult(
            published, status().blockedCount(), receiver, container,
            withdrawnNanos / 1_000_000, returnedNanos / 1_000_000, feed.exitCode, loadBefore,
        )
    }

    private fun report(recorded: Recorded) {
        recorded.failure?.let { throw DemoFailure(it) }
        view.say("recorded ${recorded.messages} readings, and lost ${recorded.lost}")
    }

    private fun startFeed() =
        step { feed.start(Programs.java("io.bywash.samples.demo.FeedKt", *feedArguments.toTypedArray())) }

    private fun killFeed(): Long {
        val pid = feed.pid
        val killed = System.nanoTime()
        feed.kill()
        view.say("killed the feed, process $pid, with SIGKILL")
        return killed
    }

    /** What the segment itself says, also when everybody has left it. */
    private fun status(): BroadcastStatus =
        step { BroadcastStatus.of(observed.directory().find(readings.name, Kind.BROADCAST)) }

    private fun look() {
        Thread.sleep(LOOK_MILLIS)
        val status = status()
        feed.rate.set(status.messageCount())
        listOf(container, receiver).forEach { it.rate.set(it.count("received")) }
        view.show(lanes, status.blockedCount(), (System.nanoTime() - startNanos) / 1e9)
        lanes.firstOrNull { it.hasFailed }?.let {
            throw DemoFailure("the process in lane ${it.name.trim()} failed\n${it.lastLines()}")
        }
    }

    private fun watchFor(duration: Double) {
        val end = System.nanoTime() + (duration * 1e9).toLong()
        while (System.nanoTime() < end) {
            look()
        }
    }

    private fun watch(what: String, isDone: () -> Boolean) {
        val end = System.nanoTime() + PATIENCE_NANOS
        while (!isDone()) {
            look()
            if (System.nanoTime() > end) {
                throw DemoFailure("waited in vain until $what\n" + lanes.joinToString("\n") { it.lastLines() })
            }
        }
    }

    /** Waits as long as the consumers get anything. */
    private fun watchWhileChanging(isDone: () -> Boolean) {
        var last = -1L
        var changed = System.nanoTime()
        while (!isDone() && System.nanoTime() - changed < STILL_NANOS) {
            look()
            val now = container.count("received") + receiver.count("received")
            if (now != last) {
                last = now
                changed = System.nanoTime()
            }
        }
    }

    override fun close() {
        endAll()
        try {
            Runtime.getRuntime().removeShutdownHook(hook)
        } catch (interrupted: IllegalStateException) {
            // the hook runs already
        }
    }

    private companion object {
        const val LOOK_MILLIS = 100L
        const val PATIENCE_NANOS = 60_000_000_000L
        const val STILL_NANOS = 30_000_000_000L
    }
}
