package io.bywash.samples.bench

import io.bywash.engine.Kind
import io.bywash.engine.Segment
import io.bywash.engine.SegmentSpec
import io.bywash.engine.queue.Consumer
import io.bywash.engine.queue.Delivery
import io.bywash.engine.queue.Producer
import io.bywash.engine.queue.WorkQueue
import io.bywash.engine.wait.WaitPolicy
import java.net.StandardProtocolFamily
import java.net.UnixDomainSocketAddress
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import org.jctools.queues.MpmcArrayQueue

private const val QUEUE = "queue"

/** So long one call waits for a message or for room; a reader that is to end has to look up now and then. */
private const val WAIT_NANOS = 10_000_000L
private val PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20)

internal fun slots(channel: Channel) = java.lang.Long.highestOneBit(channel.ringBytes / Payload.SIZE).toInt()

/** A system in which each message goes to one of its readers; measured in its own scenario. */
abstract class QueueContender(name: String, policies: List<Policy>) : Contender(name, policies) {
    override val streams get() = false
    override val sizes get() = setOf(Plan.QUEUE_MESSAGE_BYTES)
}

/**
 * Bywash's work queue, written and read in place.
 *
 * @param isSingle whether each message is taken and acknowledged by a call of its own, instead of by a handler
 */
class WorkQueueContender(name: String = "bywash.queue", private val isSingle: Boolean = false) :
    QueueContender(name, WaitPolicy.entries.map { Policy.valueOf(it.name) }) {
    private fun waiting(policy: Policy) = WaitPolicy.valueOf(policy.name)

    override fun writer(channel: Channel, policy: Policy): Writer {
        val spec = SegmentSpec.of(WorkQueue.spec(QUEUE, slots(channel), Payload.SIZE))
        val segment = Segment.open(channel.file, spec)
        return Producing(segment, Producer.open(segment.directory().find(QUEUE, Kind.WORK_QUEUE), waiting(policy)))
    }

    private class Producing(private val segment: Segment, private val producer: Producer) : Writer() {
        override fun send(first: Long) {
            while (true) {
                val claim = producer.claim(Payload.SIZE, 0, WAIT_NANOS) ?: continue
                if (Payload.IN_WORDS) {
                    for (i in 0 until Payload.WORDS) {
                        claim.putLong(i * Long.SIZE_BYTES, Payload.word(first, i))
                    }
                } else {
                    claim.putBytes(0, Payload.TEMPLATE, 0, Payload.SIZE)
                    claim.putLong(0, first)
                }
                while (!claim.tryCommit(WAIT_NANOS)) { // another producer has taken the room
                    Thread.onSpinWait()
                }
                return
            }
        }

        override fun close() {
            producer.close()
            segment.close()
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val segment = Segment.attach(channel.file, PATIENCE_NANOS)
        val consumer = Consumer.open(segment.directory().find(QUEUE, Kind.WORK_QUEUE), waiting(policy))
        return if (isSingle) Taking(segment, consumer) else Consuming(segment, consumer)
    }

    private class Taking(segment: Segment, consumer: Consumer) : Consuming(segment, consumer) {
        override fun receive(limit: Int): Int {
            val message = consumer.take(WAIT_NANOS) ?: return 0
            onMessage(message)
            message.ack()
            return 1
        }
    }

    private open class Consuming(private val segment: Segment, protected val consumer: Consumer) :
        Reader(), Consumer.Handler {
        override fun receive(limit: Int) = consumer.poll(this, limit, WAIT_NANOS)

        override fun onMessage(message: Delivery) {
            var words = 0L
            for (i in 0 until Payload.WORDS) {
                words += message.getLong(i * Long.SIZE_BYTES)
            }
            take(message.getLong(0), words)
        }

        override fun hold() {
            checkNotNull(consumer.take(PATIENCE_NANOS)) { "there is no message to hold" }
        }

        override fun close() {
            consumer.close()
            segment.close()
        }
    }
}

/**
 * JCTools' queue for many producers and consumers: threads of one process. Its messages are objects that exist before,
 * so that nothing is allocated: the writer has twice as many as the queue has room for, and uses them in turn. That
 * suffices for one reader; with several, one that is held up could read a message that is written again.
 */
class JcToolsContender : QueueContender(NAME, RIVAL_POLICIES - Policy.LAZY) {
    private val queues = ConcurrentHashMap<Int, MpmcArrayQueue<LongArray>>()

    override val crossesProcesses get() = false

    override fun writer(channel: Channel, policy: Policy): Writer {
        val capacity = slots(channel)
        val queue = queues.computeIfAbsent(channel.id) { MpmcArrayQueue(capacity) }
        val idle = Idle.of(policy)
        return object : Writer() {
            private val messages = Array(SPARES * capacity) { LongArray(Payload.WORDS) }
            private var next = 0

            override fun send(first: Long) {
                val message = messages[next]
                next = next + 1 and messages.size - 1
                for (i in message.indices) {
                    message[i] = Payload.word(first, i)
                }
                while (!queue.offer(message)) {
                    idle.idle(0, 1)
                }
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val queue = queues.getValue(channel.id)
        val idle = Idle.of(policy)
        return object : Reader() {
            override fun receive(limit: Int): Int {
                var count = 0
                while (count < limit) {
                    val message = queue.poll() ?: break
                    take(message[0], message.sum())
                    count++
                }
                idle.idle(count, limit)
                return count
            }
        }
    }

    companion object {
        const val NAME = "jctools.mpmc"
        private const val SPARES = 2
    }
}

/** A Unix domain socket: a call of the kernel for each message that is sent; many are received by one. */
class UnixSocketContender : QueueContender(NAME, listOf(Policy.BLOCK)) {
    override fun writer(channel: Channel, policy: Policy): Writer {
        val server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)
        server.bind(UnixDomainSocketAddress.of(channel.file))
        return object : Writer() {
            private val buffer = ByteBuffer.allocateDirect(Payload.SIZE).order(ByteOrder.nativeOrder())
            private lateinit var socket: SocketChannel

            override fun connect() {
                socket = server.accept()
            }

            override fun send(first: Long) {
                buffer.clear()
                for (i in 0 until Payload.WORDS) {
                    buffer.putLong(Payload.word(first, i))
                }
                buffer.flip()
                while (buffer.hasRemaining()) {
                    socket.write(buffer)
                }
            }

            override fun close() {
                socket.close()
                server.close()
            }
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader {
        val socket = SocketChannel.open(UnixDomainSocketAddress.of(channel.file))
        return object : Reader() {
            private val buffer = ByteBuffer.allocateDirect(BUFFERED * Payload.SIZE).order(ByteOrder.nativeOrder())

            override fun receive(limit: Int): Int {
                check(socket.read(buffer) >= 0) { "the writer has gone" }
                buffer.flip()
                val count = buffer.remaining() / Payload.SIZE
                repeat(count) {
                    val first = buffer.getLong()
                    var words = first
                    for (i in 1 until Payload.WORDS) {
                        words += buffer.getLong()
                    }
                    take(first, words)
                }
                buffer.compact()
                return count
            }

            override fun close() = socket.close()
        }
    }

    companion object {
        const val NAME = "unix.socket"
        private const val BUFFERED = 1024
    }
}
