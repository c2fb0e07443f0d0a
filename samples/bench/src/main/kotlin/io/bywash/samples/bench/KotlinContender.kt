package io.bywash.samples.bench

import io.bywash.bus.Bus
import io.bywash.bus.DirectCodec
import io.bywash.bus.MessageWriter
import io.bywash.bus.Receiver
import io.bywash.bus.Sender
import io.bywash.bus.SharedSender
import io.bywash.bus.broadcast.Topic
import io.bywash.bus.broadcast.topic
import io.bywash.bus.bus
import io.bywash.bus.bytes
import io.bywash.engine.Message
import java.nio.file.Path
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

private const val BATCH = 16
private val PATIENCE = 20.seconds

/** What a message of [Payload] holds, as a value. */
class Content(@JvmField var first: Long, @JvmField var sum: Long = 0)

/**
 * Values are made of messages as users do it; with [isReusing] it is always the same one, so that nothing but the
 * library itself could allocate. For one receiver.
 */
class ContentCodec(isReusing: Boolean) : DirectCodec<Content> {
    private val only = if (isReusing) Content(0) else null

    override fun length(value: Content) = Payload.SIZE

    override fun write(value: Content, writer: MessageWriter) {
        if (Payload.IN_WORDS) {
            for (i in 0 until Payload.WORDS) {
                writer.putLong(i * Long.SIZE_BYTES, Payload.word(value.first, i))
            }
        } else {
            writer.putBytes(0, Payload.TEMPLATE)
            writer.putLong(0, value.first)
        }
    }

    override fun read(message: Message): Content {
        var sum = 0L
        for (i in 0 until Payload.WORDS) {
            sum += message.getLong(i * Long.SIZE_BYTES)
        }
        val first = message.getLong(0)
        return only?.also {
            it.first = first
            it.sum = sum
        } ?: Content(first, sum)
    }
}

/**
 * Coroutines that send and receive, each side in [context]: as they are used in an application, so the harness's loops
 * run in one coroutine for many messages.
 */
class KotlinContender(
    private val way: Way,
    private val context: CoroutineContext = EmptyCoroutineContext,
    name: String = "kotlin." + way.name.lowercase(),
) : Contender(name, listOf(Policy.BACKOFF)) {
    enum class Way { SINGLE, BATCH16, SHARED }

    private fun topic() = Topic("queue", ContentCodec(isReusing = way != Way.BATCH16))

    private fun topology(channel: Channel, topic: Topic<Content>) =
        bus(channel.file.fileName.toString()) { topic(topic) { ring = channel.ringBytes.bytes } }

    override fun writer(channel: Channel, policy: Policy): Writer {
        val topic = topic()
        val bus = topology(channel, topic).open(channel.directory)
        val sender = bus.sender(topic)
        return when (way) {
            Way.SINGLE -> Single(channel, bus, sender, context)
            Way.BATCH16 -> Batching(channel, bus, sender, context)
            Way.SHARED -> Shared(channel, bus, sender, context)
        }
    }

    override fun reader(channel: Channel, policy: Policy): Reader = runBlocking {
        val topic = topic()
        val bus = topology(channel, topic).attach(PATIENCE, channel.directory)
        CoroutineReader(bus, bus.receiver(topic), context, way == Way.BATCH16)
    }

    override fun obey(words: List<String>, directory: Path, writers: List<Writer>, readers: List<Reader>) =
        CoroutineLoops.obey(words, directory, writers, readers)

    companion object {
        /** Whoever only takes part in the comparison of coroutines. */
        val ALL = Way.entries.map { KotlinContender(it) } +
            KotlinContender(Way.SINGLE, Dispatchers.Default, "kotlin.pool") +
            BywashContender(BywashContender.Writing.CLAIM, name = "bywash.single", mostAtOnce = 1) +
            WorkQueueContender("bywash.queue.single", isSingle = true) + ConsumeContender() +
            SingleCallContender() + CoroutineCallContender()
    }
}

/** The sending end, for coroutines. */
abstract class CoroutineWriter(
    private val channel: Channel,
    private val bus: Bus,
    val sender: Sender<Content>,
    val context: CoroutineContext,
) : Writer() {
    override fun connect() =
        check(runBlocking { sender.awaitReceivers(channel.readers, PATIENCE) }) { "the receivers do not come" }

    override fun close() = bus.close()
}

private class Single(channel: Channel, bus: Bus, sender: Sender<Content>, context: CoroutineContext) :
    CoroutineWriter(channel, bus, sender, context) {
    private val words = Content(0)

    /** One message long after the last one. */
    override fun send(first: Long) {
        words.first = first
        while (!sender.trySend(words).isSuccess) {
            Thread.onSpinWait()
        }
    }

    override fun sendAll(from: Long, until: Long) = runBlocking(context) {
        for (first in from until until) {
            words.first = first
            sender.send(words)
        }
    }
}

private class Shared(channel: Channel, bus: Bus, sender: Sender<Content>, context: CoroutineContext) :
    CoroutineWriter(channel, bus, sender, context) {
    private val shared: SharedSender<Content> = sender.shared()
    private val words = Content(0)

    override fun send(first: Long) = sendAll(first, first + 1)

    override fun sendAll(from: Long, until: Long) = runBlocking(context) {
        for (first in from until until) {
            words.first = first
            shared.send(words)
        }
    }
}

private class Batching(channel: Channel, bus: Bus, sender: Sender<Content>, context: CoroutineContext) :
    CoroutineWriter(channel, bus, sender, context) {
    private val batch = List(BATCH) { Content(0) }

    override fun send(first: Long) = sendAll(first, first + 1)

    override fun sendAll(from: Long, until: Long) = runBlocking(context) {
        for (first in from until until step BATCH.toLong()) {
            val count = minOf(BATCH.toLong(), until - first).toInt()
            for (i in 0 until count) {
                batch[i].first = first + i
            }
            sender.sendAll(if (count == BATCH) batch else batch.subList(0, count))
        }
    }
}

/** The receiving end, for coroutines. */
class CoroutineReader(
    private val bus: Bus,
    val receiver: Receiver<Content>,
    private val context: CoroutineContext,
    private val isBatching: Boolean,
) : Reader() {
    override val lost get() = receiver.lostCount

    /** One by one exactly as many as asked for, in batches what is there. */
    override fun receive(limit: Int): Int = runBlocking(context) {
        if (isBatching) {
            val batch = receiver.receiveBatch(limit)
            for (words in batch) {
                take(words.first, words.sum)
            }
            batch.size
        } else {
            repeat(limit) { receiveOne() }
            limit
        }
    }

    suspend fun receiveOne() {
        val words = receiver.receive()
        take(words.first, words.sum)
    }

    override fun close() = bus.close()
}
