package io.bywash.samples.demo

import io.bywash.engine.BusException
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentNotFoundException
import io.bywash.engine.broadcast.BroadcastStatus

/** The demo cannot go on; the message says why and what to do. */
class DemoFailure(message: String) : Exception(message)

/** Starts the three processes, kills the first one halfway, brings it back, and compares what all of them counted. */
class DemoRun(private val seconds: Int, private val feedArguments: List<String>, private val view: View) : AutoCloseable {
    private val startNanos = System.nanoTime()
    private val feed = Lane("feed      (Kotlin)")
    private val container = Lane("container (OSGi)")
    private val receiver = Lane("receiver  (coroutine)")
    private val lanes = listOf(feed, container, receiver)
    private val hook = Thread { endAll() }

    init {
        requireNoOther()
        Runtime.getRuntime().addShutdownHook(hook)
    }

    /** Only one demo at a time uses the segment. One that was killed may have left it: then the last one out removes it. */
    private fun requireNoOther() {
        try {
            Segment.observe(demoBus.name).use { segment ->
                segment.participants().firstOrNull { it.alive() }?.let {
                    throw DemoFailure("another demo is running (process ${it.pid()} uses segment ${segment.path()}); wait for its end")
                }
            }
            removeLeftSegment()
        } catch (usual: SegmentNotFoundException) {
            // nobody runs a demo, and nobody left anything
        } catch (unusable: BusException) {
            throw DemoFailure(unusable.message.orEmpty())
        }
    }

    private fun removeLeftSegment() = Segment.attach(demoBus.name, 0).close()

    private fun endAll() {
        lanes.forEach { it.end() }
        lanes.forEach { it.awaitEnd() }
        try {
            removeLeftSegment() // those who were interrupted did not close it
        } catch (usual: BusException) {
            // it was closed in order, or was never there
        }
    }

    fun run(): DemoResult {
        container.start(Programs.container())
        receiver.start(Programs.java("io.bywash.samples.demo.Receive"))
        startFeed()
        watch("the queue's service appears in the container") { container.events.containsKey("appeared") }

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
        val published = published()
        watchWhileChanging { listOf(container, receiver).all { it.count("received") >= published } }
        receiver.stop()
        container.end()
        watch("the consumers end") { !receiver.isAlive && !container.isAlive }
        view.close()
        return DemoResult(published, receiver, container, withdrawnNanos / 1_000_000, returnedNanos / 1_000_000, feed.exitCode)
    }

    private fun startFeed() = feed.start(Programs.java("io.bywash.samples.demo.FeedKt", *feedArguments.toTypedArray()))

    private fun killFeed(): Long {
        val pid = feed.pid
        val killed = System.nanoTime()
        feed.kill()
        view.say("killed the feed, process $pid, with SIGKILL")
        return killed
    }

    /** What the segment itself says was committed. */
    private fun published(): Long = Segment.observe(demoBus.name).use {
        BroadcastStatus.of(it.directory().find(readings.name, Kind.BROADCAST)).messageCount()
    }

    private fun look() {
        Thread.sleep(LOOK_MILLIS)
        feed.rate.set(try { published() } catch (notYet: BusException) { 0 })
        listOf(container, receiver).forEach { it.rate.set(it.count("received")) }
        view.show(lanes, (System.nanoTime() - startNanos) / 1e9)
        lanes.firstOrNull { it.hasFailed }?.let { throw DemoFailure("the process in lane ${it.name.trim()} failed\n${it.lastLines()}") }
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
        view.close()
        Runtime.getRuntime().removeShutdownHook(hook)
    }

    private companion object {
        const val LOOK_MILLIS = 50L
        const val PATIENCE_NANOS = 30_000_000_000L
        const val STILL_NANOS = 5_000_000_000L
    }
}
