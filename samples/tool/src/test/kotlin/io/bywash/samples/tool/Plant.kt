package io.bywash.samples.tool

import io.bywash.engine.BusDirectory
import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentClosedException
import io.bywash.engine.SegmentSpec
import io.bywash.engine.broadcast.Broadcast
import io.bywash.engine.broadcast.Publisher
import io.bywash.engine.broadcast.Subscriber
import io.bywash.engine.broadcast.SubscriberOptions
import io.bywash.engine.pool.Pool
import io.bywash.engine.queue.Consumer
import io.bywash.engine.queue.Producer
import io.bywash.engine.queue.WorkQueue
import io.bywash.engine.ring.Ring
import io.bywash.engine.ring.RingPopper
import io.bywash.engine.ring.RingWriter
import java.nio.file.Path
import java.util.concurrent.TimeUnit

const val ORDER_LAYOUT = "0 32 Order\n 0 long time\n 8 (Price) limit\n 24 enum(BUY,SELL) side\n 28 string[4] symbol\n" +
    "- 16 Price\n 0 long units\n 8 byte scale\n"

/** A segment with some of each kind that messages go through. */
val plantSpec: SegmentSpec = SegmentSpec.of(
    Broadcast.spec("orders", 4096, 4).withLayout(ORDER_LAYOUT), Broadcast.spec("notes", 4096, 4),
    WorkQueue.spec("jobs", 4, 64), Ring.spec("frames", 8, 16), Pool.spec("things", 4, 64),
)

/** Reads a message of each, says so, and then nothing but waits for its end. */
object Archive {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val segment = Segment.attach(Path.of(arguments[0]), TimeUnit.SECONDS.toNanos(30))
        segment.label("archiver")
        val subscriber = Subscriber.open(segment.directory().find("orders", Kind.BROADCAST), SubscriberOptions.block())
        subscriber.label("archive")
        val consumer = Consumer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))
        consumer.label("worker")
        val popper = RingPopper.open(segment.directory().find("frames", Kind.RING))
        popper.label("painter")
        println("joined")
        checkNotNull(consumer.take(TimeUnit.SECONDS.toNanos(60)))
        println("holds a message")
        System.`in`.read()
    }
}

/** The other side of an [Archive]: writes wherever there is room, and waits where is none, in a thread for each. */
class Feed(private val bus: Path) : AutoCloseable {
    val segment: Segment = Segment.create(bus.resolve("market"), plantSpec)
    private val publisher = Publisher.open(segment.directory().find("orders", Kind.BROADCAST))
    private val threads = mutableListOf<Thread>()

    @Volatile
    private var isOver = false

    init {
        publisher.label("feed")
    }

    fun start() {
        val producer = Producer.open(segment.directory().find("jobs", Kind.WORK_QUEUE))
        val writer = RingWriter.open(segment.directory().find("frames", Kind.RING))
        producer.label("clerk")
        writer.label("camera")
        val order = order(7, 150, 1, "AB")
        run { publisher.offer(order, 0, order.size, 0, WAIT_NANOS) }
        run { producer.offer("a job".toByteArray(), 0, 5, 0, WAIT_NANOS) }
        run { writer.push(ByteArray(16), WAIT_NANOS) }
    }

    private fun run(step: () -> Unit) {
        threads += Thread {
            try {
                while (true) {
                    step()
                }
            } catch (over: SegmentClosedException) {
                check(isOver) { over }
            }
        }.apply { start() }
    }

    override fun close() {
        isOver = true
        segment.close() // ends the waits
        threads.forEach { it.join() }
        BusDirectory.at(bus).remove("market") // it stays while there are messages in a work queue
    }

    companion object {
        /** Whoever waits is seen to wait at each look. */
        private val WAIT_NANOS = TimeUnit.HOURS.toNanos(1)

        /** The bytes of an order, written by hand. */
        fun order(time: Long, units: Long, side: Int, symbol: String): ByteArray = ByteArray(32).also {
            val bytes = littleEndian(it).putLong(0, time).putLong(8, units).put(16, 2).putInt(24, side)
            bytes.put(28, symbol.toByteArray())
        }
    }
}
