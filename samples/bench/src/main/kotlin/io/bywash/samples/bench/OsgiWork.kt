package io.bywash.samples.bench

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.call.Caller
import io.bywash.engine.call.Endpoint
import io.bywash.engine.call.Responder
import io.bywash.engine.queue.Consumer
import io.bywash.engine.queue.Producer
import io.bywash.engine.queue.WorkQueue
import io.bywash.osgi.CallResponder
import io.bywash.osgi.WorkQueueConsumer
import java.util.Hashtable
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.concurrent.thread
import org.osgi.framework.BundleContext

private const val BYTES = 64
private const val WAIT_NANOS = 100_000_000L

/** What is measured, by the names of the queues. */
internal val WORK_SPECS = listOf(
    WorkQueue.spec("work.poll", 4096, BYTES), WorkQueue.spec("work.whiteboard", 4096, BYTES),
    Endpoint.of("call.poll", BYTES, BYTES).spec(), Endpoint.of("call.whiteboard", BYTES, BYTES).spec(),
)

/** The loop of a program, until it is closed. */
private class Loop(name: String, step: () -> Unit) : AutoCloseable {
    private val stopped = AtomicBoolean()
    private val loop = thread(name = name) {
        while (!stopped.get()) {
            step()
        }
    }

    override fun close() {
        stopped.set(true)
        loop.join()
    }
}

private fun register(context: BundleContext, type: Class<*>, consumer: Any, segment: Segment, queue: String) =
    AutoCloseable(
        context.registerService(
            type.name, consumer, Hashtable(mapOf("bywash.segment" to segment.name(), "bywash.queue" to queue)),
        )::unregister,
    )

/** Messages of a work queue; [context] is null for the engine's own loop. */
internal class WorkDelivery(segment: Segment, context: BundleContext?) :
    Delivery(if (context == null) "work.poll" else "work.whiteboard") {
    private val entry = segment.directory().find(name, Kind.WORK_QUEUE)
    private val producer = Producer.open(entry)
    private val message = ByteArray(BYTES)
    private val ends = ArrayList<AutoCloseable>()

    init {
        if (context == null) {
            val consumer = Consumer.open(entry)
            val handler = Consumer.Handler { received(0) }
            ends += Loop(name) { consumer.poll(handler, 256, WAIT_NANOS) }
            ends += consumer
        } else {
            ends += register(context, WorkQueueConsumer::class.java, WorkQueueConsumer { received(0) }, segment, name)
        }
    }

    override fun send(sentNanos: Long) {
        producer.offer(message, 0, BYTES, 0, Long.MAX_VALUE)
    }

    override fun close() {
        ends.forEach(AutoCloseable::close)
        producer.close()
    }
}

/** Calls, as many in flight as a caller can have; [context] is null for the engine's own loop. */
internal class CallDelivery(segment: Segment, context: BundleContext?) :
    Delivery(if (context == null) "call.poll" else "call.whiteboard") {
    private val entry = segment.directory().find(name, Kind.ENDPOINT)
    private val caller = Caller.open(entry)
    private val bytes = ByteArray(BYTES)
    private val ends = ArrayList<AutoCloseable>()

    init {
        if (context == null) {
            val responder = Responder.open(entry)
            val handler = Responder.Handler { it.reply(bytes) }
            ends += Loop(name) { responder.poll(handler, 256, WAIT_NANOS) }
            ends += responder
        } else {
            ends += register(context, CallResponder::class.java, CallResponder { it.reply(bytes) }, segment, name)
        }
    }

    override fun send(sentNanos: Long) {
        while (caller.send(bytes, WAIT_NANOS * 600) == null) {
            takeReply()
        }
    }

    /** The same thread sends, and takes replies. */
    override fun idle() = takeReply()

    private fun takeReply() {
        caller.await(WAIT_NANOS)?.use {
            it.reply()
            received(0)
        }
    }

    override fun close() {
        caller.close()
        ends.forEach(AutoCloseable::close)
    }
}
